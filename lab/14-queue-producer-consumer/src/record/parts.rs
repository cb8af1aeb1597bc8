//! The items and the waits of a run, each read from the books.

use crate::books::{Entry, Event};
use serde::Serialize;
use std::collections::BTreeMap;
use timeline::Moment;

/// How full the queue was from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Depth {
    /// Since the start of the run.
    pub at_s: f64,
    /// Messages in the queue.
    pub depth: usize,
}

/// A wait for room or for a message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Blocked {
    /// 0 is the producer, who waited for room; the others waited for a message.
    pub who: usize,
    /// Since the start of the run.
    pub from_s: f64,
    /// Since the start of the run.
    pub to_s: f64,
}

/// An item that was taken out of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Handled {
    /// Its number.
    pub item: u64,
    /// Who took it.
    pub consumer: usize,
    /// When it was taken.
    pub taken_s: f64,
    /// When it was done; `None` if its consumer panicked.
    pub done_s: Option<f64>,
}

pub(super) fn handled(entries: &[Entry], seconds: impl Fn(Moment) -> f64) -> Vec<Handled> {
    let mut handled: Vec<Handled> = Vec::new();
    for entry in entries {
        match entry.event {
            Event::Taken(Some(item)) => handled.push(Handled {
                item,
                consumer: entry.who,
                taken_s: seconds(entry.at),
                done_s: None,
            }),
            Event::Done(item) => {
                let mine = |one: &&mut Handled| one.item == item && one.consumer == entry.who;
                if let Some(one) = handled.iter_mut().rfind(mine) {
                    one.done_s = Some(seconds(entry.at));
                }
            }
            Event::Put(_) | Event::Taken(None) | Event::Blocked { .. } | Event::Depth => {}
        }
    }
    handled
}

pub(super) fn blocked(entries: &[Entry], seconds: impl Fn(Moment) -> f64) -> Vec<Blocked> {
    let waits = entries.iter().filter_map(|entry| match entry.event {
        Event::Blocked { since } => Some(Blocked {
            who: entry.who,
            from_s: seconds(since),
            to_s: seconds(entry.at),
        }),
        _ => None,
    });
    waits.collect()
}

/// How often a consumer took an item after one that was made later.
pub(super) fn out_of_order(handled: &[Handled]) -> usize {
    let mut last = BTreeMap::<usize, u64>::new();
    let late = handled.iter().filter(|one| {
        let before = last.insert(one.consumer, one.item);
        before.is_some_and(|before| before > one.item)
    });
    late.count()
}
