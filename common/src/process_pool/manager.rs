//! The thread in the parent that looks after one worker: starts it, feeds it, replaces it.

use super::{
    TaskError,
    shared::{Job, Next, Outcome, Process, Shared, lock},
    wire::{Done, Order, Report},
};
use crate::{
    child::{Child, Exit, LinkReceiver, LinkSender},
    timeline::{self, LiveProcess, Moment, Span},
    timing,
};
use serde_bytes::{ByteBuf, Bytes};
use std::{
    io,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// After so many failed starts in a row the pool gives up.
const START_ATTEMPTS: u32 = 3;

/// How long a worker that closed its link may take to end.
const END_LIMIT: Duration = Duration::from_secs(1);

/// Looks after the worker of one slot until the pool ends.
pub(super) fn manage(shared: &Arc<Shared>, slot: usize) {
    let _guard = PanicGuard(shared);
    let mut failures = 0;
    while shared.wants_workers() {
        let reason = match Worker::start(shared, slot) {
            Ok(Some(worker)) => match worker.serve() {
                Ok(()) => {
                    failures = 0;
                    continue;
                }
                Err(exit) => format!("a worker ended with {exit} before its first task"),
            },
            Ok(None) => return,
            Err(reason) => reason,
        };
        failures += 1;
        if failures == START_ATTEMPTS {
            shared.give_up(format!("{reason} ({START_ATTEMPTS} attempts)"));
        }
    }
}

/// Without its manager a worker serves nobody: the pool says so instead of waiting.
struct PanicGuard<'a>(&'a Shared);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.give_up("a manager thread panicked".into());
        }
    }
}

/// A worker process as its manager sees it.
struct Worker<'a> {
    shared: &'a Shared,
    slot: usize,
    pid: u32,
    process: Process,
    tx: LinkSender,
    rx: LinkReceiver,
}

/// How the exchange about one task ended.
enum Exchange {
    /// With a report; the worker is free.
    Done(Done),
    /// The order cannot be sent, whoever it is sent to; the worker is free.
    Refused(io::Error),
    /// With the time limit.
    TimedOut(Duration),
    /// The worker is gone, or no longer makes sense.
    Gone,
}

impl<'a> Worker<'a> {
    /// Starts a worker and waits for its first message; `None` when the pool stops meanwhile.
    fn start(shared: &'a Shared, slot: usize) -> Result<Option<Self>, String> {
        let spawned = Moment::now();
        let settings = &shared.settings;
        let (child, link) =
            Child::start(&settings.program, settings.role).map_err(|error| error.to_string())?;
        let (tx, rx) = link.split();
        let pid = child.id();
        let process = Arc::new(Mutex::new(child));
        let wanted = shared.register(slot, &process);
        let mut worker = Self {
            shared,
            slot,
            pid,
            process,
            tx,
            rx,
        };
        if !wanted {
            worker.dismiss();
            return Ok(None);
        }
        let (ready, busy) = worker.greet()?;
        let span = Span::watched("start-up", spawned, ready, busy.min(ready - spawned));
        timeline::record_process(pid, &worker.lane(), span);
        shared.ready(slot, pid, ready - spawned);
        Ok(Some(worker))
    }

    fn greet(&mut self) -> Result<(Moment, Duration), String> {
        let limit = self.shared.settings.start_limit;
        let hello = self
            .rx
            .set_timeout(Some(limit))
            .and_then(|()| self.rx.receive::<Report>());
        let reason = match hello {
            Ok(Some(Report::Hello { ready, busy })) => {
                return self
                    .rx
                    .set_timeout(None)
                    .map(|()| (ready, busy))
                    .map_err(|error| error.to_string());
            }
            Ok(Some(Report::Done(_))) => "a worker reported a task before it was ready".into(),
            Ok(None) => {
                let exit = self.bury();
                return Err(format!("a worker ended with {exit} before it was ready"));
            }
            Err(error) if is_timeout(&error) => {
                format!("a worker was not ready after {limit:?}")
            }
            Err(error) => format!("a worker's first message was not understood: {error}"),
        };
        lock(&self.process).kill();
        self.bury();
        Err(format!(
            "{reason}; is `child::take_role` the first call in `main`?"
        ))
    }

