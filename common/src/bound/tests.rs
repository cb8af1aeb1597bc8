use super::*;
use measure::Moment;
use timeline::{Lane, LaneId, LaneKind, START_UP};

fn lane(kind: LaneKind, number: u64, spans: Vec<Span>) -> Lane {
    Lane {
        id: LaneId { kind, number },
        name: "lane".into(),
        spans,
    }
}

#[test]
fn work_is_bounded_by_its_longest_job_or_its_share() {
    let start = Moment::at(Duration::from_secs(1));
    let job = |busy_ms: &u64| {
        let end = start.plus(Duration::from_secs(9));
        Span::watched("job", start, end, Duration::from_millis(*busy_ms))
    };
    let start_up = Span::watched(START_UP, start, start, Duration::from_secs(5));
    let spans = |jobs: &[u64]| jobs.iter().map(job).chain([start_up.clone()]).collect();
    let lane = |number, jobs: &[u64]| lane(LaneKind::Thread, number, spans(jobs));
    let recording = Recording {
        start,
        wall: Duration::from_secs(9),
        lanes: vec![lane(0, &[10, 40]), lane(1, &[20, 30])],
        ..Recording::default()
    };
    let bound = |workers, cpus| {
        Bound::Work { workers }
            .of(&recording, cpus)
            .expect("there are jobs")
    };
    assert_eq!(bound(2, 2).0, Duration::from_millis(50));
    assert_eq!(
        bound(2, 1),
        (Duration::from_millis(100), "100 ms of work in a row".into())
    );
    assert_eq!(
        bound(4, 4),
        (Duration::from_millis(40), "the longest job".into())
    );
}

#[test]
fn waits_are_bounded_by_waves_or_by_their_own_length() {
    let second = Duration::from_secs(1);
    let recording = Recording {
        wall: 3 * second,
        ..Recording::default()
    };
    let bound = |each, count, at_once| {
        Bound::Waits {
            each,
            count,
            at_once,
        }
        .of(&recording, 2)
    };
    assert_eq!(
        bound(Some(second), 10, 10).map(|(bound, _)| bound),
        Some(second)
    );
    assert_eq!(
        bound(Some(second), 10, 6).map(|(bound, _)| bound),
        Some(2 * second)
    );
    assert_eq!(bound(None, 10, 6), None, "nothing was seen");
    assert_eq!(
        bound(Some(second), 10, 2),
        None,
        "beaten: the waits cannot have been that long"
    );
}
