//! What this run is to show.

use crate::{plan::Plan, source::Source};
use common::{
    Experiment,
    experiment::claim::{Claim, number, of, top},
    report::format,
};
use lab_10_hybrid_pipeline::workers::Way;

/// Tells each variant's rate and adds the claims that these variants can show.
pub(crate) fn tell_and_claim(lab: &mut Experiment, plans: &[Plan], source: &Source, pages: usize) {
    for plan in plans {
        if let Some(wall) = lab.wall(plan.name) {
            let rate = pages as f64 / wall.as_secs_f64();
            let (name, wall) = (plan.name, format::seconds(wall));
            lab.say(format!("{name}: elapsed {wall}, {rate:.0} pages/s"));
        }
    }
    lab.claim(same_findings(plans));
    for claim in cost_of_the_barrier(plans).into_iter().flatten() {
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
        lab.claim(
            Claim::that(
                "parsed on the executor's own thread, pages took longer to arrive than with processes",
            )
            .check(
                of(inline.name, "results.fetch_mean_s")
                    .above(of(processes.name, "results.fetch_mean_s")),
            )
            .needs_cpus(),
        );
        lab.claim(
            Claim::that("the threads of rayon were done before the worker processes")
                .check(of(rayon.name, "walls_s").below(of(processes.name, "walls_s"))),
        );
    }
}

fn same_findings(plans: &[Plan]) -> Claim {
    let text = "all variants found the same pages with the same titles and links";
    plans[1..].iter().fold(Claim::that(text), |claim, plan| {
        let sum = of(plan.name, "results.checksum");
        claim.check(sum.equals(of(plans[0].name, "results.checksum")))
    })
}

/// What the barrier costs, where the pages are parsed in the same way with and without it.
fn cost_of_the_barrier(plans: &[Plan]) -> Option<[Claim; 2]> {
    let barrier = plans.iter().find(|plan| plan.has_barrier)?;
    let streaming = plans
        .iter()
        .find(|plan| !plan.has_barrier && plan.way == barrier.way)?;
    let less = |path| of(streaming.name, path).below(of(barrier.name, path));
    Some([
        Claim::that("without the barrier the same pages took less time").check(less("walls_s")),
        Claim::that("without the barrier fewer pages were held at once")
            .check(less("results.peak_pages_held")),
    ])
}

fn bounded_memory(plans: &[Plan]) -> Claim {
    let text = "no variant held more pages at once than its limits add up to";
    plans.iter().fold(Claim::that(text), |claim, plan| {
        let held = of(plan.name, "results.peak_pages_held");
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
    let text = "the process pool parsed every page outside this process";
    let pools = plans.iter().filter(|plan| plan.way == Way::Processes);
    pools.fold(Claim::that(text), |claim, plan| {
        let of = |path| of(plan.name, path);
        claim
            .check(of("results.parsed_here").equals(number(0)))
            .check(of("results.parsing_processes").at_least(number(1)))
    })
}
