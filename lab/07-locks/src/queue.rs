//! The queue: workers signal that they are done, and hand over what they have counted.
//!
//! What is sent belongs to the receiver; the sender cannot touch it any more:
//!
//! ```compile_fail,E0382
//! let (tx, rx) = std::sync::mpsc::channel();
//! let share = vec![1, 2, 3];
//! tx.send(share).unwrap();
//! println!("{}", share.len());
//! ```

use crate::{Plan, count_alone};
use std::{
    sync::mpsc::{self, Receiver},
    thread,
};

/// What a worker says when it is done: who it is, and its share, now the receiver's.
#[derive(Debug, PartialEq, Eq)]
pub struct Signal {
    /// The worker's number, from 1.
    pub worker: usize,
    /// What it has counted.
    pub share: u64,
}

/// Lets each worker count for itself and hand its share over a queue; calls `hear` on each signal
/// as it comes.
pub fn sum_through_queue(plan: Plan, hear: impl FnMut(&Signal)) -> u64 {
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for worker in 1..=plan.threads.get() {
            let tx = tx.clone();
            scope.spawn(move || {
                let share = count_alone(plan.increments);
                tx.send(Signal { worker, share })
                    .expect("the receiver outlives every worker");
            });
        }
        // The queue ends when its last sender is gone, so this one must not stay.
        drop(tx);
        add_up(&rx, hear)
    })
}

#[tracing::instrument(name = "receive", skip_all, fields(wait = "queue empty"))]
fn add_up(signals: &Receiver<Signal>, mut hear: impl FnMut(&Signal)) -> u64 {
    let mut total = 0;
    for signal in signals {
        hear(&signal);
        total += signal.share;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn plan(threads: usize, increments: u64) -> Plan {
        let threads = NonZeroUsize::new(threads).expect("the tests count from one");
        Plan {
            threads,
            increments,
        }
    }

    #[test]
    fn every_worker_signals_once_with_its_share() {
        for threads in 1..=8 {
            let mut heard = Vec::new();
            let total = sum_through_queue(plan(threads, 50), |signal| {
                heard.push((signal.worker, signal.share));
            });
            heard.sort_unstable();
            let expected: Vec<_> = (1..=threads).map(|worker| (worker, 50)).collect();
            assert_eq!(heard, expected);
            assert_eq!(total, 50 * threads as u64);
        }
    }
}
