//! Spans become lanes, whoever runs them.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Mutex,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};
use timeline::{Lane, LaneKind, Moment, Recording, Span, Timeline};
use tracing::{
    Dispatch, Instrument, dispatcher, info_span, level_filters::LevelFilter,
    subscriber::DefaultGuard, trace_span,
};
use tracing_subscriber::layer::SubscriberExt;

/// A timeline of this test, which records what this thread does until the guard is dropped.
fn recorded(timeline: Timeline) -> (Timeline, DefaultGuard) {
    let subscriber = tracing_subscriber::registry()
        .with(timeline.clone())
        .with(LevelFilter::INFO);
    (timeline, tracing::subscriber::set_default(subscriber))
}

/// Threads of a test record where the test does.
fn here() -> Dispatch {
    dispatcher::get_default(Dispatch::clone)
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
fn a_million_spans_are_thinned_to_what_memory_is_set_aside_for_and_said_so() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    const SPANS: u64 = 1_000_000;
    info_span!("long").in_scope(|| {
        (0..SPANS - 3).for_each(|_| info_span!("step").in_scope(|| ()));
    });
    info_span!("longer", wait = "sleep").in_scope(|| thread::sleep(Duration::from_millis(20)));
    info_span!("last").in_scope(|| ());
    let recording = timeline.take();
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
fn times_that_cannot_be_are_cut_to_what_can_be_and_counted() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
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
        timeline.record_process(1, "worker", span);
    }
    let sound = Span::watched("sound", Moment::default(), now, Duration::ZERO);
    timeline.record_process(1, "worker", sound);
    let recording = timeline.take();
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
    assert_eq!(recording.toll.samples, 300_000);
}

#[test]
fn what_recording_took_is_told_and_not_recorded() {
    let (timeline, _recorded) = recorded(Timeline::with_declared_tasks());
    info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| ()));
    let recording = timeline.take();
    let toll = recording.toll;
    assert_eq!((toll.spans, toll.entries, toll.polls), (2, 2, 0));
    assert!(toll.cost() > Duration::ZERO);
    assert_eq!(toll.cost(), toll.cost(), "measured once");
    assert_eq!(timeline.take().toll.spans, 0);
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

fn span_names(recording: &Recording) -> Vec<(&str, Vec<&str>)> {
    let lanes = recording.lanes.iter();
    lanes.map(|lane| (&*lane.name, names(lane))).collect()
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
    assert_eq!(timeline.take().spans(), 1);
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
        (100..300).contains(&recording.spans()),
        "{}",
        recording.spans()
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
    assert!(recording.spans() < 170_000, "{}", recording.spans());
    assert_eq!(recording.toll.spans, 400_000);
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
