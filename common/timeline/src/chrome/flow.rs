//! The ways of jobs: from the slice in which one is submitted to those in which it runs, and on.

use crate::{Lane, Moment, Recording};
use std::{borrow::Cow, collections::BTreeMap};

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
    let mut lanes: Vec<Cow<'_, Lane>> = recording.lanes.iter().map(Cow::Borrowed).collect();
    for handed in &recording.handovers {
        match lanes.iter_mut().find(|lane| lane.id == handed.id) {
            Some(lane) => lane.to_mut().spans.extend_from_slice(&handed.spans),
            None => lanes.push(Cow::Borrowed(handed)),
        }
    }
    lanes
}
