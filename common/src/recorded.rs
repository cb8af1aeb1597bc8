//! A process pool on the timeline: a lane for each worker, and the CPU time of all of them.

use measure::timing::{self, Usage};
use process_pool::{Event, PoolBuilder, WorkerId, child::Exit};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use timeline::{Moment, Recording, START_UP, Span, Timeline};

/// How many recorded pools this process has had: their tasks are told apart by it.
static POOLS: AtomicU64 = AtomicU64::new(0);

/// Records process pools.
pub trait Recorded {
    /// Records workers and tasks into the timeline of the calling thread, if there is one, and
    /// counts their CPU time as this program's.
    ///
    /// A worker installs a `tracing` subscriber then: its tasks must not install another.
    #[must_use]
    fn recorded(self) -> Self;
}

impl<I, O> Recorded for PoolBuilder<I, O> {
    fn recorded(self) -> Self {
        let Some(timeline) = Timeline::current() else {
            return self;
        };
        let first_job = POOLS.fetch_add(1, Ordering::Relaxed) << 32;
        let recorder = Recorder {
            timeline,
            name: self.name(),
            first_job,
        };
        self.on_event(move |event| recorder.record(event))
    }
}

/// What a worker notes when it is ready and after each task: the task and what was recorded in it, and what the
/// worker has used in all.
#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    task: Span,
    recording: Recording,
    usage: Usage,
}

/// Records a pool.
struct Recorder {
    timeline: Timeline,
    name: &'static str,
    first_job: u64,
}

impl Recorder {
    fn record(&self, event: Event) {
        let job = |task: u64| self.first_job + task;
        match event {
            Event::Submitted(task) => self.timeline.submitted(job(task)),
            Event::Received(task) => self.timeline.received(job(task)),
            Event::Ready(worker, took, note) => {
                let Ok(mut notes) = postcard::from_bytes::<Notes>(&note) else {
                    return;
                };
                notes.task.start = before(notes.task.end, took);
                notes.task.busy = notes.usage.cpu().min(took);
                self.timeline
                    .record_process(worker.pid, &lane(worker), notes.task);
            }
            Event::Begun(worker, _) => self.show_busy(worker, true),
            Event::Done(worker, task, note) => {
                self.show_busy(worker, false);
                let Ok(mut notes) = postcard::from_bytes::<Notes>(&note) else {
                    return;
                };
                timing::family().adopt(worker.pid, notes.usage);
                notes.task.job = Some(job(task));
                let inner = notes.recording.lanes.iter_mut();
                let inner = inner.flat_map(|lane| &mut lane.spans);
                inner.for_each(|span| span.depth += 1);
                let (pid, lane) = (worker.pid, lane(worker));
                self.timeline.record_process(pid, &lane, notes.task);
                self.timeline.adopt(pid, &lane, notes.recording);
            }
            Event::Gone(worker, exit, begun) => {
                self.show_busy(worker, false);
                timing::family().forget(worker.pid);
                if let Some((task, took)) = begun {
                    self.record_loss(worker, exit, (job(task), took));
                }
            }
            _ => {}
        }
    }

    fn show_busy(&self, worker: WorkerId, is_busy: bool) {
        let does = is_busy.then_some(self.name);
        self.timeline.live_process(worker.pid, &lane(worker), does);
    }

    /// A worker is gone, and with it the task that it had begun.
    fn record_loss(&self, worker: WorkerId, exit: Exit, (job, took): (u64, Duration)) {
        let now = Moment::now();
        // How much of it was work is unknown.
        let mut span = Span::watched("lost", before(now, took), now, Duration::ZERO);
        span.name = format!("lost: {exit}").into();
        span.cut = true;
        span.job = Some(job);
        self.timeline
            .record_process(worker.pid, &lane(worker), span);
    }
}

fn before(moment: Moment, duration: Duration) -> Moment {
    Moment::at((moment - Moment::default()).saturating_sub(duration))
}

fn lane(worker: WorkerId) -> String {
    format!("worker {}", worker.slot + 1)
}

/// The notes of a worker of a recorded pool: a task is a span around the spans that it records.
pub(crate) fn note(task: Option<&'static str>, run: &mut dyn FnMut()) -> Vec<u8> {
    static TIMELINE: OnceLock<Timeline> = OnceLock::new();
    let timeline = task.map(|_| TIMELINE.get_or_init(|| Timeline::with_declared_tasks().install()));
    let (start, before) = (Moment::now(), timeline::thread_cpu());
    run();
    let recording = timeline.map_or_else(Recording::default, Timeline::take);
    let end = Moment::now();
    let busy = before.zip(timeline::thread_cpu());
    let busy = busy.map_or(end - start, |(before, after)| after.saturating_sub(before));
    let notes = Notes {
        task: Span::watched(task.unwrap_or(START_UP), start, end, busy.min(end - start)),
        recording,
        usage: Usage::of_this_process(),
    };
    postcard::to_stdvec(&notes).unwrap_or_default()
}
