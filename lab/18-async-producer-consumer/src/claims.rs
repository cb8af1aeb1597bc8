//! What the run is to show.

use crate::{
    AT_ONCE, BOUNDED, GRACEFUL, HOG, ONE_PANICS, POLITE, SOLE_PANICS, UNBOUNDED, args::Args,
};
use common::{
    Lab,
    claim::{Claim, Count, Figure, Seconds, a_tick, count, done, seconds, submitted},
    format,
};
use lab_18_async_producer_consumer::{Plan, pipeline::Outcome};
use std::{collections::BTreeSet, fmt, time::Duration};
use timeline::{Level, Moment, Recording, Span};

/// A send that took less did not wait for a consumer: it is no longer than a tick of the timer.
const A_TICK: Duration = Duration::from_millis(1);

/// Where the items of a run went, by its recording.
pub(crate) struct Flow {
    offered: usize,
    pub(crate) consumed: usize,
    repeated: usize,
    in_hand: usize,
    in_queue: usize,
    peak_depth: usize,
    waits: usize,
    waited: Duration,
    panicked: usize,
}

impl Flow {
    pub(crate) fn of(recording: &Recording, outcome: &Outcome, offered: usize) -> Self {
        let consumed = outcome.finished.len();
        let depths = recording.level("items queued");
        let waits = recording.named("send").map(Span::duration);
        let waits: Vec<Duration> = waits.filter(|wait| *wait >= A_TICK).collect();
        Self {
            offered,
            consumed,
            repeated: consumed - outcome.finished.iter().collect::<BTreeSet<_>>().len(),
            in_hand: recording.named("consume").count() - consumed,
            in_queue: depths
                .and_then(|level| level.samples.last())
                .map_or(0, |last| last.1 as usize),
            peak_depth: depths.map_or(0.0, Level::peak) as usize,
            waits: waits.len(),
            waited: waits.iter().sum(),
            panicked: outcome.panics.len(),
        }
    }

    fn lost(&self) -> usize {
        self.in_hand + self.in_queue
    }

    fn not_accepted(&self) -> usize {
        self.offered - self.consumed - self.lost()
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offered,
            consumed,
            in_hand,
            in_queue,
            waits,
            ..
        } = self;
        write!(f, "consumed {consumed} of {offered}")?;
        if consumed == offered {
            let waited = format::seconds(self.waited);
            return write!(
                f,
                ", {} queued at most, {waits} waits for room ({waited})",
                self.peak_depth
            );
        }
        let not_accepted = self.not_accepted();
        write!(
            f,
            " + in hand {in_hand} + in queue {in_queue} + not accepted {not_accepted}"
        )
    }
}

pub(crate) fn backpressure(args: &Args, lab: &mut Lab, unbounded: &Flow, bounded: &Flow) {
    let mut depth = |name, flow: &Flow| lab.count(name, "most_items_queued", flow.peak_depth);
    let (unbounded_depth, bounded_depth) = (depth(UNBOUNDED, unbounded), depth(BOUNDED, bounded));
    let mut waits = |name, flow: &Flow| lab.count(name, "waits_for_room", flow.waits);
    let (unbounded_waits, bounded_waits) = (waits(UNBOUNDED, unbounded), waits(BOUNDED, bounded));
    let waited = lab.duration(BOUNDED, "waited_for_room", bounded.waited);
    let queue = || count(args.queue.get());
    lab.claim(
        Claim::that(
            "unbounded_grows",
            "without a bound the producer never waited, and the queue grew past the other's bound",
        )
        .check(unbounded_waits.equals(count(0)))
        .check(unbounded_depth.above(queue()))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "bound_holds",
            "the bounded queue never held more than its bound",
        )
        .check(bounded_depth.at_most(queue())),
    );
    lab.claim(
        Claim::that(
            "producer_waits",
            "with a bound the producer waited until there was room",
        )
        .check(bounded_waits.above(count(0)))
        .check(waited.above(seconds(0.0)))
        .headline(),
    );
    each_once(lab, [(UNBOUNDED, unbounded), (BOUNDED, bounded)]);
}

fn each_once(lab: &mut Lab, both: [(&str, &Flow); 2]) {
    let once = Claim::that(
        "each_once",
        "through either queue every item was consumed exactly once",
    );
    let once = both.into_iter().fold(once, |claim, (name, flow)| {
        let repeated = lab.count(name, "consumed_again", flow.repeated);
        claim
            .check(done(name).equals(submitted(name)))
            .check(repeated.equals(count(0)))
    });
    lab.claim(once);
}

