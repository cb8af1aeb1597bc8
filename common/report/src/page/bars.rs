//! A lane as few bars: nothing is drawn longer than it took.

use super::look::{self, Paths};
use crate::{
    LaneReport,
    lane::{self, LOOKS, RUNNING, Stretch},
};

/// How finely a picture is measured across, whatever time it spans.
pub(super) const UNITS: f64 = 100_000.0;

/// At most so many pixels across are told apart: the most that a screen shows of an axis.
const PIXELS: usize = 800;

/// Bars shorter than a pixel stand alone where none is drawn within so many pixels before.
const LONELY: i64 = 12;

/// Draws a lane over `axis_s` seconds into the row that begins at `top`, in about `limit` bars.
pub(super) fn draw(paths: &mut Paths, lane: &LaneReport, axis_s: f64, limit: usize, top: usize) {
    let pixel = lane::nanoseconds(axis_s) / limit.clamp(50, PIXELS) as i64;
    let units = |time: i64| time as f64 / 1e9 / axis_s * UNITS;
    for bar in few(visible(lane, axis_s), pixel) {
        let width = bar.end - bar.start;
        paths.bar((units(bar.start), units(width)), bar.look, bar.share, top);
        if bar.look == RUNNING && width < pixel {
            look::upright(&mut paths.hairlines, units(bar.start), top);
        }
    }
    for span in lane.spans.iter().filter(|span| span.depth == 0) {
        let [start, end] = [span.start_s, span.end_s.min(axis_s)].map(lane::nanoseconds);
        if start > 0 && end - start > 4 * pixel {
            look::upright(&mut paths.edges, units(start), top);
        }
    }
}

/// The stretches of a lane, cut to what the axis shows.
fn visible(lane: &LaneReport, axis_s: f64) -> impl Iterator<Item = Stretch> {
    let axis = lane::nanoseconds(axis_s);
    let stretches = lane::stretches(lane).into_iter();
    let stretches = stretches.filter(move |one| one.end > 0 && one.start < axis);
    stretches.map(move |one| Stretch {
        start: one.start.max(0),
        end: one.end.min(axis),
        ..one
    })
}

/// What is shorter than a pixel is added up until it fills one, so that a thousand short polls have the
/// ink of the time that they took; one far from others is kept, so that it is seen.
fn few(bars: impl Iterator<Item = Stretch>, pixel: i64) -> Vec<Stretch> {
    let mut drawn = Vec::new();
    let mut owed = [0; LOOKS];
    let mut last: [Option<i64>; LOOKS] = [None; LOOKS];
    for bar in bars {
        if bar.end - bar.start >= pixel {
            last[bar.look] = Some(bar.end);
            drawn.push(bar);
            continue;
        }
        for (look, part) in [(RUNNING, bar.share), (bar.look, 1.0 - bar.share)] {
            owed[look] += ((bar.end - bar.start) as f64 * part) as i64;
            let is_near = |last: i64| bar.start < last + LONELY * pixel;
            if owed[look] == 0 || (owed[look] < pixel && last[look].is_some_and(is_near)) {
                continue;
            }
            let end = bar.start + owed[look];
            let share = if look == RUNNING { 1.0 } else { 0.0 };
            (owed[look], last[look]) = (0, Some(end));
            drawn.push(Stretch {
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
        let bars = few(visible(&lane, 1.0), 1_000_000);
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
