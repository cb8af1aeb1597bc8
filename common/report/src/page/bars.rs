//! A lane as few bars: what lies deeper covers what is around it, and what is too fine is averaged.

use super::look::{self, LOOKS, RUNNING, STILL};
use crate::LaneReport;
use std::collections::BTreeMap;

/// How finely a picture is measured across, whatever time it spans.
pub(super) const UNITS: u32 = 100_000;

/// A stretch of a lane that looks the same all along.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Its place in [`LOOKS`].
    pub(super) look: usize,
    /// For what part of the time it runs.
    pub(super) tenths: u8,
}

/// The bars of a lane over `axis_s` seconds, at most about `limit`.
pub(super) fn of(lane: &LaneReport, axis_s: f64, limit: usize) -> Vec<Bar> {
    let mut spans: Vec<_> = lane.spans.iter().collect();
    spans.sort_by(|one, other| {
        (one.depth, one.start_s)
            .partial_cmp(&(other.depth, other.start_s))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut canvas = Canvas::default();
    for span in spans {
        let Some((start, end)) = place(span.start_s, span.end_s, axis_s) else {
            continue;
        };
        let look = if span.cut {
            look::UNTOLD
        } else {
            look::of_span(&span.name, span.wait.as_deref())
        };
        let lasted = span.end_s - span.start_s;
        let share = if span.polls_s.is_empty() && lasted > 0.0 {
            span.busy_s / lasted
        } else {
            0.0
        };
        let tenths = (share.clamp(0.0, 1.0) * 10.0).round() as u8;
        canvas.paint(Bar {
            start,
            end,
            look,
            tenths,
        });
        // Polls reach over short rests where there were many.
        let polled: f64 = span.polls_s.iter().map(|poll| poll.1 - poll.0).sum();
        let density = (span.busy_s / polled).clamp(0.0, 1.0);
        let tenths = (density * 10.0).round().max(1.0) as u8;
        for poll in &span.polls_s {
            if let Some((start, end)) = place(poll.0, poll.1, axis_s) {
                canvas.paint(Bar {
                    start,
                    end,
                    look,
                    tenths,
                });
            }
        }
    }
    let bars: Vec<Bar> = canvas.0.into_values().collect();
    if bars.len() > limit {
        averaged(&bars, limit)
    } else {
        bars
    }
}

/// Where a stretch lies on the axis; at least as wide as anything is measured.
pub(super) fn place(start_s: f64, end_s: f64, axis_s: f64) -> Option<(u32, u32)> {
    let unit = |seconds: f64| (seconds / axis_s * f64::from(UNITS)).clamp(0.0, f64::from(UNITS));
    let visible = end_s >= 0.0 && start_s <= axis_s && start_s <= end_s && axis_s > 0.0;
    visible.then(|| {
        let start = (unit(start_s) as u32).min(UNITS - 1);
        (start, (unit(end_s).round() as u32).max(start + 1))
    })
}

/// Bars that never overlap, by their starts.
#[derive(Default)]
struct Canvas(BTreeMap<u32, Bar>);

impl Canvas {
    fn paint(&mut self, new: Bar) {
        let before = self.0.range(..new.end).rev().map(|(_, bar)| *bar);
        let covered: Vec<Bar> = before.take_while(|bar| bar.end > new.start).collect();
        for old in covered {
            self.0.remove(&old.start);
            if old.start < new.start {
                self.0.insert(
                    old.start,
                    Bar {
                        end: new.start,
                        ..old
                    },
                );
            }
            if old.end > new.end {
                self.0.insert(
                    new.end,
                    Bar {
                        start: new.end,
                        ..old
                    },
                );
            }
        }
        self.0.insert(new.start, new);
    }
}

/// The same in at most `limit` cells, each with what fills most of it and the part that ran.
fn averaged(bars: &[Bar], limit: usize) -> Vec<Bar> {
    let width = UNITS.div_ceil(limit.max(1) as u32);
    let mut cells: BTreeMap<u32, Cell> = BTreeMap::new();
    for bar in bars {
        for at in bar.start / width..=(bar.end - 1) / width {
            let (from, to) = (at * width, (at + 1) * width);
            let part = f64::from(bar.end.min(to) - bar.start.max(from)) / f64::from(width);
            let cell = cells.entry(at).or_default();
            let ran = part * f64::from(bar.tenths) / 10.0;
            cell.ran += ran;
            cell.still[bar.look] += part - ran;
            cell.filled += part;
        }
    }
    let mut merged: Vec<Bar> = Vec::new();
    for (at, cell) in cells {
        // What a cell hardly holds is drawn as wide as it is.
        let wide = if cell.filled < 0.5 { cell.filled } else { 1.0 };
        let start = at * width;
        let end = (start + (f64::from(width) * wide).ceil() as u32).min(UNITS);
        let bar = Bar {
            start,
            end,
            look: cell.look(),
            tenths: (cell.ran / cell.filled * 10.0).round().min(10.0) as u8,
        };
        match merged.last_mut() {
            Some(last)
                if last.end == start && (last.look, last.tenths) == (bar.look, bar.tenths) =>
            {
                last.end = end
            }
            _ => merged.push(bar),
        }
    }
    merged
}

/// What fell into a stretch, as parts of it.
#[derive(Default)]
struct Cell {
    ran: f64,
    still: [f64; LOOKS.len()],
    filled: f64,
}

impl Cell {
    fn look(&self) -> usize {
        let most = self.still.iter().copied().fold(0.0, f64::max);
        let found = self
            .still
            .iter()
            .position(|part| *part == most && most > 0.0);
        found.unwrap_or(STILL)
    }
}

/// Each look's part of a picture, and that of what runs.
#[derive(Default)]
pub(super) struct Paths {
    pub(super) by_look: [String; LOOKS.len()],
    pub(super) partly: bool,
}

impl Paths {
    /// Adds the bars of one lane in the row that begins at `top`.
    pub(super) fn add(&mut self, bars: &[Bar], top: usize) {
        for bar in bars {
            let width = bar.end - bar.start;
            let starting = LOOKS[bar.look].class == "start";
            if bar.tenths < 10 || starting {
                LOOKS[bar.look].draw(&mut self.by_look[bar.look], bar.start, width, top);
            }
            if bar.tenths > 0 && !starting {
                look::draw_part(
                    &mut self.by_look[RUNNING],
                    bar.start,
                    width,
                    top,
                    bar.tenths,
                );
                self.partly |= bar.tenths < 10;
            }
        }
    }

    /// Which looks are in it.
    pub(super) fn seen(&self) -> [bool; LOOKS.len()] {
        std::array::from_fn(|index| !self.by_look[index].is_empty())
    }
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

    fn lane(spans: Vec<SpanReport>) -> LaneReport {
        LaneReport {
            id: 0,
            name: "one".into(),
            kind: LaneKind::Thread,
            spans,
        }
    }

    fn drawn(spans: Vec<SpanReport>) -> Vec<(u32, u32, u8)> {
        let bars = of(&lane(spans), 1.0, 100);
        bars.iter()
            .map(|bar| (bar.start, bar.end, bar.tenths))
            .collect()
    }

    #[test]
    fn what_lies_deeper_covers_what_is_around_it() {
        let spans = vec![span(0.25, 0.5, 0.0, 1), span(0.0, 1.0, 1.0, 0)];
        assert_eq!(
            drawn(spans),
            [(0, 25_000, 10), (25_000, 50_000, 0), (50_000, 100_000, 10)]
        );
    }

    #[test]
    fn polls_are_drawn_where_they_were_and_what_is_outside_is_cut_off() {
        let mut task = span(-1.0, 0.5, 0.1, 0);
        task.polls_s = vec![(0.1, 0.2)];
        assert_eq!(
            drawn(vec![task]),
            [(0, 10_000, 0), (10_000, 20_000, 10), (20_000, 50_000, 0)]
        );
        assert_eq!(drawn(vec![span(1.5, 2.0, 0.5, 0)]), []);
        assert_eq!(drawn(vec![span(0.5, 0.25, 0.5, 0)]), []);
        assert_eq!(drawn(vec![span(f64::NAN, 0.25, 0.5, 0)]), []);
    }

    #[test]
    fn polls_that_reach_over_rests_are_drawn_for_the_part_that_ran() {
        let mut task = span(0.0, 1.0, 0.2, 0);
        task.polls_s = vec![(0.0, 0.5), (0.5, 1.0)];
        assert_eq!(drawn(vec![task]), [(0, 50_000, 2), (50_000, 100_000, 2)]);
    }

    #[test]
    fn thousands_of_bars_become_few_and_run_for_the_same_part_of_the_time() {
        let each = |number: u32| {
            let start = f64::from(number) / 10_000.0;
            span(start, start + 0.000_05, 0.000_05, 0)
        };
        let around = span(0.0, 1.0, 0.0, 0);
        let spans = std::iter::once(around)
            .chain((0..10_000).map(each))
            .collect();
        let bars = of(&lane(spans), 1.0, 100);
        assert!(bars.len() <= 100, "{}", bars.len());
        let ran: f64 = bars
            .iter()
            .map(|bar| f64::from(bar.end - bar.start) * f64::from(bar.tenths))
            .sum();
        assert!((ran / f64::from(UNITS) / 10.0 - 0.5).abs() < 0.02, "{ran}");
    }
}
