//! The same tasks on pools of ever more threads: where does a larger pool stop paying?

use crate::args::Args;
use anyhow::Context;
use common::{
    Curve, CurveLine, CurvePoint, Lab, Scale, TableReport,
    claim::{Claim, cpus},
    format,
};
use lab_15_thread_pool_executor::{Load, Task, run_on_pool};
use measure::timing::timed;
use std::{iter, num::NonZeroUsize, time::Duration};

/// A larger pool pays if it is more than this many times as fast in every round.
const PAYS: f64 = 1.1;

/// Waits: a server's time to answer, say.
pub(crate) const WAITS: Kind = Kind {
    name: "waits of 8 ms",
    load: Load::Wait(Duration::from_millis(8)),
};
/// CPU work of a few milliseconds.
pub(crate) const WORK: Kind = Kind {
    name: "CPU work of 2 M steps",
    load: Load::Work(2_000_000),
};

/// A kind of task to sweep with.
pub(crate) struct Kind {
    name: &'static str,
    load: Load,
}

/// Runs the tasks on a pool of each size once per round, and claims where the knee lies.
pub(crate) fn show(args: &Args, lab: &mut Lab, kind: &Kind) -> anyhow::Result<()> {
    // Fewer than the largest pool has threads, so that the sweep sees what idle threads bring.
    let (count, load) = (args.largest.get() / 2, kind.load);
    let tasks: Vec<Task> = (1..=count).map(|number| Task { number, load }).collect();
    let sizes: Vec<NonZeroUsize> = sizes(args.largest).collect();
    let mut times_s: Vec<Vec<f64>> = vec![Vec::new(); sizes.len()];
    let mut back = 0;
    for _ in 0..args.rounds.get() {
        for (workers, times_s) in sizes.iter().zip(&mut times_s) {
            let (ran, time) = timed(|| run_on_pool(*workers, &tasks, |_| back += 1));
            ran.with_context(|| {
                format!("cannot start a pool of `{workers}` threads; take fewer with --largest")
            })?;
            times_s.push(time.as_secs_f64());
        }
    }
    let runs = sizes.len() * args.rounds.get();
    if back != runs * count {
        lab.fail(format!(
            "{}: {back} results of {}; please report this",
            kind.name,
            runs * count
        ));
    }
    let knee = find_knee(&times_s);
    print(lab, kind, count, &sizes, &times_s, knee);
    keep_curve(
        lab,
        kind,
        count,
        &sizes,
        &times_s,
        knee.map(|index| sizes[index]),
    );
    let size = knee.map_or(args.largest, |index| sizes[index]);
    claim(lab, kind, size.get(), args.largest.get());
    Ok(())
}

/// 1, 2, 4 … and the largest.
fn sizes(largest: NonZeroUsize) -> impl Iterator<Item = NonZeroUsize> {
    let doubling = iter::successors(NonZeroUsize::new(1), |size| size.checked_add(size.get()));
    doubling
        .take_while(move |size| *size < largest)
        .chain([largest])
}

/// The first size over which no larger one pays; `None` where the largest still did.
///
/// Two sizes are compared round by round, and the round with the least gain counts: what shows in all
/// rounds is no whim of the machine.
fn find_knee(times_s: &[Vec<f64>]) -> Option<usize> {
    let pays = |own: &[f64], larger: &[f64]| {
        own.iter()
            .zip(larger)
            .all(|(own, larger)| own / larger > PAYS)
    };
    let is_beaten = |index: usize| {
        times_s[index + 1..]
            .iter()
            .any(|larger| pays(&times_s[index], larger))
    };
    (0..times_s.len().saturating_sub(1)).find(|&index| !is_beaten(index))
}

fn middle(times_s: &[f64]) -> f64 {
    let mut sorted = times_s.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}

