//! Bars and lanes of all variants on one axis, as text: a row per lane, alike lanes in one.

mod row;
mod scale;

use super::{BOLD, DIM, format};
use crate::Variant;
use row::{Cell, Scale};
use std::{collections::BTreeMap, time::Duration};
use timeline::{Lane, Recording};

use row::eighths;
pub(super) use scale::axis;

/// Names take no more room than this.
const NAME_MOST: usize = 20;
/// Fewer cells than this are no picture; names and words give way first.
const CELLS_LEAST: usize = 12;
/// Fewer cells than this, and factors are said in short.
const CELLS_ROOMY: usize = 24;
const TIME: usize = 7;

/// Variants to be drawn, and the columns that they share.
pub(super) struct Picture<'a> {
    variants: &'a [Variant],
    name: usize,
    said: usize,
    pub(super) cells: usize,
    axis_s: f64,
    width: usize,
    in_short: bool,
}

/// One row: what stands to the left of its cells, and what they look like.
struct Row {
    label: String,
    cells: Vec<Cell>,
    /// How many lanes look like this.
    alike: usize,
    last: String,
}

impl<'a> Picture<'a> {
    /// All variants on the axis of the longest.
    pub(super) fn of(variants: &'a [Variant], width: usize) -> Self {
        let longest = variants.iter().map(|one| one.wall_s).fold(0.0, f64::max);
        Self::on_axis(variants, longest, width)
    }

    /// All variants on an axis of so many seconds.
    pub(super) fn on_axis(variants: &'a [Variant], axis_s: f64, width: usize) -> Self {
        let name = variants.iter().map(|one| one.name.chars().count()).max();
        let mut picture = Self {
            variants,
            name: name.unwrap_or(0).min(NAME_MOST),
            said: 0,
            cells: 0,
            axis_s,
            width,
            in_short: false,
        };
        picture.settle();
        if picture.cells < CELLS_ROOMY {
            picture.in_short = true;
            picture.settle();
        }
        picture.name -= CELLS_LEAST
            .saturating_sub(picture.cells)
            .min(picture.name / 2);
        picture.settle();
        picture
    }

    fn settle(&mut self) {
        let said = self.variants.iter().map(|one| self.said(one));
        self.said = said.map(|said| said.chars().count()).max().unwrap_or(0);
        let left = self.left();
        self.cells = self.width.saturating_sub(left).max(8);
    }

    /// How many columns stand to the left of the cells.
    fn left(&self) -> usize {
        2 + self.name + 2 + self.between() + 2
    }

    /// How much room time and words take together; a lane's name stands there.
    fn between(&self) -> usize {
        let said = if self.said > 0 { 2 + self.said } else { 0 };
        let least = if self.width < 80 { 11 } else { 18 };
        (TIME + said).max(least)
    }

    /// What is said beside a variant's time: its own words, or how it compares with the first.
    fn said(&self, variant: &Variant) -> String {
        if let Some(note) = &variant.note {
            let part = note.split(", ").next().filter(|_| self.in_short);
            return part.unwrap_or(note).to_owned();
        }
        let is_first = self.variants.first().map(|first| &first.name) == Some(&variant.name);
        match variant.speedup {
            _ if !variant.comparable => "not comparable".into(),
            Some(_) if is_first => String::new(),
            Some(factor) => compared(factor, self.in_short),
            None => String::new(),
        }
    }

    /// A bar for each variant.
    pub(super) fn bars(&self) -> Vec<String> {
        let bar = |variant: &Variant| {
            let part = variant.wall_s / self.axis_s.max(f64::MIN_POSITIVE);
            let between = format!(
                "{:>TIME$}  {}",
                format::seconds_f64(variant.wall_s),
                self.said(variant)
            );
            let (name, bar) = (self.named(&variant.name), eighths(part * self.cells as f64));
            format!("  {name}  {between:<0$}  {bar}", self.between())
        };
        self.variants.iter().map(bar).collect()
    }

    fn named(&self, name: &str) -> String {
        let width = self.name;
        if name.chars().count() <= width {
            return format!("{name:<width$}");
        }
        let cut: String = name.chars().take(width.saturating_sub(1)).collect();
        format!("{cut}…")
    }

