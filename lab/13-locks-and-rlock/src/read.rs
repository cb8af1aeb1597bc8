//! Readers that stay long: one at a time under a `Mutex`, side by side under an `RwLock`.

use crate::on_threads;
use measure::workload::io_wait_blocking;
use std::{
    num::NonZeroUsize,
    sync::{Mutex, RwLock},
    time::Duration,
};
use tracing::info_span;

/// Lets every reader hold a `Mutex` for `stay` while it reads; returns what each read.
pub fn read_under_mutex(readers: NonZeroUsize, value: u64, stay: Duration) -> Vec<u64> {
    let shared = Mutex::new(value);
    on_threads(readers, |_| {
        let held = info_span!("lock", wait = "lock").in_scope(|| shared.lock().unwrap());
        read_slowly(*held, stay)
    })
}

/// Lets every reader hold an `RwLock` for reading for `stay` while it reads.
pub fn read_under_rwlock(readers: NonZeroUsize, value: u64, stay: Duration) -> Vec<u64> {
    let shared = RwLock::new(value);
    on_threads(readers, |_| {
        let held = info_span!("lock", wait = "lock").in_scope(|| shared.read().unwrap());
        read_slowly(*held, stay)
    })
}

/// Reads, and stays for a while, as over a large table or a slow disk.
#[tracing::instrument(name = "read", skip_all, fields(wait = "io"))]
fn read_slowly(value: u64, stay: Duration) -> u64 {
    io_wait_blocking(stay);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_reads_under_both_locks() {
        for readers in (1..=8).filter_map(NonZeroUsize::new) {
            for read in [read_under_mutex, read_under_rwlock] {
                let seen = read(readers, 7, Duration::from_micros(100));
                assert_eq!(seen, vec![7; readers.get()]);
            }
        }
    }
}
