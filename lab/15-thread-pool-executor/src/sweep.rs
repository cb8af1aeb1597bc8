//! The same tasks on pools of ever more threads: where does a larger pool stop paying?

use crate::{args::Args, ways};
use anyhow::Context;
use common::{Experiment, report::format, timing::timed};
use lab_15_thread_pool_executor::{
    Done, Load, Task,
    knee::{find_knee, gains_of_larger},
    pool::Pool,
    run_on_running_pool,
};
use serde::Serialize;
use std::{iter, num::NonZeroUsize, time::Duration};

/// A kind of task to sweep with.
pub(crate) struct Kind {
    /// Where the document has it.
    pub(crate) param: &'static str,
    name: &'static str,
    load: Load,
}

/// Waits: a server's time to answer, say.
pub(crate) const WAITS: Kind = Kind {
    param: "io_sweep",
    name: "I/O, a wait of 8 ms",
    load: Load::Wait(Duration::from_millis(8)),
};

/// CPU work of a few milliseconds.
pub(crate) const WORK: Kind = Kind {
    param: "cpu_sweep",
    name: "CPU, 2 M steps",
    load: Load::Work(2_000_000),
};

/// What a sweep found.
#[derive(Serialize)]
pub(crate) struct Sweep {
    pub(crate) points: Vec<Point>,
    pub(crate) tasks: u64,
    /// Tasks in all pools and rounds, and how many came back once.
    submitted: u64,
    done: u64,
    /// Threads in the pool at the knee.
    pub(crate) knee: Option<usize>,
    /// The place of the knee among the points.
    #[serde(skip)]
    pub(crate) knee_at: Option<usize>,
}

/// One size of pool.
#[derive(Serialize)]
pub(crate) struct Point {
    pub(crate) workers: NonZeroUsize,
    times_s: Vec<f64>,
    /// The most that any larger pool gained in every round: this time over the larger's.
    pub(crate) gain_of_a_larger: f64,
}

/// Runs the tasks on a pool of each size once per round; the pools are running before.
pub(crate) fn measure(args: &Args, lab: &mut Experiment, kind: &Kind) -> anyhow::Result<Sweep> {
    let task = |number| Task {
        number,
        load: kind.load,
    };
    // Fewer than the largest pool has threads, so that the sweep sees what idle threads bring.
    let tasks: Vec<Task> = (1..=args.largest.get() / 2).map(task).collect();
    let (mut submitted, mut done) = (0, 0);
    let sizes: Vec<NonZeroUsize> = sizes(args.largest).collect();
    let mut times_s: Vec<Vec<f64>> = vec![Vec::new(); sizes.len()];
    for _ in 0..args.rounds() {
        for (workers, times_s) in sizes.iter().zip(&mut times_s) {
            let mut pool = Pool::start(*workers).with_context(|| {
                format!("cannot start a pool of `{workers}` threads; take fewer with --largest")
            })?;
            let mut completed: Vec<Done> = Vec::with_capacity(tasks.len());
            let each = |done| completed.push(done);
            let ((), time) = timed(|| run_on_running_pool(&mut pool, &tasks, each));
            times_s.push(time.as_secs_f64());
            let tally = ways::tally(&tasks, &completed);
            submitted += tally.submitted;
            done += tally.done;
        }
    }
    let sweep = Sweep::of(&sizes, times_s, [tasks.len() as u64, submitted, done]);
    sweep.tell(lab, kind);
    lab.param(kind.param, &sweep);
    Ok(sweep)
}

/// 1, 2, 4 … and the largest.
fn sizes(largest: NonZeroUsize) -> impl Iterator<Item = NonZeroUsize> {
    let doubling = iter::successors(Some(NonZeroUsize::MIN), |size| {
        size.checked_mul(NonZeroUsize::MIN.saturating_add(1))
    });
    doubling
        .take_while(move |size| *size < largest)
        .chain([largest])
}

impl Sweep {
    /// Works out gains and knee; the counts are the tasks of a run, of all runs, and those done.
    fn of(
        sizes: &[NonZeroUsize],
        times_s: Vec<Vec<f64>>,
        [tasks, submitted, done]: [u64; 3],
    ) -> Self {
        let gains = gains_of_larger(&times_s);
        let knee_at = find_knee(&gains);
        let points = sizes.iter().zip(times_s).zip(gains);
        let point = |((workers, times_s), gain_of_a_larger): ((&NonZeroUsize, _), _)| Point {
            workers: *workers,
            times_s,
            gain_of_a_larger,
        };
        Self {
            points: points.map(point).collect(),
            tasks,
            submitted,
            done,
            knee: knee_at.map(|index| sizes[index].get()),
            knee_at,
        }
    }

    fn tell(&self, lab: &Experiment, kind: &Kind) {
        let cells = |head: &str, cell: &dyn Fn(&Point) -> String| {
            let cells: Vec<String> = self
                .points
                .iter()
                .map(|point| format!("{:>8}", cell(point)))
                .collect();
            format!("  {head:<8}{}", cells.join(""))
        };
        lab.say(format!("sweep, {} × {}:", self.tasks, kind.name));
        lab.say(cells("threads", &|point| point.workers.to_string()));
        lab.say(cells("time", &|point| middle(&point.times_s)));
        lab.say(cells("gain", &|point| {
            format!("{:.2}×", point.gain_of_a_larger)
        }));
        lab.say(match self.knee {
            Some(knee) => {
                format!("  knee: {knee}; no larger pool was more than 1.1× as fast in every round")
            }
            None => "  knee: not within the sweep; the largest pool still gained".into(),
        });
    }
}

/// The middle of the times, the lower of two.
pub(crate) fn middle(times_s: &[f64]) -> String {
    let mut times_s = times_s.to_vec();
    times_s.sort_by(f64::total_cmp);
    let middle = times_s.get(times_s.len().saturating_sub(1) / 2);
    middle.map_or("–".into(), |time| format::seconds_f64(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_double_and_end_with_the_largest() {
        let sizes = |largest| {
            let largest = NonZeroUsize::new(largest).expect("not zero");
            sizes(largest).map(NonZeroUsize::get).collect::<Vec<_>>()
        };
        assert_eq!(sizes(32), [1, 2, 4, 8, 16, 32]);
        assert_eq!(sizes(6), [1, 2, 4, 6]);
        assert_eq!(sizes(2), [1, 2]);
    }
}
