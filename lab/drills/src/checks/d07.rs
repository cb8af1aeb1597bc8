//! The end of a queue that many consumers read.

use crate::{
    Drill,
    stage::{Stage, is_stuck, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::cell::RefCell;

const CONSUMERS: usize = 3;
const ITEMS: usize = 6;

pub(crate) const DRILL: Drill = Drill {
    number: 7,
    name: "end_of_a_queue",
    task: "A producer sends items to several consumers and then one `None` as a sign of the end. One \
           consumer reads it and ends; the others wait forever. Repair `consume_all`: every item is \
           used, all consumers work, and all end.",
    hints: [
        "How many consumers can read a message that is sent once?",
        "Send a `None` for each consumer. Or let the channel say that it is over: when does `recv` \
         return an error?",
        "`recv` fails when the queue is empty and all senders are dropped: then send plain items, \
         `drop(tx)` after the last one, and loop with `for item in &rx`.",
    ],
    entry: "consume_all",
    source: include_str!("d07.rs"),
    candidates: crate::candidates! { consume_all;
        solution "",
        solution_signs "",
        shipped "one sign of the end for several consumers",
        sender_kept "a sender is kept, so the channel never closes",
        ends_when_empty "a queue that is empty for a moment is taken for its end",
        one_consumer "there is one consumer only",
    },
};

/// Makes items; the first one takes a while.
pub struct Source(Stage, usize);

impl Iterator for Source {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.1 == 0 {
            self.0.hold(ITEMS);
        }
        self.1 += 1;
        (self.1 <= ITEMS).then(|| Item(self.0.clone(), self.1 - 1))
    }
}

/// What is produced and consumed.
pub struct Item(Stage, usize);

impl Item {
    /// Uses it up; that takes a while.
    pub fn consume(self) {
        CONSUMER.with_borrow_mut(|it| _ = it.get_or_insert_with(|| Consumer(self.0.clone())));
        self.0.work(self.1);
    }
}

/// Is dropped when its thread ends.
struct Consumer(Stage);

impl Drop for Consumer {
    fn drop(&mut self) {
        self.0.note(ITEMS, "a consumer ends");
    }
}

thread_local! {
    static CONSUMER: RefCell<Option<Consumer>> = const { RefCell::new(None) };
}

/// Checks a repair.
pub fn check(consume_all: fn(Source, usize)) -> Verdict {
    judge("item", ITEMS, |stage| {
        let source = Source(stage.clone(), 0);
        let ended = stage.watch(move || consume_all(source, CONSUMERS));
        let (used, most) = (stage.count(None, "leave"), stage.most_inside());
        let over = stage.count(None, "a consumer ends");
        stage.ended(format!("{over} of {CONSUMERS} consumers ended"));
        let stuck = is_stuck(&ended) && used == ITEMS;
        ensure!(
            !stuck || over > 0,
            "all items are used, and no consumer ends: the channel is not closed, because some sender still exists"
        );
        ensure!(
            !stuck,
            "all items are used, {over} of {CONSUMERS} consumers ended, and the others still wait for an item"
        );
        ended?;
        ensure!(
            used == ITEMS,
            "{used} of {ITEMS} items were used: a consumer took an empty queue for its end"
        );
        ensure!(
            most == CONSUMERS,
            "at most {most} of {CONSUMERS} consumers were at work at once"
        );
        Ok(())
    })
}

mod shipped {
    use crossbeam::channel::bounded;
    use lab_drills::d07::{Item, Source};
    use std::thread;

    /// Lets so many consumers, here 3, use up all items.
    pub(super) fn consume_all(source: Source, consumers: usize) {
        let (tx, rx) = bounded::<Option<Item>>(10);
        thread::scope(|scope| {
            for _ in 0..consumers {
                scope.spawn(|| {
                    while let Ok(Some(item)) = rx.recv() {
                        item.consume();
                    }
                });
            }
            for item in source {
                tx.send(Some(item)).unwrap();
            }
            tx.send(None).unwrap();
        });
    }
}

mod solution {
    use crossbeam::channel::bounded;
    use lab_drills::d07::{Item, Source};
    use std::thread;

    /// Lets so many consumers, here 3, use up all items.
    pub(super) fn consume_all(source: Source, consumers: usize) {
        let (tx, rx) = bounded::<Item>(10);
        thread::scope(|scope| {
            for _ in 0..consumers {
                scope.spawn(|| {
                    for item in &rx {
                        item.consume();
                    }
                });
            }
            for item in source {
                tx.send(item).unwrap();
            }
            drop(tx);
        });
    }
}

mod solution_signs {
    pub(super) fn consume_all(source: super::Source, consumers: usize) {
        let (tx, rx) = crossbeam::channel::bounded(10);
        std::thread::scope(|scope| {
            for _ in 0..consumers {
                let items = || rx.iter().map_while(|item| item);
                scope.spawn(move || items().for_each(super::Item::consume));
            }
            source.for_each(|item| tx.send(Some(item)).unwrap());
            (0..consumers).for_each(|_| tx.send(None).unwrap());
        });
    }
}

mod sender_kept {
    pub(super) fn consume_all(source: super::Source, consumers: usize) {
        let (tx, rx) = crossbeam::channel::bounded(10);
        let sender = tx.clone();
        std::thread::scope(|scope| {
            for _ in 0..consumers {
                scope.spawn(|| rx.iter().for_each(super::Item::consume));
            }
            source.for_each(|item| sender.send(item).unwrap());
            drop(sender);
        });
        drop(tx);
    }
}

mod ends_when_empty {
    pub(super) fn consume_all(source: super::Source, consumers: usize) {
        let (tx, rx) = crossbeam::channel::bounded(10);
        std::thread::scope(|scope| {
            for _ in 0..consumers {
                scope.spawn(|| rx.try_iter().for_each(super::Item::consume));
            }
            source.for_each(|item| tx.send(item).unwrap());
        });
    }
}

mod one_consumer {
    pub(super) fn consume_all(source: super::Source, _: usize) {
        source.for_each(super::Item::consume);
    }
}