    /// The lanes of all variants in at most `most` lines, axis and legend included; those named in
    /// `first` come before others where room is short.
    pub(super) fn lanes(&self, first: &[&str], most: usize) -> Vec<String> {
        let mut drawn: Vec<(&Variant, Vec<Row>)> = self.rows();
        drawn.retain(|(_, rows)| !rows.is_empty());
        let room = most.saturating_sub(2);
        if drawn.is_empty() || room == 0 {
            return Vec::new();
        }
        let mut order: Vec<usize> = (0..drawn.len()).collect();
        order.sort_by_key(|&at| !first.contains(&drawn[at].0.name.as_str()));
        let needs: Vec<usize> = drawn.iter().map(|(_, rows)| rows.len()).collect();
        let (shares, mut spare) = share_out(&needs, &order, room);
        let mut lines = Vec::new();
        let mut glyphs = String::new();
        for ((_, rows), share) in drawn.iter_mut().zip(&shares) {
            if *share < rows.len() {
                rows.sort_by_key(|row| !row::is_eventful(&row.cells));
            }
        }
        for ((variant, rows), share) in drawn.iter().zip(&shares) {
            for (place, row) in rows.iter().take(*share).enumerate() {
                let name = if place == 0 {
                    variant.name.as_str()
                } else {
                    ""
                };
                glyphs.extend(row.cells.iter().map(|cell| cell.glyph));
                let is_whole = *share == rows.len();
                lines.extend(self.row_lines(name, row, is_whole, &mut spare));
            }
        }
        let is_cut = shares.iter().zip(&needs).any(|(share, need)| share < need);
        lines.extend(self.axis_lines(&glyphs, is_cut, None));
        lines
    }

    /// The lanes of one variant on an axis of their own, in at most `most` rows.
    ///
    /// The axis says so where it is not that of the longest variant, which took `longest_s`.
    pub(super) fn alone(&self, most: usize, longest_s: f64) -> Vec<String> {
        let mut lines = Vec::new();
        let mut glyphs = String::new();
        for (variant, rows) in self.rows() {
            for (place, row) in rows.iter().take(most).enumerate() {
                let name = if place == 0 {
                    variant.name.as_str()
                } else {
                    ""
                };
                glyphs.extend(row.cells.iter().map(|cell| cell.glyph));
                lines.extend(self.row_lines(name, row, false, &mut 0));
            }
        }
        let enlarged = (longest_s > self.axis_s * 1.01).then(|| longest_s / self.axis_s);
        lines.extend(self.axis_lines(&glyphs, false, enlarged));
        lines
    }

    /// A recording that is not finished, in at most `most` rows.
    pub(super) fn growing(
        so_far: &Recording,
        name: &str,
        axis_s: f64,
        width: usize,
        most: usize,
    ) -> Vec<String> {
        let mut picture = Self::on_axis(&[], axis_s, width);
        picture.name = name.chars().count().min(NAME_MOST);
        picture.settle();
        let rows = rows_of(so_far, picture.scale(so_far));
        let mut lines = Vec::new();
        for (place, row) in rows.iter().take(most).enumerate() {
            let name = if place == 0 { name } else { "" };
            lines.extend(picture.row_lines(name, row, false, &mut 0));
        }
        lines.extend(picture.axis_lines("", false, None));
        lines
    }

    fn rows(&self) -> Vec<(&'a Variant, Vec<Row>)> {
        let variants = self.variants.iter();
        variants
            .map(|variant| {
                (
                    variant,
                    rows_of(&variant.recording, self.scale(&variant.recording)),
                )
            })
            .collect()
    }

    fn scale(&self, recording: &Recording) -> Scale {
        Scale {
            zero: recording.start,
            axis: Duration::from_secs_f64(self.axis_s),
            cells: self.cells,
        }
    }

    /// A row; many alike lanes get three with a bracket, where there is room for that.
    fn row_lines(&self, name: &str, row: &Row, is_whole: bool, spare: &mut usize) -> Vec<String> {
        let drawn = row::text(&row.cells);
        let length = row::length(&row.cells);
        let line = |name: &str, label: &str, cells: &str| {
            let (name, between) = (self.named(name), self.between());
            let label: String = label.chars().take(between).collect();
            format!("  {name}  {label:<between$}  {cells}")
                .trim_end()
                .to_owned()
        };
        let words = format!("{} like this", format::count(row.alike as u64));
        let has_room = length + 3 + words.len() + 2 <= self.cells;
        if row.alike < 3 {
            return vec![line(name, &row.label, &drawn)];
        }
        if !is_whole || *spare < 2 || !has_room {
            let (alike, others) = (row.alike, row.alike - 1);
            let label = format!("{} + {others} alike", row.label);
            let label = if label.chars().count() <= self.between() {
                label
            } else {
                format!("{alike} alike")
            };
            return vec![line(name, &label, &drawn)];
        }
        *spare -= 2;
        let gap = " ".repeat(length + 1);
        vec![
            line(name, &row.label, &format!("{drawn} {DIM}┐{DIM:#}")),
            line("", "…", &format!("{gap}{DIM}├ {words}{DIM:#}")),
            line("", &row.last, &format!("{drawn} {DIM}┘{DIM:#}")),
        ]
    }

