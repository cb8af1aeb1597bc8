//! Runs that end before their last item: stopped, or by a panic.

use crate::{
    AT_ONCE, GRACEFUL, ONE_PANICS, SOLE_PANICS,
    args::{self, Args},
    flow::{Ends, Flow, book, run},
};
use common::Lab;
use lab_18_async_producer_consumer::{
    Plan, run_pipeline,
    shutdown::{stop_at_once, stop_gracefully},
};
use std::num::NonZeroUsize;

pub(crate) fn show_stops(args: &Args, lab: &mut Lab, plan: &Plan) -> anyhow::Result<(Flow, Flow)> {
    let after = args.stop_after();
    lab.say(format!(
        "items finished when the stop comes: {after}; at once, and gracefully …"
    ));
    let stopping = stop_at_once(plan.clone(), after);
    let at_once = run(lab, AT_ONCE, plan, Ends::Before, stopping, book(plan))?;
    let stopping = stop_gracefully(plan.clone(), after);
    let graceful = run(lab, GRACEFUL, plan, Ends::Before, stopping, book(plan))?;
    say_balance(lab, AT_ONCE, &at_once);
    say_balance(lab, GRACEFUL, &graceful);
    Ok((at_once, graceful))
}

pub(crate) fn show_panics(args: &Args, lab: &mut Lab, plan: &Plan) -> anyhow::Result<Flow> {
    const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
    let several = args::poisoned(plan, args.consumers.max(TWO));
    lab.say(format!(
        "a consumer panics: one of {}, and the only one …",
        several.consumers
    ));
    let flowing = run_pipeline(several.clone());
    let one = run(lab, ONE_PANICS, &several, Ends::Before, flowing, book(plan))?;
    let alone = args::poisoned(plan, NonZeroUsize::MIN);
    let flowing = run_pipeline(alone.clone());
    let sole = run(lab, SOLE_PANICS, &alone, Ends::Before, flowing, book(plan))?;
    for (name, flow) in [(ONE_PANICS, &one), (SOLE_PANICS, &sole)] {
        for panic in &flow.panics {
            lab.say(format!("{name}: a consumer panicked: {panic}"));
        }
        say_balance(lab, name, flow);
    }
    Ok(sole)
}

/// Where every item went.
fn say_balance(lab: &Lab, name: &str, flow: &Flow) {
    lab.say(format!(
        "{name}: {} = consumed {} + in hand {} + in queue {} + not accepted {}",
        flow.offered, flow.consumed, flow.left_in_hand, flow.left_in_queue, flow.not_accepted
    ));
}
