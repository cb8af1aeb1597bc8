//! The same items through an unbounded and a bounded queue.

use crate::{
    BOUNDED, UNBOUNDED,
    args::{self, Args},
    flow::{Ends, Flow, book, draw_depth, run},
};
use common::{Lab, format};
use lab_18_async_producer_consumer::{Plan, run_pipeline};

pub(crate) fn show(args: &Args, lab: &mut Lab, plan: &Plan) -> anyhow::Result<(Flow, Flow)> {
    lab.say(format!(
        "items {}, consumers {}; the queue unbounded, and bounded to {} …",
        args.items, args.consumers, args.queue
    ));
    let open = args::unbounded(plan);
    let flowing = run_pipeline(open.clone());
    let unbounded = run(
        lab,
        UNBOUNDED,
        &open,
        Ends::WithTheLastItem,
        flowing,
        book(plan),
    )?;
    let flowing = run_pipeline(plan.clone());
    let bounded = run(
        lab,
        BOUNDED,
        plan,
        Ends::WithTheLastItem,
        flowing,
        book(plan),
    )?;
    say_depths(args, lab, &unbounded, &bounded);
    Ok((unbounded, bounded))
}

/// Draws both depths on one scale, and tells how long the producer waited.
fn say_depths(args: &Args, lab: &Lab, unbounded: &Flow, bounded: &Flow) {
    let most = unbounded
        .peak_depth
        .max(args.queue.get().min(args.items.get()));
    for (name, flow) in [(UNBOUNDED, unbounded), (BOUNDED, bounded)] {
        let wall = lab.wall(name).unwrap_or_default();
        let drawn = draw_depth(&flow.raw_depths, wall, most);
        lab.say(format!(
            "depth {name:<9} │{drawn}│ peak {}",
            flow.peak_depth
        ));
    }
    for (name, flow) in [(UNBOUNDED, unbounded), (BOUNDED, bounded)] {
        let blocked = format::seconds_f64(flow.blocked_s);
        let times = flow.found_full;
        lab.say(format!(
            "{name}: times the producer waited {times}, in all {blocked}"
        ));
    }
}
