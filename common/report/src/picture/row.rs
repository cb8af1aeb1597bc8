//! One lane as cells: how much of each cell's time it ran, waited, or was idle.

use super::super::{BAD, DIM};
use anstyle::{AnsiColor, Style};
use std::{collections::BTreeSet, fmt::Write, time::Duration};
use timeline::START_UP;
use timeline::{BACK_OFF, CAUSES, Lane, Moment, Span, known_cause};

pub(crate) const RUNNING: char = '█';
pub(crate) const WAITING: char = '░';
/// Could run, but has no CPU.
pub(crate) const READY: char = '┄';
const PARTLY: char = '▒';
const EDGE: char = '|';
const STARTING: char = 's';
const CUT: char = '!';
const UNTOLD: char = '?';

/// From the left, an eighth more each.
const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', RUNNING];
const RIGHT_HALF: char = '▐';

/// A character of a row and how it is coloured; the character alone says it all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) glyph: char,
    style: Style,
}

const IDLE: Cell = cell(' ', Style::new());

const fn cell(glyph: char, style: Style) -> Cell {
    Cell { glyph, style }
}

const OTHER_CAUSE: usize = CAUSES.len();
const READY_AT: usize = OTHER_CAUSE + 1;

/// What a cell saw, in nanoseconds from its beginning.
#[derive(Clone, Copy, Default)]
struct Seen {
    ran: f64,
    /// By cause, then for any other, and last for none: it was ready.
    waited: [f64; READY_AT + 1],
    from: Option<f64>,
    to: f64,
}

/// What rows are drawn on: so many cells over a stretch of time.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) zero: Moment,
    pub(super) axis: Duration,
    pub(super) cells: usize,
}

impl Scale {
    fn cell_ns(self) -> f64 {
        (self.axis.as_nanos() as f64 / self.cells as f64).max(f64::MIN_POSITIVE)
    }

    /// In whole nanoseconds, so that what ends where the next begins shares no cell with it.
    fn parts(self, moment: Moment) -> u128 {
        (moment - self.zero).as_nanos() * self.cells as u128
    }

    fn first(self, moment: Moment) -> usize {
        let cell = self.parts(moment) / self.axis.as_nanos().max(1);
        cell.min(self.cells as u128) as usize
    }

    /// How many cells lie before the moment, those that it lies in included.
    pub(super) fn cells_until(self, moment: Moment) -> usize {
        let cell = self.parts(moment).div_ceil(self.axis.as_nanos().max(1));
        cell.min(self.cells as u128) as usize
    }
}

/// One lane; where spans lie in each other, the innermost is seen.
pub(super) fn row(lane: &Lane, scale: Scale) -> Vec<Cell> {
    let mut seen = vec![Seen::default(); scale.cells];
    let shares = own_shares(&lane.spans);
    for (index, start, end) in uncovered(&lane.spans) {
        add(
            &mut seen,
            &lane.spans[index],
            shares[index],
            (start, end),
            scale,
        );
    }
    let mut row: Vec<Cell> = seen.iter().map(|seen| seen.cell(scale.cell_ns())).collect();
    for (at, mark) in marks(&lane.spans, &seen, scale) {
        row[at] = mark;
    }
    row
}

/// How much of its time outside of its children each span ran.
fn own_shares(spans: &[Span]) -> Vec<f64> {
    let mut own: Vec<(f64, f64)> = (spans.iter())
        .map(|span| (span.busy.as_secs_f64(), span.duration().as_secs_f64()))
        .collect();
    let mut around: Vec<usize> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        while around
            .last()
            .is_some_and(|&last| spans[last].depth >= span.depth || spans[last].end < span.end)
        {
            around.pop();
        }
        if let Some(&parent) = around.last() {
            own[parent].0 -= span.busy.as_secs_f64();
            own[parent].1 -= span.duration().as_secs_f64();
        }
        around.push(index);
    }
    let share = |(busy, open): (f64, f64)| if open > 0.0 { busy / open } else { 1.0 };
    own.into_iter()
        .map(|own| share(own).clamp(0.0, 1.0))
        .collect()
}

