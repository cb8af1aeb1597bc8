//! What this run says of a worker that was killed in mid-crawl.

use crate::{figures::Figures, plan::Plan};
use common::{
    Lab,
    claim::{Claim, number, of},
};

/// Says what happened and claims what came of it; `whole` is a variant that lost nobody.
pub(crate) fn tell_and_claim(lab: &mut Lab, plan: &Plan, whole: &Plan, figures: &Figures) {
    let happened = match figures.killed_worker {
        Some(id) => format!("worker {id} was killed"),
        None => "the crawl was over before a worker could be killed".into(),
    };
    let (lost, retried) = (figures.workers_lost, figures.retried);
    lab.explain(format!(
        "{}: {happened}; workers lost {lost}, pages tried again {retried}",
        plan.name
    ));
    lab.explain("no thread can be killed alone: what ends one of rayon's ends the program");
    let result = |plan: &Plan, figure: &str| of(plan.name, format!("results.{figure}"));
    let text = "a worker process was killed in mid-crawl, and every page was parsed all the same";
    lab.claim(
        Claim::that(text)
            .check(result(plan, "workers_lost").at_least(number(1)))
            .check(result(plan, "failed").equals(result(whole, "failed")))
            .check(result(plan, "parsed").equals(result(whole, "parsed")))
            .check(result(plan, "checksum").equals(result(whole, "checksum"))),
    );
    lab.claim(
        Claim::that("the page that the worker had in hand was tried again")
            .check(of(plan.name, "ledger.retried").at_least(number(1)))
            .otherwise(if figures.killed_worker.is_some() {
                "it was killed between two pages"
            } else {
                "none was killed"
            }),
    );
}
