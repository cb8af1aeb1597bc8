//! Spans become lanes, whoever runs them.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};
use timeline::{self, Lane, LaneKind, Moment, Span};
use tracing::{Instrument, info_span, trace_span};

/// The store belongs to the process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    timeline::install();
    timeline::take();
    guard
}

/// Pending once, ready then.
#[derive(Default)]
struct OnceMore(bool);

impl Future for OnceMore {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        Poll::Pending
    }
}

fn poll(future: Pin<&mut impl Future>) -> bool {
    future
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_ready()
}

fn names(lane: &Lane) -> Vec<&str> {
    lane.spans.iter().map(|span| span.name.as_ref()).collect()
}

#[test]
fn a_thread_is_a_lane_by_id_even_where_names_repeat() {
    let _alone = alone();
    for _ in 0..2 {
        let work = || info_span!("work").in_scope(|| ());
        let thread = thread::Builder::new().name("twin".into()).spawn(work);
        thread
            .expect("a thread starts")
            .join()
            .expect("it only records");
    }
    let lanes = timeline::take().lanes;
    assert_eq!(
        lanes
            .iter()
            .map(|lane| lane.name.as_str())
            .collect::<Vec<_>>(),
        ["twin", "twin"]
    );
    assert_ne!(lanes[0].id, lanes[1].id);
    assert!(timeline::take().lanes.is_empty(), "taken is gone");
}

#[test]
fn a_span_in_a_span_lies_deeper_on_the_same_lane() {
    let _alone = alone();
    info_span!("outer").in_scope(|| info_span!("inner", wait = "lock").in_scope(|| ()));
    let lanes = timeline::take().lanes;
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
    let _alone = alone();
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
    let lanes = timeline::take().lanes;
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
    let _alone = alone();
    trace_span!("library").in_scope(|| ());
    assert!(timeline::take().lanes.is_empty());
}

#[test]
fn a_blocked_thread_is_open_but_not_busy() {
    let _alone = alone();
    let nap = Duration::from_millis(50);
    info_span!("nap", wait = "sleep").in_scope(|| thread::sleep(nap));
    let lanes = timeline::take().lanes;
    let span = &lanes[0].spans[0];
    assert!(span.duration() >= nap);
    assert!(
        span.busy < nap,
        "its CPU clock stood still: {:?}",
        span.busy
    );
}

#[test]
fn what_a_worker_recorded_becomes_the_lane_of_its_process() {
    let _alone = alone();
    let start = Moment::now();
    timeline::record_process(
        4242,
        "worker 1",
        Span::watched("start-up", start, start, Duration::ZERO),
    );
    info_span!("parse").in_scope(|| ());
    let mut told = timeline::take();
    told.lanes.retain(|lane| lane.id.kind == LaneKind::Thread);
    timeline::adopt(4242, "worker 1", told);
    let lanes = timeline::take().lanes;
    assert_eq!(lanes.len(), 1);
    assert_eq!(
        (lanes[0].id.kind, lanes[0].id.number),
        (LaneKind::Process, 4242)
    );
    assert_eq!(names(&lanes[0]), ["parse"]);
}

#[test]
fn many_threads_lose_no_span() {
    let _alone = alone();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..1_000).for_each(|_| info_span!("step").in_scope(|| ())));
        }
    });
    let lanes = timeline::take().lanes;
    assert_eq!(lanes.len(), 8);
    assert!(lanes.iter().all(|lane| lane.spans.len() == 1_000));
}

#[test]
fn a_million_spans_are_thinned_to_what_memory_is_set_aside_for_and_said_so() {
    let _alone = alone();
    const SPANS: u64 = 1_000_000;
    info_span!("long").in_scope(|| {
        (0..SPANS - 3).for_each(|_| info_span!("step").in_scope(|| ()));
    });
    info_span!("longer", wait = "sleep").in_scope(|| thread::sleep(Duration::from_millis(20)));
    info_span!("last").in_scope(|| ());
    let recording = timeline::take();
    let kept = recording.spans() as u64;
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
        timeline::take().toll.thinned,
        0,
        "the next recording is whole"
    );
}