/// Stretches of time with the span that is seen in them: the deepest, of equals the latest.
fn uncovered(spans: &[Span]) -> Vec<(usize, Moment, Moment)> {
    let mut steps: Vec<(Moment, bool, usize)> = Vec::with_capacity(2 * spans.len());
    for (index, span) in spans.iter().enumerate() {
        steps.extend([(span.start, true, index), (span.end, false, index)]);
    }
    steps.sort();
    let mut open = BTreeSet::new();
    let mut stretches = Vec::new();
    let mut since = Moment::default();
    for (at, begins, index) in steps {
        if let Some(&(_, _, top)) = open.last()
            && at > since
        {
            stretches.push((top, since, at));
        }
        since = at;
        let span = (spans[index].depth, spans[index].start, index);
        if begins {
            open.insert(span);
        } else {
            open.remove(&span);
        }
    }
    stretches
}

fn add(seen: &mut [Seen], span: &Span, share: f64, stretch: (Moment, Moment), scale: Scale) {
    // After a failure nothing is waited for: its mark says it, and the rest is idle. What was cut off has
    // marks of its own.
    if span.wait.as_deref() == Some(BACK_OFF) || span.cut {
        return;
    }
    let cell_ns = scale.cell_ns();
    let ns = |moment: Moment| (moment - scale.zero).as_nanos() as f64;
    let cause = match span.wait.as_deref() {
        // A thread that is not known to wait lacks a CPU; what a task does unpolled nobody knows.
        None if span.polls.is_empty() => READY_AT,
        None => OTHER_CAUSE,
        Some(wait) => {
            let known = CAUSES.iter().position(|cause| cause.wait == wait);
            known.unwrap_or(OTHER_CAUSE)
        }
    };
    let (start, end) = (ns(stretch.0), ns(stretch.1));
    let density = span.density();
    let (first, last) = (scale.first(stretch.0), scale.cells_until(stretch.1));
    for (at, cell) in seen.iter_mut().enumerate().take(last).skip(first) {
        let (left, right) = (cell_ns * at as f64, cell_ns * (at + 1) as f64);
        let (from, to) = (start.max(left), end.min(right));
        let open = (to - from).max(0.0);
        let ran = if span.polls.is_empty() {
            open * share
        } else {
            let polls = span.polls.iter();
            let overlaps = polls.map(|poll| ns(poll.1).min(to) - ns(poll.0).max(from));
            overlaps
                .map(|overlap| overlap.max(0.0))
                .sum::<f64>()
                .min(open)
                * density
        };
        cell.ran += ran;
        cell.waited[cause] += open - ran;
        cell.from.get_or_insert(from - left);
        cell.to = cell.to.max(to - left);
    }
}

impl Seen {
    fn cell(&self, whole: f64) -> Cell {
        let waited: f64 = self.waited.iter().sum();
        let open = self.ran + waited;
        let Some(from) = self.from else { return IDLE };
        if self.ran >= 0.75 * open {
            return cell(running(from, self.to, open, whole), Style::new());
        }
        if self.ran >= 0.25 * open {
            return cell(PARTLY, Style::new());
        }
        let longest =
            (0..self.waited.len()).max_by(|&a, &b| self.waited[a].total_cmp(&self.waited[b]));
        if longest == Some(READY_AT) {
            return cell(READY, DIM);
        }
        let cause = longest.and_then(|index| CAUSES.get(index));
        let marks = cause.and_then(|cause| cause.marks);
        cell(
            marks.map_or(WAITING, |marks| marks.0),
            cause.map_or(DIM, |cause| style_of(cause.wait)),
        )
    }
}

/// How a running cell looks that was open from `from` to `to`, for `open` in all.
fn running(from: f64, to: f64, open: f64, whole: f64) -> char {
    let near = whole / 16.0;
    let (left, right) = (from <= near, to >= whole - near);
    let eighths = (open / whole * 8.0).round().clamp(1.0, 8.0) as usize;
    match (left, right) {
        (true, true) if open < 0.75 * whole => PARTLY,
        (true, true) => RUNNING,
        (false, true) if open < 0.75 * whole => RIGHT_HALF,
        (false, true) => RUNNING,
        _ => PARTS[eighths - 1],
    }
}

/// The colours hold on light and on dark ground.
pub(super) fn style_of(wait: &str) -> Style {
    match wait {
        "lock" | BACK_OFF => AnsiColor::Red.on_default(),
        "queue full" => AnsiColor::Magenta.on_default(),
        "queue empty" | "permit" => AnsiColor::Cyan.on_default(),
        _ => DIM,
    }
}

