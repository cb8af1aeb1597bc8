//! Bars and lanes of variants on one axis, as text: a row per lane, alike lanes in one.

mod axis;
mod row;
#[cfg(test)]
mod tests;

use crate::{BOLD, DIM, Document, LaneReport, NO_BREAK, Variant, format, lane, wrap};
use axis::axis;
use console::{Alignment, measure_text_width, pad_str};
use row::{ENDED, FAILED, PERMIT, Scale};
use std::{cmp::Reverse, time::Duration};
use timeline::LaneKind;

/// Names take no more room than this.
const NAME_MOST: usize = 20;
/// Fewer cells than this are no picture; names and words give way first.
const CELLS_LEAST: usize = 12;
/// Fewer cells than this, and what is said beside a time is said in short.
const CELLS_ROOMY: usize = 20;
const TIME: usize = 7;

/// The columns that bars and lanes share: a name, what is said, and cells over so many seconds.
pub(super) struct Picture<'a> {
    document: &'a Document,
    name: usize,
    between: usize,
    in_short: bool,
    scale: Scale,
    width: usize,
}

/// One row: the lanes, in order, that look like its cells.
struct Row {
    lanes: Vec<String>,
    cells: Vec<char>,
}

impl Row {
    /// The first lane that was also shown before, else the first.
    fn label(&self, before: &[&str]) -> &str {
        let seen = self.lanes.iter().find(|lane| before.contains(&&***lane));
        seen.unwrap_or(&self.lanes[0])
    }

    /// Whether something failed in it, or was cut off.
    fn is_eventful(&self) -> bool {
        self.cells.iter().any(|it| [FAILED, ENDED].contains(it))
    }
}

impl<'a> Picture<'a> {
    /// For the variants of a document on an axis as long as the longest.
    pub(super) fn of(document: &'a Document, width: usize) -> Self {
        // Where cells are few, words give way first, and names next.
        let roomy = Self::with(document, width, NAME_MOST, false);
        if roomy.scale.cells >= CELLS_ROOMY {
            return roomy;
        }
        let short = Self::with(document, width, NAME_MOST, true);
        let missing = CELLS_LEAST.saturating_sub(short.scale.cells);
        let name = short.name - missing.min(short.name / 2);
        Self::with(document, width, name, true)
    }

    /// With names of at most so many columns; a lane's name stands where a bar has its time and what is said
    /// beside it.
    fn with(document: &'a Document, width: usize, most: usize, in_short: bool) -> Self {
        let variants = &document.variants;
        let names = variants.iter().map(|one| measure_text_width(&one.name));
        let mut picture = Self {
            document,
            name: names.max().unwrap_or(0).min(most),
            between: 0,
            in_short,
            scale: Scale {
                axis_s: lane::longest(variants),
                cells: 0,
            },
            width,
        };
        let said = variants.iter().map(|one| picture.said(one));
        let said = said.map(|said| measure_text_width(&said)).max();
        let said = said.filter(|said| *said > 0).map_or(0, |said| said + 2);
        picture.between = (TIME + said).max(if width < 80 { 11 } else { 18 });
        picture.scale.cells = width.saturating_sub(picture.left()).max(8);
        picture
    }

    /// How many columns stand to the left of the cells.
    fn left(&self) -> usize {
        2 + self.name + 2 + self.between + 2
    }

    /// What is said beside a variant's time: its own words with its factor, or how it compares with the first.
    fn said(&self, variant: &Variant) -> String {
        let said = match (&variant.note, self.document.compared(variant)) {
            (Some(note), Some(factor)) if factor.contains('×') => format!("{note}, {factor}"),
            (Some(note), _) => note.clone(),
            (None, _) if !variant.comparable => "not comparable".into(),
            (None, compared) => compared.unwrap_or_default(),
        };
        let short = said.split(", ").next().unwrap_or_default();
        if self.in_short {
            short.replace(" as fast", "")
        } else {
            said
        }
    }

    /// A line of the columns.
    fn line(&self, name: &str, between: &str, cells: &str) -> String {
        let [name, between] = [(name, self.name), (between, self.between)]
            .map(|(text, width)| pad_str(text, width, Alignment::Left, Some("…")));
        format!("  {name}  {between}  {cells}")
            .trim_end()
            .to_owned()
    }

