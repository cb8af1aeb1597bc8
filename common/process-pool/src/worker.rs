//! A worker while it is served: what it is sent, what it says, and what its end means for its tasks.

mod heard;

use crate::{
    Event, PoolError, TaskError, WorkerId,
    builder::Settings,
    child::{Answers, Exit, Guest, Next, Tasks, split},
    queue::{Job, Queue},
    wire,
};
use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a worker that closed its link, or is to end, may take to end.
const END_LIMIT: Duration = Duration::from_secs(1);

/// Tasks are sent ahead only as far as all of them take about this, and so many at most.
const AHEAD_FOR: Duration = Duration::from_millis(2);
const AHEAD_MOST: usize = 15;
/// Tasks that wait behind one that takes so long go back to the queue.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(5);

/// What a worker is to say next.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Its mark: a test program prints something first.
    Mark,
    Hello,
    /// How its initialiser has ended.
    Initial,
    Answer,
}

/// Why a worker is ending.
#[derive(Clone, PartialEq)]
enum Ending {
    /// It closed its link, or its task was cancelled.
    Lost,
    TimedOut,
    /// It is needed no more.
    Dismissed,
    /// It does not get ready, or was killed for what it said.
    Unfit(PoolError),
}

pub(crate) struct Worker {
    id: WorkerId,
    pub(crate) child: Guest,
    stage: Stage,
    /// Where tasks go; closed, it ends by itself.
    tasks: Option<Arc<Tasks>>,
    /// What it has, in order; at most the first is begun.
    pub(crate) jobs: VecDeque<Job>,
    /// Whether each of these is a packet, so that others may follow and come back.
    in_packets: bool,
    /// What it was sent last, and how much of that, and of what was sent ahead, has left.
    message: Arc<Vec<u8>>,
    sent: usize,
    /// Whether what it says does not count, or has come to its end.
    is_mute: bool,
    /// Its note about what it says next.
    note: Vec<u8>,
    /// Whether the hook has not heard of the task that it has begun.
    is_new: bool,
    /// When its supervisor looks at it, whatever it does.
    looks_at: Option<Instant>,
    /// When its task, or it itself, was begun.
    began: Instant,
    /// How many tasks may be sent ahead, as short as they are.
    ahead: usize,
    /// How many tasks it was given.
    given: u64,
    /// Why it is ending, and when it is to be killed.
    ending: Option<(Ending, Instant)>,
}

impl Worker {
    /// Starts a process.
    pub(crate) fn start(settings: &Settings, slot: usize) -> Result<(Self, Answers), PoolError> {
        let began = Instant::now();
        let (child, link) = settings.program.start(&settings.role())?;
        let pid = child.id();
        let ends = split(link, pid, &settings.limits);
        let (answers, tasks) = ends.map_err(PoolError::no_room)?;
        let worker = Self {
            id: WorkerId { pid, slot },
            child,
            stage: Stage::Mark,
            tasks: Some(Arc::new(tasks)),
            jobs: VecDeque::new(),
            in_packets: false,
            message: Arc::default(),
            sent: 0,
            is_mute: false,
            note: Vec::new(),
            is_new: false,
            looks_at: None,
            began,
            ahead: 0,
            given: 0,
            ending: None,
        };
        Ok((worker, answers))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Answer
    }

    /// Does what is due, and gives it what is next.
    pub(crate) fn turn(&mut self, queue: &mut Queue, answers: u32) -> Next {
        self.do_what_is_due(queue);
        if self.jobs.is_empty() && self.is_ready() {
            // It may be large, or have been taken back.
            (self.message, self.sent) = (Arc::default(), 0);
        }
        self.send();
        self.feed_ahead(queue);
        self.announce(queue);
        let jobs = self.jobs.len();
        let is_idle = jobs == 0 && self.is_ready() && self.ending.is_none();
        let has_left = self.sent < self.message.len() && !self.is_mute;
        // For tasks that it is given meanwhile.
        let soon = Self::look_by(queue).filter(|_| is_idle && answers > 0);
        let due = self.due(queue).map(|(at, _)| at);
        self.looks_at = due.into_iter().chain(soon).min();
        Next {
            deadline: self.looks_at,
            hears: !self.is_mute,
            sends: self.tasks.clone().filter(|_| has_left),
            is_idle,
        }
    }

