//! A bank whose books are a file, and the worker that dies on the way there.

use process_pool::{Worker, child};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

/// Books a payment; the pool's function.
pub const PAY: Worker<Payment, ()> = Worker::new("pay", pay);

/// In the books: what is no worker has booked.
pub(crate) const BY_CALLER: &str = "by the caller";

/// A payment.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Payment {
    number: usize,
    key: Option<usize>,
    bank: PathBuf,
}

impl Payment {
    pub(crate) fn new(number: usize, bank: &Path) -> Self {
        let (key, bank) = (None, bank.to_owned());
        Self { number, key, bank }
    }

    /// Its number, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// With a key that the bank books once only.
    pub fn with_key(self, key: usize) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }

    /// Asks the bank.
    pub fn is_booked(&self) -> bool {
        self.books().contains(&format!("{} booked", self.number))
    }

    /// What happened so far: in each line the number of a payment, and a word.
    pub(crate) fn books(&self) -> String {
        fs::read_to_string(&self.bank).unwrap_or_default()
    }

    fn write(&self, word: &str) {
        let bank = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.bank);
        let line = format!("{} {word}\n", self.number);
        let written = bank.and_then(|mut bank| bank.write_all(line.as_bytes()));
        written.expect("a folder for temporary files");
    }
}

fn pay(payment: Payment) {
    if !child::is_child() {
        return payment.write(BY_CALLER);
    }
    let (number, books) = (payment.number, payment.books());
    let is_first = !books.contains(&format!("{number} "));
    let crash_at = |place| {
        if is_first && number == place {
            payment.write("lost");
            child::crash();
        }
    };
    crash_at(3);
    let booking = (payment.key).map_or("booked".into(), |key| format!("booked #{key}"));
    let is_same = |line: &str| payment.key.is_some() && line.ends_with(&booking);
    let is_known = books.lines().any(is_same);
    payment.write(if is_known { "known" } else { &booking });
    crash_at(2);
}
