//! A lane as few bars: what lies deeper covers what is around it, and nothing is drawn longer than it took.

use super::look::{self, LOOKS, Paths, RUNNING};
use crate::LaneReport;
use std::collections::BTreeMap;

/// How finely a picture is measured across, whatever time it spans.
pub(super) const UNITS: f64 = 100_000.0;

/// How finely stretches are told apart: a microsecond in a quarter of an hour.
const TICKS: f64 = 1e9;

/// At most so many pixels across are told apart: the most that a screen shows of an axis.
const PIXELS: usize = 800;

/// Bars shorter than a pixel stand alone where none is drawn within so many pixels before.
const LONELY: u64 = 12;

/// A stretch of a lane that looks the same all along.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bar {
    start: u64,
    end: u64,
    look: usize,
    /// For what part of the time it ran.
    share: f64,
}

/// Draws a lane over `axis_s` seconds into the row that begins at `top`, in about `limit` bars.
pub(super) fn draw(paths: &mut Paths, lane: &LaneReport, axis_s: f64, limit: usize, top: usize) {
    let pixel = (TICKS / limit.clamp(50, PIXELS) as f64) as u64;
    let units = |ticks: u64| ticks as f64 / TICKS * UNITS;
    for bar in few(painted(lane, axis_s), pixel) {
        let width = bar.end - bar.start;
        paths.bar((units(bar.start), units(width)), bar.look, bar.share, top);
        if bar.look == RUNNING && width < pixel {
            look::upright(&mut paths.hairlines, units(bar.start), top);
        }
    }
    for span in lane.spans.iter().filter(|span| span.depth == 0) {
        match place(span.start_s, span.end_s, axis_s) {
            Some((start, end)) if start > 0 && end - start > 4 * pixel => {
                look::upright(&mut paths.edges, units(start), top);
            }
            _ => {}
        }
    }
}

