//! What an increment costs under each way of counting of labs 07 and 13, by number of threads.

use anyhow::ensure;
use lab_07_locks as lab_07;
use lab_13_locks_and_rlock::{self as lab_13, Plan};
use side_by_side::{Group, Row, Setting, Side, Unit};
use std::{hint::black_box, io, num::NonZeroUsize, sync::RwLock, thread, time::Instant};

const THREADS: [usize; 3] = [1, 2, 4];

/// A way of counting: its name, and what counts.
type Way = (&'static str, fn(Plan) -> io::Result<u64>);

const WAYS: [Way; 9] = [
    ("nothing shared, lab 13", |plan| {
        Ok(lab_13::count_without_sharing(plan))
    }),
    ("fetch_add", |plan| {
        Ok(lab_07::count_with_fetch_add(split(plan)))
    }),
    ("Mutex", |plan| Ok(lab_13::count_with_mutex(plan))),
    ("parking_lot Mutex", |plan| {
        let counter = parking_lot::Mutex::new(0);
        each(plan, || *counter.lock() += 1);
        Ok(counter.into_inner())
    }),
    ("ReentrantMutex", |plan| {
        Ok(lab_13::count_with_reentrant(plan))
    }),
    ("RwLock, writing", |plan| {
        let counter = RwLock::new(0);
        each(plan, || *counter.write().unwrap() += 1);
        Ok(counter.into_inner().unwrap())
    }),
    ("RwLock, reading", |plan| {
        let one = RwLock::new(1);
        each(plan, || {
            black_box(*one.read().unwrap());
        });
        Ok(plan.1)
    }),
    ("share sent at the end", |plan| {
        Ok(lab_07::queue::sum_through_queue(split(plan), |_| {}))
    }),
    ("load, store: wrong", |plan| {
        Ok(lab_07::count_losing_updates(split(plan)))
    }),
];

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let mut rows = vec![Ok(row(
        Side::Ours,
        ("sequential", |plan| {
            Ok(lab_07::count_sequential(split(plan)))
        }),
        NonZeroUsize::MIN,
    ))];
    for threads in THREADS.into_iter().filter_map(NonZeroUsize::new) {
        let floor: Way = ("nothing shared", |plan| {
            Ok(lab_07::sum_at_the_end(split(plan)))
        });
        rows.push(Ok(row(Side::Floor, floor, threads)));
        rows.extend(WAYS.map(|way| Ok(row(Side::Ours, way, threads))));
        for way in ["nothing shared", "Lock", "RLock"] {
            let words = [way.to_owned(), threads.to_string()];
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let python = setting.python(way, "locks.py", &words).into_iter();
            rows.extend(python.map(|row| row.map(|row| row.at(threads.get() as f64))));
        }
    }
    let title = "One increment of a counter, all threads together, their start included";
    let wrong = "`load, store: wrong` loses updates: it is here to show what being wrong saves";
    Ok(Group::new(title, Unit::Time, Vec::new())
        // A multiple of every number of threads.
        .in_counts_of(1_200, 1_200_000_000)
        .along("threads")
        .with(rows)
        .noting([wrong.to_owned()]))
}

/// Runs `add` once for each increment, on all threads.
fn each((threads, increments): Plan, add: impl Fn() + Sync) {
    let share = increments / threads.get() as u64;
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| (0..share).for_each(|_| add()));
        }
    });
}

/// Lab 07 counts increments of each thread, lab 13 those of all.
fn split((threads, increments): Plan) -> lab_07::Plan {
    lab_07::Plan {
        threads,
        increments: increments / threads.get() as u64,
    }
}

fn row(side: Side, (name, way): Way, threads: NonZeroUsize) -> Row {
    let is_wrong = name.ends_with("wrong");
    let work = move |increments: u64| {
        let each = increments / threads.get() as u64;
        let start = Instant::now();
        let got = way((threads, increments))?;
        let took = start.elapsed();
        let expected = [increments, each * threads.get() as u64];
        let is_right = expected.contains(&got) || (is_wrong && got <= increments);
        ensure!(is_right, "counted {got} instead of {increments}");
        Ok(took)
    };
    Row::new(name, side, work).at(threads.get() as f64)
}