#[test]
fn thinning_joins_neighbours_so_that_a_busy_lane_stays_busy() {
    let _alone = alone();
    let at = |microseconds| Moment::at(Duration::from_micros(microseconds));
    let spans = (0..10_000)
        .map(|n| Span::watched("step", at(10 * n), at(10 * n + 9), Duration::from_micros(9)));
    spans.for_each(|span| timeline::record_process(1, "worker", span));
    let recording = timeline::take();
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
fn times_that_cannot_be_are_cut_to_what_can_be_and_counted() {
    let _alone = alone();
    let now = Moment::now();
    let later = |seconds| now.plus(Duration::from_secs(seconds));
    let centuries = 584 * 365 * 24 * 3600;
    for (start, end) in [
        (later(centuries), later(centuries)),
        (now, later(centuries)),
        (now, Moment::default()),
    ] {
        let mut span = Span::watched("jump", start, end, Duration::from_secs(3600));
        span.polls = vec![(end, start), (Moment::default(), later(centuries))];
        timeline::record_process(1, "worker", span);
    }
    let sound = Span::watched("sound", Moment::default(), now, Duration::ZERO);
    timeline::record_process(1, "worker", sound);
    let recording = timeline::take();
    assert_eq!(recording.toll.mended, 3);
    assert_eq!(recording.spans(), 4);
    let latest = Moment::now();
    for span in &recording.lanes[0].spans {
        assert!(span.start <= span.end && span.end <= latest, "{span:?}");
        assert!(span.busy <= span.duration(), "{span:?}");
        for (from, to) in &span.polls {
            assert!(
                span.start <= *from && from <= to && *to <= span.end,
                "{span:?}"
            );
        }
    }
}

#[test]
fn an_event_with_a_queue_and_a_depth_is_a_sample_of_a_level() {
    let _alone = alone();
    for depth in [1, 2, 1_usize] {
        tracing::info!(queue = "pages", depth);
    }
    tracing::info!(queue = "no depth");
    tracing::info!("a word");
    tracing::debug!(queue = "pages", depth = 9);
    let recording = timeline::take();
    assert_eq!(recording.levels.len(), 1);
    let level = &recording.levels[0];
    assert_eq!(level.name, "pages");
    let depths: Vec<f64> = level.samples.iter().map(|sample| sample.1).collect();
    assert_eq!(depths, [1.0, 2.0, 1.0]);
}

#[test]
fn samples_are_bounded_and_keep_their_peak() {
    let _alone = alone();
    for n in 0..300_000_u64 {
        tracing::info!(
            queue = "pages",
            depth = if n == 123_456 { 77 } else { n % 5 }
        );
    }
    let recording = timeline::take();
    let level = &recording.levels[0];
    assert!(level.samples.len() <= 32_768, "{}", level.samples.len());
    assert_eq!(level.peak(), 77.0);
    assert_eq!(recording.toll.samples, 300_000);
}

#[test]
fn what_recording_took_is_told_and_not_recorded() {
    let _alone = alone();
    info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| ()));
    let recording = timeline::take();
    let toll = recording.toll;
    assert_eq!((toll.spans, toll.entries, toll.polls), (2, 2, 0));
    assert!(toll.cost() > Duration::ZERO);
    assert_eq!(toll.cost(), toll.cost(), "measured once");
    assert_eq!(timeline::take().toll.spans, 0);
}

#[test]
fn known_causes_cost_no_copy_and_others_are_kept_as_they_are() {
    let _alone = alone();
    info_span!("one", wait = "lock").in_scope(|| ());
    info_span!("other", wait = "the moon", job = 7).in_scope(|| ());
    let recording = timeline::take();
    let spans = &recording.lanes[0].spans;
    assert!(matches!(
        spans[0].wait,
        Some(std::borrow::Cow::Borrowed("lock"))
    ));
    assert_eq!(spans[1].wait.as_deref(), Some("the moon"));
    assert_eq!((spans[0].job, spans[1].job), (None, Some(7)));
}
