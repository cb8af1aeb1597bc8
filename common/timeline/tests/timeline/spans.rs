//! What a span says.

use crate::support::{OnceMore, names, poll, recorded};
use std::{pin::pin, sync::Mutex, thread, time::Duration};
use timeline::{LaneKind, Moment, Span, Timeline};
use tracing::{Instrument, info_span, trace_span};

#[test]
fn a_span_in_a_span_lies_deeper_on_the_same_lane() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    info_span!("outer").in_scope(|| info_span!("inner", wait = "lock").in_scope(|| ()));
    let lanes = timeline.take().lanes;
    assert_eq!(lanes.len(), 1);
    assert_eq!(
        names(&lanes[0]),
        ["outer", "inner"],
        "the parent first, though it closes last"
    );
    let (outer, inner) = (&lanes[0].spans[0], &lanes[0].spans[1]);
    assert_eq!((outer.depth, inner.depth), (0, 1));
    assert!(outer.start <= inner.start && inner.end <= outer.end);
    assert_eq!(inner.wait.as_deref(), Some("lock"));
}

#[test]
fn a_task_is_a_lane_of_its_own_with_its_polls_and_its_children() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    let task = async {
        OnceMore::default()
            .instrument(info_span!("request", wait = "io"))
            .await;
    };
    {
        let mut task = pin!(task.instrument(info_span!("fetch", task = 7)));
        assert!(!poll(task.as_mut()));
        assert!(poll(task.as_mut()));
    }
    let lanes = timeline.take().lanes;
    assert_eq!(lanes.len(), 1, "{lanes:?}");
    assert_eq!(lanes[0].id.kind, LaneKind::Task);
    assert_eq!(lanes[0].name, "fetch 7");
    assert_eq!(names(&lanes[0]), ["fetch", "request"]);
    let fetch = &lanes[0].spans[0];
    assert!(
        fetch.polls.len() >= 2,
        "polled twice, and entered once more to be dropped"
    );
    let polled: Duration = fetch.polls.iter().map(|(start, end)| *end - *start).sum();
    assert_eq!(fetch.busy, polled);
    assert!(fetch.busy <= fetch.duration());
}

#[test]
fn what_libraries_say_below_info_is_not_recorded() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    trace_span!("library").in_scope(|| ());
    assert!(timeline.take().lanes.is_empty());
}

#[test]
fn what_a_worker_recorded_becomes_the_lane_of_its_process() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    let start = Moment::now();
    timeline.record_process(
        4242,
        "worker 1",
        Span::watched("start-up", start, start, Duration::ZERO),
    );
    info_span!("parse").in_scope(|| ());
    let mut told = timeline.take();
    told.lanes.retain(|lane| lane.id.kind == LaneKind::Thread);
    timeline.adopt(4242, "worker 1", told);
    let lanes = timeline.take().lanes;
    assert_eq!(lanes.len(), 1);
    assert_eq!(
        (lanes[0].id.kind, lanes[0].id.number),
        (LaneKind::Process, 4242)
    );
    assert_eq!(names(&lanes[0]), ["parse"]);
}

#[test]
fn an_event_with_a_queue_and_a_depth_is_a_sample_of_a_level() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    for depth in [1, 2, 1_usize] {
        tracing::info!(queue = "pages", depth);
    }
    tracing::info!(queue = "no depth");
    tracing::info!("a word");
    tracing::debug!(queue = "pages", depth = 9);
    let recording = timeline.take();
    assert_eq!(recording.levels.len(), 1);
    let level = &recording.levels[0];
    assert_eq!(level.name, "pages");
    let depths: Vec<f64> = level.samples.iter().map(|sample| sample.1).collect();
    assert_eq!(depths, [1.0, 2.0, 1.0]);
}

#[test]
fn known_causes_cost_no_copy_and_others_are_kept_as_they_are() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    info_span!("one", wait = "lock").in_scope(|| ());
    info_span!("other", wait = "the moon", job = 7).in_scope(|| ());
    let recording = timeline.take();
    let spans = &recording.lanes[0].spans;
    assert!(matches!(
        spans[0].wait,
        Some(std::borrow::Cow::Borrowed("lock"))
    ));
    assert_eq!(spans[1].wait.as_deref(), Some("the moon"));
    assert_eq!((spans[0].job, spans[1].job), (None, Some(7)));
}

#[test]
fn a_cause_colours_the_wait_and_not_the_time_that_the_lock_is_held() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let lock = Mutex::new(0);
    let nap = Duration::from_millis(20);
    info_span!("deposit").in_scope(|| {
        let locked = info_span!("acquire", wait = "lock").in_scope(|| lock.lock());
        thread::sleep(nap);
        *locked.expect("nobody panicked") += 1;
    });
    let lanes = timeline.take().lanes;
    let (deposit, acquire) = (&lanes[0].spans[0], &lanes[0].spans[1]);
    assert_eq!(
        (deposit.wait.as_deref(), acquire.wait.as_deref()),
        (None, Some("lock"))
    );
    assert!(acquire.duration() < nap && deposit.duration() >= nap);
}

#[test]
fn what_is_recorded_late_counts_for_the_whole_span() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let span = info_span!(
        "work",
        wait = tracing::field::Empty,
        job = tracing::field::Empty
    );
    span.in_scope(|| ());
    span.record("wait", "permit").record("job", 7);
    drop(span);
    let lanes = timeline.take().lanes;
    let span = &lanes[0].spans[0];
    assert_eq!((span.wait.as_deref(), span.job), (Some("permit"), Some(7)));
}

#[test]
fn a_span_knows_its_file_and_line() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let line = line!() + 1;
    info_span!("here").in_scope(|| ());
    let lanes = timeline.take().lanes;
    let span = &lanes[0].spans[0];
    assert_eq!(
        (span.file.as_deref(), span.line),
        (Some(file!()), Some(line))
    );
}
