//! The same ways over jobs of more and more steps: from which size on do they pay?

use crate::{
    args::{Args, compute_jobs},
    two_by_two::in_a_new_pool,
};
use common::{
    Comparison, Lab, MARGIN, Sweep,
    claim::{Claim, count, times},
    format,
    timing::timed,
};
use lab_16_processes_vs_threads::{JOB, run_in_processes, run_on_threads, run_one_by_one};

/// The ways, and the claim of each that is compared with the first.
const WAYS: [&str; 4] = ["one by one", "threads", "processes", "a running pool"];
const CLAIMS: [&str; 4] = [
    "",
    "break_even_threads",
    "break_even_processes",
    "break_even_running_pool",
];

/// Runs all ways at every size, once per round, one job for each worker; claims the break-evens.
pub(crate) fn run(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (workers, rounds, seed) = (args.workers, args.rounds.rounds, lab.seed());
    lab.say(format!("sweep over the size of a job, {rounds} rounds …"));
    // Each four times the one before; the last is that of a job in the 2 × 2.
    let sizes = (0..6).rev().map(|k| args.work.get() as u64 / 4_u64.pow(k));
    let sizes: Vec<u64> = sizes.filter(|steps| *steps > 0).collect();
    let mut sweep = Sweep::new("steps a job", &WAYS, sizes);
    let running = JOB.pool(workers)?;
    let mut wrong = 0;
    for _ in 0..rounds.get() {
        for size in 0..sweep.sizes().len() {
            let jobs = compute_jobs(workers.get(), sweep.sizes()[size] as usize, seed);
            let (expected, one_by_one) = timed(|| run_one_by_one(&jobs));
            let (threads, on_threads) = timed(|| run_on_threads(workers, &jobs));
            let (processes, in_processes) = timed(|| in_a_new_pool(workers, &jobs));
            let (pooled, in_running_pool) = timed(|| run_in_processes(&running, &jobs));
            let right = |done: Vec<Result<u64, _>>| done.into_iter().flatten().eq(expected.clone());
            let right = [threads == expected, right(processes?), right(pooled)];
            wrong += right.iter().filter(|right| !**right).count();
            sweep.add(
                size,
                [one_by_one, on_threads, in_processes, in_running_pool],
            );
        }
    }
    let wrong = lab.count(None, "wrong_results_in_the_sweep", wrong);
    let text = "in the sweep, too, every job had the result that it has one by one";
    lab.claim(Claim::that("sweep_right", text).check(wrong.equals(count(0))));
    let mark = |size, way| match sweep.compared(size, way) {
        _ if way == 0 => "",
        Comparison::SecondFaster => " +",
        Comparison::FirstFaster => " -",
        Comparison::Same => " =",
        Comparison::Undecided => " ?",
    };
    sweep.show(
        lab,
        "Time for one job for each worker, by its size",
        vec!["than one by one: + faster, - slower, = neither by a tenth, ? undecided".into()],
        mark,
        |way| break_even_of(&sweep, way).filter(|_| way > 0),
    );
    (1..WAYS.len()).for_each(|way| claim_break_even(lab, &sweep, way));
    Ok(())
}

/// Where a way begins to pay: the first size from which on it is faster at every size.
fn break_even(found: &[Comparison]) -> Option<usize> {
    let wins = found.iter().rev();
    let wins = wins.take_while(|found| **found == Comparison::SecondFaster);
    Some(found.len() - wins.count()).filter(|index| *index < found.len())
}

fn break_even_of(sweep: &Sweep, way: usize) -> Option<usize> {
    let found = (0..sweep.sizes().len()).map(|size| sweep.compared(size, way));
    break_even(&found.collect::<Vec<_>>())
}

/// Claims from which size on a way was faster, or that it was so at the last size.
fn claim_break_even(lab: &mut Lab, sweep: &Sweep, way: usize) {
    let (sizes, name) = (sweep.sizes(), WAYS[way]);
    let from = break_even_of(sweep, way);
    let first = from.unwrap_or(sizes.len() - 1);
    let steps = format::count(sizes[first]);
    let text = match from {
        Some(_) => format!("{name}: faster than one by one from {steps} steps a job on"),
        None => format!("{name}: faster than one by one at {steps} steps, the longest job"),
    };
    let mut claim = Claim::that(CLAIMS[way], text);
    for (size, steps) in sizes.iter().enumerate().skip(first) {
        let figure = format!("{}_at_{steps}_steps", CLAIMS[way]);
        let rounds = sweep.times_s(size, 0).iter().zip(sweep.times_s(size, way));
        let noted = rounds.map(|(first, second)| lab.ratio(None, &figure, second / first));
        let noted = noted.last().expect("there is a round");
        claim = claim.check(noted.below(times(1.0 / MARGIN)));
    }
    lab.claim(match from {
        Some(_) => claim,
        None => claim.needs_cpus(),
    });
}

#[cfg(test)]
mod tests {
    use super::{Comparison::*, *};

    #[test]
    fn one_lucky_size_is_no_break_even() {
        let lucky = [FirstFaster, SecondFaster, Undecided, SecondFaster];
        assert_eq!(break_even(&lucky), Some(3));
        assert_eq!(break_even(&lucky[..3]), None);
        assert_eq!(break_even(&[SecondFaster; 2]), Some(0));
        assert_eq!(break_even(&[]), None);
    }
}
