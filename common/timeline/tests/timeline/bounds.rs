//! How much is kept, and for whom.

use crate::support::{here, is_open, names, recorded, span_names, spans};
use std::{thread, time::Duration};
use timeline::{Moment, Span, Timeline};
use tracing::{dispatcher, info_span};

#[test]
fn a_million_spans_are_thinned_to_what_memory_is_set_aside_for_and_said_so() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    const SPANS: u64 = 1_000_000;
    info_span!("long").in_scope(|| {
        (0..SPANS - 3).for_each(|_| info_span!("step").in_scope(|| ()));
    });
    info_span!("longer", wait = "sleep").in_scope(|| thread::sleep(Duration::from_millis(20)));
    info_span!("last").in_scope(|| ());
    let recording = timeline.take();
    let kept = spans(&recording) as u64;
    assert_eq!(recording.toll.spans, SPANS);
    assert!(kept < 200_000, "{kept} kept");
    assert!(recording.toll.thinned > 0);
    assert_eq!(
        kept + recording.toll.thinned,
        SPANS,
        "none is lost without a word"
    );
    let lane = &recording.lanes[0];
    assert!(names(lane).contains(&"long") && names(lane).contains(&"longer"));
    info_span!("after").in_scope(|| ());
    assert_eq!(
        timeline.take().toll.thinned,
        0,
        "the next recording is whole"
    );
}

#[test]
fn thinning_joins_neighbours_so_that_a_busy_lane_stays_busy() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    let at = |microseconds| Moment::at(Duration::from_micros(microseconds));
    let spans = (0..10_000)
        .map(|n| Span::watched("step", at(10 * n), at(10 * n + 9), Duration::from_micros(9)));
    spans.for_each(|span| timeline.record_process(1, "worker", span));
    let recording = timeline.take();
    let (lanes, left_out) = timeline::thinned(&recording.lanes, 100);
    let spans = &lanes[0].spans;
    assert!(spans.len() <= 100, "{}", spans.len());
    assert_eq!(spans.len() as u64 + left_out, 10_000);
    let busy: Duration = spans.iter().map(|span| span.busy).sum();
    let open: Duration = spans.iter().map(Span::duration).sum();
    assert_eq!(busy, Duration::from_millis(90), "no work is lost");
    assert!(
        open >= Duration::from_millis(98),
        "nor a gap made: {open:?}"
    );
}

#[test]
fn samples_are_bounded_and_keep_their_peak() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    for n in 0..300_000_u64 {
        tracing::info!(
            queue = "pages",
            depth = if n == 123_456 { 77 } else { n % 5 }
        );
    }
    let recording = timeline.take();
    let level = &recording.levels[0];
    assert!(level.samples.len() <= 32_768, "{}", level.samples.len());
    assert_eq!(level.peak(), 77.0);
    assert_eq!(recording.toll.events, 300_000);
}

#[test]
fn what_recording_took_is_told_and_not_recorded() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| ()));
    let recording = timeline.take();
    let toll = recording.toll;
    assert_eq!((toll.spans, toll.events), (2, 6), "made, entered, left");
    assert!(toll.cost() > Duration::ZERO);
    assert_eq!(toll.cost(), toll.cost(), "measured once");
    assert_eq!(timeline.take().toll.spans, 0);
}

#[test]
fn a_look_while_it_runs_shows_what_is_open_and_takes_nothing() {
    let (timeline, _recorded) = recorded(Timeline::new());
    timeline.live_process(7, "worker 1", Some("parse"));
    let _outer = info_span!("outer").entered();
    info_span!("done").in_scope(|| ());
    let _inner = info_span!("inner", wait = "lock").entered();
    let _never_entered = info_span!("later");
    let looked = timeline.so_far();
    let now = looked.start.plus(looked.wall);
    assert_eq!(
        span_names(&looked)
            .iter()
            .map(|lane| &lane.1)
            .collect::<Vec<_>>(),
        [&vec!["outer", "done", "inner"], &vec!["parse"]]
    );
    let ends: Vec<bool> = looked.lanes[0]
        .spans
        .iter()
        .map(|span| span.end == now)
        .collect();
    assert_eq!(ends, [true, false, true]);
    assert!(is_open(&looked.lanes[1], now) && looked.lanes[1].name == "worker 1");
    timeline.live_process(7, "worker 1", None);
    assert_eq!(
        timeline.so_far().lanes.len(),
        1,
        "the process does nothing now"
    );
    assert_eq!(names(&timeline.take().lanes[0]), ["done"]);
}

