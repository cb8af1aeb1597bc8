//! The two ends of a queue, bounded or not, that several consumers can share.

use crate::{Item, books::Books};
use std::{num::NonZeroUsize, sync::Arc};
use tokio::{
    sync::{
        Mutex,
        mpsc::{self, error::TrySendError},
    },
    time::Instant,
};

/// How much a queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// This many items; whoever brings more waits.
    Bounded(NonZeroUsize),
    /// Whatever is brought.
    Unbounded,
}

/// The producer's end.
pub(crate) enum Tx {
    Bounded(mpsc::Sender<Item>),
    Unbounded(mpsc::UnboundedSender<Item>),
}

/// The consumers' end; when the last clone is dropped, the producer is told.
#[derive(Clone)]
pub(crate) struct Rx(Arc<Mutex<Receiver>>);

enum Receiver {
    Bounded(mpsc::Receiver<Item>),
    Unbounded(mpsc::UnboundedReceiver<Item>),
}

/// Makes a queue.
pub(crate) fn queue(capacity: Capacity) -> (Tx, Rx) {
    let (tx, rx) = match capacity {
        Capacity::Bounded(items) => {
            let (tx, rx) = mpsc::channel(items.get());
            (Tx::Bounded(tx), Receiver::Bounded(rx))
        }
        Capacity::Unbounded => {
            let (tx, rx) = mpsc::unbounded_channel();
            (Tx::Unbounded(tx), Receiver::Unbounded(rx))
        }
    };
    (tx, Rx(Arc::new(Mutex::new(rx))))
}

impl Tx {
    /// Puts the item into the queue; waits while that is full. False when nobody takes any more.
    ///
    /// # Cancel safety
    /// A dropped future has lost its place in the line; the item is in the queue or with the
    /// caller, who has a copy.
    pub(crate) async fn put(&self, item: Item, books: &Books) -> bool {
        let accepted = match self {
            Self::Unbounded(tx) => tx.send(item).is_ok(),
            Self::Bounded(tx) => match tx.try_send(item) {
                Ok(()) => true,
                Err(TrySendError::Closed(_)) => false,
                Err(TrySendError::Full(item)) => {
                    let since = Instant::now();
                    let permit = wait_for_room(tx).await;
                    books.found_full(since.elapsed());
                    permit.map(|permit| permit.send(item)).is_some()
                }
            },
        };
        if accepted {
            books.accept();
        }
        accepted
    }
}

/// This is the backpressure: the producer does not run on until a consumer has made room.
#[tracing::instrument(name = "wait for room", skip_all, fields(wait = "queue full"))]
async fn wait_for_room(tx: &mpsc::Sender<Item>) -> Option<mpsc::Permit<'_, Item>> {
    tx.reserve().await.ok()
}

impl Rx {
    /// The next item; `None` when the producer has gone and the queue is empty.
    pub(crate) async fn next(&self, books: &Books) -> Option<Item> {
        // The lock ends with this function. In `while let Some(item) = rx.lock().await…` it would
        // be held during the work on the item, and only one consumer could work at a time.
        let item = match &mut *self.0.lock().await {
            Receiver::Bounded(rx) => rx.recv().await,
            Receiver::Unbounded(rx) => rx.recv().await,
        };
        if item.is_some() {
            books.take();
        }
        item
    }
}
