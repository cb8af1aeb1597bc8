//! Three readers study a rate under a `Mutex`, one after another, though none of them changes it.
//! Repair `Rates`: all readers study at the same time, and the rate never changes while one of them
//! does.

use lab_drills::d12::{Board, Reader};
use std::sync::Mutex;

/// A rate that many read and few change.
struct Rates {
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

fn main() -> std::process::ExitCode {
    lab_drills::d12::check::<Rates>().report()
}