/// The bars of a lane, however many, in order.
fn painted(lane: &LaneReport, axis_s: f64) -> impl Iterator<Item = Bar> {
    let mut spans: Vec<_> = lane.spans.iter().collect();
    spans.sort_by(|one, other| {
        (one.depth, one.start_s)
            .partial_cmp(&(other.depth, other.start_s))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut canvas = Canvas::default();
    for span in spans {
        let lasted = span.end_s - span.start_s;
        let share = match span.polls_s.is_empty() {
            true => (span.busy_s / lasted).clamp(0.0, 1.0),
            false => 0.0,
        };
        let look = look::of_span(&span.name, span.wait.as_deref(), span.cut);
        let share = if share.is_finite() { share } else { 0.0 };
        canvas.paint(place(span.start_s, span.end_s, axis_s), look, share);
        // Polls reach over short rests where there were many: each is drawn for what it ran.
        let polled: f64 = span.polls_s.iter().map(|poll| poll.1 - poll.0).sum();
        let density = (span.busy_s / polled).clamp(0.0, 1.0);
        for (start, end) in &span.polls_s {
            let end = start + (end - start) * density;
            canvas.paint(place(*start, end, axis_s), RUNNING, 1.0);
        }
    }
    canvas.0.into_values()
}

/// Where a stretch lies on the axis, in ticks, of which it has at least one.
fn place(start_s: f64, end_s: f64, axis_s: f64) -> Option<(u64, u64)> {
    let tick = |seconds: f64| (seconds / axis_s * TICKS).clamp(0.0, TICKS) as u64;
    let visible = end_s >= 0.0 && start_s <= axis_s && start_s <= end_s && axis_s > 0.0;
    visible.then(|| {
        let start = tick(start_s).min(TICKS as u64 - 1);
        (start, tick(end_s).max(start + 1))
    })
}

/// Bars that never overlap, by their starts.
#[derive(Default)]
struct Canvas(BTreeMap<u64, Bar>);

impl Canvas {
    fn paint(&mut self, place: Option<(u64, u64)>, look: usize, share: f64) {
        let Some((start, end)) = place else { return };
        let before = self.0.range(..end).rev().map(|(_, bar)| *bar);
        let covered: Vec<Bar> = before.take_while(|bar| bar.end > start).collect();
        for old in covered {
            self.0.remove(&old.start);
            if old.start < start {
                self.0.insert(old.start, Bar { end: start, ..old });
            }
            if old.end > end {
                self.0.insert(end, Bar { start: end, ..old });
            }
        }
        let new = Bar {
            start,
            end,
            look,
            share,
        };
        self.0.insert(start, new);
    }
}

/// What is shorter than a pixel is added up until it fills one, so that a thousand short polls have the
/// ink of the time that they took; one far from others is kept, so that it is seen.
fn few(bars: impl Iterator<Item = Bar>, pixel: u64) -> Vec<Bar> {
    let mut drawn = Vec::new();
    let mut owed = [0; LOOKS.len()];
    let mut last: [Option<u64>; LOOKS.len()] = [None; LOOKS.len()];
    for bar in bars {
        if bar.end - bar.start >= pixel {
            last[bar.look] = Some(bar.end);
            drawn.push(bar);
            continue;
        }
        for (look, part) in [(RUNNING, bar.share), (bar.look, 1.0 - bar.share)] {
            owed[look] += ((bar.end - bar.start) as f64 * part) as u64;
            let is_near = |last: u64| bar.start < last + LONELY * pixel;
            if owed[look] == 0 || (owed[look] < pixel && last[look].is_some_and(is_near)) {
                continue;
            }
            let end = bar.start + owed[look];
            let share = if look == RUNNING { 1.0 } else { 0.0 };
            (owed[look], last[look]) = (0, Some(end));
            drawn.push(Bar {
                end,
                look,
                share,
                ..bar
            });
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SpanReport;
    use timeline::LaneKind;

    fn span(start_s: f64, end_s: f64, busy_s: f64, depth: u16) -> SpanReport {
        SpanReport {
            name: "work".into(),
            start_s,
            end_s,
            busy_s,
            wait: None,
            depth,
            cut: false,
            polls_s: Vec::new(),
            file: None,
            line: None,
        }
    }

    /// From, to and how much ran, in thousandths of the axis.
    fn drawn(spans: Vec<SpanReport>) -> Vec<(f64, f64, f64)> {
        let (name, kind) = ("one".into(), LaneKind::Thread);
        let lane = LaneReport {
            id: 0,
            name,
            kind,
            spans,
        };
        let bars = few(painted(&lane, 1.0), 1_000_000);
        let part = |ticks: u64| ticks as f64 / 1e6;
        bars.iter()
            .map(|bar| (part(bar.start), part(bar.end), bar.share))
            .collect()
    }

    #[test]
    fn what_lies_deeper_covers_what_is_around_it() {
        let spans = vec![span(0.25, 0.5, 0.0, 1), span(0.0, 1.0, 1.0, 0)];
        assert_eq!(
            drawn(spans),
            [(0.0, 250.0, 1.0), (250.0, 500.0, 0.0), (500.0, 1000.0, 1.0)]
        );
    }

    #[test]
    fn polls_are_drawn_where_they_were_and_what_is_outside_is_cut_off() {
        let mut task = span(-1.0, 0.5, 0.1, 0);
        task.polls_s = vec![(0.1, 0.2)];
        assert_eq!(
            drawn(vec![task]),
            [(0.0, 100.0, 0.0), (100.0, 200.0, 1.0), (200.0, 500.0, 0.0)]
        );
        assert_eq!(drawn(vec![span(1.5, 2.0, 0.5, 0)]), []);
        assert_eq!(drawn(vec![span(0.5, 0.25, 0.5, 0)]), []);
        assert_eq!(drawn(vec![span(f64::NAN, 0.25, 0.5, 0)]), []);
    }

    fn ran(bars: &[(f64, f64, f64)]) -> f64 {
        bars.iter().map(|bar| (bar.1 - bar.0) * bar.2).sum()
    }

    #[test]
    fn polls_that_reach_over_rests_are_drawn_for_the_time_that_they_took() {
        let mut task = span(0.0, 1.0, 0.2, 0);
        task.polls_s = vec![(0.0, 0.5), (0.5, 1.0)];
        assert!((ran(&drawn(vec![task])) - 200.0).abs() < 0.1);
        // Eight tasks of one thread, each polled for a microsecond every two milliseconds.
        let mut task = span(0.0, 1.0, 500.0 * 1e-6, 0);
        task.polls_s = (0..500)
            .map(|n| f64::from(n) * 2e-3)
            .map(|at| (at, at + 1e-6))
            .collect();
        let bars = drawn(vec![task]);
        let runs: Vec<_> = bars.iter().filter(|bar| bar.2 == 1.0).collect();
        // Of 1,000 pixels at most one in twelve has a line.
        assert!((20..=84).contains(&runs.len()), "{}", runs.len());
        assert!(ran(&bars) <= 0.5 + 1e-9, "{}", ran(&bars));
    }

    #[test]
    fn thousands_of_short_spans_become_few_and_run_for_the_same_part_of_the_time() {
        let each = |number: u32| {
            let start = f64::from(number) / 10_000.0;
            span(start, start + 0.000_05, 0.000_05, 0)
        };
        let around = span(0.0, 1.0, 0.0, 0);
        let spans = std::iter::once(around).chain((0..10_000).map(each));
        let bars = drawn(spans.collect());
        assert!(bars.len() <= 2_000, "{}", bars.len());
        assert!((ran(&bars) - 500.0).abs() < 20.0, "{}", ran(&bars));
    }
}
