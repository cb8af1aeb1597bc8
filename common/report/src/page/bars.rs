//! A lane as few bars: nothing is drawn longer than it took.

use super::look::{self, Paths};
use crate::{
    LaneReport,
    lane::{self, Stretch},
};

/// How finely a picture is measured across, whatever time it spans.
pub(super) const UNITS: f64 = 100_000.0;

/// At most so many pixels across are told apart: the most that a screen shows of an axis.
const PIXELS: usize = 800;

/// The least part of a row's height that what ran shorter than a pixel has.
const LEAST: f64 = 1.0 / 6.0;

/// Draws a lane over `axis_s` seconds into the row that begins at `top`, in about `limit` bars.
pub(super) fn draw(paths: &mut Paths, lane: &LaneReport, axis_s: f64, limit: usize, top: usize) {
    let axis = lane::nanoseconds(axis_s);
    let pixel = axis / limit.clamp(50, PIXELS) as i64;
    let units = |time: i64| time as f64 / 1e9 / axis_s * UNITS;
    for bar in few(lane, axis, pixel) {
        let width = bar.end - bar.start;
        let is_short = width <= pixel && bar.share > 0.0;
        let share = bar.share.max(if is_short { LEAST } else { 0.0 });
        paths.bar((units(bar.start), units(width)), bar.look, share, top);
    }
    for span in lane.spans.iter().filter(|span| span.depth == 0) {
        let [start, end] = [span.start_s, span.end_s.min(axis_s)].map(lane::nanoseconds);
        if start > 0 && end - start > 4 * pixel {
            look::upright(&mut paths.edges, units(start), top);
        }
    }
}

/// The stretches of a lane that the axis shows. What is shorter than a pixel becomes as wide as one and as high
/// as the part of it that ran, so that a thousand short polls have the ink of their time.
fn few(lane: &LaneReport, axis: i64, pixel: i64) -> Vec<Stretch> {
    let mut drawn: Vec<Stretch> = Vec::new();
    for one in lane::stretches(lane) {
        let (start, end) = (one.start.max(0), one.end.min(axis));
        let length = (end - start) as f64 / pixel as f64;
        if length >= 1.0 {
            drawn.push(Stretch { start, end, ..one });
        } else if length > 0.0 {
            let start = start / pixel * pixel;
            let before = drawn.pop_if(|last| last.start == start && last.end == start + pixel);
            let before = before.unwrap_or(Stretch {
                start,
                end: start + pixel,
                share: 0.0,
                ..one
            });
            let share = (before.share + length * one.share).min(1.0);
            drawn.push(Stretch { share, ..before });
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
        let bars = few(&lane, 1_000_000_000, 1_000_000);
        let part = |time: i64| time as f64 / 1e6;
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
        // Each is seen in a pixel of its own, as high as it is short.
        let bars = drawn(vec![task]);
        assert_eq!(bars.iter().filter(|bar| bar.2 > 0.0).count(), 500);
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
