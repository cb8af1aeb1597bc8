//! A fast source feeds a slow sink through a queue without a limit, and all of its items pile up in
//! memory. Repair `pump`: at most `room` items wait in the queue, the source works ahead of the
//! sink as far as that allows, and every item arrives.

use crossbeam::channel::unbounded;
use lab_drills::d10::{Sink, Source};
use std::thread;

/// Moves all items from the source to the sink; at most `room` of them, here 3 or 5, wait in between.
fn pump(source: Source, sink: &Sink, room: usize) {
    let _ = room;
    let (tx, rx) = unbounded();
    thread::scope(|scope| {
        scope.spawn(move || source.for_each(|item| tx.send(item).unwrap()));
        for item in rx {
            sink.take(item);
        }
    });
}

fn main() -> std::process::ExitCode {
    lab_drills::d10::check(pump).report()
}
