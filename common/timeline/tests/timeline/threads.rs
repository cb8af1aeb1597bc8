//! Threads and tasks, and spans that several of them enter.

use crate::support::{OnceMore, here, names, poll, recorded, span_names};
use std::{sync::Mutex, thread, time::Duration};
use timeline::{LaneKind, Timeline};
use tracing::{Instrument, dispatcher, info_span};

#[test]
fn a_thread_is_a_lane_by_id_even_where_names_repeat() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    for _ in 0..2 {
        let here = here();
        let work = move || dispatcher::with_default(&here, || info_span!("work").in_scope(|| ()));
        let thread = thread::Builder::new().name("twin".into()).spawn(work);
        thread
            .expect("a thread starts")
            .join()
            .expect("it only records");
    }
    let lanes = timeline.take().lanes;
    assert_eq!(
        lanes
            .iter()
            .map(|lane| lane.name.as_str())
            .collect::<Vec<_>>(),
        ["twin", "twin"]
    );
    assert_ne!(lanes[0].id, lanes[1].id);
    assert!(timeline.take().lanes.is_empty(), "taken is gone");
}

#[test]
fn a_blocked_thread_is_open_but_not_busy() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    let nap = Duration::from_millis(50);
    info_span!("nap", wait = "sleep").in_scope(|| thread::sleep(nap));
    let lanes = timeline.take().lanes;
    let span = &lanes[0].spans[0];
    assert!(span.duration() >= nap);
    assert!(
        span.busy < nap,
        "its CPU clock stood still: {:?}",
        span.busy
    );
}

#[test]
fn many_threads_lose_no_span() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    let here = here();
    let steps = || (0..1_000).for_each(|_| info_span!("step").in_scope(|| ()));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| dispatcher::with_default(&here, steps));
        }
    });
    let lanes = timeline.take().lanes;
    assert_eq!(lanes.len(), 8);
    assert!(lanes.iter().all(|lane| lane.spans.len() == 1_000));
}

#[test]
fn a_span_that_threads_share_is_recorded_on_each_of_them() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let (here, shared) = (here(), info_span!("shared"));
    let nap = Duration::from_millis(20);
    thread::scope(|scope| {
        for number in 0..8 {
            let inner = || info_span!("inner").in_scope(|| thread::sleep(nap));
            let (here, shared) = (&here, &shared);
            let recorded = move || dispatcher::with_default(here, || shared.in_scope(inner));
            let thread = thread::Builder::new().name(format!("thread {number}"));
            thread
                .spawn_scoped(scope, recorded)
                .expect("a thread starts");
        }
    });
    drop(shared);
    let recording = timeline.take();
    assert_eq!(recording.lanes.len(), 8, "{:?}", span_names(&recording));
    for lane in &recording.lanes {
        assert_eq!(lane.id.kind, LaneKind::Thread);
        assert_eq!(names(lane), ["shared", "inner"]);
        assert_eq!((lane.spans[0].depth, lane.spans[1].depth), (0, 1));
        assert!(lane.spans.iter().all(|span| span.duration() >= nap));
    }
    assert_eq!(recording.toll.spans, 16);
}

#[test]
fn a_span_that_a_pool_of_threads_runs_loses_no_entry() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let (here, nap) = (here(), Duration::from_millis(5));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build();
    let pool = pool.expect("threads start");
    let shared = info_span!("shared");
    // Entered here too: by then it is known that this is no future.
    shared.in_scope(|| {
        pool.scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|_| {
                    dispatcher::with_default(&here, || shared.in_scope(|| thread::sleep(nap)));
                });
            }
        });
    });
    drop(shared);
    let recording = timeline.take();
    let spans = recording.lanes.iter().flat_map(|lane| &lane.spans);
    let naps = spans.filter(|span| span.duration() >= nap).count();
    assert_eq!(naps, 17, "{:?}", span_names(&recording));
}

#[test]
fn a_span_entered_twice_by_one_thread_is_two() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let span = info_span!("again");
    let nap = Duration::from_millis(10);
    span.in_scope(|| {
        thread::sleep(nap);
        span.in_scope(|| thread::sleep(nap));
    });
    drop(span);
    let lanes = timeline.take().lanes;
    assert_eq!(names(&lanes[0]), ["again", "again"]);
    assert!(lanes[0].spans[0].duration() >= 2 * nap);
    assert!(lanes[0].spans[1].duration() >= nap);
    assert!(lanes[0].spans[1].start >= lanes[0].spans[0].start.plus(nap));
}

#[test]
fn a_task_that_threads_take_over_from_each_other_is_one_lane() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let here = here();
    let task = async {
        info_span!("prepare").in_scope(|| ());
        OnceMore::default()
            .instrument(info_span!("answer", wait = "io"))
            .await;
    };
    let task = Mutex::new(Box::pin(task.instrument(info_span!("request", user = 70))));
    for done in [false, true] {
        thread::scope(|scope| {
            scope.spawn(|| {
                dispatcher::with_default(&here, || {
                    let mut task = task.lock().expect("no poll panics");
                    assert_eq!(poll(task.as_mut()), done);
                });
            });
        });
    }
    drop(task);
    let recording = timeline.take();
    let lanes = span_names(&recording);
    assert_eq!(
        lanes,
        [("request user 70", vec!["request", "prepare", "answer"])]
    );
    assert_eq!(recording.lanes[0].id.kind, LaneKind::Task);
}

#[test]
fn a_task_spawned_inside_of_a_span_is_not_inside_of_it() {
    let (timeline, _recorded) = recorded(Timeline::new());
    let mut tasks = info_span!("accept").in_scope(|| {
        let spawn = |n| Box::pin(OnceMore::default().instrument(info_span!("connection", n)));
        [1, 2].map(spawn)
    });
    for done in [false, true] {
        for task in &mut tasks {
            assert_eq!(poll(task.as_mut()), done);
        }
    }
    drop(tasks);
    let recording = timeline.take();
    let lanes: Vec<&str> = recording.lanes.iter().map(|lane| &*lane.name).collect();
    assert_eq!(lanes[1..], ["connection n 1", "connection n 2"]);
    assert!(recording.lanes.iter().all(|lane| lane.spans[0].depth == 0));
}

#[test]
fn threads_without_names_are_numbered_from_one_in_each_recording() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    for _ in 0..2 {
        thread::scope(|scope| {
            for here in [here(), here()] {
                let work = || info_span!("work").in_scope(|| ());
                scope.spawn(move || dispatcher::with_default(&here, work));
            }
        });
        let lanes = timeline.take().lanes.into_iter();
        let names: Vec<String> = lanes.map(|lane| lane.name).collect();
        assert_eq!(names, ["thread 1", "thread 2"]);
    }
}
