//! Figures from books that are written by hand.

use super::*;
use std::{num::NonZeroUsize, time::Duration};

fn plan(items: u64, consumers: usize) -> Plan {
    let whole = |count| NonZeroUsize::new(count).expect("not zero");
    Plan {
        items,
        consumers: whole(consumers),
        capacity: whole(2),
        making: None,
        handling: Duration::ZERO..=Duration::ZERO,
        bad_item: None,
        seed: 1,
    }
}

fn at(milliseconds: u64) -> Moment {
    Moment::at(Duration::from_millis(1_000 + milliseconds))
}

fn record(items: u64, consumers: usize, events: &[(u64, usize, usize, Event)]) -> Record {
    let entry = |&(ms, who, depth, event): &(u64, usize, usize, Event)| Entry {
        at: at(ms),
        who,
        depth,
        event,
    };
    let entries = events.iter().map(entry).collect();
    Record::new(&plan(items, consumers), (entries, at(0), at(100)), vec![])
}

#[test]
fn what_is_taken_twice_or_never_or_late_is_seen() {
    let taken = |ms, who, item| (ms, who, 0, Event::Taken(Some(item)));
    let wrong = record(4, 2, &[taken(1, 1, 1), taken(2, 2, 3), taken(3, 2, 1)]);
    assert_eq!((wrong.missing, wrong.twice, wrong.out_of_order), (2, 1, 1));
    assert_eq!(wrong.taken_by, [1, 2]);
    let right = record(2, 2, &[taken(1, 2, 1), taken(2, 1, 2)]);
    assert_eq!((right.missing, right.twice, right.out_of_order), (0, 0, 0));
}

#[test]
fn an_item_taken_and_never_done_has_failed() {
    let events = [
        (1, 1, 0, Event::Taken(Some(1))),
        (2, 1, 0, Event::Done(1)),
        (3, 1, 0, Event::Taken(Some(2))),
    ];
    let record = record(5, 1, &events);
    assert_eq!((record.done, record.failed, record.cancelled), (1, 1, 3));
    assert_eq!(record.accounted, 5);
    assert_eq!(record.handled[0].done_s, Some(0.002));
}

#[test]
fn waits_are_added_up_by_side_and_drawn_where_they_were() {
    let blocked = |since| Event::Blocked { since: at(since) };
    let events = [
        (0, 0, 2, Event::Depth),
        (50, 0, 1, blocked(0)),
        (60, 1, 0, Event::Depth),
        (75, 1, 0, blocked(55)),
        (100, 2, 0, blocked(85)),
    ];
    let record = record(1, 2, &events);
    assert!((record.producer_blocked_s - 0.050).abs() < 1e-9);
    assert!((record.consumers_blocked_s - 0.035).abs() < 1e-9);
    assert_eq!(record.peak_depth, 2);
    let [depth, full, empty] = crate::draw::lines(&record, 10);
    assert_eq!(depth, "█████▄····");
    assert_eq!(full, "#####.....");
    assert_eq!(empty, ".....11111");
}
