//! Timelines as text: a row per lane, a column per moment.

use super::{BOLD, DIM, format};
use crate::{
    experiment::{Recording, START_UP, Variant, jobs},
    timeline::{Lane, LaneKind, Moment, Span},
};
use std::{fmt::Write, time::Duration};

/// Rows drawn per variant; where there are more, the last says how many.
const ROWS: usize = 12;
const NAME_WIDTH: usize = 18;

/// A picture shares the longest variant's axis unless it would be less than this part of it.
const SMALLEST_PART: u32 = 16;

const RUNNING: char = '█';
const PARTLY: char = '▒';
const WAITING: char = '░';
const STARTING: char = 's';
const QUEUEING: char = '·';
const FAILED: char = '×';

/// What spans wait for that rest after a failure.
const BACK_OFF: &str = "back-off";

/// Whether a span that waits for this queues for its turn.
fn queues(wait: &str) -> bool {
    wait == "permit" || wait.starts_with("queue")
}

/// What one cell shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Idle,
    Waiting,
    Partly,
    Running,
    /// The first cell of a span that follows another without a gap.
    Edge,
    /// A worker process is being started; at least one cell, however short.
    Starting,
    /// It waits for a permit, or for a queue.
    Queueing,
    /// The first cell of a back-off; the rest of it is idle.
    Failed,
}

/// The timelines of all variants, on one axis where they are of comparable length.
pub(super) fn timelines(variants: &[Variant], width: usize) -> String {
    let drawn = || {
        variants
            .iter()
            .filter(|variant| jobs(&variant.recording).next().is_some())
    };
    let Some(longest) = drawn().map(|variant| variant.recording.wall).max() else {
        return String::new();
    };
    let starts = drawn().any(|variant| starts_workers(&variant.recording));
    let starting = if starts {
        format!("  {STARTING} starts up")
    } else {
        String::new()
    };
    let queueing = if drawn().any(|variant| waits(&variant.recording, queues)) {
        format!("  {QUEUEING} queues")
    } else {
        String::new()
    };
    let failing = if drawn().any(|variant| waits(&variant.recording, |wait| wait == BACK_OFF)) {
        format!("  {FAILED} failed, rests")
    } else {
        String::new()
    };
    let mut text = format!(
        "{DIM}{RUNNING} running  {PARTLY} partly  {WAITING} waiting  | next begins{starting}{queueing}{failing}{DIM:#}\n"
    );
    for variant in drawn() {
        let own = variant.recording.wall * SMALLEST_PART < longest;
        let (axis, enlarged) = if own {
            let axis = variant.recording.wall;
            (axis, ratio(longest, axis))
        } else {
            (longest, None)
        };
        text.push_str(&timeline(
            &variant.name,
            &variant.recording,
            axis,
            enlarged,
            width,
        ));
    }
    text
}

/// A recording on an axis of its own.
pub(super) fn alone(recording: &Recording, width: usize) -> String {
    timeline("", recording, recording.wall, None, width)
}

/// One variant over `axis`; `enlarged` is how many times longer the axis of the others is.
fn timeline(
    name: &str,
    recording: &Recording,
    axis: Duration,
    enlarged: Option<f64>,
    width: usize,
) -> String {
    let cells = width - NAME_WIDTH - 3;
    let mut text = format!("{BOLD}{name}{BOLD:#} {}\n", shares(recording));
    let lanes: Vec<&Lane> = recording
        .lanes
        .iter()
        .filter(|lane| in_view(lane, recording))
        .collect();
    let shown = if lanes.len() > ROWS {
        ROWS - 1
    } else {
        lanes.len()
    };
    for lane in &lanes[..shown] {
        let row: String = row(lane, recording.start, axis, cells)
            .into_iter()
            .map(glyph)
            .collect();
        let name: String = lane.name.chars().take(NAME_WIDTH).collect();
        let _ = writeln!(text, "{name:<NAME_WIDTH$} │{}", row.trim_end());
    }
    if shown < lanes.len() {
        let kind = match lanes[shown].id.kind {
            LaneKind::Thread => "threads",
            LaneKind::Task => "tasks",
            LaneKind::Process => "processes",
        };
        let _ = writeln!(text, "+ {} more {kind}", lanes.len() - shown);
    }
    let end = format::seconds(axis);
    let start = match enlarged {
        Some(times) => format!("0─ enlarged {times:.0} × "),
        None => "0".into(),
    };
    let rest = cells.saturating_sub(start.chars().count());
    let _ = writeln!(text, "{DIM}{:NAME_WIDTH$} └{start}{end:─>rest$}{DIM:#}", "");
    text
}

