//! The stretches in which a span was entered.

use crate::{
    LaneId, Moment,
    thin::{POLLS_KEPT, merge_nearest, merge_polls},
};
use std::time::Duration;

/// A span that a thread is inside of.
pub(super) struct Entered {
    pub(super) at: Moment,
    pub(super) cpu: Option<Duration>,
    pub(super) thread: LaneId,
}

/// Who is inside of a span; nearly always one thread, once: only more are worth an allocation.
#[derive(Default)]
pub(super) struct Inside {
    first: Option<Entered>,
    others: Vec<Entered>,
}

impl Inside {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    pub(super) fn has(&self, thread: LaneId) -> bool {
        self.first
            .iter()
            .chain(&self.others)
            .any(|one| one.thread == thread)
    }

    pub(super) fn push(&mut self, entered: Entered) {
        if self.is_empty() {
            self.first = Some(entered);
        } else {
            self.others.push(entered);
        }
    }

    /// The latest entry of the thread, which is the first to end.
    pub(super) fn pop(&mut self, thread: LaneId) -> Option<Entered> {
        match self.others.iter().rposition(|one| one.thread == thread) {
            Some(index) => Some(self.others.remove(index)),
            None => self.first.take_if(|first| first.thread == thread),
        }
    }
}

/// One stretch of being entered.
pub(super) struct Run {
    pub(super) start: Moment,
    pub(super) end: Moment,
    pub(super) busy: Duration,
    pub(super) thread: LaneId,
}

/// Most spans are entered once: only further runs are worth an allocation.
#[derive(Default)]
pub(super) struct Runs {
    pub(super) first: Option<Run>,
    others: Vec<Run>,
}

impl Runs {
    pub(super) fn push(&mut self, run: Run) {
        if self.first.is_none() {
            self.first = Some(run);
            return;
        }
        self.others.push(run);
        if self.others.len() > 2 * POLLS_KEPT {
            self.merge();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Run> {
        self.first.iter().chain(&self.others)
    }

    pub(super) fn busy(&self) -> Duration {
        self.iter().map(|run| run.busy).sum()
    }

    pub(super) fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    pub(super) fn end(&self) -> Option<Moment> {
        Some(self.others.last().or(self.first.as_ref())?.end)
    }

    pub(super) fn polls(&self) -> Vec<(Moment, Moment)> {
        let mut polls = self.iter().map(|run| (run.start, run.end)).collect();
        merge_polls(&mut polls);
        polls
    }

    /// Neighbours become one run with the sum of both.
    fn merge(&mut self) {
        let gap = |one: &Run, next: &Run| Some(next.start - one.end);
        merge_nearest(&mut self.others, gap, |one, next| {
            one.end = next.end;
            one.busy += next.busy;
        });
    }
}
