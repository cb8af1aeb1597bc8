//! What this run is to show.

use crate::{
    pace::who_was_faster,
    plan::Plan,
    rounds::{CHECKSUM, FAILED, FETCH_MEAN, PARSED, PARSED_HERE, PEAK_HELD, Rounds, each_round},
    source::Source,
};
use common::{
    Lab,
    claim::{Check, Claim, number, of, top},
    format,
};
use lab_10_hybrid_pipeline::workers::Way;

/// Tells each variant's rate and adds the claims that these variants can show.
pub(crate) fn tell_and_claim(
    lab: &mut Lab,
    plans: &[Plan],
    source: &Source,
    rounds: &Rounds,
    workers: usize,
) {
    for Plan { name, .. } in plans {
        if let (Some(wall), Some(round)) = (lab.wall(name), rounds.shown(name, &lab.walls(name))) {
            let (wall, rate) = (format::seconds(wall), in_words(round.spent.pages_per_s()));
            let peak = lab.ledger(name).and_then(|ledger| ledger.peak_rss_bytes);
            let memory = peak.map(|bytes| format!(" in {}", format::bytes(bytes as f64)));
            lab.explain(format!(
                "{name}: elapsed {wall}, at most {} pages held{}, {rate} pages/s",
                round.peak_pages_held,
                memory.unwrap_or_default()
            ));
        }
    }
    rounds.write(plans, workers, lab);
    lab.claim(same_findings(plans));
    for claim in cost_of_the_barrier(plans, rounds).into_iter().flatten() {
        lab.claim(claim);
    }
    lab.claim(bounded_memory(plans));
    if source.is_counted() {
        lab.claim(in_flight(plans));
    }
    if plans.iter().any(|plan| plan.way == Way::Processes) {
        lab.claim(other_processes(plans));
    }
    if let [_, inline, rayon, processes] = plans {
        lab.claim(slow_arrivals(inline, processes, rounds));
        if rounds.of(rayon.name).all(|round| round.parsed > 1) {
            let walls = [rayon, processes].map(|plan| lab.walls(plan.name));
            lab.explain(who_was_faster(&walls[0], &walls[1]));
        }
        let sooner = of(rayon.name, "walls_s").below(of(processes.name, "walls_s"));
        let text = "the threads of rayon were done before the worker processes";
        let both = [rayon, processes];
        lab.claim(compared(text, both, rounds, sooner, |claim| claim));
    }
}

/// A rate in three digits. Past 100 it is rounded first: of a whole number no zero is taken off.
fn in_words(rate: f64) -> String {
    format::plain(if rate >= 100.0 { rate.round() } else { rate })
}

fn same_findings(plans: &[Plan]) -> Claim {
    let text = "all variants found the same pages with the same titles and links";
    plans[1..].iter().fold(Claim::that(text), |claim, plan| {
        let sum = each_round(plan.name, CHECKSUM);
        claim.check(sum.equals(each_round(plans[0].name, CHECKSUM)))
    })
}

/// What the barrier costs, where the pages are parsed in the same way with and without it.
fn cost_of_the_barrier(plans: &[Plan], rounds: &Rounds) -> Option<[Claim; 2]> {
    let barrier = plans.iter().find(|plan| plan.has_barrier)?;
    let streaming = plans
        .iter()
        .find(|plan| !plan.has_barrier && plan.way == barrier.way)?;
    let text = "without the barrier the same pages took less time";
    let sooner = of(streaming.name, "walls_s").below(of(barrier.name, "walls_s"));
    let held = |plan: &Plan| each_round(plan.name, PEAK_HELD);
    Some([
        compared(text, [streaming, barrier], rounds, sooner, |claim| claim),
        Claim::that("without the barrier fewer pages were held at once")
            .check(held(streaming).below(held(barrier))),
    ])
}

fn slow_arrivals(inline: &Plan, processes: &Plan, rounds: &Rounds) -> Claim {
    let mean = |plan: &Plan| each_round(plan.name, FETCH_MEAN);
    compared(
        "parsed on the executor's own thread, pages took longer to arrive than with processes",
        [inline, processes],
        rounds,
        mean(inline).above(mean(processes)),
        Claim::needs_cpus,
    )
}

