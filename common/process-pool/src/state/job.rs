//! A task on its way, and where its outcome goes.

use crate::{TaskError, child::PACKET_BYTES, sync::Permit, wire::Message};
use std::sync::Arc;

/// A task's answer as it came from the worker: whoever takes it decodes it.
pub(crate) type Outcome = Result<Message, TaskError>;

/// Puts an outcome where it goes.
pub(crate) type Reply = Box<dyn FnOnce(u64, Outcome) + Send>;

/// A task on its way.
pub(crate) struct Job {
    pub(crate) task: u64,
    pub(crate) order: Arc<Vec<u8>>,
    pub(super) reply: Reply,
    /// Who reads it, if others are for the same reader.
    pub(crate) reader: usize,
    /// Its room in the queue, until it is begun.
    pub(crate) permit: Option<Permit>,
    pub(super) attempts: u32,
    pub(crate) is_cancelled: bool,
}

impl Job {
    pub(crate) fn new(task: u64, order: Vec<u8>, reply: Reply) -> Self {
        Self {
            task,
            order: Arc::new(order),
            reply,
            reader: 0,
            permit: None,
            attempts: 0,
            is_cancelled: false,
        }
    }

    /// Whether it is one packet.
    pub(crate) fn is_small(&self) -> bool {
        self.order.len() <= PACKET_BYTES
    }
}
