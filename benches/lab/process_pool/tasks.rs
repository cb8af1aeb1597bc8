//! The tasks that all rows run, and the check of their answers.

use anyhow::ensure;
use std::{thread, time::Duration};

pub(super) const PAYLOAD_BYTES: usize = 1 << 20;

/// As good as no work: what is timed is the hand-over.
pub(super) fn square(n: u64) -> u64 {
    n.wrapping_mul(n)
}

/// Sleeps: two of these run at once on any number of CPUs.
pub(super) fn nap(micros: u64) -> u64 {
    thread::sleep(Duration::from_micros(micros));
    micros
}

pub(super) fn inputs(count: u64) -> Vec<u64> {
    (0..count).collect()
}

/// A payload that differs from its neighbours all along.
pub(super) fn payload(number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAYLOAD_BYTES);
    let mut word = number;
    while bytes.len() < PAYLOAD_BYTES {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// A timed run with a wrong answer is no run.
pub(super) fn check<T: PartialEq>(
    answers: impl ExactSizeIterator<Item = T>,
    expected: impl ExactSizeIterator<Item = T>,
) -> anyhow::Result<()> {
    let (count, wanted) = (answers.len(), expected.len());
    ensure!(count == wanted, "{count} answers to {wanted} tasks");
    for (place, (answer, expected)) in answers.zip(expected).enumerate() {
        ensure!(answer == expected, "task {place} has a wrong answer");
    }
    Ok(())
}

pub(super) fn check_squares(answers: &[u64]) -> anyhow::Result<()> {
    let expected = inputs(answers.len() as u64);
    check(answers.iter().copied(), expected.into_iter().map(square))
}
