//! One lane as cells: how much of each cell's time it ran, waited, or was idle.

use crate::{
    BAD, CounterReport, DIM, LaneReport, SpanReport,
    lane::{self, CUT, FIRST_CAUSE, LOOKS, READY, RUNNING, START, STILL, Stretch, named},
};
use anstyle::{AnsiColor, Style};
use std::ops::Range;
use timeline::BACK_OFF;

const PARTLY: char = '▒';
const EDGE: char = '|';
pub(super) const FAILED: char = '×';
pub(super) const PERMIT: char = '·';
pub(super) const ENDED: char = '!';
/// From the left, an eighth more each.
const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Heights of a level, from nothing to its peak.
const HEIGHTS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// For what part of a cell each look was seen.
type Seen = [f64; LOOKS];

/// What rows are drawn on: so many cells over so many seconds.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) axis_s: f64,
    pub(super) cells: usize,
}

impl Scale {
    /// The cells that a stretch lies in; what ends where the next begins shares none with it.
    fn cells_of(self, [start, end]: [i64; 2]) -> Range<usize> {
        self.place(start) as usize..self.place(end).ceil() as usize
    }

    /// Where a moment lies, in cells.
    fn place(self, at: i64) -> f64 {
        let (cells, axis) = (self.cells as f64, lane::nanoseconds(self.axis_s).max(1));
        (at as f64 * cells / axis as f64).clamp(0.0, cells)
    }
}

/// One lane; where spans lie in each other, the innermost is seen.
pub(super) fn row(lane: &LaneReport, scale: Scale) -> Vec<char> {
    let mut seen = vec![[0.0; LOOKS]; scale.cells];
    let stretches = lane::stretches(lane);
    // After a failure nothing is waited for: its mark says it, and the rest is idle. What was cut off
    // has marks of its own.
    let is_marked = |look: usize| look == CUT || is_back_off(look);
    for stretch in stretches.iter().filter(|one| !is_marked(one.look)) {
        add(&mut seen, *stretch, scale);
    }
    let mut row: Vec<char> = seen.iter().map(glyph).collect();
    for at in edges(lane, &seen, scale) {
        row[at] = EDGE;
    }
    let next = stretches.iter().skip(1).map(|next| next.look);
    for (stretch, next) in stretches.iter().zip(next.chain([RUNNING])) {
        let cells = &mut row[scale.cells_of([stretch.start, stretch.end])];
        if [START, CUT].contains(&stretch.look) {
            cells.fill(named(stretch.look).2);
        }
        if stretch.look == CUT
            && next != CUT
            && let Some(last) = cells.last_mut()
        {
            *last = ENDED;
        }
    }
    let is_failure = |span: &&SpanReport| span.wait.as_deref() == Some(BACK_OFF);
    for span in lane.spans.iter().filter(is_failure) {
        let start = scale.place(lane::nanoseconds(span.start_s)) as usize;
        if let Some(cell) = row.get_mut(start) {
            *cell = FAILED;
        }
    }
    row
}

fn is_back_off(look: usize) -> bool {
    look >= FIRST_CAUSE && named(look).0 == BACK_OFF
}

fn add(seen: &mut [Seen], stretch: Stretch, scale: Scale) {
    let (start, end) = (scale.place(stretch.start), scale.place(stretch.end));
    let cells = scale.cells_of([stretch.start, stretch.end]);
    for (at, cell) in cells.clone().zip(&mut seen[cells]) {
        let at = at as f64;
        let (from, to) = (start.max(at), end.min(at + 1.0));
        let open = (to - from).max(0.0);
        cell[RUNNING] += open * stretch.share;
        cell[stretch.look] += open * (1.0 - stretch.share);
    }
}

fn glyph(seen: &Seen) -> char {
    let (ran, open) = (seen[RUNNING], seen.iter().sum::<f64>());
    let longest = (STILL..LOOKS).max_by(|&a, &b| seen[a].total_cmp(&seen[b]));
    match ran / open {
        0.75.. => PARTS[(open * 8.0).round().clamp(1.0, 8.0) as usize - 1],
        0.25.. => PARTLY,
        _ if open > 0.0 => named(longest.unwrap_or(READY)).2,
        _ => ' ',
    }
}