/// What is short and has to be seen all the same.
fn marks(spans: &[Span], seen: &[Seen], scale: Scale) -> Vec<(usize, Cell)> {
    let (mut edges, mut marks) = (Vec::new(), Vec::new());
    // Where spans of one lane overlap, as those of a process with threads, none follows another.
    let mut ended = Moment::default();
    for span in spans.iter().filter(|span| span.end > scale.zero) {
        let (first, last) = (scale.first(span.start), scale.cells_until(span.end));
        if first >= scale.cells {
            continue;
        }
        let follows = first > 0 && seen[first - 1].from.is_some() && span.start >= ended;
        if span.name == START_UP {
            marks.extend((first..last).map(|at| (at, cell(STARTING, DIM))));
        } else if span.wait.as_deref() == Some(BACK_OFF) {
            let mark = known_cause(BACK_OFF).and_then(|cause| cause.marks);
            marks.extend(mark.map(|mark| (first, cell(mark.0, style_of(BACK_OFF)))));
        } else if span.depth == 0 && follows && last > first + 2 {
            edges.push((first, cell(EDGE, Style::new())));
        }
        if span.depth == 0 {
            ended = ended.max(span.end);
        }
        if span.cut {
            marks.extend((first..last).map(|at| (at, cell(UNTOLD, DIM))));
            marks.push((last.saturating_sub(1).max(first), cell(CUT, BAD)));
        }
    }
    edges.extend(marks);
    edges
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
    row.iter().any(|cell| matches!(cell.glyph, '×' | CUT))
}

/// A row of heights.
pub(super) fn heights(glyphs: &str) -> Vec<Cell> {
    let cells = glyphs.chars().map(|glyph| cell(glyph, Style::new()));
    cells.collect()
}

/// A bar of so many cells, to the eighth; what is too short for that is a mark.
pub(crate) fn eighths(cells: f64) -> String {
    let eighths = (cells * 8.0).round().max(1.0) as usize;
    let mut bar: String = std::iter::repeat_n(RUNNING, eighths / 8).collect();
    if !eighths.is_multiple_of(8) {
        bar.push(PARTS[eighths % 8 - 1]);
    }
    bar
}

/// The marks among these glyphs, each with what it means.
pub(super) fn legend(glyphs: &str) -> Vec<String> {
    let occurs = |glyph: char| glyphs.contains(glyph);
    let runs = PARTS.into_iter().chain([RIGHT_HALF]).any(occurs);
    let mut legend: Vec<String> = runs
        .then(|| format!("{RUNNING} running"))
        .into_iter()
        .collect();
    let causes = CAUSES.iter();
    let causes = causes.filter_map(|cause| Some((cause.marks?.0, cause.words)));
    let marks = [
        (PARTLY, "partly running"),
        (WAITING, "waiting"),
        (READY, "ready, no CPU free"),
        (EDGE, "next begins"),
        (STARTING, "starts up"),
        (UNTOLD, "not known"),
        (CUT, "cut off"),
    ];
    for (mark, words) in marks
        .into_iter()
        .chain(causes)
        .filter(|(mark, _)| occurs(*mark))
    {
        legend.push(format!("{mark} {words}"));
    }
    legend
}

#[cfg(test)]
mod tests {
    use super::*;
    use timeline::{LaneId, LaneKind};

    fn at(milliseconds: u64) -> Moment {
        Moment::at(Duration::from_millis(1_000 + milliseconds))
    }

    fn span(start: u64, end: u64, busy: u64, depth: u16) -> Span {
        Span {
            depth,
            wait: Some("io".into()),
            ..Span::watched("work", at(start), at(end), Duration::from_millis(busy))
        }
    }

    fn waits_for(what: &'static str, span: Span) -> Span {
        Span {
            wait: Some(what.into()),
            ..span
        }
    }

    fn drawn(spans: Vec<Span>) -> String {
        let id = LaneId {
            kind: LaneKind::Thread,
            number: 0,
        };
        let name = "one".into();
        let scale = Scale {
            zero: at(0),
            axis: Duration::from_millis(100),
            cells: 20,
        };
        let row = row(&Lane { id, name, spans }, scale);
        row.into_iter().map(|cell| cell.glyph).collect()
    }

    #[test]
    fn running_and_waiting_look_different_and_idle_is_blank() {
        let spans = vec![span(0, 50, 50, 0), span(75, 100, 1, 0)];
        assert_eq!(drawn(spans), "██████████     ░░░░░");
    }