    fn do_what_is_due(&mut self, queue: &mut Queue) {
        match self.due(queue).filter(|(at, _)| *at <= Instant::now()) {
            Some((_, Some(ending))) => self.kill(ending),
            Some((_, None)) => self.take_back(queue),
            _ if self.ending.is_some() => {}
            _ if self.jobs.is_empty() && (self.is_used_up(queue) || !queue.wants_workers()) => {
                // It ends by itself.
                self.tasks = None;
                self.end(Ending::Dismissed);
            }
            _ if self.jobs.is_empty() && self.is_ready() => drop(self.begin_next(queue)),
            _ if self.jobs.iter().any(|job| job.is_cancelled) => {
                self.take_back(queue);
                // Of several, the first has ended, and its answer is on the way.
                if self.jobs.len() == 1 && self.jobs[0].is_cancelled {
                    self.kill(Ending::Lost);
                }
            }
            _ => {}
        }
    }

    /// When it is to be killed, whatever it does, and why, or its tasks are to be taken back.
    fn due(&self, queue: &Queue) -> Option<(Instant, Option<Ending>)> {
        let (timeout, start_limit) = (queue.settings.timeout, queue.settings.start_limit);
        let has_more = self.in_packets && self.jobs.len() > 1;
        let (limit, ending) = match &self.ending {
            Some((ending, kill_at)) => return Some((*kill_at, Some(ending.clone()))),
            None if !self.is_ready() => {
                let late = PoolError::NotReady(start_limit);
                (start_limit, Some(Ending::Unfit(late)))
            }
            None if self.jobs.is_empty() => return None,
            None if has_more => (
                TAKE_BACK_AFTER.min(timeout.unwrap_or(TAKE_BACK_AFTER)),
                None,
            ),
            None => (timeout?, Some(Ending::TimedOut)),
        };
        Some((self.began.checked_add(limit)?, ending))
    }

    fn is_used_up(&self, queue: &Queue) -> bool {
        let most = queue.settings.tasks_per_worker;
        most.is_some_and(|most| self.given >= most.get())
    }

    /// Gives it what waits and is to be sent at once; whether nothing is left for its supervisor.
    pub(crate) fn begin_next(&mut self, queue: &mut Queue) -> bool {
        let Some((_, jobs)) = queue.waiting.pop_first() else {
            return false;
        };
        self.given += jobs.len() as u64;
        self.in_packets = jobs.len() == 1 && jobs[0].is_small();
        self.message = match jobs.len() {
            1 => Arc::clone(&jobs[0].order),
            _ => Arc::new(jobs.iter().flat_map(|job| &**job.order).copied().collect()),
        };
        self.sent = 0;
        self.began = Instant::now();
        self.jobs = jobs;
        self.begin(queue);
        self.send();
        let is_watched =
            Self::look_by(queue).is_none_or(|by| self.looks_at.is_some_and(|at| at <= by));
        self.sent == self.message.len() && is_watched
    }

    /// When its supervisor is to look at what it begins now.
    fn look_by(queue: &Queue) -> Option<Instant> {
        let hook = queue.settings.hook.as_ref().map(|_| TAKE_BACK_AFTER);
        let limit = queue.settings.timeout.into_iter().chain(hook).min()?;
        Instant::now().checked_add(limit)
    }

    /// It begins what it has.
    fn begin(&mut self, queue: &mut Queue) {
        if let Some(job) = self.jobs.front_mut() {
            if let Some(permit) = job.permit.take() {
                queue.later(|_| drop(permit));
            }
            self.is_new = true;
        }
    }

    /// Its supervisor alone does this, so that a task begins before it is done.
    fn announce(&mut self, queue: &mut Queue) {
        if mem::take(&mut self.is_new)
            && let Some(job) = self.jobs.front()
        {
            let (worker, task) = (self.id, job.task);
            queue.note(|| Event::Begun(worker, task));
        }
    }

    /// Sends what there is room for.
    fn send(&mut self) {
        if let (Some(left @ [_, ..]), Some(tasks)) = (self.message.get(self.sent..), &self.tasks)
            && !self.is_mute
        {
            match tasks.send(left) {
                Ok(size) => self.sent += size,
                Err(_) => self.fall_silent(),
            }
        }
    }

