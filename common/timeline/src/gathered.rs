//! What is complete: lanes, levels and hand-overs, and no more of them than is to be kept.

use crate::{Lane, LaneId, Level, Moment, Recording, Span, Toll, level::shorten, thin};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// Samples of a level, and hand-overs, that are kept.
const SAMPLES_KEPT: usize = 32_768;

type Lanes = BTreeMap<LaneId, Lane>;

/// A recording in the making.
#[derive(Clone, Default)]
pub(super) struct Gathered {
    lanes: Lanes,
    levels: BTreeMap<Cow<'static, str>, Vec<(Moment, f64)>>,
    handed: Lanes,
    pub(super) toll: Toll,
}

impl Gathered {
    /// The lane; what is not known by then has this name.
    pub(super) fn lane(&mut self, id: LaneId, name: &str) -> &mut Lane {
        lane(&mut self.lanes, id, name)
    }

    pub(super) fn sample(&mut self, name: Cow<'static, str>, at: Moment, level: f64) {
        self.levels.entry(name).or_default().push((at, level));
    }

    /// Notes that a thread handed a job in, or took its result; a moment long, so that it can be seen.
    pub(super) fn hand_over(&mut self, id: LaneId, what: &'static str, at: Moment, job: u64) {
        let name = &lane(&mut self.lanes, id, "").name;
        let spans = &mut lane(&mut self.handed, id, name).spans;
        // What lies in each other would be one inside of the other.
        if let Some(last) = spans.last_mut() {
            last.end = last.end.min(at);
        }
        let end = at.plus(Duration::from_micros(1));
        spans.push(Span {
            depth: u16::MAX,
            job: Some(job),
            ..Span::watched(what, at, end, Duration::ZERO)
        });
    }

    /// Adds what another process recorded to the lane of that process.
    pub(super) fn adopt(&mut self, id: LaneId, name: &str, recording: Recording) {
        self.toll.add(&recording.toll);
        for Level { name, samples } in recording.levels {
            self.levels.entry(name).or_default().extend(samples);
        }
        let spans = recording.lanes.into_iter().flat_map(|lane| lane.spans);
        self.lane(id, name).spans.extend(spans);
    }

    pub(super) fn weight(&self) -> usize {
        let spans = self.spans().map(thin::weight);
        let samples = self.levels.values().map(Vec::len);
        let handed = self.handed.values().map(|lane| lane.spans.len());
        spans.chain(samples).chain(handed).sum()
    }

    /// Leaves out what is more than `limit`: what is oldest if `is_ring`, otherwise what is too short to see.
    pub(super) fn limit(&mut self, is_ring: bool, limit: usize) {
        for samples in self.levels.values_mut() {
            samples.sort_by_key(|sample| sample.0);
            if is_ring {
                samples.drain(..samples.len().saturating_sub(SAMPLES_KEPT));
            }
            shorten(samples, SAMPLES_KEPT);
        }
        for Lane { spans, .. } in self.handed.values_mut() {
            spans.drain(..spans.len().saturating_sub(SAMPLES_KEPT));
        }
        let (before, weight) = (self.spans().count(), self.weight());
        let lanes = self.lanes.values_mut().map(|lane| &mut lane.spans);
        match is_ring {
            true => thin::keep_greatest(&mut lanes.collect::<Vec<_>>(), limit, |span| span.end),
            false if weight > limit => thin::thin(lanes.collect(), limit / 2),
            false => {}
        }
        self.lanes.retain(|_, lane| !lane.spans.is_empty());
        self.toll.thinned += (before - self.spans().count()) as u64;
    }

    fn spans(&self) -> impl Iterator<Item = &Span> {
        self.lanes.values().flat_map(|lane| &lane.spans)
    }

    pub(super) fn into_recording(mut self) -> Recording {
        self.lanes.retain(|_, lane| !lane.spans.is_empty());
        let lanes = self.lanes.values_mut().chain(self.handed.values_mut());
        for (unnamed, lane) in (1..).zip(lanes.filter(|lane| lane.name.is_empty())) {
            lane.name = format!("thread {unnamed}");
        }
        let start = self.spans().map(|span| span.start).min();
        let start = start.unwrap_or_else(Moment::now);
        let end = self.spans().map(|span| span.end).max().unwrap_or(start);
        let levels = self.levels.into_iter().map(|(name, mut samples)| {
            samples.sort_by_key(|sample| sample.0);
            Level { name, samples }
        });
        Recording {
            start,
            wall: end - start,
            lanes: in_reading_order(self.lanes),
            levels: levels.collect(),
            handovers: self.handed.into_values().collect(),
            toll: self.toll,
        }
    }
}

fn lane<'a>(lanes: &'a mut Lanes, id: LaneId, name: &str) -> &'a mut Lane {
    lanes.entry(id).or_insert_with(|| Lane {
        id,
        name: name.to_owned(),
        spans: Vec::new(),
    })
}

/// Spans by their start; lanes by kind, families ("fetch 1", "fetch 2" …) by their first span, and by
/// number within.
fn in_reading_order(lanes: Lanes) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = lanes.into_values().collect();
    let mut first: BTreeMap<String, Moment> = BTreeMap::new();
    for Lane { name, spans, .. } in &mut lanes {
        spans.sort_by_key(|span| (span.start, span.depth));
        let earliest = first.entry(family(name).0.into()).or_insert(spans[0].start);
        *earliest = spans[0].start.min(*earliest);
    }
    lanes.sort_by_cached_key(|lane| {
        let (name, number) = family(&lane.name);
        // `main` often begins in the same moment as its threads, now before and now after them.
        let (kind, is_other) = (lane.id.kind, lane.name != "main");
        let order = (
            first[name],
            name.to_owned(),
            number.len(),
            number.to_owned(),
        );
        (kind, is_other, order, lane.id.number)
    });
    lanes
}

/// A name without the number, or the letter, at its end, and that: `worker 2`, `worker B`.
fn family(name: &str) -> (&str, &str) {
    let text = match name.rsplit_once(' ') {
        Some((text, letter)) if matches!(letter.as_bytes(), [b'A'..=b'Z']) => text,
        _ => name.trim_end_matches(|c: char| c.is_ascii_digit()),
    };
    name.split_at(text.len())
}