    /// Serves tasks until the pool ends or the worker does.
    ///
    /// # Errors
    /// How a worker ended that died before it could be given its first task.
    fn serve(mut self) -> Result<(), Exit> {
        let mut is_new = true;
        loop {
            match self.shared.next(self.slot, &self.process) {
                Next::Job(job) => {
                    is_new = false;
                    if !self.run(job) {
                        return Ok(());
                    }
                }
                Next::Dead { exit, at_once } => {
                    self.bury();
                    return if is_new && at_once { Err(exit) } else { Ok(()) };
                }
                Next::End => {
                    self.dismiss();
                    return Ok(());
                }
            }
        }
    }

    /// Runs one task and settles it; whether the worker can have another.
    fn run(&mut self, job: Job) -> bool {
        let began = Moment::now();
        let live = LiveProcess::enter(self.pid, || self.lane(), self.shared.settings.role);
        let exchange = self.exchange(&job);
        drop(live);
        let outcome = match exchange {
            Exchange::Done(done) => self.adopt(done),
            Exchange::Refused(error) => Err(TaskError::Encode {
                payload: super::Payload::Input,
                reason: error.to_string(),
            }),
            Exchange::TimedOut(limit) => {
                lock(&self.process).kill();
                self.bury_with(began);
                let pid = self.pid;
                self.shared
                    .settle(self.slot, job, Err(TaskError::TimedOut { pid, limit }));
                return false;
            }
            Exchange::Gone => {
                let exit = self.bury_with(began);
                let (pid, attempts) = (self.pid, job.attempts);
                let error = TaskError::WorkerLost {
                    pid,
                    exit,
                    attempts,
                };
                self.shared.retry(self.slot, job, error);
                return false;
            }
        };
        let keeps = self.shared.settle(self.slot, job, outcome);
        if !keeps {
            // The canceller kills this very process, maybe only now: it serves no other task.
            lock(&self.process).kill();
            self.bury();
        }
        keeps
    }

    fn exchange(&mut self, job: &Job) -> Exchange {
        let limit = self.shared.settings.timeout;
        match self.converse(job) {
            Ok(Ok(done)) => Exchange::Done(done),
            Ok(Err(refused)) => Exchange::Refused(refused),
            Err(error) => match limit {
                Some(limit) if is_timeout(&error) => Exchange::TimedOut(limit),
                _ => Exchange::Gone,
            },
        }
    }

    /// Sends the order and waits for the report; the inner error is the order's own.
    fn converse(&mut self, job: &Job) -> io::Result<io::Result<Done>> {
        let deadline = self
            .shared
            .settings
            .timeout
            .map(|limit| Instant::now() + limit);
        if deadline.is_some() {
            self.tx.set_timeout(remaining(deadline))?;
        }
        let order = Order {
            task: job.task,
            record: tracing::enabled!(tracing::Level::INFO),
            input: Bytes::new(&job.input),
        };
        match self.tx.send(&order) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Err(error)),
            sent => sent?,
        }
        if deadline.is_some() {
            self.rx.set_timeout(remaining(deadline))?;
        }
        match self.rx.receive::<Report>()? {
            Some(Report::Done(done)) if done.task == job.task => Ok(Ok(done)),
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn adopt(&self, done: Done) -> Outcome {
        timing::adopt_child_usage(self.pid, done.usage);
        if !done.lanes.is_empty() {
            timeline::adopt(self.pid, &self.lane(), done.lanes);
        }
        done.outcome.map(ByteBuf::into_vec).map_err(TaskError::from)
    }

    fn lane(&self) -> String {
        format!("worker {}", self.slot + 1)
    }

    /// As [`bury`](Self::bury), and records the task the worker takes with it.
    fn bury_with(&self, began: Moment) -> Exit {
        let exit = self.bury();
        // How much of it was work, nobody is left to tell.
        let mut span = Span::watched("lost", began, Moment::now(), Duration::ZERO);
        span.name = format!("lost: {exit}").into();
        timeline::record_process(self.pid, &self.lane(), span);
        exit
    }

    /// Reaps a worker that is dead or dying and takes note of the loss.
    fn bury(&self) -> Exit {
        let exit = lock(&self.process).wait_or_kill(END_LIMIT);
        timing::forget_child_usage(self.pid);
        self.shared.lost(self.slot);
        exit
    }

    /// Ends a worker that is needed no more.
    fn dismiss(self) {
        lock(&self.process).kill();
        timing::forget_child_usage(self.pid);
        self.shared.dismissed(self.slot);
    }
}

/// What is left until the deadline, at least a moment: the system takes zero for "no limit".
fn remaining(deadline: Option<Instant>) -> Option<Duration> {
    let left = deadline?.saturating_duration_since(Instant::now());
    Some(left.max(Duration::from_millis(1)))
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