/// Whether any part of the lane falls into the measured stretch.
fn in_view(lane: &Lane, recording: &Recording) -> bool {
    let end = recording.start.plus(recording.wall);
    lane.spans
        .iter()
        .any(|span| span.end > recording.start && span.start < end)
}

fn starts_workers(recording: &Recording) -> bool {
    let mut spans = recording.lanes.iter().flat_map(|lane| &lane.spans);
    spans.any(|span| span.name == START_UP)
}

fn waits(recording: &Recording, so: impl Fn(&str) -> bool) -> bool {
    let mut spans = recording.lanes.iter().flat_map(|lane| &lane.spans);
    spans.any(|span| span.wait.as_deref().is_some_and(&so))
}

/// How the time of all lanes was spent, in words.
fn shares(recording: &Recording) -> String {
    let open: Duration = jobs(recording).map(Span::duration).sum();
    let busy: Duration = jobs(recording).map(|span| span.busy).sum();
    let Some(ran) = ratio(busy, open) else {
        return String::new();
    };
    let lanes = recording.lanes.len();
    let noun = if lanes == 1 { "lane" } else { "lanes" };
    format!(
        "{DIM}{} · {lanes} {noun} · in its spans {} running, {} waiting{DIM:#}",
        format::seconds(recording.wall),
        format::percent(ran.min(1.0)),
        format::percent(1.0 - ran.min(1.0)),
    )
}

fn ratio(part: Duration, whole: Duration) -> Option<f64> {
    (!whole.is_zero()).then(|| part.as_secs_f64() / whole.as_secs_f64())
}

fn glyph(cell: Cell) -> char {
    match cell {
        Cell::Idle => ' ',
        Cell::Waiting => WAITING,
        Cell::Partly => PARTLY,
        Cell::Running => RUNNING,
        Cell::Edge => '|',
        Cell::Starting => STARTING,
        Cell::Queueing => QUEUEING,
        Cell::Failed => FAILED,
    }
}

