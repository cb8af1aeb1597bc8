//! Levels over time: as told, and as the spans themselves tell.

use super::{IO, Lane, Level, Moment, Recording, Span};

/// Samples of a level that are drawn or written.
const SAMPLES: usize = 300;

impl Recording {
    /// All levels, samples within the stretch and not too many: those told, and how many spans wait for
    /// an answer at once where that is ever more than one.
    pub fn all_levels(&self) -> Vec<Level> {
        let told = self.levels.iter().cloned();
        let mut levels: Vec<Level> = told.chain(self.in_flight()).collect();
        for level in &mut levels {
            level.clip(self.start, self.start.plus(self.wall));
            shorten(&mut level.samples, SAMPLES);
        }
        levels.retain(|level| !level.samples.is_empty());
        levels
    }

    /// How many spans with `wait = "io"` are open, those left out that hold others of the kind.
    fn in_flight(&self) -> Option<Level> {
        let waits = self.lanes.iter().flat_map(innermost_waits);
        let level = Level::of_open("in flight", waits);
        (level.peak() > 1.0).then_some(level)
    }
}

/// The spans of a lane that wait for an answer and hold no other that does.
fn innermost_waits(lane: &Lane) -> impl Iterator<Item = &Span> {
    let waits = (lane.spans.iter()).filter(|span| span.wait.as_deref() == Some(IO));
    // Parents come before their children, so a child is the next one, deeper and inside.
    let next = waits.clone().skip(1).map(Some).chain([None]);
    waits.zip(next).filter_map(|(span, next)| {
        let is_inside = |next: &Span| next.depth > span.depth && next.start < span.end;
        (!next.is_some_and(is_inside)).then_some(span)
    })
}

impl Level {
    /// How many of these spans are open at each moment; where one ends as another begins, there is one.
    pub(super) fn of_open<'a>(name: &str, spans: impl Iterator<Item = &'a Span>) -> Self {
        let steps = spans.flat_map(|span| [(span.start, 1.0), (span.end, -1.0)]);
        let mut samples: Vec<(Moment, f64)> = steps.collect();
        samples.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut open = 0.0;
        for (_, level) in &mut samples {
            open += *level;
            *level = open;
        }
        let name = name.to_owned().into();
        Self { name, samples }
    }

    /// The greatest level.
    pub fn peak(&self) -> f64 {
        let levels = self.samples.iter().map(|sample| sample.1);
        levels.fold(0.0, f64::max)
    }

    /// Leaves what is within the stretch; what was true when it began is true at its beginning.
    fn clip(&mut self, start: Moment, end: Moment) {
        let before = self.samples.iter().rev().find(|sample| sample.0 < start);
        let before = before.map(|sample| (start, sample.1));
        self.samples
            .retain(|sample| start <= sample.0 && sample.0 <= end);
        if let Some(before) = before {
            self.samples.insert(0, before);
        }
    }
}

/// Leaves the highest and the last sample of each part of their time, where there are more than `limit`.
pub(super) fn shorten(samples: &mut Vec<(Moment, f64)>, limit: usize) {
    if samples.len() <= limit {
        return;
    }
    let group = samples.len().div_ceil(limit / 2);
    let groups = samples.chunks(group).flat_map(|group| {
        let highest = group.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let last = group.last().copied().filter(|last| Some(*last) != highest);
        highest.into_iter().chain(last)
    });
    *samples = groups.collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LaneId, LaneKind};
    use std::time::Duration;

    fn at(milliseconds: u64) -> Moment {
        Moment::at(Duration::from_millis(1_000 + milliseconds))
    }

    fn waiting(start: u64, end: u64, depth: u16) -> Span {
        Span {
            wait: Some(IO.into()),
            depth,
            ..Span::watched("fetch", at(start), at(end), Duration::ZERO)
        }
    }

    fn recording(lanes: Vec<Vec<Span>>) -> Recording {
        let lanes = lanes.into_iter().enumerate().map(|(number, spans)| Lane {
            id: LaneId {
                kind: LaneKind::Task,
                number: number as u64,
            },
            name: "fetch".into(),
            spans,
        });
        Recording {
            start: at(0),
            wall: Duration::from_millis(100),
            lanes: lanes.collect(),
            ..Recording::default()
        }
    }

    #[test]
    fn a_wait_in_a_wait_is_one_in_flight() {
        let nested = vec![waiting(0, 50, 0), waiting(10, 40, 1)];
        let levels = recording(vec![nested, vec![waiting(20, 30, 0)]]).all_levels();
        assert_eq!(levels[0].peak(), 2.0);
        let steps = [(10, 1.0), (20, 2.0), (30, 1.0), (40, 0.0)];
        assert_eq!(levels[0].samples, steps.map(|(ms, level)| (at(ms), level)));
    }

    #[test]
    fn one_after_another_is_no_level() {
        let turns = vec![waiting(0, 50, 0), waiting(50, 90, 0)];
        assert!(recording(vec![turns]).all_levels().is_empty());
    }

    #[test]
    fn too_many_samples_keep_their_peak_and_their_end() {
        let mut recording = recording(Vec::new());
        let samples = (0..50_000).map(|n| {
            let level = if n == 31_111 { 99.0 } else { f64::from(n % 7) };
            (at(0).plus(Duration::from_nanos(n as u64 * 2_000)), level)
        });
        let (name, samples) = ("queue".into(), samples.collect());
        recording.levels.push(Level { name, samples });
        let level = recording.all_levels().remove(0);
        assert!(level.samples.len() <= SAMPLES, "{}", level.samples.len());
        assert_eq!(level.peak(), 99.0);
        assert_eq!(level.samples.last(), recording.levels[0].samples.last());
        assert!(level.samples.is_sorted_by_key(|sample| sample.0));
    }
}
