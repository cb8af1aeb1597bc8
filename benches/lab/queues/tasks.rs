//! Tasks on both sides, or on one.

use super::{CAPACITY, SEVERAL, row, share};
use side_by_side::Row;
use std::{rc::Rc, thread};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
    task::JoinSet,
};

/// The runtimes: all tasks on one thread, and on as many as there are CPUs.
pub(super) fn runtimes() -> anyhow::Result<[(&'static str, Rc<Runtime>); 2]> {
    let here = Builder::new_current_thread().build()?;
    let everywhere = Builder::new_multi_thread().build()?;
    Ok([
        ("one thread", Rc::new(here)),
        ("all CPUs", Rc::new(everywhere)),
    ])
}

pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (place, runtime) in runtimes()? {
        for producers in [1, SEVERAL] {
            let on = Rc::clone(&runtime);
            rows.push(row(
                format!("bounded, {producers} to 1, {place}"),
                move |count| [on.block_on(through_bounded(producers, count))],
            ));
            let on = Rc::clone(&runtime);
            rows.push(row(
                format!("unbounded, {producers} to 1, {place}"),
                move |count| [on.block_on(through_unbounded(producers, count))],
            ));
        }
    }
    Ok(rows)
}

async fn through_bounded(producers: u64, count: u64) -> u64 {
    let (tx, rx) = mpsc::channel(CAPACITY);
    let mut tasks = JoinSet::new();
    for number in 0..producers {
        let tx = tx.clone();
        tasks.spawn(send_all(tx, share(number, producers, count)));
    }
    drop(tx);
    tokio::spawn(add_up(rx))
        .await
        .expect("adding up does not panic")
}

async fn through_unbounded(producers: u64, count: u64) -> u64 {
    let (tx, rx) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for number in 0..producers {
        let tx = tx.clone();
        let mut numbers = share(number, producers, count);
        tasks.spawn(async move { numbers.all(|n| tx.send(n).is_ok()) });
    }
    drop(tx);
    let consumer = tokio::spawn(add_up_unbounded(rx));
    consumer.await.expect("adding up does not panic")
}

async fn send_all(tx: mpsc::Sender<u64>, numbers: impl Iterator<Item = u64>) {
    for n in numbers {
        if tx.send(n).await.is_err() {
            break;
        }
    }
}

async fn add_up(mut rx: mpsc::Receiver<u64>) -> u64 {
    let mut sum = 0;
    while let Some(n) = rx.recv().await {
        sum += n;
    }
    sum
}

async fn add_up_unbounded(mut rx: mpsc::UnboundedReceiver<u64>) -> u64 {
    let mut sum = 0;
    while let Some(n) = rx.recv().await {
        sum += n;
    }
    sum
}

pub(super) fn mixed_rows() -> anyhow::Result<Vec<Row>> {
    let [(_, here), _] = runtimes()?;
    let [bounded, unbounded, back, back_unbounded] = std::array::from_fn(|_| Rc::clone(&here));
    Ok(vec![
        row("thread to task, bounded", move |count| {
            let (tx, rx) = mpsc::channel(CAPACITY);
            thread::scope(|scope| {
                scope.spawn(move || (0..count).all(|n| tx.blocking_send(n).is_ok()));
                [bounded.block_on(add_up(rx))]
            })
        }),
        row("thread to task, unbounded", move |count| {
            let (tx, rx) = mpsc::unbounded_channel();
            thread::scope(|scope| {
                scope.spawn(move || (0..count).all(|n| tx.send(n).is_ok()));
                [unbounded.block_on(add_up_unbounded(rx))]
            })
        }),
        row("task to thread, bounded", move |count| {
            let (tx, mut rx) = mpsc::channel(CAPACITY);
            thread::scope(|scope| {
                let sum = scope.spawn(move || std::iter::from_fn(|| rx.blocking_recv()).sum());
                back.block_on(send_all(tx, 0..count));
                [sum.join().expect("adding up does not panic")]
            })
        }),
        row("task to thread, unbounded", move |count| {
            let (tx, mut rx) = mpsc::unbounded_channel();
            thread::scope(|scope| {
                let sum = scope.spawn(move || std::iter::from_fn(|| rx.blocking_recv()).sum());
                back_unbounded.block_on(async move { (0..count).all(|n| tx.send(n).is_ok()) });
                [sum.join().expect("adding up does not panic")]
            })
        }),
    ])
}
