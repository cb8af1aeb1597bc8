//! One number there, and its answer back: what a hand-over takes when the other side waits for it.

use super::{row, tasks::runtimes};
use crossbeam::channel;
use side_by_side::Row;
use std::{
    iter,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::mpsc as tokio_mpsc;

pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![
        Row::floor("park and unpark", parking),
        row("std, threads", |count| {
            let ((tx, there), (answers, back)) = (mpsc::sync_channel(1), mpsc::sync_channel(1));
            let answer = move || _ = there.iter().all(|n| answers.send(n).is_ok());
            between_threads(count, answer, move |n| {
                tx.send(n).ok().and_then(|()| back.recv().ok())
            })
        }),
        row("crossbeam, threads", |count| {
            let ((tx, there), (answers, back)) = (channel::bounded(1), channel::bounded(1));
            let answer = move || _ = there.iter().all(|n| answers.send(n).is_ok());
            between_threads(count, answer, move |n| {
                tx.send(n).ok().and_then(|()| back.recv().ok())
            })
        }),
        row("tokio, threads", |count| {
            let ((tx, mut there), (answers, mut back)) =
                (tokio_mpsc::channel(1), tokio_mpsc::channel(1));
            let answer = move || {
                let mut items = iter::from_fn(|| there.blocking_recv());
                _ = items.all(|n| answers.blocking_send(n).is_ok());
            };
            between_threads(count, answer, move |n| {
                tx.blocking_send(n).ok().and_then(|()| back.blocking_recv())
            })
        }),
    ];
    for (place, runtime) in runtimes()? {
        let name = format!("tokio, tasks, {place}");
        rows.push(row(name, move |count| {
            [runtime.block_on(between_tasks(count))]
        }));
    }
    rows.push(thread_and_task()?);
    Ok(rows)
}

fn thread_and_task() -> anyhow::Result<Row> {
    let [(_, here), _] = runtimes()?;
    Ok(row("tokio, thread and task", move |count| {
        let ((tx, there), (answers, mut back)) = (tokio_mpsc::channel(1), tokio_mpsc::channel(1));
        thread::scope(|scope| {
            let asking = scope.spawn(move || {
                let ask = |n| tx.blocking_send(n).ok().and_then(|()| back.blocking_recv());
                (0..count).map_while(ask).sum()
            });
            here.block_on(answer(there, answers));
            [asking.join().expect("adding up does not panic")]
        })
    }))
}

/// Adds up what comes back; `answer` runs on a thread of its own until `ask` is gone.
fn between_threads(
    count: u64,
    answer: impl FnOnce() + Send,
    mut ask: impl FnMut(u64) -> Option<u64>,
) -> [u64; 1] {
    thread::scope(|scope| {
        scope.spawn(answer);
        let sum = (0..count).map_while(&mut ask).sum();
        drop(ask);
        [sum]
    })
}

async fn answer(mut there: tokio_mpsc::Receiver<u64>, answers: tokio_mpsc::Sender<u64>) {
    while let Some(n) = there.recv().await {
        if answers.send(n).await.is_err() {
            break;
        }
    }
}

async fn between_tasks(count: u64) -> u64 {
    let ((tx, there), (answers, mut back)) = (tokio_mpsc::channel(1), tokio_mpsc::channel(1));
    tokio::spawn(answer(there, answers));
    let asking = tokio::spawn(async move {
        let mut sum = 0;
        for n in 0..count {
            if tx.send(n).await.is_err() {
                break;
            }
            sum += back.recv().await.unwrap_or_default();
        }
        sum
    });
    asking.await.expect("adding up does not panic")
}

/// Two threads and one number in memory: odd, it is the other's turn.
fn parking(count: u64) -> anyhow::Result<Duration> {
    let turns = AtomicU64::new(0);
    let here = thread::current();
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            for turn in 0..count {
                // Acquire and release: each side's turn pairs with the other's.
                while turns.load(Ordering::Acquire) != 2 * turn + 1 {
                    thread::park();
                }
                turns.store(2 * turn + 2, Ordering::Release);
                here.unpark();
            }
        });
        let start = Instant::now();
        for turn in 0..count {
            turns.store(2 * turn + 1, Ordering::Release);
            other.thread().unpark();
            while turns.load(Ordering::Acquire) != 2 * turn + 2 {
                thread::park();
            }
        }
        Ok(start.elapsed())
    })
}