/// The colours hold on light and on dark ground; what waits for a lock, a permit or a queue has one.
fn style_of(glyph: char) -> Style {
    match glyph {
        '─' | FAILED => AnsiColor::Red.on_default(),
        '>' => AnsiColor::Magenta.on_default(),
        '<' | PERMIT => AnsiColor::Cyan.on_default(),
        ENDED => BAD,
        '░' | '┄' | 's' | '?' => DIM,
        _ => Style::new(),
    }
}

/// Where an outermost span begins right after another, and has room for a mark.
fn edges(lane: &LaneReport, seen: &[Seen], scale: Scale) -> Vec<usize> {
    let mut edges = Vec::new();
    // Where spans of one lane overlap, as those of a process with threads, none follows another.
    let mut ended = f64::NEG_INFINITY;
    let is_outermost = |span: &&SpanReport| span.depth == 0 && span.end_s > 0.0;
    for span in lane.spans.iter().filter(is_outermost) {
        let cells = scale.cells_of([span.start_s, span.end_s].map(lane::nanoseconds));
        let before = cells.start.checked_sub(1);
        let follows = before.is_some_and(|before| glyph(&seen[before]) != ' ');
        if follows && span.start_s >= ended && cells.len() > 2 {
            edges.push(cells.start);
        }
        ended = ended.max(span.end_s);
    }
    edges
}

/// A level as a row of heights, up to the end of its variant.
pub(super) fn heights(level: &CounterReport, scale: Scale, end_s: f64) -> Vec<char> {
    let peak = level.peak().max(f64::MIN_POSITIVE);
    let first = |at_s| scale.place(lane::nanoseconds(at_s)) as usize;
    let mut row = vec![' '; scale.place(lane::nanoseconds(end_s)).ceil() as usize];
    let ends = level.samples.iter().skip(1).map(|sample| sample.0);
    for (&(start_s, level), end_s) in level.samples.iter().zip(ends.chain([end_s])) {
        // What is more than nothing is seen.
        let height = (level / peak * (HEIGHTS.len() - 1) as f64).round() as usize;
        let glyph = HEIGHTS[height.clamp(usize::from(level > 0.0), HEIGHTS.len() - 1)];
        let (first, end) = (first(start_s), first(end_s).max(first(start_s) + 1));
        for one in row.iter_mut().take(end).skip(first) {
            *one = glyph.max(*one);
        }
    }
    row
}

/// How many cells there are up to the last that shows anything.
pub(super) fn length(row: &[char]) -> usize {
    let last = row.iter().rposition(|glyph| *glyph != ' ');
    last.map_or(0, |last| last + 1)
}

/// Cells as text, those at the end that show nothing left out.
pub(super) fn text(row: &[char]) -> String {
    let groups = row[..length(row)].chunk_by(|a, b| style_of(*a) == style_of(*b));
    let styled = groups.map(|group| {
        let (style, glyphs) = (style_of(group[0]), String::from_iter(group));
        format!("{style}{glyphs}{style:#}")
    });
    styled.collect()
}

/// Whether a viewer would call the two rows alike.
pub(super) fn look_alike(one: &[char], other: &[char]) -> bool {
    let differ = one.iter().zip(other).filter(|(one, other)| one != other);
    differ.count() <= 2
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
    let runs = glyphs.contains(PARTS);
    let (_, _, plain) = named(STILL);
    let looks = (0..LOOKS).map(|look| (look, named(look)));
    let looks = looks.filter(|(look, (.., mark))| *look <= STILL || *mark != plain);
    let looks = looks.map(|(_, (_, words, mark))| (mark, words));
    let marks = looks.chain([(PARTLY, "partly running"), (EDGE, "next begins")]);
    let seen = marks.filter(|(mark, _)| glyphs.contains(*mark) || *mark == PARTS[7] && runs);
    seen.map(|(mark, words)| format!("{mark} {words}"))
        .collect()
}
