//! A worker while it is served: what it is sent, what it says, and what its end means for its tasks.

use crate::{
    Event, TaskError, WorkerId, WorkerStartError,
    child::{Exit, Incoming, Line, Seen, Waker},
    state::{Job, Output, Shared, State},
    wire::{Answer, Tag},
};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long a worker that closed its link, or is to end, may take to end.
const END_LIMIT: Duration = Duration::from_secs(1);
/// How long not to look for answers that come faster than they are taken.
const REST: Duration = Duration::from_micros(100);

/// Why a worker is ending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// It closed its link, or it was killed for what it said.
    Lost,
    TimedOut,
    /// It is needed no more.
    Dismissed,
}

/// A worker as whoever serves it has it.
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) line: Line,
    pub(crate) incoming: Incoming,
    /// Whether what it says does not count, or has come to its end.
    is_mute: bool,
    /// What it was sent last, and how much of that has left.
    pub(crate) message: Arc<Vec<u8>>,
    sent: usize,
    /// When its task was begun.
    began: Instant,
    /// How many tasks it was given.
    given: u64,
    /// Why it is ending, and when it is to be killed.
    pub(crate) ending: Option<(Ending, Instant)>,
}

impl Worker {
    pub(crate) fn new(id: WorkerId, line: Line) -> Self {
        Self {
            id,
            line,
            incoming: Incoming::default(),
            is_mute: false,
            message: Arc::default(),
            sent: 0,
            began: Instant::now(),
            given: 0,
            ending: None,
        }
    }

    /// Serves the worker until it has nothing to do; returns it then, and nothing when it has ended.
    /// Without a waker it gets no more tasks. One that may have ended is looked at first.
    pub(crate) fn work(
        mut self: Box<Self>,
        shared: &Shared,
        waker: Option<&Waker>,
        mut may_have_ended: bool,
    ) -> Option<Box<Self>> {
        loop {
            let (answers, is_idle, deadline) = shared.change(|state| {
                let answers = self.hear(state);
                self.turn(state, waker.is_some());
                let job = state.slots[self.id.slot].job.as_ref();
                // A worker that wakes its parent for each of very short tasks is several times slower.
                let is_fast = answers > 1 && job.is_some_and(|job| job.unanswered() > answers);
                let limit = job.and(state.settings.timeout);
                let limit = limit.map(|limit| self.began + limit);
                let kill_at = self.ending.map(|(_, kill_at)| kill_at);
                let is_idle = job.is_none() && kill_at.is_none();
                (is_fast, is_idle, kill_at.into_iter().chain(limit).min())
            });
            if is_idle && !may_have_ended {
                return Some(self);
            }
            if answers {
                thread::sleep(REST);
            }
            may_have_ended = false;
            if let Some(exit) = self.advance(shared, waker, deadline) {
                shared.change(|state| self.settle_end(state, exit));
                return None;
            }
        }
    }

    /// Sends what is left to be sent, waits for what comes next, and takes it in; returns how the
    /// worker has ended, if it has.
    pub(crate) fn advance(
        &mut self,
        shared: &Shared,
        waker: Option<&Waker>,
        deadline: Option<Instant>,
    ) -> Option<Exit> {
        let left = &self.message[self.sent..];
        if !left.is_empty() && !self.is_mute {
            match self.line.send(left) {
                Ok(size) => self.sent += size,
                Err(_) => self.fall_silent(),
            }
        }
        let has_left = self.sent < self.message.len();
        let expected = (!self.is_mute, !self.is_mute && has_left);
        match self.line.wait(expected, waker, deadline) {
            Seen::Answer => self.read(),
            Seen::Woken => waker.into_iter().for_each(Waker::rest),
            Seen::Room | Seen::Late => {}
            Seen::End => {
                // All that it has said.
                while !self.is_mute && self.line.has_answer() {
                    self.read();
                }
                return shared.change(|state| state.slots[self.id.slot].child.as_mut()?.try_wait());
            }
        }
        None
    }

    fn read(&mut self) {
        if !matches!(self.incoming.fill(&self.line.answers), Ok(true)) {
            self.fall_silent();
        }
    }

    /// It has closed its link, and is about to end.
    fn fall_silent(&mut self) {
        self.is_mute = true;
        self.ending
            .get_or_insert((Ending::Lost, Instant::now() + END_LIMIT));
    }

    /// Settles what it has said; returns how many answers it were.
    fn hear(&mut self, state: &mut State) -> u32 {
        let (tasks, fits) = self.settle(state);
        if !fits {
            // Nor will anything that comes.
            self.incoming = Incoming::default();
            self.is_mute = true;
            self.kill(state, Ending::Lost);
        }
        tasks
    }

