//! What became of a run, in words and three lines of picture.

use common::{Lab, format};
use lab_14_queue_producer_consumer::{draw, record::Record};
use std::fmt::Write;

/// Cells of a picture.
const WIDTH: usize = 68;

/// Most items listed per consumer.
const LISTED: usize = 12;

/// What the three lines of a picture mean.
pub(crate) fn legend(lab: &Lab) {
    lab.say("depth: · nothing in the queue … █ full; full: # the producer waits for room;");
    lab.say("empty: so many consumers wait for an item");
}

/// What the script prints: every item, taken and done.
pub(crate) fn every_item(lab: &Lab, record: &Record) {
    let all = record.handled.iter();
    for one in all.take(LISTED) {
        let taken = format::seconds_f64(one.taken_s);
        let done = one.done_s.map_or("never".into(), format::seconds_f64);
        lab.say(format!(
            "  consumer {}: item {} taken at {taken}, done at {done}",
            one.consumer, one.item
        ));
    }
    if record.handled.len() > LISTED {
        lab.say(format!("  … and {} more", record.handled.len() - LISTED));
    }
}

/// Who took what, the picture of the run, and how long each side waited.
pub(crate) fn summary(lab: &Lab, record: &Record) {
    if record.consumers > 1 {
        for number in (1..=record.consumers).take(LISTED) {
            lab.say(format!("  consumer {number}: {}", items_of(record, number)));
        }
    }
    let [depth, full, empty] = draw::lines(record, WIDTH);
    lab.say(format!("  depth  {depth}"));
    lab.say(format!("  full   {full}"));
    lab.say(format!("  empty  {empty}"));
    let (producer, consumers) = (record.producer_blocked_s, record.consumers_blocked_s);
    lab.say(format!(
        "  at most {} queued; in {} the producer waited {}, consumers {}",
        record.peak_depth,
        format::seconds_f64(record.run_s),
        format::seconds_f64(producer),
        format::seconds_f64(consumers)
    ));
    for item in &record.panicked {
        let (done, cancelled) = (record.done, record.cancelled);
        lab.say(format!(
            "  a consumer panicked on item {item}; done {done}, called off {cancelled}"
        ));
    }
}

/// The items that a consumer took, in the order of the taking.
fn items_of(record: &Record, number: usize) -> String {
    let own = || record.handled.iter().filter(|one| one.consumer == number);
    let mut text = String::new();
    for one in own().take(LISTED) {
        let comma = if text.is_empty() { "" } else { ", " };
        let lost = if one.done_s.is_none() { " (lost)" } else { "" };
        let _ = write!(text, "{comma}{}{lost}", one.item);
    }
    let more = own().count().saturating_sub(LISTED);
    if more > 0 {
        let _ = write!(text, ", and {more} more");
    }
    if text.is_empty() {
        "nothing".into()
    } else {
        text
    }
}
