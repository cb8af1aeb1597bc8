//! The thread in the parent that looks after one worker: starts it, feeds it, replaces it.

use super::{
    TaskError,
    batch::{Hand, Part},
    shared::{Next, Process, Shared, lock},
    wire::{Order, Report},
};
use crate::{
    child::{Child, Exit, LinkReceiver, LinkSender},
    timeline::{self, LiveProcess, Moment, Span},
    timing,
};
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

/// How the exchange about an order ended.
enum Exchange {
    /// With its last report; whether the worker can have another order.
    Done(bool),
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
        timeline::record_process(pid, &lane(slot), span);
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
            let one_by_one = !self.shared.settings.in_batches() || is_recorded();
            let next = self
                .shared
                .next(self.slot, &self.process, one_by_one, is_new);
            match next {
                Next::Work(hand) => {
                    is_new = false;
                    if !self.run(hand) {
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

    /// Has an order done and settles it; whether the worker can have another.
    fn run(&mut self, mut hand: Hand) -> bool {
        let began = Moment::now();
        let live = LiveProcess::enter(self.pid, || lane(self.slot), self.shared.settings.role);
        let exchange = self.exchange(&mut hand);
        drop(live);
        match exchange {
            Exchange::Done(true) => return true,
            Exchange::Done(false) => {
                // The canceller kills this very process, maybe only now: it serves no other task.
                lock(&self.process).kill();
                self.bury();
            }
            Exchange::TimedOut(limit) => {
                lock(&self.process).kill();
                self.bury_with(began);
                let pid = self.pid;
                let error = TaskError::TimedOut { pid, limit };
                self.shared.end(self.slot, hand, &error);
            }
            Exchange::Gone => {
                let exit = self.bury_with(began);
                let pid = self.pid;
                let error = |attempts| TaskError::WorkerLost {
                    pid,
                    exit,
                    attempts,
                };
                self.shared.retry(self.slot, hand, error);
            }
        }
        false
    }

    fn exchange(&mut self, hand: &mut Hand) -> Exchange {
        let limit = self.shared.settings.timeout;
        match self.converse(hand) {
            Ok(keeps) => Exchange::Done(keeps),
            Err(error) => match limit {
                Some(limit) if is_timeout(&error) => Exchange::TimedOut(limit),
                _ => Exchange::Gone,
            },
        }
    }

    /// Sends the order and settles every report on it; whether the worker can have another.
    fn converse(&mut self, hand: &mut Hand) -> io::Result<bool> {
        let limit = self.shared.settings.timeout;
        let deadline = limit.map(|limit| Instant::now() + limit);
        if deadline.is_some() {
            self.tx.set_timeout(remaining(deadline))?;
        }
        let order = Order {
            tasks: u32::try_from(hand.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
            record: is_recorded(),
        };
        let inputs: Vec<&[u8]> = hand.parts().map(Part::bytes).collect();
        self.tx.send_with(&order, &inputs)?;
        loop {
            if deadline.is_some() {
                self.rx.set_timeout(remaining(deadline))?;
            }
            let (mut done, results) = match self.rx.receive_with::<Report>()? {
                Some((Report::Done(done), results)) => (done, results),
                Some(_) => return Err(io::ErrorKind::InvalidData.into()),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            };
            // Before the results are out: who has them may ask at once what they took.
            timing::adopt_child_usage(self.pid, done.usage);
            let lanes = std::mem::take(&mut done.lanes);
            if !lanes.is_empty() {
                timeline::adopt(self.pid, &lane(self.slot), lanes);
            }
            let keeps = self.shared.settle(self.slot, hand, &done, results);
            let keeps = keeps.ok_or(io::ErrorKind::InvalidData)?;
            if done.keeps == 0 {
                return Ok(keeps);
            }
        }
    }

    /// As [`bury`](Self::bury), and records the task the worker takes with it.
    fn bury_with(&self, began: Moment) -> Exit {
        let exit = self.bury();
        // How much of it was work, nobody is left to tell.
        let mut span = Span::watched("lost", began, Moment::now(), Duration::ZERO);
        span.name = format!("lost: {exit}").into();
        timeline::record_process(self.pid, &lane(self.slot), span);
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

fn lane(slot: usize) -> String {
    format!("worker {}", slot + 1)
}

/// Whether somebody looks at the spans of tasks.
fn is_recorded() -> bool {
    tracing::enabled!(tracing::Level::INFO)
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
