//! One run of a pipeline: measured, and reported in a line.

use crate::{BOUNDED, UNBOUNDED, args, claims::Flow};
use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_18_async_producer_consumer::{Plan, pipeline::Outcome, run_on_this_thread};

/// Runs a variant that is to consume every item.
pub(crate) fn run_to_the_end(
    lab: &mut Lab,
    name: &str,
    plan: &Plan,
    flowing: impl Future<Output = Outcome>,
) -> anyhow::Result<Flow> {
    let bound = Bound::Known {
        duration: args::least_time(plan),
        reason: "what the consumers, or the producer, need at least".into(),
    };
    let flow = run(lab, name, plan, Some(bound), flowing)?;
    let (consumed, offered) = (flow.consumed, plan.items.len());
    if consumed != offered {
        lab.fail(format!(
            "`{name}` consumed {consumed} of {offered} items; please report this"
        ));
    }
    Ok(flow)
}

pub(crate) fn run(
    lab: &mut Lab,
    name: &str,
    plan: &Plan,
    bound: Option<Bound>,
    flowing: impl Future<Output = Outcome>,
) -> anyhow::Result<Flow> {
    let offered = plan.items.len();
    let mut variant = lab.variant(name);
    if let Some(bound) = bound {
        variant = variant.bound(bound);
    }
    if ![UNBOUNDED, BOUNDED].contains(&name) {
        variant = variant.other_work();
    }
    let mut outcome = Outcome::default();
    variant.run_counted(
        || {
            outcome = run_on_this_thread(flowing).context("cannot start a runtime")?;
            Ok([outcome.finished.len(), outcome.panics.len()])
        },
        // A panic costs the item in its hands; what a stop leaves behind was cancelled.
        |&[finished, panicked]| Tally {
            submitted: offered as u64,
            done: finished as u64,
            failed: panicked as u64,
            cancelled: (offered - finished - panicked) as u64,
            ..Tally::default()
        },
    )?;
    for panic in &outcome.panics {
        lab.explain(format!("{name}: a consumer is gone: {panic}"));
    }
    let flow = Flow::of(&lab.recording(name), &outcome, offered);
    let elapsed = format::seconds(lab.wall(name).unwrap_or_default());
    lab.explain(format!("{name}: {flow}, elapsed {elapsed}"));
    Ok(flow)
}
