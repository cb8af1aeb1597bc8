//! One lane as cells: how much of each cell's time it ran, waited, or was idle.

use crate::{
    BAD, CounterReport, DIM, LaneReport,
    lane::{self, CUT, FIRST_CAUSE, LOOKS, READY, START, Stretch},
};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use timeline::{BACK_OFF, CAUSES, Cause};

const WAITING: char = '░';
const PARTLY: char = '▒';
const EDGE: char = '|';
const UNTOLD: char = '?';
const FAILED: char = '×';
const PERMIT: char = '·';
const RIGHT_HALF: char = '▐';
/// From the left, an eighth more each.
const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Heights of a level, from nothing to its peak.
const HEIGHTS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// Marks that say themselves what they mean, each with its words.
const MARKS: [(char, &str); 7] = [
    (PARTLY, "partly running"),
    (WAITING, "waiting"),
    ('┄', "ready, no CPU free"),
    (EDGE, "next begins"),
    ('s', "starts up"),
    (UNTOLD, "not known"),
    ('!', "cut off"),
];

/// A character of a row and how it is coloured; the character alone says it all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) glyph: char,
    style: Style,
}

const fn cell(glyph: char, style: Style) -> Cell {
    Cell { glyph, style }
}

/// What a cell saw, in cells.
#[derive(Clone, Copy, Default)]
struct Seen {
    ran: f64,
    waited: [f64; LOOKS],
    from: Option<f64>,
    to: f64,
}

/// What rows are drawn on: so many cells over so many seconds.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) axis_s: f64,
    pub(super) cells: usize,
}

impl Scale {
    /// In whole nanoseconds, so that what ends where the next begins shares no cell with it.
    fn parts(self, at: i64) -> (u128, u128) {
        let axis = lane::nanoseconds(self.axis_s).max(1);
        (at.max(0) as u128 * self.cells as u128, axis as u128)
    }

    fn first(self, at: i64) -> usize {
        let (parts, axis) = self.parts(at);
        (parts / axis).min(self.cells as u128) as usize
    }

    /// How many cells lie before the moment, those that it lies in included.
    fn until(self, at: i64) -> usize {
        let (parts, axis) = self.parts(at);
        parts.div_ceil(axis).min(self.cells as u128) as usize
    }
}

/// One lane; where spans lie in each other, the innermost is seen.
pub(super) fn row(lane: &LaneReport, scale: Scale) -> Vec<Cell> {
    let mut seen = vec![Seen::default(); scale.cells];
    let stretches = lane::stretches(lane);
    for stretch in &stretches {
        // After a failure nothing is waited for: its mark says it, and the rest is idle. What was cut off
        // has marks of its own.
        if stretch.look != CUT && !is_back_off(stretch.look) {
            add(&mut seen, *stretch, scale);
        }
    }
    let mut row: Vec<Cell> = seen.iter().map(|seen| seen.cell()).collect();
    for at in edges(lane, &seen, scale) {
        row[at] = cell(EDGE, Style::new());
    }
    for (place, stretch) in stretches.iter().enumerate().filter(|(_, one)| one.end > 0) {
        let (first, last) = (scale.first(stretch.start), scale.until(stretch.end));
        let Some(cells) = row.get_mut(first..last).filter(|cells| !cells.is_empty()) else {
            continue;
        };
        match stretch.look {
            START => cells.fill(cell('s', DIM)),
            CUT => {
                cells.fill(cell(UNTOLD, DIM));
                if stretches.get(place + 1).is_none_or(|next| next.look != CUT) {
                    cells[last - first - 1] = cell('!', BAD);
                }
            }
            look if is_back_off(look) => cells[0] = cell(FAILED, AnsiColor::Red.on_default()),
            _ => {}
        }
    }
    row
}

fn cause(look: usize) -> Option<&'static Cause> {
    CAUSES.get(look.checked_sub(FIRST_CAUSE)?)
}

fn is_back_off(look: usize) -> bool {
    cause(look).is_some_and(|cause| cause.wait == BACK_OFF)
}

fn add(seen: &mut [Seen], stretch: Stretch, scale: Scale) {
    let cells = |at: i64| at as f64 / 1e9 / scale.axis_s * scale.cells as f64;
    let (start, end) = (cells(stretch.start), cells(stretch.end));
    let (first, last) = (scale.first(stretch.start), scale.until(stretch.end));
    for (at, cell) in seen.iter_mut().enumerate().take(last).skip(first) {
        let (from, to) = (start.max(at as f64), end.min(at as f64 + 1.0));
        let open = (to - from).max(0.0);
        cell.ran += open * stretch.share;
        cell.waited[stretch.look] += open * (1.0 - stretch.share);
        cell.from.get_or_insert(from - at as f64);
        cell.to = cell.to.max(to - at as f64);
    }
}

impl Seen {
    fn cell(&self) -> Cell {
        let open = self.ran + self.waited.iter().sum::<f64>();
        let Some(from) = self.from else {
            return cell(' ', Style::new());
        };
        if self.ran >= 0.75 * open {
            return cell(running(from, self.to, open), Style::new());
        }
        if self.ran >= 0.25 * open {
            return cell(PARTLY, Style::new());
        }
        let longest = (0..LOOKS).max_by(|&a, &b| self.waited[a].total_cmp(&self.waited[b]));
        let look = longest.unwrap_or_default();
        let mark = cause(look).and_then(|cause| cause.mark);
        match cause(look).map_or("", |cause| cause.wait) {
            "" if look == READY => cell('┄', DIM),
            wait => cell(mark.unwrap_or(WAITING), style_of(wait)),
        }
    }
}

