//! The end of a queue that many producers fill.

use crate::{
    Drill,
    stage::{Stage, is_stuck, judge},
    verdict::Verdict,
};
use anyhow::ensure;

const PRODUCERS: usize = 3;
const EACH: usize = 2;
const ITEMS: usize = PRODUCERS * EACH;

pub(crate) const DRILL: Drill = Drill {
    number: 18,
    name: "end_of_many_producers",
    task: "Three producers send items to one consumer, and each sends a `None` when it has no more. \
           The consumer takes the first `None` for the end, and the items of the others are lost. \
           Repair `use_all`: every item is used, as soon as it is there, and the consumer ends.",
    hints: [
        "How many of the producers are done when the first `None` arrives?",
        "Count the `None`s. Or let the channel say that it is over: `recv` fails when the queue is \
         empty and all senders are dropped.",
        "Send plain items and loop with `for item in rx`. Each thread drops its clone of `tx` at its \
         end; `drop(tx)`, after all threads are started, drops the first one.",
    ],
    entry: "use_all",
    source: include_str!("d18.rs"),
    candidates: crate::candidates! { use_all;
        solution "",
        solution_counts "",
        shipped "the end of one producer is taken for the end of all",
        sender_kept "the first sender lives on, so the channel never closes",
        ends_when_empty "the consumer ends when it finds the queue empty",
        collected_first "nothing is used before all is made",
        empty "no producer is asked",
    },
};

/// Makes items, each after a while.
pub struct Producer(Stage, usize, usize);

impl Iterator for Producer {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        self.0.hold(self.1);
        self.2 += 1;
        (self.2 <= EACH).then(|| {
            self.0.note(self.1, "made");
            Item(self.0.clone(), self.1)
        })
    }
}

/// What is produced and used.
pub struct Item(Stage, usize);

impl Item {
    /// Uses it up.
    pub fn consume(self) {
        self.0.note(self.1, "used");
    }
}

/// Checks a repair.
pub fn check(use_all: fn(Vec<Producer>)) -> Verdict {
    judge("producer", PRODUCERS, |stage| {
        let producer = |lane| Producer(stage.clone(), lane, 0);
        let producers = (0..PRODUCERS).map(producer).collect();
        let ended = stage.watch(move || use_all(producers));
        let (made, used) = (stage.count(None, "made"), stage.count(None, "used"));
        ensure!(
            !is_stuck(&ended) || used < ITEMS,
            "all {ITEMS} items are used, and the consumer still waits: the channel is not closed, because a sender still exists"
        );
        ended?;
        ensure!(made > 0, "no producer was asked for an item");
        ensure!(
            used > 0,
            "none of {made} items was used: the queue was empty when the consumer came, and it ended"
        );
        ensure!(
            used == ITEMS,
            "{used} of {ITEMS} items were used: the consumer ended with the first producer"
        );
        let last = stage.last("made");
        ensure!(
            stage.first(None, "used") < last,
            "no item was used before all {ITEMS} were made"
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d18::Producer;
    use std::{sync::mpsc::channel, thread};

    /// Uses all that the producers make, as it comes.
    pub(super) fn use_all(producers: Vec<Producer>) {
        let (tx, rx) = channel();
        thread::scope(|scope| {
            for producer in producers {
                let tx = tx.clone();
                scope.spawn(move || {
                    for item in producer {
                        tx.send(Some(item)).unwrap();
                    }
                    tx.send(None).unwrap();
                });
            }
            while let Ok(Some(item)) = rx.recv() {
                item.consume();
            }
        });
    }
}

mod solution {
    use lab_drills::d18::Producer;
    use std::{sync::mpsc::channel, thread};

    /// Uses all that the producers make, as it comes.
    pub(super) fn use_all(producers: Vec<Producer>) {
        let (tx, rx) = channel();
        thread::scope(|scope| {
            for producer in producers {
                let tx = tx.clone();
                scope.spawn(move || {
                    for item in producer {
                        tx.send(item).unwrap();
                    }
                });
            }
            drop(tx);
            for item in rx {
                item.consume();
            }
        });
    }
}

mod solution_counts {
    pub(super) fn use_all(producers: Vec<super::Producer>) {
        let (tx, rx) = std::sync::mpsc::channel();
        let mut open = producers.len();
        for producer in producers {
            let tx = tx.clone();
            std::thread::spawn(move || {
                let items = producer.map(Some).chain([None]);
                items.for_each(|item| tx.send(item).unwrap());
            });
        }
        while open > 0 {
            match rx.recv().unwrap() {
                Some(item) => super::Item::consume(item),
                None => open -= 1,
            }
        }
    }
}

mod sender_kept {
    pub(super) fn use_all(producers: Vec<super::Producer>) {
        let (tx, rx) = std::sync::mpsc::channel();
        for producer in producers {
            let tx = tx.clone();
            std::thread::spawn(move || producer.for_each(|item| tx.send(item).unwrap()));
        }
        rx.iter().for_each(super::Item::consume);
    }
}

mod ends_when_empty {
    pub(super) fn use_all(producers: Vec<super::Producer>) {
        let (tx, rx) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            for producer in producers {
                let tx = tx.clone();
                scope.spawn(move || producer.for_each(|item| tx.send(item).unwrap()));
            }
            rx.try_iter().for_each(super::Item::consume);
        });
    }
}

mod collected_first {
    pub(super) fn use_all(producers: Vec<super::Producer>) {
        let items: Vec<_> = producers.into_iter().flatten().collect();
        items.into_iter().for_each(super::Item::consume);
    }
}

mod empty {
    pub(super) fn use_all(_: Vec<super::Producer>) {}
}
