//! What a recording answers, on fixed data.

use std::time::Duration;
use timeline::{Lane, LaneId, LaneKind, Level, Moment, Recording, Span};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn at(milliseconds: u64) -> Moment {
    Moment::at(ms(1_000 + milliseconds))
}

fn span(name: &'static str, start: u64, end: u64, busy: u64, depth: u16) -> Span {
    Span {
        depth,
        ..Span::watched(name, at(start), at(end), ms(busy))
    }
}

fn waiting(cause: &'static str, span: Span) -> Span {
    Span {
        wait: Some(cause.into()),
        ..span
    }
}

fn lane(kind: LaneKind, number: u64, spans: Vec<Span>) -> Lane {
    Lane {
        id: LaneId { kind, number },
        name: format!("lane {number}"),
        spans,
    }
}

fn recording() -> Recording {
    let polled = Span {
        polls: vec![(at(0), at(10)), (at(50), at(60))],
        ..waiting("io", span("fetch", 0, 60, 20, 0))
    };
    let fetched = Span {
        polls: vec![(at(10), at(20)), (at(80), at(90))],
        ..waiting("io", span("fetch", 10, 90, 20, 0))
    };
    let deposit = waiting("io", span("deposit", 0, 100, 30, 0));
    let acquire = waiting("lock", span("acquire", 10, 50, 5, 1));
    let hold = span("hold", 50, 90, 20, 1);
    let threads = vec![deposit, acquire, hold];
    let samples = vec![(at(0), 1.0), (at(10), 4.0), (at(20), 2.0)];
    Recording {
        start: at(0),
        wall: ms(100),
        lanes: vec![
            lane(LaneKind::Thread, 0, threads),
            lane(LaneKind::Thread, 1, vec![span("hold", 80, 95, 15, 0)]),
            lane(LaneKind::Task, 0, vec![polled]),
            lane(LaneKind::Task, 1, vec![fetched]),
        ],
        levels: vec![Level {
            name: "pages".into(),
            samples,
        }],
        ..Recording::default()
    }
}

#[test]
fn a_wait_belongs_to_the_innermost_span_that_does_not_run() {
    let recording = recording();
    // Of its 70 ms, a span with a cause inside takes 35, and one without 20.
    assert_eq!(recording.waited("lock"), ms(35));
    assert_eq!(recording.waited("io"), ms(15 + 40 + 60));
    assert_eq!(recording.waited("sleep"), ms(0));
}

#[test]
fn the_most_of_a_name_that_were_open_at_once() {
    let recording = recording();
    assert_eq!(recording.most_open("fetch"), 2);
    assert_eq!(recording.most_open("hold"), 2);
    assert_eq!(recording.most_open("no such name"), 0);
}

#[test]
fn the_first_and_all_of_a_name() {
    let recording = recording();
    let first = recording.first("hold").map(|span| span.start);
    assert_eq!(first, Some(at(50)));
    assert_eq!(recording.named("hold").count(), 2);
    assert!(recording.first("no such name").is_none());
}

#[test]
fn a_level_is_found_by_name() {
    let recording = recording();
    assert_eq!(recording.level("pages").map(Level::peak), Some(4.0));
    assert!(recording.level("jobs").is_none());
}