fn print(
    lab: &Lab,
    kind: &Kind,
    tasks: usize,
    sizes: &[NonZeroUsize],
    times_s: &[Vec<f64>],
    knee: Option<usize>,
) {
    let first = middle(&times_s[0]);
    let row = |(index, workers): (usize, &NonZeroUsize)| {
        let time = middle(&times_s[index]);
        let mark = if knee == Some(index) { "knee" } else { "" };
        vec![
            workers.to_string(),
            format::seconds_f64(time),
            format!("{:.2}×", first / time),
            mark.into(),
        ]
    };
    lab.table(TableReport {
        title: format!("{tasks} tasks, {}, by the size of the pool", kind.name),
        headings: ["threads", "time", "speed-up", ""].map(String::from).into(),
        rows: sizes.iter().enumerate().map(row).collect(),
        text_columns: vec![3],
        notes: vec![format!(
            "{}, the start of the pool included; middle round; knee: no larger pool was over \
             {PAYS}× as fast in every round",
            kind.name
        )],
    });
}

fn keep_curve(
    lab: &Lab,
    kind: &Kind,
    tasks: usize,
    sizes: &[NonZeroUsize],
    times_s: &[Vec<f64>],
    knee: Option<NonZeroUsize>,
) {
    let points = sizes.iter().zip(times_s);
    let point = |(workers, times): (&NonZeroUsize, &Vec<f64>)| {
        CurvePoint::of(workers.get() as f64, times, None)
    };
    lab.curve(Curve {
        title: format!(
            "{tasks} tasks, {}, on pools of ever more threads",
            kind.name
        ),
        axis: "threads in the pool".into(),
        scale: Scale::Seconds,
        lines: vec![CurveLine {
            name: "time for all tasks".into(),
            points: points.filter_map(point).collect(),
            knee: knee.map(|knee| knee.get() as f64),
        }],
        bound_reason: None,
    });
}

fn claim(lab: &mut Lab, kind: &Kind, knee: usize, largest: usize) {
    let name = format!("knee_of_{}", kind.name.replace(' ', "_"));
    let knee = lab.count(None, &name, knee);
    if matches!(kind.load, Load::Wait(_)) {
        lab.claim(
            Claim::that(
                "waits_pay_past_the_cpus",
                "waits: the knee lay beyond the number of CPUs",
            )
            .check(knee.above(cpus()))
            .headline(),
        );
        return;
    }
    let largest = lab.count(None, "largest_pool", largest);
    lab.claim(
        Claim::that(
            "work_pays_up_to_the_cpus",
            "CPU work: the knee lay at the number of CPUs or below",
        )
        .check(knee.at_most(cpus()))
        // Otherwise the sweep has not looked beyond them.
        .check(largest.above(cpus())),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knee(times_s: &[&[f64]]) -> Option<usize> {
        let times_s: Vec<Vec<f64>> = times_s.iter().map(|times| times.to_vec()).collect();
        find_knee(&times_s)
    }

    #[test]
    fn the_knee_is_the_first_size_that_no_larger_one_beats() {
        assert_eq!(knee(&[&[8.0], &[4.0], &[3.9], &[4.1]]), Some(1));
        assert_eq!(knee(&[&[1.0], &[1.0], &[1.0]]), Some(0));
        // A plateau before a gain is no knee.
        assert_eq!(knee(&[&[8.0], &[8.0], &[4.0], &[4.0]]), Some(2));
        assert_eq!(knee(&[&[8.0], &[4.0], &[2.0]]), None);
    }

    #[test]
    fn a_gain_counts_only_if_every_round_shows_it() {
        // The machine was slow in the middle round, for all sizes alike.
        let slow: [&[f64]; 3] = [&[4.0, 9.0, 4.0], &[2.0, 4.5, 2.0], &[2.0, 4.4, 2.1]];
        assert_eq!(knee(&slow), Some(1));
        // The largest was lucky in two of three rounds.
        let lucky: [&[f64]; 3] = [&[4.0; 3], &[2.0; 3], &[0.5, 0.5, 2.0]];
        assert_eq!(knee(&lucky), Some(1));
    }

    #[test]
    fn sizes_double_and_end_with_the_largest() {
        let sizes = |largest| {
            let largest = NonZeroUsize::new(largest).expect("not zero");
            sizes(largest).map(NonZeroUsize::get).collect::<Vec<_>>()
        };
        assert_eq!(sizes(32), [1, 2, 4, 8, 16, 32]);
        assert_eq!(sizes(6), [1, 2, 4, 6]);
    }
}