#[test]
fn a_future_between_two_polls_is_open() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let request = info_span!("request");
    request.in_scope(|| ());
    let looked = timeline.so_far();
    assert!(is_open(&looked.lanes[0], looked.start.plus(looked.wall)));
    drop(request);
    let looked = timeline.so_far();
    assert!(!is_open(&looked.lanes[0], looked.start.plus(looked.wall)));
}

#[test]
fn timelines_do_not_mix() {
    let (outer, _recorded) = recorded(Timeline::new());
    let (inner, guard) = recorded(Timeline::new());
    info_span!("inner").in_scope(|| tracing::info!(queue = "pages", depth = 1));
    drop(guard);
    info_span!("outer").in_scope(|| ());
    let (outer, inner) = (outer.take(), inner.take());
    assert_eq!(
        (names(&outer.lanes[0]), outer.levels.len()),
        (vec!["outer"], 0)
    );
    assert_eq!(
        (names(&inner.lanes[0]), inner.levels.len()),
        (vec!["inner"], 1)
    );
}

#[test]
fn the_current_timeline_is_found_beside_other_layers() {
    assert!(Timeline::current().is_none());
    let (timeline, _recorded) = recorded(Timeline::new());
    let current = Timeline::current().expect("it is the default here");
    let now = Moment::now();
    current.record_process(7, "worker", Span::watched("job", now, now, Duration::ZERO));
    assert_eq!(spans(&timeline.take()), 1);
}

#[test]
fn a_ring_keeps_the_last_spans() {
    let (timeline, _recorded) = recorded(Timeline::keeping_last(1_000));
    for n in 0..100_000_u64 {
        info_span!("step", job = n).in_scope(|| ());
    }
    let recording = timeline.take();
    let spans = &recording.lanes[0].spans;
    let jobs: Vec<u64> = spans.iter().filter_map(|span| span.job).collect();
    let first = 100_000 - jobs.len() as u64;
    assert!((1_000..2_200).contains(&jobs.len()), "{}", jobs.len());
    assert!(
        jobs.iter().copied().eq(first..100_000),
        "the last, without a gap"
    );
    assert_eq!(recording.toll.thinned, first);
}

#[test]
fn threads_that_end_leave_no_buffer_behind() {
    let (timeline, _recorded) = recorded(Timeline::keeping_last(100));
    let here = here();
    for _ in 0..1_000 {
        let step = || dispatcher::with_default(&here, || info_span!("step").in_scope(|| ()));
        thread::scope(|scope| scope.spawn(step).join().expect("it only records"));
    }
    let recording = timeline.take();
    assert!(
        (100..300).contains(&spans(&recording)),
        "{}",
        spans(&recording)
    );
    assert_eq!(recording.toll.spans, 1_000);
}

#[test]
fn many_tasks_are_bounded_too() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    for number in 0..400_000_u64 {
        let work = if number % 1_000 == 0 { 3_000 } else { 0 };
        info_span!("task", task = number).in_scope(|| std::hint::black_box(vec![0_u8; work]));
    }
    let recording = timeline.take();
    assert!(spans(&recording) < 170_000, "{}", spans(&recording));
    assert_eq!(recording.toll.spans, 400_000);
}

#[test]
fn a_program_that_panics_leaves_its_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trace.json");
    let (timeline, _recorded) = recorded(Timeline::new());
    let ended = std::panic::catch_unwind(|| {
        let _trace = timeline.write_on_drop(&path).expect("a file");
        info_span!("last words").in_scope(|| ());
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(ended.is_err());
    let text = std::fs::read_to_string(&path).expect("it was written");
    let trace: serde_json::Value = serde_json::from_str(&text).expect("it is whole");
    let events = trace["traceEvents"].as_array().expect("a list");
    let span = events.iter().find(|event| event["name"] == "last words");
    let file = &span.expect("the span is there")["args"]["file"];
    assert_eq!(file.as_str(), Some(file!()));
}
