//! A worker while it is served: what it is sent, what it says, and what its end means for its tasks.

use crate::{
    Event, TaskError, WorkerId, WorkerStartError,
    child::{Exit, Incoming, Line, Seen, Waker},
    state::{Job, Output, Shared, State},
    wire::{Answer, Order, Tag},
};
use std::{
    mem,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long a worker that closed its link, or is to end, may take to end.
const END_LIMIT: Duration = Duration::from_secs(1);
/// How long not to look for answers that come faster than they are taken.
const REST: Duration = Duration::from_micros(100);

/// Tasks are sent ahead only where they are so short that all of them take about this.
const AHEAD_FOR: Duration = Duration::from_millis(2);
const AHEAD_MOST: usize = 16;
/// Tasks that wait behind one that takes so long go back to the queue.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(5);

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
    /// How much of what was sent is answered.
    answered: usize,
    /// When its task was begun.
    began: Instant,
    /// How long its tasks take.
    pace: Option<Duration>,
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
            answered: 0,
            began: Instant::now(),
            pace: None,
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
            let (rests, is_idle, deadline) = shared.change(|state| {
                let answers = self.hear(state);
                self.turn(state, waker.is_some());
                let jobs = &state.slots[self.id.slot].jobs;
                let job = jobs.front();
                // A worker that wakes its parent for each of very short tasks is several times slower.
                let rests = answers > 1 && job.is_some_and(|job| job.unanswered() > answers);
                let limit = job.and(state.settings.timeout);
                let limit = limit.map(|limit| self.began + limit);
                let is_behind = jobs.len() > 1 && self.pace.is_some();
                let take_back = is_behind.then(|| self.began + TAKE_BACK_AFTER);
                let kill_at = self.ending.map(|(_, kill_at)| kill_at);
                let is_idle = job.is_none() && kill_at.is_none();
                if job.is_none() {
                    // One large input is no reason to keep its memory.
                    (self.message, self.sent) = (Arc::default(), 0);
                }
                let deadlines = [kill_at, limit, take_back];
                (rests, is_idle, deadlines.into_iter().flatten().min())
            });
            if is_idle && !may_have_ended {
                return Some(self);
            }
            if rests {
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
        self.send();
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

    /// Sends what there is room for.
    fn send(&mut self) {
        if let Some(left @ [_, ..]) = self.message.get(self.sent..)
            && !self.is_mute
        {
            match self.line.send(left) {
                Ok(size) => self.sent += size,
                Err(_) => self.fall_silent(),
            }
        }
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
        let mut answers = 0;
        while let Some(tasks) = self.settle(state) {
            answers += tasks;
            if tasks == 0 {
                return answers;
            }
        }
        // Nor will anything make sense that comes.
        self.incoming = Incoming::default();
        self.is_mute = true;
        self.kill(state, Ending::Lost);
        answers
    }

    /// Settles the answers that have come for the first job that it has; nothing when they do not fit it.
    fn settle(&mut self, state: &mut State) -> Option<u32> {
        let worker = self.id;
        let job = state.slots[worker.slot].jobs.front();
        let Some((next, unanswered, length)) =
            job.map(|job| (job.task(), job.unanswered(), job.message.len()))
        else {
            return self.incoming.is_empty().then_some(0);
        };
        let from = self.incoming.taken();
        let (mut to, mut tasks, mut failed, mut fits) = (from, 0, 0, true);
        while tasks < unanswered && fits {
            let place = match self.incoming.next() {
                Ok(None) => break,
                place => place.ok().flatten(),
            };
            let task = next + u64::from(tasks);
            let answer = place.and_then(|place| Answer::read(self.incoming.bytes(place)));
            let answer = answer.filter(|answer| answer.task == task && answer.tag != Tag::Hello);
            // What does not fit leaves those before it to be settled.
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
            if tasks == unanswered {
                self.answered += length;
            }
            let (bytes, from) = self.incoming.own(from..to);
            state.answer(worker, failed, Output { bytes, from, tasks });
            let now = Instant::now();
            let took = (now - mem::replace(&mut self.began, now)) / tasks;
            self.pace = Some(self.pace.map_or(took, |pace| (pace * 3 + took) / 4));
        }
        fits.then_some(tasks)
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
        } else if !state.slots[slot].jobs.is_empty() {
            let limit = state.settings.timeout;
            if limit.is_some_and(|limit| self.began + limit <= now) {
                self.kill(state, Ending::TimedOut);
            } else if state.slots[slot].jobs.iter().any(|job| job.is_cancelled) {
                self.take_back(state);
                // Of several, the first has ended, and its answer is on the way.
                let jobs = &state.slots[slot].jobs;
                if jobs.len() == 1 && jobs[0].is_cancelled {
                    self.kill(state, Ending::Lost);
                }
            } else if state.slots[slot].jobs.len() > 1 && self.began + TAKE_BACK_AFTER <= now {
                self.take_back(state);
            } else if is_fed {
                self.feed_ahead(state);
            }
        } else if is_fed && (is_used_up || !state.wants_workers()) {
            // It ends by itself.
            self.line.close();
            self.ending = Some((Ending::Dismissed, now + END_LIMIT));
        } else if is_fed && let Some((_, job)) = state.queue.pop_first() {
            self.give(state, job);
            self.send();
            self.feed_ahead(state);
        }
        state.wake_idle();
    }

    /// Gives it a job, which is to be sent.
    pub(crate) fn give(&mut self, state: &mut State, job: Job) {
        self.given += u64::from(job.tasks);
        self.message = Arc::clone(&job.message);
        (self.sent, self.answered) = (0, 0);
        self.began = Instant::now();
        state.slots[self.id.slot].jobs.push_back(job);
        state.begin(self.id);
    }

    /// Sends it further tasks while all that it has is short.
    fn feed_ahead(&mut self, state: &mut State) {
        let (slot, most) = (self.id.slot, state.settings.tasks_per_worker);
        while self.line.can_take_back()
            && self.sent >= self.message.len()
            && state.slots[slot].jobs.iter().all(Job::is_small)
            && let jobs @ 1..AHEAD_MOST = state.slots[slot].jobs.len()
            && self
                .pace
                .is_some_and(|pace| pace * jobs as u32 <= AHEAD_FOR)
            && most.is_none_or(|most| self.given < most.get())
            && let Some(job) = state.take_ahead()
        {
            if !self.line.send(&job.message).is_ok_and(|sent| sent > 0) {
                return state.requeue(job);
            }
            self.sent += job.message.len();
            self.given += 1;
            state.slots[slot].jobs.push_back(job);
        }
    }

    /// Has what it has not begun go back to the queue, as far as that is in packets.
    fn take_back(&mut self, state: &mut State) {
        self.pace = None;
        let slot = self.id.slot;
        if !state.slots[slot].jobs.iter().all(Job::is_small) {
            return;
        }
        for packet in self.line.take_back() {
            let order = packet.get(4..).and_then(Order::read);
            let jobs = &mut state.slots[slot].jobs;
            let place = jobs
                .iter()
                .position(|job| order.as_ref().is_some_and(|order| order.task == job.first));
            if let Some(job) = place.and_then(|place| jobs.remove(place)) {
                self.sent -= packet.len();
                state.requeue(job);
            }
        }
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
        let mut jobs = mem::take(&mut slot.jobs);
        // An input that was not taken in time is a task that was not done in time.
        let taken = self.sent.saturating_sub(self.line.unread() + self.answered);
        let is_begun = |job: &&Job| ending == Ending::TimedOut || job.is_begun(taken);
        let begun = jobs.front().filter(is_begun).map(Job::task);
        let began = begun.map(|task| (task, self.began.elapsed()));
        state.note(|| Event::Gone(self.id, exit, began));
        let left: u64 = jobs.iter().map(|job| u64::from(job.tasks)).sum();
        let did_nothing = begun.is_none() && self.given == left;
        let job = jobs.pop_front();
        jobs.into_iter().for_each(|job| state.requeue(job));
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