/// Notes how many items were finished while the task computed, the longest gap between two, and how
/// long it computed.
fn note_gaps(lab: &mut Lab, name: &str) -> (Figure<Count>, Figure<Seconds>, Figure<Seconds>) {
    let recording = lab.recording(name);
    let mut ends: Vec<Moment> = recording.named("consume").map(|span| span.end).collect();
    ends.sort();
    let gaps = ends.windows(2).map(|pair| pair[1] - pair[0]);
    let gap = gaps.max().unwrap_or_default();
    let computing = recording.named("compute").next();
    let within =
        |end: &&Moment| computing.is_some_and(|span| (span.start..span.end).contains(*end));
    let meanwhile = ends.iter().filter(within).count();
    let computed = computing.map(|span| span.busy).unwrap_or_default();
    lab.explain(format!(
        "{name}: items finished meanwhile {meanwhile}, longest gap {}",
        format::seconds(gap)
    ));
    (
        lab.count(name, "items_finished_meanwhile", meanwhile),
        lab.duration(name, "longest_gap", gap),
        lab.duration(name, "computed_for", computed),
    )
}

pub(crate) fn cooperation(plan: &Plan, lab: &mut Lab) {
    let longest = plan
        .items
        .iter()
        .map(|item| item.takes)
        .max()
        .unwrap_or_default();
    let longest = lab.duration(None, "longest_item", longest);
    let (beside_hog, hog_gap, hog_computed) = note_gaps(lab, HOG);
    let (beside_polite, polite_gap, polite_computed) = note_gaps(lab, POLITE);
    lab.claim(
        Claim::that(
            "hog_takes_every_turn",
            "a task computed without yielding, and no item was finished all that time",
        )
        .check(hog_computed.clone().at_least(a_tick()))
        .check(hog_computed.above(longest.clone()))
        .check(beside_hog.equals(count(0)))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "yielding_shares",
            "it computed the same, yielding, and items were finished",
        )
        .check(polite_computed.above(longest))
        .check(beside_polite.above(count(0))),
    );
    lab.claim(
        Claim::that(
            "gap",
            "without yielding, the longest gap between two finished items was longer",
        )
        .check(hog_gap.above(polite_gap * 1.2)),
    );
}

pub(crate) fn shutdown(lab: &mut Lab, at_once: &Flow, graceful: &Flow) {
    let mut lost = |name, flow: &Flow| lab.count(name, "accepted_and_lost", flow.lost());
    let (abrupt_lost, graceful_lost) = (lost(AT_ONCE, at_once), lost(GRACEFUL, graceful));
    let not_accepted = lab.count(GRACEFUL, "not_accepted", graceful.not_accepted());
    lab.claim(
        Claim::that(
            "abrupt_stop_loses",
            "stopped at once, items that the queue had accepted were lost",
        )
        .check(abrupt_lost.above(count(0)))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "graceful_stop_loses_none",
            "stopped gracefully, it ended before the last item and lost none that was accepted",
        )
        .check(not_accepted.above(count(0)))
        .check(graceful_lost.equals(count(0))),
    );
}

pub(crate) fn panics(lab: &mut Lab, one: &Flow, sole: &Flow) {
    let one_panicked = lab.count(ONE_PANICS, "panics", one.panicked);
    let in_hand = lab.count(ONE_PANICS, "lost_in_hand", one.in_hand);
    let in_queue = lab.count(ONE_PANICS, "left_in_queue", one.in_queue);
    let not_accepted = lab.count(ONE_PANICS, "not_accepted", one.not_accepted());
    lab.claim(
        Claim::that(
            "one_panic_costs_one_item",
            "when one consumer panicked, the others consumed all but the item in its hands",
        )
        .check(one_panicked.equals(count(1)))
        .check(in_hand.equals(count(1)))
        .check(in_queue.equals(count(0)))
        .check(not_accepted.equals(count(0))),
    );
    let sole_panicked = lab.count(SOLE_PANICS, "panics", sole.panicked);
    let not_accepted = lab.count(SOLE_PANICS, "not_accepted", sole.not_accepted());
    lab.claim(
        Claim::that(
            "last_panic_ends_the_run",
            "when the only consumer panicked, the producer could send no more, and the run ended",
        )
        .check(sole_panicked.equals(count(1)))
        .check(not_accepted.above(count(0))),
    );
}
