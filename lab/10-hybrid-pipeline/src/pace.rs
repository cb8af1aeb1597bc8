//! Who was faster, and how near to the best that the workers can do.

use crate::{
    from_memory::name_of,
    gap,
    plan::Plan,
    rounds::{BEST, FAILED, LEFT, RATE, Rounds, each_round},
};
use common::{
    Lab,
    claim::{Claim, number},
};

/// Times that are nearer to each other than this factor are the same.
const SAME: f64 = 1.02;

/// By how much threads were faster than processes, or the other way round, by their wall times.
pub(crate) fn who_was_faster(threads_s: &[f64], processes_s: &[f64]) -> String {
    let pairs = threads_s.iter().zip(processes_s);
    let mut ratios: Vec<f64> = pairs
        .map(|(threads, processes)| processes / threads)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (ratios.first(), ratios.last()) else {
        return "threads and processes: nothing to compare".into();
    };
    let who = match (*least > SAME, most * SAME < 1.0) {
        (true, _) => "threads were faster than processes",
        (_, true) => "processes were faster than threads",
        _ => "neither threads nor processes were faster in every round",
    };
    match ratios.as_slice() {
        [one] => format!("processes took {one:.2} times as long as threads, in the one round"),
        all => format!(
            "{who}: processes took {least:.2} to {most:.2} times as long as threads, in {} rounds",
            all.len()
        ),
    }
}

/// What the pipeline does of what the same workers do from memory; nearly all, if they are busy.
pub(crate) fn near_the_bound(lab: &mut Lab, plans: &[Plan], rounds: &Rounds, workers: usize) {
    for plan in plans.iter().filter(|plan| !plan.has_barrier) {
        let Some((name, (crawl, held))) = name_of(plan.way).zip(rounds.beside_memory(plan, lab))
        else {
            continue;
        };
        let disturbed = format!(
            "from memory the workers had a CPU for {:.0} % of the time that they had a page, and others had \
             it for the rest",
            100.0 * held.share_on_cpu()
        );
        let [.., gap, left] = gap::lines(plan.name, &crawl, &held, lab.cpus(), workers);
        let whole = format!(
            "`{}` did at least 95 % of the pages per second of `{name}`",
            plan.name
        );
        let share = format!("`{}` did at least 95 % of what fetching leaves", plan.name);
        let of_this = [
            (whole, each_round(name, BEST), gap),
            (share, each_round(plan.name, LEFT), left),
        ];
        for (text, most, reason) in of_this {
            let claim = Claim::that(text)
                .check(each_round(plan.name, RATE).at_least(most.times(0.95)))
                .check(each_round(plan.name, FAILED).equals(number(0)));
            lab.claim(claim.otherwise(if held.is_disturbed(lab.cpus(), workers) {
                disturbed.clone()
            } else {
                reason.trim_start().to_owned()
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_faster_in_every_round_was_faster() {
        for (processes_s, told) in [
            (
                [1.1, 1.2],
                "threads were faster than processes: processes took 1.10 to 1.20 times",
            ),
            (
                [0.9, 0.5],
                "processes were faster than threads: processes took 0.50 to 0.90 times",
            ),
            (
                [0.9, 1.5],
                "neither threads nor processes were faster in every round: ",
            ),
        ] {
            let words = who_was_faster(&[1.0, 1.0], &processes_s);
            assert!(words.starts_with(told), "{words}");
        }
        let once = who_was_faster(&[1.0], &[2.0]);
        assert_eq!(
            once,
            "processes took 2.00 times as long as threads, in the one round"
        );
    }
}
