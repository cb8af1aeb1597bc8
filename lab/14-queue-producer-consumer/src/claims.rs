//! What the runs are to show, and the figures that decide.

use crate::flags::Args;
use common::{
    Lab, TableReport,
    claim::{
        Claim, Count, Figure, Seconds, a_tick, cancelled, count, done, failed, none_failed,
        submitted,
    },
    format,
};
use lab_14_queue_producer_consumer::Consumed;
use std::collections::BTreeSet;
use timeline::Level;

/// What one variant showed.
pub(crate) struct Figures {
    name: String,
    row: Vec<String>,
    different: Figure<Count>,
    late: Figure<Count>,
    ended: Figure<Count>,
    queued: Figure<Count>,
    at_once: Figure<Count>,
    by_producer: Figure<Seconds>,
    /// On average.
    by_consumer: Figure<Seconds>,
}

impl Figures {
    /// Notes what the variant's latest run showed.
    pub(crate) fn note(lab: &mut Lab, name: String, (handled, panics): &Consumed) -> Self {
        let different: BTreeSet<&u64> = handled.iter().flatten().collect();
        let pairs = handled.iter().flat_map(|items| items.windows(2));
        let late = pairs.filter(|pair| pair[0] > pair[1]).count();
        let recording = lab.recording(&name);
        let queued = recording.level("items queued").map_or(0.0, Level::peak) as usize;
        let by_producer = recording.waited("queue full");
        let by_consumer = recording.waited("queue empty") / handled.len() as u32;
        let waited = [by_producer, by_consumer].map(format::seconds);
        let row = [vec![name.clone(), queued.to_string()], waited.into()].concat();
        let mut count = |figure, value| lab.count(&*name, figure, value);
        Self {
            different: count("different_items_handled", different.len()),
            late: count("items_handled_after_a_later_one", late),
            ended: count("consumers_that_reached_the_end", handled.len() - panics),
            queued: count("most_items_queued", queued),
            at_once: count("most_consumers_at_work", recording.most_open("handle")),
            by_producer: lab.duration(&*name, "producer_waited", by_producer),
            by_consumer: lab.duration(&*name, "each_consumer_waited_on_average", by_consumer),
            name,
            row,
        }
    }
}

/// Shows who waited for whom, and adds the claims.
pub(crate) fn show(lab: &mut Lab, args: &Args, all: &[Figures]) {
    let headings = ["", "most queued", "producer waited", "consumer waited"];
    lab.table(TableReport {
        title: "Who waited for whom".into(),
        headings: headings.map(String::from).into(),
        rows: all.iter().map(|run| run.row.clone()).collect(),
        text_columns: vec![0],
        ..TableReport::default()
    });
    let (consumers, capacity) = (args.consumers.get(), args.capacity.get());
    let of = |name: &str| all.iter().find(|run| run.name == name).expect("it ran");
    let text = "without a panic every item was handled exactly once";
    let mut once = Claim::that("each_item_once", text).headline();
    let text = format!("the queue was never seen with more than {capacity} in it");
    let mut bounded = Claim::that("queue_is_bounded", text);
    let text = "a single consumer handled the items in the order in which they were made";
    let mut in_order = Claim::that("in_order", text);
    for run in all.iter().filter(|run| run.name != "panic") {
        let different = run.different.clone();
        once = once.check(different.equals(submitted(&run.name)));
        once = once.check(done(&run.name).equals(submitted(&run.name)));
        bounded = bounded.check(run.queued.clone().at_most(count(capacity)));
        if run.name.ends_with("× 1") {
            in_order = in_order.check(run.late.clone().equals(count(0)));
        }
    }
    for claim in [once, bounded, in_order] {
        lab.claim(claim);
    }
    let eager = of("eager × 1");
    let text = "backpressure: the queue was full, its eager producer waited for room";
    let waited = || eager.by_producer.clone();
    let backpressure = Claim::that("backpressure", text)
        .check(eager.queued.clone().equals(count(capacity)))
        .check(waited().at_least(eager.by_consumer.clone() * 2.0))
        .check(waited().at_least(a_tick()))
        .in_a_line("backpressure: the queue was full, its eager producer waited {left2}")
        .headline();
    lab.claim(match args.items.get() > capacity {
        true => backpressure,
        false => backpressure.otherwise(format!("the queue has room for all {} items", args.items)),
    });
    if consumers > 1 {
        let [sentinels, closing, eager] =
            ["sentinels", "closing", "eager"].map(|way| of(&format!("{way} × {consumers}")));
        let text = format!("{consumers} sentinels, or one close, ended {consumers} consumers");
        let ended = Claim::that("all_consumers_ended", text).headline();
        lab.claim([sentinels, closing].into_iter().fold(ended, |claim, run| {
            let ended = run.ended.clone().equals(count(consumers));
            claim.check(ended).check(none_failed(&run.name))
        }));
        let text = "beside a producer that pauses, a consumer waited over twice as long as it";
        let (waited, twice) = (
            || closing.by_consumer.clone(),
            closing.by_producer.clone() * 2.0,
        );
        let claim = Claim::that("consumers_wait", text).check(waited().above(twice));
        lab.claim(claim.check(waited().at_least(a_tick())));
        let text = "several consumers were handling items at the same time";
        let at_once = eager.at_once.clone().above(count(1));
        lab.claim(Claim::that("consumers_side_by_side", text).check(at_once));
    }
    add_panic(lab, args, of("panic"));
}

/// The rest depends on whether there are other consumers.
fn add_panic(lab: &mut Lab, args: &Args, panic: &Figures) {
    let items = args.items.get() * args.consumers.get();
    let mut text = "one consumer panicked: its item is lost, the others did the rest";
    let mut handled = items - 1;
    if args.consumers.get() == 1 {
        text = "the only consumer panicked: all later items were cancelled";
        handled = items.div_ceil(2) - 1;
    }
    lab.claim(
        Claim::that("panic_accounted_for", text)
            .check(failed("panic").equals(count(1)))
            .check(panic.different.clone().equals(count(handled)))
            .check(cancelled("panic").equals(count(items - 1 - handled)))
            .headline(),
    );
}
