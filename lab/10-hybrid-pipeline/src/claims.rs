//! What this run is to show.

use crate::{
    flags::PipelineArgs,
    plan::{Plan, Shown},
    source::Source,
};
use common::{
    Lab,
    claim::{Claim, count, in_flight, none_failed, wall},
};
use lab_10_hybrid_pipeline::workers::Way;

pub(crate) fn claim(
    args: &PipelineArgs,
    lab: &mut Lab,
    source: &Source,
    plans: &[Plan],
    shown: &[Shown],
) {
    let all = || plans.iter().zip(shown);
    let same = Claim::that(
        "same_findings",
        "all variants found the same pages with the same titles and links",
    );
    lab.claim(all().skip(1).fold(same, |claim, (_, shown)| {
        claim.check(shown.different.clone().equals(count(0)))
    }));
    let find = |has_barrier: bool, way: Way| {
        let is_it = |(plan, _): &(&Plan, &Shown)| {
            plan.has_barrier == has_barrier && plan.way == way && !plan.loses_a_worker()
        };
        all().find(is_it)
    };
    // Times say something where both parsed the same pages, more than one, and lost none.
    let fair = |claim: Claim, [one, other]: [(&Plan, &Shown); 2]| {
        claim
            .check(none_failed(one.0.name))
            .check(none_failed(other.0.name))
            .check(one.1.parsed.clone().equals(other.1.parsed.clone()))
            .check(one.1.parsed.clone().above(count(1)))
    };
    // A tenth apart, so that equal times are not called different.
    let sooner = |one: &Plan, other: &Plan| wall(one.name).below(wall(other.name) * 0.9);
    let barrier = all()
        .find(|(plan, _)| plan.has_barrier)
        .expect("the first has one");
    let streaming = find(false, barrier.0.way).expect("it is run with and without the barrier");
    lab.claim(
        fair(
            Claim::that(
                "streaming_is_faster",
                "without the barrier the same pages took less time",
            ),
            [streaming, barrier],
        )
        .check(sooner(streaming.0, barrier.0))
        .needs_cpus()
        .headline(),
    );
    lab.claim(
        Claim::that(
            "fewer_pages_wait",
            "without the barrier fewer pages waited between the stages at once",
        )
        .check(streaming.1.queued.clone().below(barrier.1.queued.clone()))
        .headline(),
    );
    let bounded = Claim::that(
        "queue_is_bounded",
        "without the barrier no more pages waited at once than --queue allows",
    );
    let queue = || count(args.queue.get());
    lab.claim(
        all()
            .filter(|(plan, _)| !plan.has_barrier)
            .fold(bounded, |claim, (_, shown)| {
                claim.check(shown.queued.clone().at_most(queue()))
            }),
    );
    if source.is_counted() {
        let limited = Claim::that(
            "in_flight_is_limited",
            "the server never saw more requests at once than --max-in-flight allows",
        );
        let most = || count(args.max_in_flight.get());
        lab.claim(plans.iter().fold(limited, |claim, plan| {
            claim.check(in_flight(plan.name).at_most(most()))
        }));
    }
    let apart = Claim::that(
        "parsed_elsewhere",
        "every page that was parsed in the pool's variants was parsed outside this process",
    );
    let pools = || all().filter(|(plan, _)| plan.way == Way::Processes);
    if pools().next().is_some() {
        lab.claim(pools().fold(apart, |claim, (_, shown)| {
            claim
                .check(shown.parsed.clone().at_least(count(1)))
                .check(shown.parsed_here.clone().equals(count(0)))
        }));
    }
    if let (Some(inline), Some(rayon), Some(processes)) = (
        find(false, Way::Inline),
        find(false, Way::Rayon),
        find(false, Way::Processes),
    ) {
        let slow = Claim::that(
            "inline_slows_arrivals",
            "parsed on the executor's own thread, pages took longer to arrive than with processes",
        );
        lab.claim(
            fair(slow, [inline, processes])
                .check(
                    inline
                        .1
                        .mean_fetch
                        .clone()
                        .above(processes.1.mean_fetch.clone() * 1.1),
                )
                .needs_cpus()
                .headline(),
        );
        let threads = Claim::that(
            "threads_before_processes",
            "the threads of rayon were done before the worker processes",
        );
        lab.claim(fair(threads, [rayon, processes]).check(sooner(rayon.0, processes.0)));
    }
    if let Some((plan, shown)) = all().find(|(plan, _)| plan.loses_a_worker()) {
        lab.claim(
            Claim::that(
                "loss_costs_no_page",
                "a worker process was killed in mid-crawl, and every page was parsed all the same",
            )
            .check(shown.workers_lost.clone().at_least(count(1)))
            .check(none_failed(plan.name))
            .check(shown.parsed.clone().equals(streaming.1.parsed.clone()))
            .headline(),
        );
    }
}