    /// The axis, with the legend beside it where that fits, else below.
    fn axis_lines(&self, glyphs: &str, is_cut: bool, enlarged: Option<f64>) -> Vec<String> {
        let axis = axis(Duration::from_secs_f64(self.axis_s), enlarged, self.cells);
        let mut legend = row::legend(glyphs);
        if is_cut {
            legend.push("more lanes: --verbose".into());
        }
        let (text, left) = (legend.join("  "), self.left() - 2);
        if text.chars().count() < left {
            return vec![format!("{DIM}  {text:<left$}{axis}{DIM:#}")];
        }
        let blank = " ".repeat(self.left());
        let mut lines = vec![format!("{DIM}{blank}{axis}{DIM:#}")];
        let mut line = String::new();
        for item in legend {
            if !line.is_empty() && line.chars().count() + 4 + item.chars().count() > self.width {
                lines.push(format!("{DIM}{line}{DIM:#}"));
                line.clear();
            }
            line += &format!("  {item}");
        }
        lines.push(format!("{DIM}{line}{DIM:#}"));
        lines
    }
}

/// `9.9 × as fast`, `1.4 × as long`.
fn compared(factor: f64, in_short: bool) -> String {
    let digits = |ratio: f64| match ratio {
        ratio if ratio < 9.95 => format!("{ratio:.1}"),
        ratio => format::plain(ratio.round()),
    };
    match (factor >= 0.95, in_short) {
        (true, false) => format!("{} × as fast", digits(factor)),
        (false, false) => format!("{} × as long", digits(1.0 / factor)),
        (true, true) => format!("{} ×", digits(factor)),
        (false, true) => format!("1/{} ×", digits(1.0 / factor)),
    }
}

/// Rows for each of several that need so many, in turns until there are no more; and what is left.
fn share_out(needs: &[usize], order: &[usize], mut room: usize) -> (Vec<usize>, usize) {
    let mut shares = vec![0; needs.len()];
    loop {
        let before = room;
        for &at in order {
            if room > 0 && shares[at] < needs[at] {
                shares[at] += 1;
                room -= 1;
            }
        }
        if room == before {
            return (shares, room);
        }
    }
}

/// A row for all lanes that look alike, in order, and one for each level.
fn rows_of(recording: &Recording, scale: Scale) -> Vec<Row> {
    let end = recording.start.plus(recording.wall);
    let mut rows: Vec<Row> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for lane in recording
        .lanes
        .iter()
        .filter(|lane| in_view(lane, recording))
    {
        let cells = row::row(lane, scale);
        let glyphs: String = cells.iter().map(|cell| cell.glyph).collect();
        let like = known.get(&glyphs).copied();
        let like = like.or_else(|| {
            let recent = rows
                .iter()
                .rposition(|row| row::look_alike(&row.cells, &cells));
            recent.filter(|at| rows.len() - at <= 8)
        });
        match like {
            Some(at) => {
                rows[at].alike += 1;
                rows[at].last.clone_from(&lane.name);
            }
            None => {
                known.insert(glyphs, rows.len());
                rows.push(Row {
                    label: lane.name.clone(),
                    cells,
                    alike: 1,
                    last: lane.name.clone(),
                });
            }
        }
    }
    // One level shows even where rows are few.
    let levels = recording.levels.iter().take(2).map(|level| Row {
        label: format!("{} {}", format::plain(level.peak()), level.name),
        cells: row::heights(&scale::heights(level, scale, scale.cells_until(end))),
        alike: 1,
        last: String::new(),
    });
    let at = rows.len().min(2);
    rows.splice(at..at, levels);
    rows
}

/// Whether any part of the lane falls into the measured stretch.
fn in_view(lane: &Lane, recording: &Recording) -> bool {
    let end = recording.start.plus(recording.wall);
    lane.spans
        .iter()
        .any(|span| span.end > recording.start && span.start < end)
}

/// A variant that has just run, in a line to stay above those to come.
pub(super) fn finished(name: &str, wall_s: f64) -> String {
    let time = format::seconds_f64(wall_s);
    format!("  {BOLD}{name:<NAME_MOST$}{BOLD:#}  {time:>TIME$}")
}
