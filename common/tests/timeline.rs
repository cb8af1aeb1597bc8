//! Spans become lanes, whoever runs them.

use common::timeline::{self, Lane, LaneKind, Moment, Span};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};
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
    let lanes = timeline::take();
    assert_eq!(
        lanes
            .iter()
            .map(|lane| lane.name.as_str())
            .collect::<Vec<_>>(),
        ["twin", "twin"]
    );
    assert_ne!(lanes[0].id, lanes[1].id);
    assert!(timeline::take().is_empty(), "taken is gone");
}

#[test]
fn a_span_in_a_span_lies_deeper_on_the_same_lane() {
    let _alone = alone();
    info_span!("outer").in_scope(|| info_span!("inner", wait = "lock").in_scope(|| ()));
    let lanes = timeline::take();
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
    let lanes = timeline::take();
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
    assert!(timeline::take().is_empty());
}

#[test]
fn a_blocked_thread_is_open_but_not_busy() {
    let _alone = alone();
    let nap = Duration::from_millis(50);
    info_span!("nap", wait = "sleep").in_scope(|| thread::sleep(nap));
    let lanes = timeline::take();
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
    let told: Vec<Lane> = timeline::take()
        .into_iter()
        .filter(|lane| lane.id.kind == LaneKind::Thread)
        .collect();
    timeline::adopt(4242, "worker 1", told);
    let lanes = timeline::take();
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
    let lanes = timeline::take();
    assert_eq!(lanes.len(), 8);
    assert!(lanes.iter().all(|lane| lane.spans.len() == 1_000));
}
