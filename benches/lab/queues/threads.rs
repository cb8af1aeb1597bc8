//! Threads on both sides.

use super::{CAPACITY, SEVERAL, row, share};
use crossbeam::channel::{self, Receiver, Sender};
use side_by_side::Row;
use std::{
    iter,
    sync::{Mutex, mpsc},
    thread,
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = [1, SEVERAL].into_iter().flat_map(to_one).collect();
    rows.extend([
        row("std under a Mutex, 2 to 2", |count| {
            let (tx, rx) = mpsc::sync_channel(CAPACITY);
            let rx = Mutex::new(rx);
            let take = || rx.lock().ok().and_then(|rx| rx.recv().ok());
            let items = (0..SEVERAL).map(|_| iter::from_fn(take));
            let items = items.collect();
            run(SEVERAL, count, tx, |tx, n| tx.send(n).is_ok(), items)
        }),
        to_several("crossbeam, bounded", || channel::bounded(CAPACITY)),
        to_several("crossbeam, unbounded", channel::unbounded),
    ]);
    rows
}

/// The rows with so many producers and one consumer.
fn to_one(producers: u64) -> [Row; 6] {
    [
        through(
            format!("std, bounded, {producers} to 1"),
            producers,
            || mpsc::sync_channel(CAPACITY),
            |tx, n| tx.send(n).is_ok(),
        ),
        through(
            format!("std, unbounded, {producers} to 1"),
            producers,
            mpsc::channel,
            |tx, n| tx.send(n).is_ok(),
        ),
        through(
            format!("crossbeam, bounded, {producers} to 1"),
            producers,
            || channel::bounded(CAPACITY),
            |tx, n| tx.send(n).is_ok(),
        ),
        through(
            format!("crossbeam, unbounded, {producers} to 1"),
            producers,
            channel::unbounded,
            |tx, n| tx.send(n).is_ok(),
        ),
        of_tokio(producers),
        of_tokio_unbounded(producers),
    ]
}

fn of_tokio(producers: u64) -> Row {
    let channel = || {
        let (tx, mut rx) = tokio::sync::mpsc::channel(CAPACITY);
        (tx, iter::from_fn(move || rx.blocking_recv()))
    };
    let name = format!("tokio, bounded, {producers} to 1");
    through(name, producers, channel, |tx, n| {
        tx.blocking_send(n).is_ok()
    })
}

fn of_tokio_unbounded(producers: u64) -> Row {
    let channel = || {
        let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel();
        (tx, iter::from_fn(move || rx.blocking_recv()))
    };
    let name = format!("tokio, unbounded, {producers} to 1");
    through(name, producers, channel, |tx, n| tx.send(n).is_ok())
}

/// A row of a channel with one consumer.
fn through<Tx: Clone + Send + 'static, Rx: IntoIterator<Item = u64, IntoIter: Send>>(
    name: String,
    producers: u64,
    channel: impl Fn() -> (Tx, Rx) + 'static,
    send: fn(&Tx, u64) -> bool,
) -> Row {
    row(name, move |count| {
        let (tx, rx) = channel();
        run(producers, count, tx, send, vec![rx.into_iter()])
    })
}

/// A row of a channel of crossbeam's with several producers and consumers.
fn to_several(name: &str, channel: fn() -> (Sender<u64>, Receiver<u64>)) -> Row {
    row(format!("{name}, 2 to 2"), move |count| {
        let (tx, rx) = channel();
        let items = (0..SEVERAL).map(|_| rx.clone().into_iter());
        let items = items.collect();
        drop(rx);
        run(SEVERAL, count, tx, |tx, n| tx.send(n).is_ok(), items)
    })
}

/// Starts producers and consumers; returns what each consumer has added up.
fn run<Tx: Clone + Send, Items: Iterator<Item = u64> + Send>(
    producers: u64,
    count: u64,
    tx: Tx,
    send: fn(&Tx, u64) -> bool,
    consumers: Vec<Items>,
) -> Vec<u64> {
    thread::scope(|scope| {
        let sums = consumers
            .into_iter()
            .map(|items| scope.spawn(|| items.sum::<u64>()));
        let sums: Vec<_> = sums.collect();
        for number in 0..producers {
            let tx = tx.clone();
            scope.spawn(move || share(number, producers, count).all(|n| send(&tx, n)));
        }
        // The queue ends when its last sender is gone.
        drop(tx);
        let sums = sums
            .into_iter()
            .map(|sum| sum.join().expect("adding up does not panic"));
        sums.collect()
    })
}
