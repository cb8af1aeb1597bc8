//! The ways of jobs: from the slice in which one is submitted to those in which it runs, and on.

use crate::{Lane, LaneId, LaneKind, Moment, Recording, Span};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// Where and when each job has a slice.
#[derive(Default)]
pub(super) struct Jobs(BTreeMap<u64, Vec<(u64, Moment)>>);

impl Jobs {
    pub(super) fn add(&mut self, job: u64, track: u64, at: Moment) {
        self.0.entry(job).or_default().push((track, at));
    }

    /// The stops of every job that has several, in the order of time.
    pub(super) fn arrows(self) -> impl Iterator<Item = (u64, Vec<(u64, Moment)>)> {
        let several = self.0.into_iter().filter(|(_, stops)| stops.len() > 1);
        several.map(|(job, mut stops)| {
            stops.sort_by_key(|stop| stop.1);
            (job, stops)
        })
    }
}

/// The lanes with a slice for each moment in which a job is submitted or its result taken: an arrow
/// begins and ends in slices.
pub(super) fn with_hand_overs(recording: &Recording) -> Vec<Cow<'_, Lane>> {
    let mut moments: BTreeMap<LaneId, Vec<(Moment, &'static str, u64)>> = BTreeMap::new();
    for way in &recording.handovers {
        let ends = [(way.submitted, "submit"), (way.received, "take result")];
        for (end, name) in ends {
            if let Some((lane, at)) = end.filter(|(lane, _)| lane.kind == LaneKind::Thread) {
                moments.entry(lane).or_default().push((at, name, way.job));
            }
        }
    }
    let mut lanes: Vec<Cow<'_, Lane>> = recording.lanes.iter().map(Cow::Borrowed).collect();
    for (id, moments) in moments {
        let slices = slices(moments);
        match lanes.iter_mut().find(|lane| lane.id == id) {
            Some(lane) => lane.to_mut().spans.extend(slices),
            None => lanes.push(Cow::Owned(Lane {
                id,
                name: recording.name_of(id),
                spans: slices,
            })),
        }
    }
    lanes
}

/// A slice each: a microsecond long, so that it can be seen, or until the next.
fn slices(mut moments: Vec<(Moment, &'static str, u64)>) -> Vec<Span> {
    moments.sort();
    let next = moments.iter().skip(1).map(|moment| Some(moment.0));
    let next: Vec<Option<Moment>> = next.chain([None]).collect();
    let slice = |((at, name, job), next): ((Moment, &'static str, u64), Option<Moment>)| {
        let end = at.plus(Duration::from_micros(1));
        let end = next.map_or(end, |next| end.min(next));
        Span {
            depth: u16::MAX,
            job: Some(job),
            ..Span::watched(name, at, end, Duration::ZERO)
        }
    };
    moments.into_iter().zip(next).map(slice).collect()
}
