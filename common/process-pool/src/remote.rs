//! A worker process as the parent sees it: it is started, given orders, and buried or dismissed.

use super::{
    TaskError,
    batch::{Hand, Part},
    shared::{Process, Shared, lock},
    wire::{Order, Report},
};
use crate::child::{Child, Exit, LinkReceiver, LinkSender};
use measure::timing;
use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use timeline::{Moment, Span};

/// How long a worker that closed its link may take to end.
const END_LIMIT: Duration = Duration::from_secs(1);

/// A worker process; in the hands of its manager, or lent to a thread that calls it.
#[derive(Debug)]
pub(super) struct Remote {
    slot: usize,
    pid: u32,
    process: Process,
    tx: LinkSender,
    rx: LinkReceiver,
    /// Whether it has had no task yet.
    is_new: bool,
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

impl Remote {
    /// Whether it has had no task yet.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// How it ended, if it has.
    pub(super) fn try_wait(&self) -> Option<Exit> {
        lock(&self.process).try_wait()
    }

    pub(super) fn slot(&self) -> usize {
        self.slot
    }

    /// Starts a worker and waits for its first message; `None` when the pool stops meanwhile.
    pub(super) fn start(shared: &Shared, slot: usize) -> Result<Option<Self>, String> {
        let spawned = Moment::now();
        let settings = &shared.settings;
        let (child, link) =
            Child::start(&settings.program, settings.role).map_err(|error| error.to_string())?;
        let (tx, rx) = link.split();
        let pid = child.id();
        let process = Arc::new(Mutex::new(child));
        let wanted = shared.register(slot, &process);
        let mut worker = Self {
            slot,
            pid,
            process,
            tx,
            rx,
            is_new: true,
        };
        if !wanted {
            worker.dismiss(shared);
            return Ok(None);
        }
        let (ready, busy) = worker.greet(shared)?;
        let span = Span::watched("start-up", spawned, ready, busy.min(ready - spawned));
        if let Some(timeline) = &shared.timeline {
            timeline.record_process(pid, &lane(slot), span);
        }
        shared.ready(slot, pid, ready - spawned);
        Ok(Some(worker))
    }

    fn greet(&mut self, shared: &Shared) -> Result<(Moment, Duration), String> {
        let limit = shared.settings.start_limit;
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
                let exit = self.bury(shared);
                return Err(format!("a worker ended with {exit} before it was ready"));
            }
            Err(error) if is_timeout(&error) => {
                format!("a worker was not ready after {limit:?}")
            }
            Err(error) => format!("a worker's first message was not understood: {error}"),
        };
        self.put_down(shared);
        Err(format!(
            "{reason}; is `child::take_role` the first call in `main`?"
        ))
    }

    /// Has an order done and settles it; whether the worker can have another.
    pub(super) fn run(&mut self, shared: &Shared, mut hand: Hand) -> bool {
        self.is_new = false;
        let began = Moment::now();
        let live = shared.timeline.as_ref().map(|timeline| {
            timeline.live_process(self.pid, || lane(self.slot), shared.settings.role)
        });
        let exchange = self.exchange(shared, &mut hand);
        drop(live);
        match exchange {
            Exchange::Done(true) => return true,
            Exchange::Done(false) => {
                // The canceller kills this very process, maybe only now: it serves no other task.
                self.put_down(shared);
            }
            Exchange::TimedOut(limit) => {
                lock(&self.process).kill();
                self.bury_with(shared, &hand, began);
                let pid = self.pid;
                let error = TaskError::TimedOut { pid, limit };
                shared.end(self.slot, hand, &error);
            }
            Exchange::Gone => {
                let exit = self.bury_with(shared, &hand, began);
                let pid = self.pid;
                let error = |attempts| TaskError::WorkerLost {
                    pid,
                    exit,
                    attempts,
                };
                shared.retry(self.slot, hand, error);
            }
        }
        false
    }

    fn exchange(&mut self, shared: &Shared, hand: &mut Hand) -> Exchange {
        let limit = shared.settings.timeout;
        match self.converse(shared, hand) {
            Ok(keeps) => Exchange::Done(keeps),
            Err(error) => match limit {
                Some(limit) if is_timeout(&error) => Exchange::TimedOut(limit),
                _ => Exchange::Gone,
            },
        }
    }

    /// Sends the order and settles every report on it; whether the worker can have another.
    fn converse(&mut self, shared: &Shared, hand: &mut Hand) -> io::Result<bool> {
        let limit = shared.settings.timeout;
        let deadline = limit.map(|limit| Instant::now() + limit);
        if deadline.is_some() {
            self.tx.set_timeout(remaining(deadline))?;
        }
        let order = Order {
            tasks: u32::try_from(hand.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
            record: shared.timeline.is_some(),
            promptly: hand.is_suspect(),
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
            let tasks = hand.parts().flat_map(Part::tasks);
            for (mut recording, task) in std::mem::take(&mut done.recordings).into_iter().zip(tasks)
            {
                let spans = recording.lanes.iter_mut().flat_map(|lane| &mut lane.spans);
                for span in spans.filter(|span| span.depth == 0) {
                    span.job = Some(shared.job(task));
                }
                if let Some(timeline) = &shared.timeline {
                    timeline.adopt(self.pid, &lane(self.slot), recording);
                }
            }
            let keeps = shared.settle(self.slot, hand, &done, results);
            let keeps = keeps.ok_or(io::ErrorKind::InvalidData)?;
            if done.keeps == 0 {
                return Ok(keeps);
            }
        }
    }

    /// As [`bury`](Self::bury), and records the task the worker takes with it.
    fn bury_with(&self, shared: &Shared, hand: &Hand, began: Moment) -> Exit {
        let exit = self.bury(shared);
        let Some(timeline) = &shared.timeline else {
            return exit;
        };
        // How much of it was work, nobody is left to tell.
        let mut span = Span::watched("lost", began, Moment::now(), Duration::ZERO);
        span.name = format!("lost: {exit}").into();
        span.cut = true;
        let mut tasks = hand.parts().flat_map(Part::tasks);
        span.job = tasks.next().map(|task| shared.job(task));
        timeline.record_process(self.pid, &lane(self.slot), span);
        exit
    }

    /// Kills a worker that is not to go on, and takes note of the loss.
    pub(super) fn put_down(&self, shared: &Shared) {
        lock(&self.process).kill();
        self.bury(shared);
    }

    /// Reaps a worker that is dead or dying and takes note of the loss.
    pub(super) fn bury(&self, shared: &Shared) -> Exit {
        let exit = lock(&self.process).wait_or_kill(END_LIMIT);
        timing::forget_child_usage(self.pid);
        shared.lost(self.slot);
        exit
    }

    /// Ends a worker that is needed no more.
    pub(super) fn dismiss(self, shared: &Shared) {
        lock(&self.process).kill();
        timing::forget_child_usage(self.pid);
        shared.dismissed(self.slot);
    }
}

fn lane(slot: usize) -> String {
    format!("worker {}", slot + 1)
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
