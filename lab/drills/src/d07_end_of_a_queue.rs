//! A producer sends items to several consumers and then one `None` as a sign of the end. One
//! consumer reads it and ends; the others wait forever. Repair `consume_all`: every item is used,
//! all consumers work, and all end.

use crossbeam::channel::bounded;
use lab_drills::d07::{Item, Source};
use std::thread;

/// Lets so many consumers, here 3, use up all items.
fn consume_all(source: Source, consumers: usize) {
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

fn main() -> std::process::ExitCode {
    lab_drills::d07::check(consume_all).report()
}
