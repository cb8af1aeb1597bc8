//! The same tasks on pools of more and more threads: where does a larger pool stop paying?

use crate::args::Args;
use common::{
    Comparison, Lab, Sweep,
    claim::{Claim, count, cpus},
    timing::timed,
};
use lab_15_thread_pool_executor::{Load, Task, run_on_pool};
use std::{iter, num::NonZeroUsize, time::Duration};

/// The two kinds of task, each with the way that the table and the claims name it.
const KINDS: [(&str, Load); 2] = [
    ("waits of 8 ms", Load::Wait(Duration::from_millis(8))),
    ("CPU work of 2 M steps", Load::Work(2_000_000)),
];

/// Sweeps with waits and with CPU work, and claims where each knee lies.
pub(crate) fn show(args: &Args, lab: &mut Lab) {
    let [waits, work] = KINDS;
    let waits = knee_of(args, lab, waits);
    let work = knee_of(args, lab, work);
    let waits = lab.count(None, "knee_of_waits", waits);
    let text = "waits: the knee lay beyond the number of CPUs";
    let claim = Claim::that("waits_pay_past_the_cpus", text).check(waits.above(cpus()));
    lab.claim(claim.headline());
    let work = lab.count(None, "knee_of_work", work);
    let largest = lab.count(None, "largest_pool", args.largest.get());
    let text = "CPU work: the knee lay at the number of CPUs or below";
    let claim = Claim::that("work_pays_up_to_the_cpus", text).check(work.at_most(cpus()));
    // Otherwise the sweep has not looked beyond them.
    lab.claim(claim.check(largest.above(cpus())).headline());
}

/// Runs the tasks on a pool of each size once per round; returns the size at the knee.
fn knee_of(args: &Args, lab: &mut Lab, (name, load): (&'static str, Load)) -> usize {
    // Fewer than the largest pool has threads, so that the sweep sees what idle threads add.
    let count_tasks = args.largest.get().div_ceil(2);
    let task = |number| Task { number, load };
    let tasks: Vec<Task> = (1..=count_tasks).map(task).collect();
    let mut sweep = Sweep::new("threads", &["time"], sizes(args.largest.get()));
    let mut results = 0;
    for _ in 0..args.rounds.get() {
        for size in 0..sweep.sizes().len() {
            let workers = sweep.sizes()[size];
            let threads = NonZeroUsize::new(workers as usize).expect("sizes start at one");
            let ((), time) = timed(|| run_on_pool(threads, &tasks, |_| results += 1));
            sweep.add(size, [time]);
        }
    }
    let missing = sweep.sizes().len() * args.rounds.get() * count_tasks - results;
    let missing = lab.count(None, "results_missing", missing);
    let all = Claim::that(
        "sweep_complete",
        format!("{name}: every pool did all tasks"),
    );
    lab.claim(all.check(missing.equals(count(0))));
    let knee = find_knee(&sweep);
    let title = format!("{count_tasks} tasks, {name}, by the size of the pool");
    let note = "knee: no larger pool was faster by a tenth in every round";
    let mark = |size, _| if knee == Some(size) { " knee" } else { "" };
    sweep.show(lab, &title, vec![note.into()], mark, |_| knee);
    knee.map_or(args.largest.get(), |size| sweep.sizes()[size] as usize)
}

/// 1, 2, 4 … and the largest.
fn sizes(largest: usize) -> Vec<u64> {
    let doubling = iter::successors(Some(1), |size| Some(size * 2));
    let smaller = doubling.take_while(|size| *size < largest as u64);
    smaller.chain([largest as u64]).collect()
}

/// The first size over which no larger one pays; `None` where the largest still did.
fn find_knee(sweep: &Sweep) -> Option<usize> {
    let last = sweep.sizes().len() - 1;
    let pays = |size: usize, larger: usize| {
        let [own, larger] = [size, larger].map(|size| sweep.times_s(size, 0));
        Comparison::of(own, larger) == Comparison::SecondFaster
    };
    (0..last).find(|&size| !(size + 1..=last).any(|larger| pays(size, larger)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The knee of these times in seconds, by size and round.
    fn knee(times_s: &[[f64; 3]]) -> Option<usize> {
        let mut sweep = Sweep::new("threads", &["time"], vec![1; times_s.len()]);
        for (size, rounds) in times_s.iter().enumerate() {
            for time in rounds {
                sweep.add(size, [Duration::from_secs_f64(*time)]);
            }
        }
        find_knee(&sweep)
    }

    #[test]
    fn the_knee_is_the_first_size_that_no_larger_one_beats() {
        assert_eq!(knee(&[[8.0; 3], [4.0; 3], [3.9; 3], [4.1; 3]]), Some(1));
        assert_eq!(knee(&[[1.0; 3]; 3]), Some(0));
        // A plateau before a gain is no knee.
        assert_eq!(knee(&[[8.0; 3], [8.0; 3], [4.0; 3], [4.0; 3]]), Some(2));
        assert_eq!(knee(&[[8.0; 3], [4.0; 3], [2.0; 3]]), None);
    }

    #[test]
    fn a_gain_counts_only_if_every_round_shows_it() {
        // The machine was slow in the middle round, for all sizes alike.
        assert_eq!(
            knee(&[[4.0, 9.0, 4.0], [2.0, 4.5, 2.0], [2.0, 4.4, 2.1]]),
            Some(1)
        );
        // The largest was lucky in two of three rounds.
        assert_eq!(knee(&[[4.0; 3], [2.0; 3], [0.5, 0.5, 2.0]]), Some(1));
    }

    #[test]
    fn sizes_double_and_end_with_the_largest() {
        assert_eq!(sizes(32), [1, 2, 4, 8, 16, 32]);
        assert_eq!(sizes(6), [1, 2, 4, 6]);
        assert_eq!(sizes(1), [1]);
    }
}
