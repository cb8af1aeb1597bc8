//! A tokio program that knows nothing of the lab, with the timeline beside a layer of its own.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use timeline::{Lane, LaneKind, Recording, Timeline};
use tokio::{runtime::Builder, task::yield_now, time::sleep};
use tracing::{Instrument, debug, info, info_span};
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter, prelude::*};

/// Where the program's own log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).into_owned()
    }
}

async fn serve(request: u32) {
    async {
        info!("asks");
        sleep(Duration::from_millis(20)).await;
    }
    .instrument(info_span!("database", wait = "io"))
    .await;
    for _ in 0..3 {
        yield_now().await;
    }
    info_span!("render").in_scope(|| debug!(request, "renders"));
}

/// Runs the program; what it logged, and what was recorded.
fn ran() -> (String, Recording) {
    let (log, timeline) = (Log::default(), Timeline::default());
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(log.clone()),
        )
        .with(timeline.clone())
        .with(LevelFilter::DEBUG)
        .init();
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime starts").block_on(async {
        let spawn = |n| tokio::spawn(serve(n).instrument(info_span!("request", n)));
        for request in [1, 2, 3].map(spawn) {
            request.await.expect("it ends");
        }
    });
    info_span!("shut down").in_scope(|| ());
    (log.text(), timeline.take())
}

fn assert_is_a_request(lane: &Lane) {
    assert!(lane.name.starts_with("request n "), "{}", lane.name);
    let spans = lane.spans.iter();
    let names: Vec<_> = spans.map(|span| (&*span.name, span.depth)).collect();
    assert_eq!(names, [("request", 0), ("database", 1), ("render", 1)]);
    let (request, database, render) = (&lane.spans[0], &lane.spans[1], &lane.spans[2]);
    assert_eq!(database.wait.as_deref(), Some("io"));
    assert!(database.duration() >= Duration::from_millis(20));
    assert!(database.busy < database.duration(), "it waited");
    assert!(database.end <= render.start && render.end <= request.end);
    let polls = &request.polls;
    assert!(polls.len() >= 5, "the wait, three yields: {polls:?}");
}

#[test]
fn lanes_polls_and_waits_of_a_program_with_layers_of_its_own_come_out_right() {
    let (said, recording) = ran();
    let asks = "request{n=2}:database{wait=\"io\"}: foreign: asks";
    assert_eq!(said.matches(asks).count(), 1, "{said}");
    let renders = said.matches("renders").count();
    assert_eq!(renders, 3, "below INFO the log goes on: {said}");

    let lanes = recording.lanes.iter();
    let (tasks, threads): (Vec<_>, Vec<_>) = lanes.partition(|it| it.id.kind == LaneKind::Task);
    assert_eq!((tasks.len(), threads.len()), (3, 1), "{recording:?}");
    assert_eq!(threads[0].spans[0].name, "shut down");
    tasks.into_iter().for_each(assert_is_a_request);
    let levels = recording.all_levels();
    let peaks: Vec<_> = levels.iter().map(|level| level.peak()).collect();
    assert_eq!(peaks, [3.0], "all three asked at once");

    let trace = timeline::chrome::trace(&[("timeline", &recording)], &serde_json::json!({}));
    let events = trace["traceEvents"].as_array();
    assert!(events.is_some_and(|events| events.len() > 9));
}
