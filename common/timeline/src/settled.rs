//! What is complete: lanes, levels and hand-overs, and no more of them than is to be kept.

use crate::{Lane, LaneId, Level, Moment, Recording, Span, Toll, level::shorten, thin};
use std::{borrow::Cow, collections::BTreeMap, mem, time::Duration};

/// Samples of a level, and hand-overs, that are kept.
const SAMPLES_KEPT: usize = 32_768;

/// Lanes, levels and hand-overs in the making.
#[derive(Clone, Default)]
pub(super) struct Settled {
    lanes: BTreeMap<LaneId, Vec<Span>>,
    names: BTreeMap<LaneId, String>,
    levels: BTreeMap<Cow<'static, str>, Vec<(Moment, f64)>>,
    handed: BTreeMap<LaneId, Vec<Span>>,
    /// What other processes do at this moment, and since when.
    pub(super) busy: BTreeMap<LaneId, (&'static str, Moment)>,
    pub(super) toll: Toll,
}

impl Settled {
    pub(super) fn name(&mut self, lane: LaneId, name: &str) {
        self.names.entry(lane).or_insert_with(|| name.to_owned());
    }

    /// Adds a span to a lane, with its name where that is not known yet.
    pub(super) fn add(&mut self, (lane, name): (LaneId, Option<&str>), span: Span) {
        if let Some(name) = name {
            self.name(lane, name);
        }
        self.lanes.entry(lane).or_default().push(span);
    }

    pub(super) fn sample(&mut self, name: Cow<'static, str>, at: Moment, level: f64) {
        self.levels.entry(name).or_default().push((at, level));
    }

    /// Notes that a thread handed a job in, or took its result; a moment long, so that it can be seen.
    pub(super) fn hand_over(&mut self, lane: LaneId, what: &'static str, job: u64) {
        let now = Moment::now();
        let end = now.plus(Duration::from_micros(1));
        let handed = self.handed.entry(lane).or_default();
        // What lies in each other would be one inside of the other.
        if let Some(last) = handed.last_mut() {
            last.end = last.end.min(now);
        }
        handed.push(Span {
            depth: u16::MAX,
            job: Some(job),
            ..Span::watched(what, now, end, Duration::ZERO)
        });
        self.toll.events += 1;
    }

    /// Adds what another process recorded to the lane of that process.
    pub(super) fn adopt(&mut self, lane: LaneId, recording: Recording) {
        self.toll.add(&recording.toll);
        for level in recording.levels {
            self.levels
                .entry(level.name)
                .or_default()
                .extend(level.samples);
        }
        let spans = recording.lanes.into_iter().flat_map(|lane| lane.spans);
        self.lanes.entry(lane).or_default().extend(spans);
    }

    pub(super) fn add_busy_processes(&mut self, now: Moment) {
        for (lane, (name, since)) in mem::take(&mut self.busy) {
            self.add((lane, None), Span::watched(name, since, now, now - since));
        }
    }

    pub(super) fn weight(&self) -> usize {
        let spans = self.lanes.values().flatten().map(thin::weight);
        let samples = self.levels.values().map(Vec::len);
        let handed = self.handed.values().map(Vec::len);
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
        for handed in self.handed.values_mut() {
            handed.drain(..handed.len().saturating_sub(SAMPLES_KEPT));
        }
        let before = self.spans();
        if is_ring && before > limit {
            self.forget_all_but(limit);
        } else if !is_ring && self.weight() > limit {
            thin::thin(self.lanes.values_mut(), limit / 2);
        }
        self.lanes.retain(|_, spans| !spans.is_empty());
        self.toll.thinned += (before - self.spans()) as u64;
    }

    /// Takes all of it; the names of lanes that go on are kept.
    pub(super) fn take(&mut self, goes_on: impl Fn(&LaneId) -> bool) -> Recording {
        let mut taken = mem::take(self);
        self.busy = mem::take(&mut taken.busy);
        self.names.clone_from(&taken.names);
        self.names.retain(|lane, _| goes_on(lane));
        taken.into_recording()
    }

    fn spans(&self) -> usize {
        self.lanes.values().map(Vec::len).sum()
    }

    /// Leaves the last `spans` spans, by their ends.
    fn forget_all_but(&mut self, spans: usize) {
        let mut ends: Vec<Moment> = (self.lanes.values().flatten())
            .map(|span| span.end)
            .collect();
        let index = ends.len().saturating_sub(spans);
        let (_, &mut first, _) = ends.select_nth_unstable(index);
        for spans in self.lanes.values_mut() {
            spans.retain(|span| span.end >= first);
        }
    }

    pub(super) fn into_recording(mut self) -> Recording {
        let now = Moment::now();
        let spans = self.lanes.values_mut().flatten();
        self.toll.mended += spans
            .filter_map(|span| span.mend(now).then_some(1))
            .sum::<u64>();
        let mut unnamed = 0;
        let mut lane = |(id, mut spans): (LaneId, Vec<Span>)| {
            spans.sort_by_key(|span| (span.start, span.depth));
            let name = self.names.get(&id).cloned().unwrap_or_else(|| {
                unnamed += 1;
                format!("thread {unnamed}")
            });
            Lane { id, name, spans }
        };
        let mut lanes: Vec<Lane> = self.lanes.into_iter().map(&mut lane).collect();
        in_reading_order(&mut lanes);
        let all = || lanes.iter().flat_map(|lane| &lane.spans);
        let start = all().map(|span| span.start).min().unwrap_or(now);
        let end = all().map(|span| span.end).max().unwrap_or(now);
        let levels = self.levels.into_iter().map(|(name, mut samples)| {
            samples.sort_by_key(|sample| sample.0);
            Level { name, samples }
        });
        Recording {
            start,
            wall: end - start,
            levels: levels.collect(),
            handovers: self.handed.into_iter().map(lane).collect(),
            toll: self.toll,
            lanes,
        }
    }
}

/// Sorts lanes by kind, families ("fetch 1", "fetch 2" …) by their first span, and by number within.
fn in_reading_order(lanes: &mut [Lane]) {
    let mut first: BTreeMap<String, Moment> = BTreeMap::new();
    for lane in lanes.iter() {
        let start = lane.spans.iter().map(|span| span.start).min();
        let start = start.unwrap_or_default();
        let earliest = first.entry(family(&lane.name).0).or_insert(start);
        *earliest = start.min(*earliest);
    }
    lanes.sort_by_cached_key(|lane| {
        let (name, number) = family(&lane.name);
        (
            lane.id.kind,
            // It often begins in the same moment as its threads, now before and now after them.
            lane.name != "main",
            first.get(&name).copied(),
            name,
            number,
            lane.id.number,
        )
    });
}

/// A name without the number, or the letter, at its end, and that number: `worker 2`, `worker B`.
fn family(name: &str) -> (String, Option<u64>) {
    if let Some((text, letter)) = name.rsplit_once(' ')
        && let [letter @ b'A'..=b'Z'] = letter.as_bytes()
    {
        return (text.to_owned(), Some((letter - b'A').into()));
    }
    let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (text.to_owned(), name[text.len()..].parse().ok())
}
