//! The two ends of the queue, each with its own waiting.

use crate::books::{Books, Event};
use crossbeam::channel::{Receiver, SendError, Sender, TryRecvError, TrySendError};
use std::num::NonZeroUsize;
use timeline::Moment;

/// What can go through the queue: an item's number, or one that may be missing, the sentinel.
pub(crate) trait Message: Copy + Send + Into<Option<u64>> {}

impl<M: Copy + Send + Into<Option<u64>>> Message for M {}

/// The producer's end.
pub(crate) struct Putting<M> {
    queue: Sender<M>,
    capacity: usize,
    books: Books,
}

/// A consumer's end.
pub(crate) struct Taking<M> {
    queue: Receiver<M>,
    books: Books,
}

/// Makes a queue that holds `capacity` messages.
pub(crate) fn bounded<M>(capacity: NonZeroUsize, books: Books) -> (Putting<M>, Taking<M>) {
    let capacity = capacity.get();
    let (tx, rx) = crossbeam::channel::bounded(capacity);
    let taking = Taking {
        queue: rx,
        books: books.clone(),
    };
    let putting = Putting {
        queue: tx,
        capacity,
        books,
    };
    (putting, taking)
}

impl<M: Message> Putting<M> {
    /// Puts a message into the queue, waiting for room: backpressure.
    ///
    /// # Errors
    /// No consumer is left; the message comes back.
    pub(crate) fn put(&self, message: M) -> Result<(), SendError<M>> {
        match self.queue.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(message)) => return Err(SendError(message)),
            Err(TrySendError::Full(message)) => {
                let since = Moment::now();
                self.books.note(self.capacity, Event::Depth);
                wait_for_room(&self.queue, message)?;
                self.books.note(self.queue.len(), Event::Blocked { since });
            }
        }
        self.books
            .note(self.queue.len(), Event::Put(message.into()));
        Ok(())
    }
}

impl<M: Message> Taking<M> {
    /// The end of the consumer of this number.
    pub(crate) fn for_consumer(&self, number: usize) -> Self {
        Self {
            queue: self.queue.clone(),
            books: self.books.of(number),
        }
    }

    /// Takes a message out of the queue, waiting for one; `None` when it is closed and empty.
    pub(crate) fn take(&self) -> Option<M> {
        let message = match self.queue.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {
                let since = Moment::now();
                self.books.note(0, Event::Depth);
                let message = wait_for_message(&self.queue);
                self.books.note(self.queue.len(), Event::Blocked { since });
                message?
            }
        };
        self.books
            .note(self.queue.len(), Event::Taken(message.into()));
        Some(message)
    }

    /// Says that an item has been handled.
    pub(crate) fn done(&self, item: u64) {
        self.books.note(self.queue.len(), Event::Done(item));
    }
}

#[tracing::instrument(name = "blocked", skip_all, fields(wait = "queue full"))]
fn wait_for_room<M>(queue: &Sender<M>, message: M) -> Result<(), SendError<M>> {
    queue.send(message)
}

#[tracing::instrument(name = "blocked", skip_all, fields(wait = "queue empty"))]
fn wait_for_message<M>(queue: &Receiver<M>) -> Option<M> {
    queue.recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        books::{self, Entry},
        tests::under_watchdog,
    };
    use std::thread;

    #[test]
    fn whoever_finds_the_queue_full_or_empty_waits_and_that_is_in_the_books() {
        under_watchdog(|| {
            let (books, entries) = books::open();
            let (tx, rx) = bounded(NonZeroUsize::new(2).expect("not zero"), books);
            let producer = thread::spawn(move || {
                for item in 1..=3_u64 {
                    tx.put(item).expect("there is a consumer");
                }
            });
            let full = |line: &Entry| line.event == Event::Depth && line.depth == 2;
            // Nothing is taken before the third item has found no room.
            assert!(entries.lines.iter().any(|line| full(&line)));
            let taken = [rx.take(), rx.take(), rx.take()];
            assert_eq!(taken, [Some(1), Some(2), Some(3)]);
            producer.join().expect("all are put");
            assert_eq!(rx.take(), None, "closed and empty");
            drop(rx);
            let blocked = |line: &Entry| matches!(line.event, Event::Blocked { .. });
            assert!(entries.lines.iter().any(|line| blocked(&line)));
        });
    }

    #[test]
    fn a_producer_without_consumers_gets_its_item_back() {
        let (books, _entries) = books::open();
        let (tx, rx) = bounded(NonZeroUsize::MIN, books);
        tx.put(1_u64).expect("there is room");
        drop(rx);
        assert_eq!(tx.put(2).map_err(|error| error.0), Err(2));
    }
}