    #[test]
    fn running_begins_and_ends_within_a_cell() {
        let spans = vec![span(0, 22, 22, 0), span(48, 61, 13, 0), span(77, 78, 1, 0)];
        assert_eq!(drawn(spans), "████▍    ▐██▎  ▎    ");
    }

    #[test]
    fn a_span_that_follows_at_once_has_an_edge() {
        let spans = vec![span(0, 50, 0, 0), span(50, 100, 0, 0)];
        assert_eq!(drawn(spans), "░░░░░░░░░░|░░░░░░░░░");
    }

    #[test]
    fn a_span_that_overlaps_another_has_no_edge() {
        let spans = vec![span(0, 90, 45, 0), span(50, 100, 25, 0)];
        assert_eq!(drawn(spans), "▒".repeat(20));
    }

    #[test]
    fn a_deeper_span_is_painted_over_the_one_around_it() {
        let spans = vec![span(0, 100, 75, 0), span(25, 50, 0, 1)];
        assert_eq!(drawn(spans), "█████░░░░░██████████");
    }

    #[test]
    fn what_ran_inside_is_not_counted_for_the_span_around_it() {
        let spans = vec![span(0, 100, 50, 0), span(25, 75, 50, 1)];
        assert_eq!(drawn(spans), "░░░░░██████████░░░░░");
    }

    #[test]
    fn an_edge_and_a_start_up_show_through_what_is_painted_over_them() {
        let mut spans = vec![span(0, 2, 1, 0), span(2, 50, 48, 0), span(2, 50, 48, 1)];
        spans[0].name = START_UP.into();
        spans.extend([span(50, 100, 50, 0), span(50, 100, 50, 1)]);
        assert_eq!(drawn(spans), "s█████████|█████████");
    }

    #[test]
    fn half_busy_is_told_from_both() {
        assert_eq!(drawn(vec![span(0, 100, 50, 0)]), "▒".repeat(20));
    }

    #[test]
    fn causes_of_waiting_are_told_apart() {
        let spans = vec![
            span(0, 100, 0, 0),
            waits_for("permit", span(0, 25, 0, 1)),
            waits_for("io", span(25, 30, 0, 1)),
            waits_for(BACK_OFF, span(30, 60, 0, 1)),
            waits_for("lock", span(70, 80, 0, 1)),
            waits_for("queue full", span(80, 90, 0, 1)),
            waits_for("queue empty", span(90, 100, 0, 1)),
        ];
        assert_eq!(drawn(spans), "·····░×     ░░──>><<");
    }

    #[test]
    fn a_thread_that_waits_for_nothing_and_does_not_run_is_ready() {
        let mut starved = span(0, 100, 10, 0);
        starved.wait = None;
        assert_eq!(drawn(vec![starved]), "┄".repeat(20));
    }

    #[test]
    fn polls_are_drawn_where_they_were() {
        let mut task = span(0, 100, 10, 0);
        task.polls = vec![(at(50), at(60))];
        assert_eq!(drawn(vec![task]), "░░░░░░░░░░██░░░░░░░░");
    }

    #[test]
    fn polls_that_reach_over_rests_are_drawn_for_the_part_that_ran() {
        let mut task = span(0, 100, 5, 0);
        task.polls = vec![(at(0), at(50)), (at(60), at(100))];
        assert_eq!(drawn(vec![task]), "░".repeat(20));
    }

    #[test]
    fn what_began_before_the_variant_is_cut_off_at_its_start() {
        let mut early = span(0, 50, 0, 0);
        early.start = Moment::at(Duration::ZERO);
        assert_eq!(drawn(vec![early]), "░░░░░░░░░░          ");
    }

    #[test]
    fn a_span_whose_end_nobody_told_ends_in_a_mark() {
        let mut lost = span(0, 50, 0, 0);
        lost.cut = true;
        assert_eq!(drawn(vec![lost]), "?????????!          ");
    }

    #[test]
    fn times_of_another_age_draw_something_and_do_not_panic() {
        let far = Moment::at(Duration::from_nanos(u64::MAX));
        let spans = vec![
            Span::watched("work", at(0), far, Duration::MAX),
            Span::watched("work", far, at(0), Duration::MAX),
        ];
        assert_eq!(drawn(spans), "█".repeat(20));
    }
}