/// A claim about the speed of two variants: both must have parsed the same number of pages, more
/// than one, and lost none. `why_not` explains a comparison that was fair and came out otherwise.
fn compared(
    text: &str,
    both: [&Plan; 2],
    rounds: &Rounds,
    speed: Check,
    why_not: impl FnOnce(Claim) -> Claim,
) -> Claim {
    let [one, other] = both.map(|plan| plan.name);
    let claim = Claim::that(text)
        .check(each_round(one, FAILED).equals(number(0)))
        .check(each_round(other, FAILED).equals(number(0)))
        .check(each_round(one, PARSED).equals(each_round(other, PARSED)))
        .check(each_round(one, PARSED).above(number(1)))
        .check(speed);
    match unfairness(one, other, rounds) {
        Some(reason) => claim.otherwise(reason),
        None => why_not(claim),
    }
}

/// Why the times of two variants say nothing about the variants.
fn unfairness(one: &str, other: &str, rounds: &Rounds) -> Option<String> {
    for name in [one, other] {
        let failed: usize = rounds.of(name).map(|round| round.failed).sum();
        if failed > 0 {
            let plural = if failed == 1 { "" } else { "s" };
            return Some(format!(
                "{failed} page{plural} failed in `{name}`, so its time is not that of the work"
            ));
        }
    }
    let mut pairs = rounds.of(one).zip(rounds.of(other));
    if pairs.any(|(one, other)| one.parsed != other.parsed) {
        return Some("the two did not parse the same number of pages".into());
    }
    let is_alone = rounds.of(one).any(|round| round.parsed <= 1);
    is_alone.then(|| "one page leaves nothing to overlap or to share out".into())
}

fn bounded_memory(plans: &[Plan]) -> Claim {
    let text = "no variant held more pages at once than its limits add up to";
    plans.iter().fold(Claim::that(text), |claim, plan| {
        let held = each_round(plan.name, PEAK_HELD);
        claim.check(held.at_most(of(plan.name, "results.pages_held_limit")))
    })
}

fn in_flight(plans: &[Plan]) -> Claim {
    let text = "the server never saw more requests at once than --max-in-flight allows";
    plans.iter().fold(Claim::that(text), |claim, plan| {
        let peak = of(plan.name, "ledger.peak_in_flight");
        claim.check(peak.at_most(top("params.max_in_flight")))
    })
}

fn other_processes(plans: &[Plan]) -> Claim {
    let text = "every page that was parsed in the pool's variants was parsed outside this process";
    let pools = plans.iter().filter(|plan| plan.way == Way::Processes);
    pools.fold(Claim::that(text), |claim, plan| {
        claim
            .check(each_round(plan.name, PARSED).at_least(number(1)))
            .check(each_round(plan.name, PARSED_HERE).equals(number(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::tests::rounds;

    #[test]
    fn times_are_compared_only_where_both_did_all_of_the_same_pages() {
        let reason = |of: &[(&'static str, usize, usize)]| unfairness("a", "b", &rounds(of));
        assert_eq!(
            reason(&[("a", 9, 0), ("b", 9, 0), ("a", 9, 0), ("b", 9, 0)]),
            None
        );
        // One page in one round is enough.
        let lost = reason(&[("a", 9, 0), ("b", 9, 0), ("a", 9, 0), ("b", 8, 1)]);
        assert!(lost.is_some_and(|lost| lost.starts_with("1 page failed in `b`")));
        let other = reason(&[("a", 9, 0), ("b", 8, 0)]);
        assert!(other.is_some_and(|other| other.contains("same number of pages")));
        let alone = reason(&[("a", 1, 0), ("b", 1, 0)]);
        assert!(alone.is_some_and(|alone| alone.starts_with("one page")));
    }

    #[test]
    fn a_rate_keeps_its_digits_and_is_never_0_when_something_was_parsed() {
        for (rate, words) in [
            (290.2, "290"),
            (1234.5, "1,235"),
            (99.94, "99.9"),
            (12.34, "12.3"),
            (0.2, "0.2"),
            (0.0042, "4.20e-3"),
        ] {
            assert_eq!(in_words(rate), words, "{rate}");
        }
    }
}
