//! A worker while it is served: what it is sent, what it says, and what its end means for its tasks.

use crate::{
    Event, PoolError, TaskError, WorkerId,
    child::{Exit, Incoming, Line, Link, Seen, Waker},
    state::{Job, Shared, State},
    wire::{self, FAILURE, NOTE, VALUE},
};
use std::{
    collections::VecDeque,
    io, mem,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long a worker that closed its link, or is to end, may take to end.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(1);
/// How long not to look for answers that come faster than they are taken.
const REST: Duration = Duration::from_micros(100);

/// Tasks are sent ahead only where they are so short that all of them take about this.
const AHEAD_FOR: Duration = Duration::from_millis(2);
const AHEAD_MOST: usize = 16;
/// Tasks that wait behind one that takes so long go back to the queue.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(5);

/// Why a worker is ending.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    /// It closed its link, or it was killed for what it said.
    Lost,
    TimedOut,
    /// It is needed no more.
    Dismissed,
}

/// A worker as its supervisor has it.
pub(crate) struct Worker {
    id: WorkerId,
    line: Line,
    incoming: Incoming,
    /// Whether what it says does not count, or has come to its end.
    is_mute: bool,
    /// What it was sent last, and how much of that, and of what was sent ahead, has left.
    message: Arc<Vec<u8>>,
    sent: usize,
    /// How much of what was sent is answered.
    answered: usize,
    /// Whether each of its jobs is a packet, so that others may follow and come back.
    in_packets: bool,
    /// Its note about what it says next.
    note: Vec<u8>,
    /// When its task was begun.
    began: Instant,
    /// How long its tasks take.
    pace: Option<Duration>,
    /// How many tasks it was given.
    given: u64,
    /// Why it is ending, and when it is to be killed.
    ending: Option<(Ending, Instant)>,
}

impl Worker {
    pub(crate) fn new(id: WorkerId, link: Link) -> io::Result<Self> {
        Ok(Self {
            id,
            line: Line::new(link.input, link.output, id.pid)?,
            incoming: link.incoming,
            is_mute: false,
            message: Arc::default(),
            sent: 0,
            answered: 0,
            in_packets: false,
            note: Vec::new(),
            began: Instant::now(),
            pace: None,
            given: 0,
            ending: None,
        })
    }

    /// Serves the worker until it has ended.
    pub(crate) fn serve(mut self, shared: &Shared, waker: &Waker) {
        loop {
            let (answers, jobs, deadline) = shared.change(|state| {
                let answers = self.hear(state);
                self.turn(state);
                state.wake_idle();
                let slot = &mut state.slots[self.id.slot];
                slot.is_idle = slot.jobs.is_empty() && self.ending.is_none();
                let jobs = slot.jobs.len();
                (answers, jobs, self.deadline(state.settings.timeout, jobs))
            });
            if jobs == 0 {
                // One large input is no reason to keep its memory.
                (self.message, self.sent) = (Arc::default(), 0);
            }
            // A worker that wakes its parent for each of very short tasks is several times slower.
            if answers > 1 && jobs > answers && !self.in_packets {
                thread::sleep(REST);
            }
            if let Some(exit) = self.advance(shared, waker, deadline) {
                return shared.change(|state| self.settle_end(state, exit));
            }
        }
    }

    /// When there is something to do, whatever the worker does.
    fn deadline(&self, timeout: Option<Duration>, jobs: usize) -> Option<Instant> {
        let limit = timeout.filter(|_| jobs > 0);
        let take_back = (jobs > 1 && self.in_packets).then_some(TAKE_BACK_AFTER);
        let since_it_began = limit.into_iter().chain(take_back).min();
        let kill_at = self.ending.map(|(_, kill_at)| kill_at);
        let from_it = since_it_began.map(|limit| self.began + limit);
        kill_at.into_iter().chain(from_it).min()
    }

