//! A task that computes beside the pipeline, with and without yielding.

use crate::{
    HOG, POLITE,
    args::Args,
    flow::{Ends, Flow, run},
};
use common::{Lab, format};
use lab_18_async_producer_consumer::{
    Plan,
    hog::{Hogged, run_beside_hog, run_beside_polite_task},
};

pub(crate) fn show(args: &Args, lab: &mut Lab, plan: &Plan) -> anyhow::Result<()> {
    let (work, offered) = (args.work(), plan.items.len());
    let steps = format::count(work.pieces * work.steps);
    lab.say(format!(
        "a task beside them computes {steps} steps, then the same yielding …"
    ));
    let mut values = Vec::new();
    let mut book = |hogged: Hogged| {
        values.push(hogged.value);
        Ok(Flow {
            finished_meanwhile: Some(hogged.finished_meanwhile),
            ..Flow::new(offered, hogged.entries)
        })
    };
    let hog = run_beside_hog(plan.clone(), work);
    let hog = run(lab, HOG, plan, Ends::WithTheLastItem, hog, &mut book)?;
    let polite = run_beside_polite_task(plan.clone(), work);
    let polite = run(lab, POLITE, plan, Ends::WithTheLastItem, polite, &mut book)?;
    if values[0] != values[1] {
        lab.fail("the two ways to compute differ in what they computed; please report this");
    }
    for (name, flow) in [(HOG, hog), (POLITE, polite)] {
        lab.say(format!(
            "{name}: items finished meanwhile {}, longest gap {}",
            flow.finished_meanwhile.unwrap_or_default(),
            format::seconds_f64(flow.longest_gap_s)
        ));
    }
    Ok(())
}
