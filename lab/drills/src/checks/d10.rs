//! Backpressure.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

const ITEMS: usize = 12;
/// In the first run and in the second.
const ROOMS: [usize; 2] = [3, 5];

pub(crate) const DRILL: Drill = Drill {
    number: 10,
    name: "backpressure",
    task: "A fast source feeds a slow sink through a queue without a limit, and all of its items pile \
           up in memory. Repair `pump`: at most `room` items wait in the queue, the source works \
           ahead of the sink as far as that allows, and every item arrives.",
    hints: [
        "What makes a producer wait when the queue is full?",
        "A channel can be made with a limit; then `send` blocks until there is room.",
        "`crossbeam::channel::bounded(room)` in place of `unbounded()`.",
    ],
    entry: "pump",
    source: include_str!("d10.rs"),
    candidates: crate::candidates! { pump;
        solution "",
        shipped "the queue has no limit",
        too_large "the queue has room for twice as many",
        drops "what finds no room is dropped",
        serial "the source waits while the sink works",
    },
};

/// Makes items as fast as it is asked.
pub struct Source(Stage, usize);

impl Iterator for Source {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.1 += 1;
        (self.1 <= ITEMS).then(|| {
            self.0.note(0, "makes");
            self.1
        })
    }
}

/// Takes items, each for a while.
pub struct Sink(Stage, Arc<AtomicUsize>);

impl Sink {
    /// Takes an item.
    pub fn take(&self, _item: usize) {
        self.0.work(1);
        let (made, taken) = (self.0.count(None, "makes"), self.0.count(None, "leave"));
        self.1.fetch_max(made - taken, SeqCst);
    }
}

/// Checks a repair.
pub fn check(pump: fn(Source, &Sink, usize)) -> Verdict {
    judge("end", 2, |stage| {
        let room = ROOMS[usize::from(stage.last_first())];
        let ahead = Arc::new(AtomicUsize::new(0));
        let (source, sink) = (
            Source(stage.clone(), 0),
            Sink(stage.clone(), Arc::clone(&ahead)),
        );
        stage.watch(move || pump(source, &sink, room))?;
        let (arrived, ahead) = (stage.count(None, "leave"), ahead.load(SeqCst));
        ensure!(
            arrived == ITEMS,
            "{arrived} of {ITEMS} items arrived: where there was no room, an item was dropped"
        );
        ensure!(
            ahead < ITEMS - 1,
            "all {ITEMS} items were made before the sink had taken the second: nothing held the source back"
        );
        // One more is in the hand of the thread that waits for room.
        ensure!(
            ahead <= room + 1,
            "{} items waited, and there is room for {room}",
            ahead - 1
        );
        ensure!(
            ahead >= room,
            "the source was {ahead} items ahead of the sink, and there is room for {room}: it waited without need"
        );
        Ok(())
    })
}

mod shipped {
    use crossbeam::channel::unbounded;
    use lab_drills::d10::{Sink, Source};
    use std::thread;

    /// Moves all items from the source to the sink; at most `room` of them, here 3 or 5, wait in between.
    pub(super) fn pump(source: Source, sink: &Sink, room: usize) {
        let _ = room;
        let (tx, rx) = unbounded();
        thread::scope(|scope| {
            scope.spawn(move || source.for_each(|item| tx.send(item).unwrap()));
            for item in rx {
                sink.take(item);
            }
        });
    }
}

mod solution {
    use crossbeam::channel::bounded;
    use lab_drills::d10::{Sink, Source};
    use std::thread;

    /// Moves all items from the source to the sink; at most `room` of them, here 3 or 5, wait in between.
    pub(super) fn pump(source: Source, sink: &Sink, room: usize) {
        let (tx, rx) = bounded(room);
        thread::scope(|scope| {
            scope.spawn(move || source.for_each(|item| tx.send(item).unwrap()));
            for item in rx {
                sink.take(item);
            }
        });
    }
}

mod too_large {
    pub(super) fn pump(source: super::Source, sink: &super::Sink, room: usize) {
        super::solution::pump(source, sink, 2 * room);
    }
}

mod drops {
    pub(super) fn pump(source: super::Source, sink: &super::Sink, room: usize) {
        let (tx, rx) = crossbeam::channel::bounded(room);
        std::thread::scope(|scope| {
            scope.spawn(move || source.for_each(|item| _ = tx.try_send(item)));
            rx.iter().for_each(|item| sink.take(item));
        });
    }
}

mod serial {
    pub(super) fn pump(source: super::Source, sink: &super::Sink, _: usize) {
        source.for_each(|item| sink.take(item));
    }
}
