//! Three producers send items to one consumer, and each sends a `None` when it has no more. The
//! consumer takes the first `None` for the end, and the items of the others are lost. Repair
//! `use_all`: every item is used, as soon as it is there, and the consumer ends.

use lab_drills::d18::Producer;
use std::{sync::mpsc::channel, thread};

/// Uses all that the producers make, as it comes.
fn use_all(producers: Vec<Producer>) {
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

fn main() -> std::process::ExitCode {
    lab_drills::d18::check(use_all).report()
}
