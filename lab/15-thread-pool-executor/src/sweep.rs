//! The same tasks on pools of ever more threads: where does a larger pool stop paying?

mod curve;

use crate::{args::Args, ways};
use anyhow::Context;
use common::{Lab, format};
use lab_15_thread_pool_executor::{
    Done, Load, Task,
    knee::{PAYS, find_knee, gains_of_larger, median, speedup},
    pool::Pool,
    run_on_running_pool,
};
use measure::timing::timed;
use serde::{Serialize, Serializer};
use std::{iter, num::NonZeroUsize, time::Duration};

/// A kind of task to sweep with.
pub(crate) struct Kind {
    /// Where the document has it.
    pub(crate) param: &'static str,
    /// Its tasks in words.
    name: &'static str,
    load: Load,
}

/// Waits: a server's time to answer, say.
pub(crate) const WAITS: Kind = Kind {
    param: "io_sweep",
    name: "tasks of I/O, a wait of 8 ms each",
    load: Load::Wait(Duration::from_millis(8)),
};

/// CPU work of a few milliseconds.
pub(crate) const WORK: Kind = Kind {
    param: "cpu_sweep",
    name: "tasks of CPU work, 2 M steps each",
    load: Load::Work(2_000_000),
};

/// What a sweep found.
#[derive(Serialize)]
pub(crate) struct Sweep {
    /// By name, so that a figure's path says which size it is of.
    #[serde(flatten, serialize_with = "by_name")]
    pub(crate) points: Vec<Point>,
    pub(crate) tasks: u64,
    /// Tasks in all pools and rounds, and how many came back once.
    submitted: u64,
    done: u64,
    /// The greatest speed-up of all sizes.
    pub(crate) best_speedup: f64,
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
    /// How many times as fast as a pool of one it was: the median of the rounds.
    pub(crate) speedup: f64,
    /// How many times as fast as this size the best larger one was, each by its worst round.
    /// `None` for the largest.
    best_larger_speedup: Option<f64>,
}

/// The name of a size in the document.
pub(crate) fn name_of(workers: NonZeroUsize) -> String {
    format!("pool_of_{workers}")
}

fn by_name<S: Serializer>(points: &[Point], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(points.iter().map(|point| (name_of(point.workers), point)))
}

/// Runs the tasks on a pool of each size once per round; the pools are running before.
pub(crate) fn measure(args: &Args, lab: &mut Lab, kind: &Kind) -> anyhow::Result<Sweep> {
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
    lab.curve(sweep.curve(kind, lab.cpus()));
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
        let last = sizes.len() - 1;
        let point = |(index, workers): (usize, &NonZeroUsize)| Point {
            workers: *workers,
            times_s: times_s[index].clone(),
            speedup: speedup(&times_s[0], &times_s[index]),
            best_larger_speedup: (index < last).then_some(gains[index]),
        };
        let points: Vec<Point> = sizes.iter().enumerate().map(point).collect();
        Self {
            best_speedup: points.iter().map(|one| one.speedup).fold(1.0, f64::max),
            points,
            tasks,
            submitted,
            done,
            knee: knee_at.map(|index| sizes[index].get()),
            knee_at,
        }
    }

    fn tell(&self, lab: &Lab, kind: &Kind) {
        let cells = |head: &str, cell: &dyn Fn(&Point) -> String| {
            let cells: Vec<String> = self
                .points
                .iter()
                .map(|point| format!("{:>8}", cell(point)))
                .collect();
            format!("  {head:<11}{}", cells.join(""))
                .trim_end()
                .to_owned()
        };
        let times = |ratio: f64| format!("{ratio:.2}×");
        lab.say(format!("sweep, {} {}:", self.tasks, kind.name));
        lab.say(cells("threads", &|point| point.workers.to_string()));
        lab.say(cells("time", &|point| {
            format::seconds_f64(median(&point.times_s))
        }));
        lab.say(cells("speed-up", &|point| times(point.speedup)));
        lab.say(cells("best larger", &|point| {
            point.best_larger_speedup.map_or("–".into(), times)
        }));
        if let Some(knee) = self.knee {
            lab.say(cells("", &|point| {
                let mark = if point.workers.get() == knee {
                    "knee"
                } else {
                    ""
                };
                mark.into()
            }));
        }
        lab.say("  speed-up: over the pool of 1; best larger: the speed-up over this size of the");
        lab.say("  larger pool that did best, each larger one taken by its worst round");
        lab.say(match self.knee {
            Some(knee) => {
                format!("  knee: {knee}, the first size whose best larger is at most {PAYS}×")
            }
            None => format!(
                "  knee: not within the sweep; over every size but the last, a larger one was over {PAYS}×"
            ),
        });
        let at_knee = self.knee_at.map(|index| self.points[index].speedup);
        if at_knee.is_some_and(|own| self.best_speedup > PAYS * own) {
            lab.say(
                "  (by the middle round a larger one was faster still: the rounds do not agree)",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_its_name_its_speed_up_and_that_of_the_best_larger_one() {
        let sizes = [1, 2, 4].map(|size| NonZeroUsize::new(size).expect("not zero"));
        let times_s = vec![vec![8.0, 9.0, 8.0], vec![4.0; 3], vec![4.0, 2.0, 5.0]];
        let sweep = Sweep::of(&sizes, times_s, [1, 9, 9]);
        let document = serde_json::to_value(&sweep).expect("plain data");
        let figures = |size: &str| {
            let size = &document[size];
            [&size["speedup"], &size["best_larger_speedup"]].map(serde_json::Value::as_f64)
        };
        assert_eq!(figures("pool_of_1"), [Some(1.0), Some(2.0)]);
        assert_eq!(figures("pool_of_2"), [Some(2.0), Some(0.8)]);
        assert_eq!(figures("pool_of_4"), [Some(2.0), None]);
        assert_eq!(document["knee"], 2);
        assert_eq!(document["best_speedup"], 2.0);
    }

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
