//! Threads on both sides.

use super::{CAPACITY, SEVERAL, row, share};
use side_by_side::Row;
use std::{
    sync::{Mutex, mpsc},
    thread,
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for producers in [1, SEVERAL] {
        rows.extend([
            row(format!("std, bounded, {producers} to 1"), move |count| {
                let (tx, rx) = mpsc::sync_channel(CAPACITY);
                run(
                    producers,
                    count,
                    tx,
                    |tx, n| tx.send(n).is_ok(),
                    vec![rx.into_iter()],
                )
            }),
            row(format!("std, unbounded, {producers} to 1"), move |count| {
                let (tx, rx) = mpsc::channel();
                run(
                    producers,
                    count,
                    tx,
                    |tx, n| tx.send(n).is_ok(),
                    vec![rx.into_iter()],
                )
            }),
            row(
                format!("crossbeam, bounded, {producers} to 1"),
                move |count| {
                    let (tx, rx) = crossbeam::channel::bounded(CAPACITY);
                    run(
                        producers,
                        count,
                        tx,
                        |tx, n| tx.send(n).is_ok(),
                        vec![rx.into_iter()],
                    )
                },
            ),
            row(
                format!("crossbeam, unbounded, {producers} to 1"),
                move |count| {
                    let (tx, rx) = crossbeam::channel::unbounded();
                    run(
                        producers,
                        count,
                        tx,
                        |tx, n| tx.send(n).is_ok(),
                        vec![rx.into_iter()],
                    )
                },
            ),
            row(format!("tokio, bounded, {producers} to 1"), move |count| {
                let (tx, mut rx) = tokio::sync::mpsc::channel(CAPACITY);
                let items = std::iter::from_fn(move || rx.blocking_recv());
                run(
                    producers,
                    count,
                    tx,
                    |tx, n| tx.blocking_send(n).is_ok(),
                    vec![items],
                )
            }),
            row(
                format!("tokio, unbounded, {producers} to 1"),
                move |count| {
                    let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel();
                    let items = std::iter::from_fn(move || rx.blocking_recv());
                    run(
                        producers,
                        count,
                        tx,
                        |tx, n| tx.send(n).is_ok(),
                        vec![items],
                    )
                },
            ),
        ]);
    }
    rows.extend([
        row("std under a Mutex, 2 to 2", |count| {
            let (tx, rx) = mpsc::sync_channel(CAPACITY);
            let rx = Mutex::new(rx);
            let take = || rx.lock().ok().and_then(|rx| rx.recv().ok());
            let items = (0..SEVERAL).map(|_| std::iter::from_fn(take));
            run(
                SEVERAL,
                count,
                tx,
                |tx, n| tx.send(n).is_ok(),
                items.collect(),
            )
        }),
        row("crossbeam, bounded, 2 to 2", |count| {
            let (tx, rx) = crossbeam::channel::bounded(CAPACITY);
            let items = (0..SEVERAL).map(|_| rx.clone().into_iter());
            let items = items.collect();
            drop(rx);
            run(SEVERAL, count, tx, |tx, n| tx.send(n).is_ok(), items)
        }),
        row("crossbeam, unbounded, 2 to 2", |count| {
            let (tx, rx) = crossbeam::channel::unbounded();
            let items = (0..SEVERAL).map(|_| rx.clone().into_iter());
            let items = items.collect();
            drop(rx);
            run(SEVERAL, count, tx, |tx, n| tx.send(n).is_ok(), items)
        }),
    ]);
    rows
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