    /// Sends it further tasks while those that it has are short.
    fn feed_ahead(&mut self, queue: &mut Queue) {
        while self.in_packets
            && self.ending.is_none()
            && self.sent >= self.message.len()
            && (1..=self.ahead).contains(&self.jobs.len())
            && !self.is_used_up(queue)
            && let Some(tasks) = &self.tasks
            && let Some(job) = queue.take_small()
        {
            if !tasks.send(&job.order).is_ok_and(|sent| sent > 0) {
                return queue.requeue(job);
            }
            self.sent += job.order.len();
            self.given += 1;
            self.jobs.push_back(job);
        }
    }

    /// Has what it has not begun go back to the queue, as far as that is in packets.
    fn take_back(&mut self, queue: &mut Queue) {
        let tasks = self.tasks.as_ref().filter(|_| self.in_packets);
        let packets = tasks.map_or_else(Vec::new, |tasks| tasks.take_back());
        for packet in packets {
            let taken = wire::head(&packet).map(|(_, task, _)| task);
            let place = self.jobs.iter().position(|job| Some(job.task) == taken);
            if let Some(job) = place.and_then(|place| self.jobs.remove(place)) {
                self.sent -= packet.len();
                queue.requeue(job);
            }
        }
        self.in_packets = false;
    }

    /// It has closed its link, and is about to end.
    pub(crate) fn fall_silent(&mut self) {
        self.is_mute = true;
        self.end(Ending::Lost);
    }

    /// Has it killed; what it had is settled once it is dead.
    fn kill(&mut self, ending: Ending) {
        self.child.kill();
        self.end(ending);
    }

    /// It is ending: the first reason counts. It is killed, or killed again, if that takes too long.
    fn end(&mut self, ending: Ending) {
        let kill_at = Instant::now() + END_LIMIT;
        self.ending.get_or_insert((ending, kill_at)).1 = kill_at;
    }

    /// It has ended: settles what it had; returns whether that was before it did anything, and why.
    pub(crate) fn settle_end(mut self, queue: &mut Queue, exit: Exit) -> Option<PoolError> {
        let ending = match self.ending.take() {
            _ if queue.is_over => Ending::Dismissed,
            ending => ending.map_or(Ending::Lost, |(ending, _)| ending),
        };
        // Of what is not answered, this it has not taken.
        let unread = self.tasks.as_ref().map_or(0, |tasks| tasks.unread());
        let untaken = unread + self.message.len().saturating_sub(self.sent);
        let behind: usize = self.jobs.iter().skip(1).map(|job| job.order.len()).sum();
        // An input that was not taken in time is a task that was not done in time.
        let is_late = ending == Ending::TimedOut;
        let begun = self.jobs.pop_front_if(|_| is_late || untaken <= behind);
        let began = begun.as_ref().map(|job| (job.task, self.began.elapsed()));
        queue.note(|| Event::Gone(self.id, exit, began));
        queue.ledger.workers_lost += u64::from(ending != Ending::Dismissed);
        let left = mem::take(&mut self.jobs);
        let did_nothing = self.given == left.len() as u64;
        left.into_iter().for_each(|job| queue.requeue(job));
        if let Some(job) = begun {
            self.settle_begun(queue, job, &ending, exit);
        }
        let is_ready = self.is_ready();
        // Not under the lock: it waits for processes that are being started.
        queue.later(move |_| drop(self.child));
        match ending {
            Ending::Dismissed => None,
            Ending::Unfit(reason) if !is_ready => Some(reason),
            _ if !is_ready => Some(PoolError::Ended(exit)),
            _ => did_nothing.then_some(PoolError::EndedIdle(exit)),
        }
    }

    /// It has ended in mid-task.
    fn settle_begun(&self, queue: &mut Queue, mut job: Job, ending: &Ending, exit: Exit) {
        job.attempts += 1;
        let (pid, attempts) = (self.id.pid, job.attempts);
        let error = match (ending, queue.settings.timeout) {
            (Ending::Dismissed, _) => queue.closed.clone().unwrap_or(TaskError::Cancelled),
            (Ending::TimedOut, Some(limit)) => TaskError::TimedOut { pid, limit },
            _ if attempts <= queue.settings.retries && !job.is_cancelled => {
                queue.ledger.retried += 1;
                return queue.requeue(job);
            }
            _ => TaskError::WorkerLost {
                pid,
                exit,
                attempts,
            },
        };
        queue.settle(job, Err(error));
    }
}