/// One lane as `cells` cells over `axis`, deeper spans painted over those around them.
fn row(lane: &Lane, zero: Moment, axis: Duration, cells: usize) -> Vec<Cell> {
    let mut row = vec![Cell::Idle; cells];
    // In whole nanoseconds, so that what ends where the next begins shares no cell with it.
    let parts = |moment: Moment| (moment - zero).as_nanos() * cells as u128;
    let whole = axis.as_nanos().max(1);
    let mut spans: Vec<&Span> = lane.spans.iter().collect();
    spans.sort_by_key(|span| (span.depth, span.start));
    // All are short, so they go on top of whatever is painted over them.
    let (mut edges, mut starts, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    // Where spans of one lane overlap, as those of a process with threads, none follows another.
    let mut ended = Moment::default();
    for span in spans.into_iter().filter(|span| span.end > zero) {
        let first = (parts(span.start) / whole).min(cells as u128) as usize;
        let last = parts(span.end).div_ceil(whole).min(cells as u128) as usize;
        for (at, cell) in row.iter_mut().enumerate().take(last).skip(first) {
            *cell = cell_of(span, at, zero, axis, cells);
        }
        let follows =
            first > 0 && first < cells && row[first - 1] != Cell::Idle && span.start >= ended;
        ended = ended.max(span.end);
        if span.name == START_UP {
            starts.extend(first..last);
        } else if span.wait.as_deref() == Some(BACK_OFF) && first < cells {
            failures.push(first);
        } else if span.depth == 0 && follows && last > first + 2 {
            edges.push(first);
        }
    }
    edges.into_iter().for_each(|at| row[at] = Cell::Edge);
    starts.into_iter().for_each(|at| row[at] = Cell::Starting);
    failures.into_iter().for_each(|at| row[at] = Cell::Failed);
    row
}

/// How much of the cell's time the span ran, from its polls where they are known.
fn cell_of(span: &Span, at: usize, zero: Moment, axis: Duration, cells: usize) -> Cell {
    match span.wait.as_deref() {
        Some(wait) if queues(wait) => return Cell::Queueing,
        Some(BACK_OFF) => return Cell::Idle,
        _ => {}
    }
    let share = if span.polls.is_empty() {
        ratio(span.busy, span.duration()).unwrap_or(1.0)
    } else {
        let width = axis.as_secs_f64() / cells as f64;
        let (from, to) = (width * at as f64, width * (at + 1) as f64);
        let covered = span.polls.iter().map(|(start, end)| {
            let (start, end) = ((*start - zero).as_secs_f64(), (*end - zero).as_secs_f64());
            (end.min(to) - start.max(from)).max(0.0)
        });
        let open_from = (span.start - zero).as_secs_f64().max(from);
        let open_to = (span.end - zero).as_secs_f64().min(to);
        covered.sum::<f64>() / (open_to - open_from).max(f64::MIN_POSITIVE)
    };
    if share >= 0.75 {
        Cell::Running
    } else if share >= 0.25 {
        Cell::Partly
    } else {
        Cell::Waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::LaneId;

    fn at(milliseconds: u64) -> Moment {
        Moment::at(Duration::from_millis(1_000 + milliseconds))
    }

    fn span(start: u64, end: u64, busy: u64, depth: u16) -> Span {
        Span {
            depth,
            ..Span::watched("work", at(start), at(end), Duration::from_millis(busy))
        }
    }

    fn drawn(spans: Vec<Span>) -> String {
        let id = LaneId {
            kind: LaneKind::Thread,
            number: 0,
        };
        let lane = Lane {
            id,
            name: "one".into(),
            spans,
        };
        row(&lane, at(0), Duration::from_millis(100), 20)
            .into_iter()
            .map(glyph)
            .collect()
    }

    #[test]
    fn running_and_waiting_look_different_and_idle_is_blank() {
        let spans = vec![span(0, 50, 50, 0), span(75, 100, 1, 0)];
        assert_eq!(drawn(spans), "██████████     ░░░░░");
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
        let spans = vec![span(0, 100, 100, 0), span(25, 50, 0, 1)];
        assert_eq!(drawn(spans), "█████░░░░░██████████");
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
    fn queueing_and_resting_after_a_failure_are_told_from_other_waits() {
        let waits_for = |what: &'static str, span| Span {
            wait: Some(what.into()),
            ..span
        };
        let spans = vec![
            span(0, 100, 0, 0),
            waits_for("permit", span(0, 25, 0, 1)),
            waits_for("io", span(25, 30, 0, 1)),
            waits_for(BACK_OFF, span(30, 60, 0, 1)),
        ];
        assert_eq!(drawn(spans), "·····░×     ░░░░░░░░");
    }

    #[test]
    fn polls_are_drawn_where_they_were() {
        let mut task = span(0, 100, 10, 0);
        task.polls = vec![(at(50), at(60))];
        assert_eq!(drawn(vec![task]), "░░░░░░░░░░██░░░░░░░░");
    }

    #[test]
    fn what_began_before_the_variant_is_cut_off_at_its_start() {
        let early = Span::watched("work", Moment::at(Duration::ZERO), at(50), Duration::ZERO);
        assert_eq!(drawn(vec![early]), "░░░░░░░░░░          ");
    }
}