    /// A bar for each variant.
    pub(super) fn bars<'v>(&self, variants: impl IntoIterator<Item = &'v Variant>) -> Vec<String> {
        let bar = |one: &Variant| {
            let part = one.wall_s / self.scale.axis_s.max(f64::MIN_POSITIVE);
            let (time, said) = (format::seconds_f64(one.wall_s), self.said(one));
            let bar = row::eighths(part * self.scale.cells as f64);
            self.line(&one.name, &format!("{time:>TIME$}  {said}"), &bar)
        };
        variants.into_iter().map(bar).collect()
    }

    /// The lanes of these variants in at most `most` lines, axis and legend included.
    pub(super) fn lanes(&self, variants: &[Variant], most: usize) -> Vec<String> {
        let drawn = variants.iter().map(|one| (one, self.rows(one)));
        let drawn: Vec<_> = drawn.filter(|(_, rows)| !rows.is_empty()).collect();
        let rows = drawn.iter().flat_map(|one| &one.1);
        let all = String::from_iter(rows.flat_map(|row| &row.cells));
        let room = most.saturating_sub(self.axis_lines(&all, true).len());
        // One lane of several variants says nothing.
        if drawn.is_empty() || room < drawn.len().min(2) {
            return Vec::new();
        }
        let compares =
            |one: &Variant| one.speedup == Some(1.0) || self.document.compared(one).is_some();
        let needs = drawn.iter().map(|(one, rows)| (rows.len(), compares(one)));
        let shares = shares(needs, room);
        let lengths = drawn.iter().map(|one| one.1.len());
        let is_cut = lengths.ne(shares.iter().copied());
        let mut spare = room - shares.iter().sum::<usize>();
        let (mut lines, mut seen, mut before) = (Vec::new(), String::new(), Vec::new());
        let mut failed = Vec::new();
        for ((variant, rows), share) in drawn.iter().zip(shares) {
            let shown = worth_most(rows, share, &failed);
            let labels: Vec<&str> = shown.iter().map(|row| row.label(&before)).collect();
            if shown.iter().any(|row| row.is_eventful()) {
                failed.clone_from(&labels);
            }
            for (place, (row, label)) in shown.into_iter().zip(&labels).enumerate() {
                seen.extend(&row.cells);
                // Where any is spare, no row was left out.
                let name = if place == 0 { &*variant.name } else { "" };
                lines.extend(self.row_lines([name, label], row, &mut spare));
            }
            before = labels;
        }
        lines.extend(self.axis_lines(&seen, is_cut));
        lines
    }

    /// A row for all lanes that look alike, in order, and one for each level.
    fn rows(&self, variant: &Variant) -> Vec<Row> {
        let row = |lane: String, cells| Row {
            lanes: vec![lane],
            cells,
        };
        let (wall_s, recorded) = (variant.wall_s, &variant.recorded);
        let mut rows: Vec<Row> = Vec::new();
        let is_elsewhere = |lane: &LaneReport| lane.kind == LaneKind::Elsewhere;
        let has_threads = recorded.lanes.iter().any(is_elsewhere);
        for lane in lane::in_view(&recorded.lanes, wall_s) {
            // The threads of a child say all that its own lane would.
            if has_threads && !is_elsewhere(lane) {
                continue;
            }
            let cells = row::row(lane, self.scale);
            let like = |row: &&mut Row| row::look_alike(&row.cells, &cells);
            match rows.iter_mut().rev().find(like) {
                Some(row) => row.lanes.push(lane.name.clone()),
                None => rows.push(row(lane.name.clone(), cells)),
            }
        }
        // One level shows even where rows are few; those counted from spans say nothing new.
        let levels = recorded
            .counters
            .iter()
            .filter(|level| level.name != "in flight");
        let levels = levels.take(2).map(|level| {
            let label = format!("{} {}", format::plain(level.peak()), level.name);
            row(label, row::heights(level, self.scale, wall_s))
        });
        let at = rows.len().min(2);
        rows.splice(at..at, levels);
        rows
    }

    /// A row; many alike lanes get three with a bracket, where two are spare for that.
    fn row_lines(&self, [name, label]: [&str; 2], row: &Row, spare: &mut usize) -> Vec<String> {
        let drawn = row::text(&row.cells);
        let length = row::length(&row.cells);
        let alike = row.lanes.len();
        let words = format!("{} like this", format::count(alike as u64));
        if alike < 3 {
            return vec![self.line(name, label, &drawn)];
        }
        if *spare < 2 || length + 3 + words.len() + 2 > self.scale.cells {
            let labels = [format!("{alike} like {label}"), format!("{alike} alike")];
            let fits = measure_text_width(&labels[0]) <= self.between;
            return vec![self.line(name, &labels[usize::from(!fits)], &drawn)];
        }
        *spare -= 2;
        let gap = " ".repeat(length + 1);
        vec![
            self.line(name, label, &format!("{drawn} {DIM}┐{DIM:#}")),
            self.line("", "…", &format!("{gap}{DIM}├ {words}{DIM:#}")),
            self.line("", &row.lanes[alike - 1], &format!("{drawn} {DIM}┘{DIM:#}")),
        ]
    }

    /// The axis, with the legend beside it where that fits, else below.
    fn axis_lines(&self, glyphs: &str, is_cut: bool) -> Vec<String> {
        let axis = axis(self.scale.axis_s, self.scale.cells);
        let mut legend = row::legend(glyphs);
        legend.extend(is_cut.then(|| "more lanes: --verbose".into()));
        let (text, left) = (legend.join("  "), self.left() - 2);
        if text.chars().count() < left {
            return vec![format!("{DIM}  {text:<left$}{axis}{DIM:#}")];
        }
        let items = legend.iter().map(|item| item.replace(' ', NO_BREAK));
        let items = items.collect::<Vec<_>>().join("  ");
        // A line each: who draws them counts lines.
        let lines = format!("  {:left$}{axis}\n{}", "", wrap(&items, self.width, 2));
        let lines = lines.lines().map(|line| format!("{DIM}{line}{DIM:#}"));
        lines.collect()
    }
}