    /// Sends what is left to be sent, waits for what comes next, and takes it in; returns how the
    /// worker has ended, if it has.
    fn advance(
        &mut self,
        shared: &Shared,
        waker: &Waker,
        deadline: Option<Instant>,
    ) -> Option<Exit> {
        self.send();
        let has_left = self.sent < self.message.len();
        let expected = (!self.is_mute, !self.is_mute && has_left);
        match self.line.wait(expected, waker, deadline) {
            Seen::Answer => self.read(),
            Seen::Woken => waker.rest(),
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
        if !matches!(self.incoming.fill(self.line.answers()), Ok(true)) {
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
    fn hear(&mut self, state: &mut State) -> usize {
        let mut answers = 0;
        loop {
            let job = state.slots[self.id.slot].jobs.front();
            let about = job.map(|job| (job.task, job.order.len()));
            match (self.incoming.next(), about) {
                (Ok(Some(message)), Some((task, length))) if message.task == task => {
                    match message.kind {
                        NOTE => self.note = message.payload().to_vec(),
                        VALUE | FAILURE => {
                            self.answered += length;
                            answers += 1;
                            let note = mem::take(&mut self.note);
                            state.answer(self.id, message, note);
                        }
                        _ => break,
                    }
                    continue;
                }
                (Ok(None), about) if about.is_some() || self.incoming.is_empty() => {
                    self.measure_pace(answers);
                    return answers;
                }
                _ => break,
            }
        }
        // Nor will anything make sense that comes.
        self.incoming = Incoming::default();
        self.is_mute = true;
        self.kill(state, Ending::Lost);
        answers
    }

    fn measure_pace(&mut self, answers: usize) {
        if answers > 0 {
            let now = Instant::now();
            let took = (now - mem::replace(&mut self.began, now)) / answers as u32;
            self.pace = Some(self.pace.map_or(took, |pace| (pace * 3 + took) / 4));
        }
    }

    /// Does what is due, and gives it what is next.
    fn turn(&mut self, state: &mut State) {
        let (now, slot) = (Instant::now(), self.id.slot);
        let most = state.settings.tasks_per_worker;
        let is_used_up = most.is_some_and(|most| self.given >= most.get());
        let is_past = |limit| self.began + limit <= now;
        let jobs = &state.slots[slot].jobs;
        if let Some((_, kill_at)) = &mut self.ending {
            if *kill_at <= now {
                *kill_at = now + END_LIMIT;
                state.kill(slot);
            }
        } else if jobs.is_empty() {
            if is_used_up || !state.wants_workers() {
                // It ends by itself.
                self.line.close();
                self.ending = Some((Ending::Dismissed, now + END_LIMIT));
            } else if let Some((_, jobs)) = state.queue.pop_first() {
                self.give(state, jobs);
                self.send();
                self.feed_ahead(state);
            }
        } else if state.settings.timeout.is_some_and(is_past) {
            self.kill(state, Ending::TimedOut);
        } else if jobs.iter().any(|job| job.is_cancelled) {
            self.take_back(state);
            // Of several, the first has ended, and its answer is on the way.
            let jobs = &state.slots[slot].jobs;
            if jobs.len() == 1 && jobs[0].is_cancelled {
                self.kill(state, Ending::Lost);
            }
        } else if jobs.len() > 1 && is_past(TAKE_BACK_AFTER) {
            self.take_back(state);
        } else {
            self.feed_ahead(state);
        }
    }

    /// Gives it what it is to be sent at once.
    fn give(&mut self, state: &mut State, jobs: VecDeque<Job>) {
        self.given += jobs.len() as u64;
        self.in_packets = jobs.len() == 1 && jobs[0].is_small();
        self.message = match jobs.len() {
            1 => Arc::clone(&jobs[0].order),
            _ => Arc::new(jobs.iter().flat_map(|job| &**job.order).copied().collect()),
        };
        (self.sent, self.answered) = (0, 0);
        self.began = Instant::now();
        state.slots[self.id.slot].jobs = jobs;
        state.begin(self.id);
    }

    /// Sends it further tasks while all that it has is short.
    fn feed_ahead(&mut self, state: &mut State) {
        let (slot, most) = (self.id.slot, state.settings.tasks_per_worker);
        while self.line.can_take_back()
            && self.in_packets
            && self.sent >= self.message.len()
            && let jobs @ 1..AHEAD_MOST = state.slots[slot].jobs.len()
            && self
                .pace
                .is_some_and(|pace| pace * jobs as u32 <= AHEAD_FOR)
            && most.is_none_or(|most| self.given < most.get())
            && let Some(job) = state.take_ahead()
        {
            if !self.line.send(&job.order).is_ok_and(|sent| sent > 0) {
                return state.requeue(job);
            }
            self.sent += job.order.len();
            self.given += 1;
            state.slots[slot].jobs.push_back(job);
        }
    }

    /// Has what it has not begun go back to the queue, as far as that is in packets.
    fn take_back(&mut self, state: &mut State) {
        if !mem::take(&mut self.in_packets) {
            return;
        }
        for packet in self.line.take_back() {
            let about = wire::head(&packet).and_then(|(_, about)| about);
            let jobs = &mut state.slots[self.id.slot].jobs;
            let mut tasks = jobs.iter().map(|job| job.task);
            let place = about.and_then(|(taken, _)| tasks.position(|task| task == taken));
            if let Some(job) = place.and_then(|place| jobs.remove(place)) {
                self.sent -= packet.len();
                state.requeue(job);
            }
        }
        // Nothing else gives it the tasks that are in the queue again.
        if state.slots[self.id.slot].jobs.is_empty() {
            self.turn(state);
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
        (slot.is_ready, slot.is_idle) = (false, false);
        slot.child = None;
        let mut jobs = mem::take(&mut slot.jobs);
        let did_nothing = self.given == jobs.len() as u64;
        // An input that was not taken in time is a task that was not done in time.
        let taken = self.sent.saturating_sub(self.line.unread() + self.answered);
        let is_begun = |job: &&Job| ending == Ending::TimedOut || taken >= job.order.len();
        let begun = jobs.front().filter(is_begun).map(|job| job.task);
        let began = begun.map(|task| (task, self.began.elapsed()));
        state.note(|| Event::Gone(self.id, exit, began));
        let begun = began.and_then(|_| jobs.pop_front());
        let is_lost = ending != Ending::Dismissed;
        state.ledger.workers_lost += u64::from(is_lost);
        let did_nothing = did_nothing && begun.is_none();
        jobs.into_iter().for_each(|job| state.requeue(job));
        if let Some(job) = begun {
            let (limit, closed) = (state.settings.timeout, state.closed.clone());
            state.lose(job, |attempts| match (ending, limit) {
                (Ending::Dismissed, _) => closed.unwrap_or(TaskError::Cancelled),
                (Ending::TimedOut, Some(limit)) => TaskError::TimedOut { pid, limit },
                _ => TaskError::WorkerLost {
                    pid,
                    exit,
                    attempts,
                },
            });
        }
        if is_lost && did_nothing && state.wants_workers() {
            state.fail_start(at, PoolError::EndedIdle(exit));
        }
    }
}