/// How a running cell looks that was open from `from` to `to`, for `open` in all.
fn running(from: f64, to: f64, open: f64) -> char {
    const NEAR: f64 = 1.0 / 16.0;
    let eighths = (open * 8.0).round().clamp(1.0, 8.0) as usize;
    match (from <= NEAR, to >= 1.0 - NEAR) {
        (true, true) if open < 0.75 => PARTLY,
        (false, true) if open < 0.75 => RIGHT_HALF,
        (_, true) => PARTS[7],
        _ => PARTS[eighths - 1],
    }
}

/// The colours hold on light and on dark ground.
fn style_of(wait: &str) -> Style {
    match wait {
        "lock" => AnsiColor::Red.on_default(),
        "queue full" => AnsiColor::Magenta.on_default(),
        "queue empty" | "permit" => AnsiColor::Cyan.on_default(),
        _ => DIM,
    }
}

/// Where an outermost span begins right after another, and has room for a mark.
fn edges(lane: &LaneReport, seen: &[Seen], scale: Scale) -> Vec<usize> {
    let mut edges = Vec::new();
    // Where spans of one lane overlap, as those of a process with threads, none follows another.
    let mut ended = f64::NEG_INFINITY;
    let outermost = lane
        .spans
        .iter()
        .filter(|span| span.depth == 0 && span.end_s > 0.0);
    for span in outermost {
        let [start, end] = [span.start_s, span.end_s].map(lane::nanoseconds);
        let (first, last) = (scale.first(start), scale.until(end));
        let follows = first > 0 && first < scale.cells && seen[first - 1].from.is_some();
        if follows && span.start_s >= ended && last > first + 2 {
            edges.push(first);
        }
        ended = ended.max(span.end_s);
    }
    edges
}

/// A level as a row of heights, up to the end of its variant.
pub(super) fn heights(level: &CounterReport, scale: Scale, end_s: f64) -> Vec<Cell> {
    let peak = level.peak().max(f64::MIN_POSITIVE);
    let mut row = vec![cell(' ', Style::new()); scale.until(lane::nanoseconds(end_s))];
    let ends = level.samples.iter().skip(1).map(|sample| sample.0);
    for (&(start_s, level), end_s) in level.samples.iter().zip(ends.chain([end_s])) {
        // What is more than nothing is seen.
        let height = (level / peak * (HEIGHTS.len() - 1) as f64).round() as usize;
        let glyph = HEIGHTS[height.clamp(usize::from(level > 0.0), HEIGHTS.len() - 1)];
        let [start, end] = [start_s, end_s].map(lane::nanoseconds);
        let first = scale.first(start);
        for one in row
            .iter_mut()
            .take(scale.first(end).max(first + 1))
            .skip(first)
        {
            one.glyph = one.glyph.max(glyph);
        }
    }
    row
}

/// How many cells there are up to the last that shows anything.
pub(super) fn length(row: &[Cell]) -> usize {
    let last = row.iter().rposition(|cell| cell.glyph != ' ');
    last.map_or(0, |last| last + 1)
}

/// Cells as text, those at the end that show nothing left out.
pub(super) fn text(row: &[Cell]) -> String {
    let mut text = String::new();
    for group in row[..length(row)].chunk_by(|a, b| a.style == b.style) {
        let style = group[0].style;
        let glyphs: String = group.iter().map(|cell| cell.glyph).collect();
        let _ = write!(text, "{style}{glyphs}{style:#}");
    }
    text
}

/// Whether a viewer would call the two rows alike: they begin and end together, nearly.
pub(super) fn look_alike(one: &[Cell], other: &[Cell]) -> bool {
    let pairs = one.iter().zip(other);
    let differ = pairs.filter(|(one, other)| one.glyph != other.glyph);
    let begins = |row: &[Cell]| row.iter().position(|cell| cell.glyph != ' ');
    let near = |a: usize, b: usize| a.abs_diff(b) <= 1;
    differ.count() <= 2
        && near(length(one), length(other))
        && near(begins(one).unwrap_or(0), begins(other).unwrap_or(0))
}

/// Whether something failed or was cut off in it.
pub(super) fn is_eventful(row: &[Cell]) -> bool {
    row.iter().any(|cell| matches!(cell.glyph, FAILED | '!'))
}

/// In how many of its cells a lane waited for a permit.
pub(super) fn queued(row: &[Cell]) -> usize {
    row.iter().filter(|cell| cell.glyph == PERMIT).count()
}

/// A bar of so many cells, to the eighth; what is too short for that is a mark.
pub(super) fn eighths(cells: f64) -> String {
    let eighths = (cells * 8.0).round().max(1.0) as usize;
    let mut bar = PARTS[7].to_string().repeat(eighths / 8);
    bar.extend((!eighths.is_multiple_of(8)).then(|| PARTS[eighths % 8 - 1]));
    bar
}

/// The marks among these glyphs, each with what it means.
pub(super) fn legend(glyphs: &str) -> Vec<String> {
    let runs = glyphs.contains(PARTS) || glyphs.contains(RIGHT_HALF);
    let causes = CAUSES.iter();
    let causes = causes.filter_map(|cause| Some((cause.mark?, cause.words)));
    let marks = MARKS.into_iter().chain(causes);
    let marks = marks.filter(|(mark, _)| glyphs.contains(*mark));
    let running = runs.then_some((PARTS[7], "running")).into_iter();
    running
        .chain(marks)
        .map(|(mark, words)| format!("{mark} {words}"))
        .collect()
}
