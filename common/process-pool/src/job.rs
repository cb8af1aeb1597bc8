//! Tasks on their way, and where their outcomes go.

use crate::{
    Event, PoolError, TaskError,
    builder::Settings,
    child::Waker,
    room::{Permit, Room},
    stream::Address,
    wait::OneShot,
    wire::{self, ORDER_BYTES, Order},
};
use std::sync::Arc;

/// One or more outputs as they came from the worker: whoever takes the result decodes it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) message: Vec<u8>,
    /// Where in the message the records begin.
    pub(crate) from: usize,
    pub(crate) tasks: u32,
    /// How many of them have no value.
    pub(crate) failed: u32,
}

impl Output {
    pub(crate) fn records(&self) -> &[u8] {
        &self.message[self.from..]
    }
}

pub(crate) type Outcome = Result<Output, TaskError>;

pub(crate) type Started = Result<(), PoolError>;

/// Where the outcome of a task goes.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Handle(Arc<OneShot<Outcome>>),
    Stream(Address),
}

impl Reply {
    /// The same for the task that is `offset` further on.
    fn at(&self, offset: u32) -> Self {
        match self {
            Self::Handle(handle) => Self::Handle(Arc::clone(handle)),
            Self::Stream(address) => Self::Stream(address.at(offset as usize)),
        }
    }
}

/// What a worker is sent at once: one task, or a chunk of them.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) order: Order,
    /// The order as it is sent. The input of one task follows; of several, a record for each.
    pub(crate) message: Arc<Vec<u8>>,
    /// How many of its tasks have been answered.
    pub(crate) answered: u32,
    /// How often its (next) task was begun.
    pub(crate) attempts: u32,
    pub(crate) cancelled: bool,
    /// Its room in the queue, until it is begun.
    pub(crate) permit: Option<Permit>,
    pub(crate) reply: Reply,
}

impl Job {
    /// Takes a message that has room for its order.
    pub(crate) fn new(
        order: Order,
        message: Vec<u8>,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Self {
        Self {
            order,
            message: Arc::new(message),
            answered: 0,
            attempts: 0,
            cancelled: false,
            permit,
            reply,
        }
    }

    /// Gives its first task a number, and completes its message.
    pub(crate) fn number(&mut self, id: u64, record: bool) {
        self.order.id = id;
        self.order.record = record;
        if let Some(message) = Arc::get_mut(&mut self.message) {
            self.order.write(message);
        }
    }

    /// The number of the next task.
    pub(crate) fn task(&self) -> u64 {
        self.order.id + u64::from(self.answered)
    }

    pub(crate) fn unanswered(&self) -> u32 {
        self.order.tasks - self.answered
    }

    /// Takes out what is answered; the rest as jobs of one task each.
    pub(crate) fn into_singles(self) -> Vec<Self> {
        if self.order.tasks == 1 {
            return vec![self];
        }
        let mut records = &self.message[ORDER_BYTES..];
        let all = std::iter::from_fn(|| wire::take(&mut records));
        let left = (0..self.order.tasks).zip(all).skip(self.answered as usize);
        left.map(|(offset, (_, input))| {
            let message = [&[0; ORDER_BYTES], input].concat();
            let order = Order::of(self.order.function, 1);
            let mut job = Self::new(order, message, self.reply.at(offset), None);
            job.number(self.order.id + u64::from(offset), self.order.record);
            job
        })
        .collect()
    }
}

/// What is to be done once no lock is held; done when dropped, whatever else goes wrong.
#[derive(Debug, Default)]
pub(crate) struct Effects<'a> {
    settings: Option<&'a Settings>,
    events: Vec<Event>,
    outcomes: Vec<(Reply, u64, Outcome)>,
    /// Whether the pool has started, once that is known.
    pub(crate) started: Option<(Arc<OneShot<Started>>, Started)>,
    /// Waits of the caller's that are over.
    pub(crate) over: Vec<Arc<OneShot<()>>>,
    /// Room that is free again.
    pub(crate) permits: Vec<Permit>,
    /// Room that nothing waits for any more.
    pub(crate) open: Option<Arc<Room>>,
    /// Supervisors that have something to look at.
    pub(crate) wakes: Vec<Arc<Waker>>,
}

impl<'a> Effects<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        let mut effects = Self::default();
        effects.settings = Some(settings);
        effects
    }

    pub(crate) fn note(&mut self, event: impl FnOnce() -> Event) {
        if self
            .settings
            .is_some_and(|settings| settings.hook.is_some())
        {
            self.events.push(event());
        }
    }

    /// Answers the next tasks of a job.
    pub(crate) fn answer(&mut self, job: &Job, outcome: Outcome) {
        let reply = job.reply.at(job.answered);
        self.outcomes.push((reply, job.task(), outcome));
    }

    /// Answers every unanswered task of a job with `error`.
    pub(crate) fn fail(&mut self, job: &mut Job, error: &TaskError) {
        while job.unanswered() > 0 {
            self.answer(job, Err(error.clone()));
            job.answered += 1;
        }
    }
}

impl Drop for Effects<'_> {
    fn drop(&mut self) {
        // Before the outcomes are out: whoever has one may ask at once what it took.
        for (event, settings) in self.events.drain(..).zip(self.settings.iter().cycle()) {
            settings.notify(event);
        }
        if let Some((started, result)) = self.started.take() {
            started.put(result);
        }
        for supervisor in self.wakes.drain(..) {
            supervisor.wake();
        }
        for (reply, number, outcome) in self.outcomes.drain(..) {
            match reply {
                Reply::Handle(handle) => handle.put(outcome),
                Reply::Stream(address) => address.put(number, outcome),
            }
        }
        for wait in self.over.drain(..) {
            wait.put(());
        }
        if let Some(room) = &self.open {
            room.set_limit(usize::MAX);
        }
    }
}