/// A row for each of several that need so many in turns, until there is no room or none is left.
///
/// Those that compare are a turn ahead of the others.
fn shares(needs: impl Iterator<Item = (usize, bool)>, room: usize) -> Vec<usize> {
    let mut shares = Vec::new();
    let mut turns = Vec::new();
    for (at, (need, compares)) in needs.enumerate() {
        shares.push(0);
        turns.extend((0..need).map(|turn| (turn + usize::from(!compares), at)));
    }
    turns.sort_unstable();
    turns.iter().take(room).for_each(|turn| shares[turn.1] += 1);
    shares
}

/// So many of the rows, in order; those in which something failed or was cut off before others, and next to
/// the first of them the one that queued longest meanwhile. Lanes that were also shown `before`, where something
/// failed, come first, so that variants compare.
fn worth_most<'a>(rows: &'a [Row], share: usize, before: &[&str]) -> Vec<&'a Row> {
    let (mut kept, mut calm): (Vec<usize>, Vec<usize>) =
        (0..rows.len()).partition(|&at| rows[at].is_eventful());
    let is_seen = |at: &usize| before.contains(&rows[*at].label(before));
    let queued = |at: &usize| rows[*at].cells.iter().filter(|it| **it == PERMIT).count();
    kept.sort_by_key(|at| (!is_seen(at), Reverse(queued(at))));
    let waiting = calm
        .iter()
        .copied()
        .filter(|at| queued(at) > 0 || is_seen(at));
    let longest = waiting.max_by_key(|at| (is_seen(at), queued(at)));
    if let Some(longest) = longest.filter(|_| !kept.is_empty()) {
        calm.retain(|&at| at != longest);
        kept.insert(1, longest);
    }
    kept.append(&mut calm);
    kept.truncate(share);
    kept.sort_unstable();
    kept.into_iter().map(|at| &rows[at]).collect()
}

/// A variant that has just run, in a line to stay above those to come.
pub fn finished(name: &str, wall: Duration) -> String {
    let name = pad_str(name, NAME_MOST, Alignment::Left, None);
    let time = format::seconds(wall);
    format!("  {BOLD}{name}{BOLD:#}  {time:>TIME$}")
}
