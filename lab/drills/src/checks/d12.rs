//! An RwLock for readers.

use crate::{
    Drill,
    stage::{Stage, judge},
    sync::{lane, on_lanes},
    verdict::Verdict,
};
use anyhow::ensure;
use std::sync::Arc;

const READERS: usize = 3;

pub(crate) const DRILL: Drill = Drill {
    number: 12,
    name: "readers_share",
    task: "Three readers study a rate under a `Mutex`, one after another, though none of them changes \
           it. Repair `Rates`: all readers study at the same time, and the rate never changes while \
           one of them does.",
    hints: [
        "A `Mutex` does not know who only reads. Which lock does?",
        "`RwLock`: any number of readers, or one writer.",
        "Make the field an `RwLock<u64>`, use `read()` in `study`, and `write()` in `set`.",
    ],
    entry: "Rates",
    source: include_str!("d12.rs"),
    candidates: crate::candidates! { <Rates>;
        solution "",
        shipped "a `Mutex` lets one reader in at a time",
        copies "the rate is copied, and studied without the lock",
        never_set "the rate is not changed at all",
    },
};

/// A rate that many read and few change.
pub trait Board: Send + Sync + 'static {
    /// A board with this rate.
    fn new(rate: u64) -> Self;
    /// Lets a reader study the rate; it must not change meanwhile.
    fn study(&self, reader: &Reader) -> u64;
    /// Changes the rate.
    fn set(&self, rate: u64);
}

/// One who reads slowly.
pub struct Reader(Stage);

impl Reader {
    /// Studies a rate; that takes a while.
    pub fn study(&self, rate: u64) -> u64 {
        self.0.work(lane());
        rate
    }
}

/// Checks a repair.
pub fn check<B: Board>() -> Verdict {
    judge("thread", READERS + 1, |stage| {
        let (board, reader) = (Arc::new(B::new(7)), Reader(stage.clone()));
        let (shared, seen) = (Arc::clone(&board), stage.clone());
        stage.watch(move || {
            on_lanes(READERS + 1, |lane| {
                if lane < READERS {
                    shared.study(&reader);
                } else {
                    seen.hold(lane);
                    shared.set(8);
                    let studying = seen.count(None, "enter") - seen.count(None, "leave");
                    seen.note(lane, format!("has set it, {studying} study"));
                }
            });
        })?;
        let most = stage.most_inside();
        ensure!(
            most > 1,
            "{most} reader studied at a time: the others waited for the lock, though none changes the rate"
        );
        ensure!(
            most == READERS,
            "{most} of {READERS} readers studied at a time"
        );
        let noted = stage.notes(READERS).pop().unwrap_or_default();
        ensure!(
            noted == "has set it, 0 study",
            "the rate was changed while readers studied the old one: thread {} {noted}",
            READERS + 1
        );
        stage.note(0, "after that:");
        let reader = Reader(stage.clone());
        let left = stage.watch(move || board.study(&reader))?;
        ensure!(left == 8, "after `set(8)` the rate is {left}");
        Ok(())
    })
}

mod shipped {
    use lab_drills::d12::{Board, Reader};
    use std::sync::Mutex;

    /// A rate that many read and few change.
    pub(super) struct Rates {
        rate: Mutex<u64>,
    }

    impl Board for Rates {
        fn new(rate: u64) -> Self {
            let rate = Mutex::new(rate);
            Self { rate }
        }

        fn study(&self, reader: &Reader) -> u64 {
            let rate = self.rate.lock().unwrap();
            reader.study(*rate)
        }

        fn set(&self, rate: u64) {
            *self.rate.lock().unwrap() = rate;
        }
    }
}

mod solution {
    use lab_drills::d12::{Board, Reader};
    use std::sync::RwLock;

    /// A rate that many read and few change.
    pub(super) struct Rates {
        rate: RwLock<u64>,
    }

    impl Board for Rates {
        fn new(rate: u64) -> Self {
            let rate = RwLock::new(rate);
            Self { rate }
        }

        fn study(&self, reader: &Reader) -> u64 {
            let rate = self.rate.read().unwrap();
            reader.study(*rate)
        }

        fn set(&self, rate: u64) {
            *self.rate.write().unwrap() = rate;
        }
    }
}

mod copies {
    pub(super) struct Rates(std::sync::Mutex<u64>);

    impl super::Board for Rates {
        fn new(rate: u64) -> Self {
            Self(rate.into())
        }

        fn study(&self, reader: &super::Reader) -> u64 {
            let rate = *self.0.lock().unwrap();
            reader.study(rate)
        }

        fn set(&self, rate: u64) {
            *self.0.lock().unwrap() = rate;
        }
    }
}

mod never_set {
    pub(super) struct Rates(u64);

    impl super::Board for Rates {
        fn new(rate: u64) -> Self {
            Self(rate)
        }

        fn study(&self, reader: &super::Reader) -> u64 {
            reader.study(self.0)
        }

        fn set(&self, _: u64) {}
    }
}
