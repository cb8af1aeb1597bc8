//! The stretches in which a span was entered.

use crate::{
    LaneId, Moment,
    thin::{POLLS_KEPT, merge_polls},
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
    pub(super) others: Vec<(Moment, Moment)>,
    /// Of all of them.
    pub(super) busy: Duration,
}

impl Runs {
    pub(super) fn push(&mut self, run: Run) {
        self.busy += run.busy;
        if self.first.is_none() {
            self.first = Some(run);
            return;
        }
        self.others.push((run.start, run.end));
        if self.others.len() > 2 * POLLS_KEPT {
            merge_polls(&mut self.others);
        }
    }

    pub(super) fn polls(&self) -> Vec<(Moment, Moment)> {
        let first = self.first.iter().map(|run| (run.start, run.end));
        let mut polls = first.chain(self.others.iter().copied()).collect();
        merge_polls(&mut polls);
        polls
    }
}
