//! Process pools on the timeline.

use common::{
    Recorded,
    child::{self, Program},
    cli,
    process_pool::{PoolBuilder, ProcessPool, Worker},
    timeline::{Lane, LaneKind, Recording, Timeline},
};
use std::num::NonZeroUsize;
use tracing_subscriber::layer::SubscriberExt;

const CHORE: Worker<bool, u32> = Worker::new("chore", |dies| {
    if dies {
        child::crash();
    }
    let _span = tracing::info_span!("inner").entered();
    std::process::id()
});

#[test]
fn workers() {
    cli::enter(&[&CHORE]);
}

/// What is recorded while `work` uses a pool of one worker.
fn record<R>(
    set_up: impl FnOnce(PoolBuilder<bool, u32>) -> PoolBuilder<bool, u32>,
    work: impl FnOnce(ProcessPool<bool, u32>) -> R,
) -> (R, Recording) {
    let timeline = Timeline::with_declared_tasks();
    let recorded = tracing_subscriber::registry().with(timeline.clone());
    let _recorded = tracing::subscriber::set_default(recorded);
    let builder = CHORE.pool_builder().workers(NonZeroUsize::MIN);
    let pool = set_up(builder.program(Program::test("workers"))).start();
    let result = work(pool.expect("the worker starts"));
    (result, timeline.take())
}

fn is_of(lane: &Lane, pid: u32) -> bool {
    lane.id.kind == LaneKind::Process && lane.id.number == u64::from(pid)
}

#[cfg(unix)]
#[test]
fn each_worker_has_a_lane_with_its_start_and_its_tasks() {
    let (pid, recording) = record(Recorded::recorded, |pool| {
        let pid = pool.call(false).expect("it is done");
        pool.call(true).expect_err("it dies");
        pid
    });
    let mut lanes = recording.lanes.iter();
    let lane = lanes.find(|lane| is_of(lane, pid));
    let lane = lane.expect("the worker has a lane");
    assert_eq!(lane.name, "worker 1");
    let spans = lane.spans.iter().map(|span| (&*span.name, span.depth));
    let lost = "lost: signal 6 (SIGABRT)";
    let expected = [("start-up", 0), ("chore", 0), ("inner", 1), (lost, 0)];
    assert_eq!(spans.collect::<Vec<_>>(), expected);
    assert!(lane.spans.iter().all(|span| span.busy <= span.duration()));
    let cut: Vec<bool> = lane.spans.iter().map(|span| span.cut).collect();
    assert_eq!(cut, [false, false, false, true], "nobody saw its end");
    assert_eq!(recording.handovers.len(), 1, "this thread did both");
    for span in [&lane.spans[1], &lane.spans[3]] {
        let handed = recording.handovers.iter().flat_map(|lane| &lane.spans);
        let handed: Vec<_> = handed.filter(|end| end.job == span.job).collect();
        let [submitted, received] = handed[..] else {
            panic!("handed over once and taken once: {handed:?}");
        };
        assert!(submitted.start <= span.start && span.end <= received.start);
    }
}

#[test]
fn a_pool_that_is_not_to_be_recorded_is_not() {
    let (pid, recording) = record(|builder| builder, |pool| pool.call(false));
    let pid = pid.expect("it is done");
    assert!(!recording.lanes.iter().any(|lane| is_of(lane, pid)));
}