    /// Settles the answers that have come, up to one that does not fit what it has.
    fn settle(&mut self, state: &mut State) -> (u32, bool) {
        let worker = self.id;
        let job = state.slots[worker.slot].job.as_ref();
        let (next, unanswered) = job.map_or((0, 0), |job| (job.task(), job.unanswered()));
        let from = self.incoming.taken();
        let (mut to, mut tasks, mut failed, mut fits) = (from, 0, 0, true);
        while fits && !self.incoming.is_empty() {
            let place = match self.incoming.next() {
                Ok(None) => break,
                place => place.ok().flatten(),
            };
            let answer = place.and_then(|place| Answer::read(self.incoming.bytes(place)));
            let task = next + u64::from(tasks);
            let answer = answer.filter(|answer| {
                tasks < unanswered && answer.task == task && answer.tag != Tag::Hello
            });
            fits = answer.is_some();
            if let Some(answer) = answer {
                let note = || answer.note.to_vec();
                state.note(|| Event::Done {
                    worker,
                    task,
                    note: note(),
                });
                to = self.incoming.taken();
                tasks += 1;
                failed += u32::from(answer.tag == Tag::Failure);
            }
        }
        if tasks > 0 {
            let (bytes, from) = self.incoming.own(from..to);
            state.answer(worker, failed, Output { bytes, from, tasks });
            self.began = Instant::now();
        }
        (tasks, fits)
    }

    /// Does what is due, and gives it the next job.
    fn turn(&mut self, state: &mut State, is_fed: bool) {
        let (now, slot) = (Instant::now(), self.id.slot);
        let most = state.settings.tasks_per_worker;
        let is_used_up = most.is_some_and(|most| self.given >= most.get());
        if let Some((_, kill_at)) = &mut self.ending {
            if *kill_at <= now {
                *kill_at = now + END_LIMIT;
                state.kill(slot);
            }
        } else if let Some(job) = &state.slots[slot].job {
            let limit = state.settings.timeout;
            if job.is_cancelled {
                self.kill(state, Ending::Lost);
            } else if limit.is_some_and(|limit| self.began + limit <= now) {
                self.kill(state, Ending::TimedOut);
            }
        } else if is_fed && (is_used_up || !state.wants_workers()) {
            // It ends by itself.
            self.line.close();
            self.ending = Some((Ending::Dismissed, now + END_LIMIT));
        } else if is_fed && let Some((_, job)) = state.queue.pop_first() {
            self.give(state, job);
        }
        state.wake_idle();
    }

    /// Gives it a job, which is to be sent.
    pub(crate) fn give(&mut self, state: &mut State, job: Job) {
        self.given += u64::from(job.tasks);
        (self.message, self.sent) = (Arc::clone(&job.message), 0);
        self.began = Instant::now();
        state.slots[self.id.slot].job = Some(job);
        state.begin(self.id);
    }

    /// Has it killed; what it had is settled once it is dead.
    fn kill(&mut self, state: &mut State, ending: Ending) {
        state.kill(self.id.slot);
        let ending = self.ending.map_or(ending, |(earlier, _)| earlier);
        self.ending = Some((ending, Instant::now() + END_LIMIT));
    }

    /// It has ended: settles what it had, and whether it was well.
    fn settle_end(&mut self, state: &mut State, exit: Exit) {
        self.hear(state);
        let WorkerId { pid, slot: at } = self.id;
        let ending = match self.ending {
            _ if state.is_over => Ending::Dismissed,
            ending => ending.map_or(Ending::Lost, |(ending, _)| ending),
        };
        let slot = &mut state.slots[at];
        slot.is_ready = false;
        slot.child = None;
        let job = slot.job.take();
        // An input that was not taken in time is a task that was not done in time.
        let is_begun = |job: &Job| {
            let taken = self.sent.saturating_sub(self.line.unread());
            ending == Ending::TimedOut || job.is_begun(taken)
        };
        let begun = job.as_ref().filter(|job| is_begun(job)).map(Job::task);
        let began = begun.map(|task| (task, self.began.elapsed()));
        state.note(|| Event::Gone(self.id, exit, began));
        let did_nothing =
            begun.is_none() && self.given == job.as_ref().map_or(0, |job| job.tasks.into());
        if let Some(job) = job {
            let (limit, closed) = (state.settings.timeout, state.closed.clone());
            state.lose(job, begun.is_some(), |attempts| match (ending, limit) {
                (Ending::Dismissed, _) => closed.unwrap_or(TaskError::Cancelled),
                (Ending::TimedOut, Some(limit)) => TaskError::TimedOut { pid, limit },
                _ => TaskError::WorkerLost {
                    pid,
                    exit,
                    attempts,
                },
            });
        }
        if ending != Ending::Dismissed {
            state.ledger.workers_lost += 1;
            if did_nothing && state.wants_workers() {
                state.fail_start(at, WorkerStartError::EndedIdle(exit), false);
            }
        }
    }
}
