//! A worker while it is served: what it is sent, and what it says.

mod end;

use crate::{
    Event, PoolError, WorkerId,
    builder::Settings,
    child::{Answers, Guest, Kept, Next, Tasks, split},
    queue::{Job, Queue},
    wire::{Batch, FAILURE, HELLO, Incoming, NO_TASK, NOTE, VALUE},
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
/// Between two looks at what a worker keeps; tasks that wait behind one that takes so long go back.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a worker is to say next.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Its greeting: a test program prints something first.
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
    /// Where it keeps answers while it has more to do.
    kept: Kept,
    /// What is being sent, and how much of that has left.
    message: Arc<Vec<u8>>,
    sent: usize,
    /// Its note about what it says next.
    note: Vec<u8>,
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
        let (child, mut link) = settings.program.start(&settings.role())?;
        let pid = child.id();
        let (kept, path) = Kept::new();
        // One that is gone by now is missed later.
        let _ = link.send(&path);
        let ends = split(link, pid, &settings.limits);
        let (answers, tasks) = ends.map_err(PoolError::no_room)?;
        let worker = Self {
            id: WorkerId { pid, slot },
            child,
            stage: Stage::Hello,
            tasks: Some(Arc::new(tasks)),
            jobs: VecDeque::new(),
            in_packets: false,
            kept,
            message: Arc::default(),
            sent: 0,
            note: Vec::new(),
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

    /// Whether it waits for a task.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.is_ready() && self.ending.is_none()
    }

    /// Does what is due, and gives it what is next.
    pub(crate) fn turn(&mut self, queue: &mut Queue) -> Next {
        self.do_what_is_due(queue);
        self.send();
        self.feed_ahead(queue);
        let has_left = !self.message.is_empty() && self.ending.is_none();
        let due = self.due(queue).map(|(at, _)| at);
        let look = self.has_chunk().then(|| Instant::now() + LOOK_EVERY);
        let deadline = due.into_iter().chain(look).chain(queue.over_at).min();
        (deadline, self.tasks.clone().filter(|_| has_left))
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
            _ if self.is_idle() => drop(self.begin_next(queue)),
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
            None if has_more => (LOOK_EVERY.min(timeout.unwrap_or(Duration::MAX)), None),
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
        let Some((_, job)) = queue.waiting.pop_first() else {
            return false;
        };
        self.given += job.len();
        self.in_packets = job.is_small();
        (self.message, self.sent) = (Arc::clone(&job.orders), 0);
        self.began = Instant::now();
        self.jobs.push_back(job);
        if self.has_chunk() {
            self.kept.clear();
        }
        self.begin(queue);
        self.send();
        // Where there is a limit or a chunk, it looks from time to time.
        let looks = queue.settings.timeout.is_some() || self.has_chunk();
        self.message.is_empty() && !looks
    }

    /// It begins what it has.
    fn begin(&mut self, queue: &mut Queue) {
        if let Some(job) = self.jobs.front_mut() {
            queue.make_room(job);
            let (worker, task) = (self.id, job.tasks.start);
            queue.note(|| Event::Begun(worker, task));
        }
    }

    /// Sends what there is room for.
    fn send(&mut self) {
        if let (Some(tasks), None, [_, ..]) = (&self.tasks, &self.ending, &self.message[..]) {
            match tasks.send(&self.message, self.sent) {
                Ok(size) => self.sent += size,
                Err(_) => self.end(Ending::Lost),
            }
            if self.sent == self.message.len() {
                (self.message, self.sent) = (Arc::default(), 0);
            }
        }
    }

    /// Sends it further tasks while those that it has are short.
    fn feed_ahead(&mut self, queue: &mut Queue) {
        while self.in_packets
            && self.ending.is_none()
            && self.message.is_empty()
            && (1..=self.ahead).contains(&self.jobs.len())
            && !self.is_used_up(queue)
            && let Some(tasks) = &self.tasks
            && let Some(job) = queue.take_small()
        {
            if !tasks.send(&job.orders, 0).is_ok_and(|sent| sent > 0) {
                return queue.requeue(job);
            }
            self.given += 1;
            self.jobs.push_back(job);
        }
    }

    /// Has what it has not begun go back to the queue, as far as that is in packets.
    fn take_back(&mut self, queue: &mut Queue) {
        if let (Some(tasks), true) = (&self.tasks, mem::take(&mut self.in_packets)) {
            let taken = tasks.take_back();
            let is_taken = |job: &Job| taken.contains(&job.tasks.start);
            let (back, others): (VecDeque<_>, _) = self.jobs.drain(..).partition(is_taken);
            back.into_iter().for_each(|job| queue.requeue(job));
            self.jobs = others;
        }
    }

    /// Whether it may keep answers, all but the last of a chunk.
    fn has_chunk(&self) -> bool {
        self.jobs.front().is_some_and(|job| job.len() > 1)
    }

    /// Takes in what it has said; returns how many answers it were.
    pub(crate) fn hear(&mut self, queue: &mut Queue, incoming: &mut Incoming) -> u32 {
        let left = |worker: &Self| worker.jobs.iter().map(Job::len).sum::<u64>();
        let before = left(self);
        let mut kept = Incoming::default();
        if self.has_chunk() || incoming.has_closed {
            // After what it has said: what it kept before that is there.
            let _ = self.kept.read(&mut kept.bytes);
        }
        while self.stage != Stage::Hello || incoming.skip_to_hello() {
            let heard = match self.next(queue, incoming, &mut kept) {
                Ok(Some(batch)) => self.understand(queue, batch),
                Ok(None) => break,
                Err(reason) => Err(reason),
            };
            if let Err(reason) = heard {
                // Nor will anything make sense that comes.
                *incoming = Incoming::default();
                incoming.has_closed = true;
                self.kill(Ending::Unfit(reason));
                break;
            }
        }
        // One that has no pipe any more still keeps what it does of a chunk.
        let is_chunk = self.jobs.front().is_some_and(Job::is_chunk);
        if incoming.has_closed && self.ending.is_none() && !is_chunk {
            self.end(Ending::Lost);
        }
        let answers = (before - left(self)) as u32;
        if answers > 0 {
            let now = Instant::now();
            let took = now - mem::replace(&mut self.began, now);
            let fitting = (AHEAD_FOR * answers).as_nanos() / took.as_nanos().max(1);
            self.ahead = AHEAD_MOST.min(fitting as usize);
        }
        answers
    }

    /// What it has said next, or kept.
    fn next(
        &self,
        queue: &Queue,
        incoming: &mut Incoming,
        kept: &mut Incoming,
    ) -> Result<Option<Batch>, PoolError> {
        let first = self.jobs.front();
        let tasks = first.map_or(NO_TASK..u64::MAX, |job| job.tasks.clone());
        // With a hook each has its event.
        let has_hook = queue.settings.hook.is_some();
        let limit = if has_hook { tasks.start } else { tasks.end };
        // What was heard before is still there.
        while kept.task() < Some(tasks.start)
            && let Ok(Some(_)) = kept.next(tasks.start)
        {}
        let is_kept = kept.task() == Some(tasks.start);
        match if is_kept { kept } else { &mut *incoming }.next(limit) {
            Ok(Some(batch)) if batch.tasks.start == tasks.start => Ok(Some(batch)),
            // A worker without a task says nothing.
            Ok(None)
                if !is_kept && (first.is_some() || !self.is_ready() || incoming.is_empty()) =>
            {
                Ok(None)
            }
            _ => Err(PoolError::NotUnderstood),
        }
    }

    fn understand(&mut self, queue: &mut Queue, mut batch: Batch) -> Result<(), PoolError> {
        match (self.stage, batch.kind) {
            (Stage::Answer, _) if self.jobs.is_empty() => return Err(PoolError::NotUnderstood),
            (Stage::Hello, HELLO) => self.greet(queue, batch.next())?,
            (Stage::Initial, VALUE | FAILURE) => {
                let ended = batch.decode::<()>();
                ended.map_err(|error| PoolError::Initialiser(error.to_string()))?;
                self.stage = Stage::Answer;
            }
            (Stage::Answer, NOTE) => {
                self.note = postcard::from_bytes(batch.next()).unwrap_or_default();
            }
            (Stage::Answer, VALUE | FAILURE) => {
                let (worker, note) = (self.id, mem::take(&mut self.note));
                queue.note(|| Event::Done(worker, batch.tasks.start, note));
                if let Some(job) = self.jobs.front_mut() {
                    queue.settle(job, batch.tasks.end, Ok(batch));
                }
                self.jobs.pop_front_if(|job| job.tasks.is_empty());
                self.begin(queue);
            }
            _ => return Err(PoolError::NotUnderstood),
        }
        Ok(())
    }

    /// Takes in its first message, and has it initialised.
    fn greet(&mut self, queue: &mut Queue, hello: &[u8]) -> Result<(), PoolError> {
        let hello = postcard::from_bytes(hello);
        let (types, note): (Vec<String>, _) = hello.map_err(|_| PoolError::NotUnderstood)?;
        let functions = queue.settings.functions.iter();
        if !functions.map(|(_, types)| types).eq(&types) {
            return Err(PoolError::OtherTypes(types.join(", ")));
        }
        let (worker, took) = (self.id, self.began.elapsed());
        queue.note(|| Event::Ready(worker, took, note));
        self.stage = Stage::Answer;
        if let Some(initial) = &queue.settings.initial {
            self.message = Arc::clone(initial);
            self.stage = Stage::Initial;
        }
        Ok(())
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
}
