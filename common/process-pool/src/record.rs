//! All that this crate says to the timeline; nothing unless the pool is to be recorded.

use crate::child::Exit;
use measure::timing::{self, Usage};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use timeline::{Lane, LaneId, LaneKind, LiveProcess, Moment, Recording, Span, Timeline};

/// How many recorded pools this process has had: their tasks are told apart by it.
static POOLS: AtomicU64 = AtomicU64::new(0);

/// Shows in the live view that a worker is busy, until it is dropped.
pub(crate) type Busy = LiveProcess;

/// When a worker was ready, and the CPU time that it took to get there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WorkerStart {
    ready: Moment,
    busy: Duration,
}

/// What a worker recorded of a task, and what it has used in all.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Notes {
    recording: Recording,
    usage: Usage,
}

/// Records a pool.
#[derive(Debug)]
pub(crate) struct Recorder {
    timeline: Timeline,
    name: &'static str,
    first_job: u64,
}

impl Recorder {
    /// Records into the timeline of this thread, if it has one.
    pub(crate) fn new(name: &'static str) -> Option<Self> {
        Some(Self {
            timeline: Timeline::current()?,
            name,
            first_job: POOLS.fetch_add(1, Ordering::Relaxed) << 32,
        })
    }

    pub(crate) fn started(&self, pid: u32, slot: usize, took: Duration, start: &WorkerStart) {
        let spawned = before(start.ready, took);
        let busy = start.busy.min(took);
        let span = Span::watched("start-up", spawned, start.ready, busy);
        self.timeline.record_process(pid, &lane(slot), span);
    }

    pub(crate) fn submitted(&self, task: u64) {
        self.timeline.submitted(self.first_job + task);
    }

    pub(crate) fn received(&self, task: u64) {
        self.timeline.received(self.first_job + task);
    }

    pub(crate) fn busy(&self, pid: u32, slot: usize) -> Busy {
        self.timeline.live_process(pid, || lane(slot), self.name)
    }

    pub(crate) fn done(&self, pid: u32, slot: usize, task: u64, mut notes: Notes) {
        timing::adopt_child_usage(pid, notes.usage);
        let lanes = notes.recording.lanes.iter_mut();
        let spans = lanes.flat_map(|lane| &mut lane.spans);
        for span in spans.filter(|span| span.depth == 0) {
            span.job = Some(self.first_job + task);
        }
        self.timeline.adopt(pid, &lane(slot), notes.recording);
    }

    /// A worker is gone, and with it the task that it had begun.
    pub(crate) fn lost(&self, pid: u32, slot: usize, exit: Exit, task: Option<(u64, Duration)>) {
        timing::forget_child_usage(pid);
        if let Some((task, took)) = task {
            let now = Moment::now();
            let began = before(now, took);
            // How much of it was work is unknown.
            let mut span = Span::watched("lost", began, now, Duration::ZERO);
            span.name = format!("lost: {exit}").into();
            span.cut = true;
            span.job = Some(self.first_job + task);
            self.timeline.record_process(pid, &lane(slot), span);
        }
    }
}

fn before(moment: Moment, duration: Duration) -> Moment {
    Moment::at((moment - Moment::default()).saturating_sub(duration))
}

fn lane(slot: usize) -> String {
    format!("worker {}", slot + 1)
}

impl WorkerStart {
    pub(crate) fn now() -> Self {
        let (ready, busy) = (Moment::now(), timeline::thread_cpu().unwrap_or_default());
        Self { ready, busy }
    }
}

/// Records a task as a span of the worker's lane, around the spans that the task records.
pub(crate) struct TaskRecorder {
    timeline: &'static Timeline,
    start: Moment,
    cpu: Option<Duration>,
}

impl TaskRecorder {
    pub(crate) fn begin() -> Self {
        static TIMELINE: OnceLock<Timeline> = OnceLock::new();
        Self {
            timeline: TIMELINE.get_or_init(|| Timeline::with_declared_tasks().install()),
            start: Moment::now(),
            cpu: timeline::thread_cpu(),
        }
    }

    pub(crate) fn end(self, name: &'static str) -> Notes {
        let end = Moment::now();
        let whole = end - self.start;
        let busy = match self.cpu.zip(timeline::thread_cpu()) {
            Some((before, after)) => after.saturating_sub(before).min(whole),
            None => whole,
        };
        let mut recording = self.timeline.take();
        for span in recording.lanes.iter_mut().flat_map(|lane| &mut lane.spans) {
            span.depth += 1;
        }
        let (kind, number) = (LaneKind::Process, std::process::id().into());
        let lane = Lane {
            id: LaneId { kind, number },
            name: name.into(),
            spans: vec![Span::watched(name, self.start, end, busy)],
        };
        recording.lanes.insert(0, lane);
        recording.toll.spans += 1;
        let usage = Usage::of_this_process();
        Notes { recording, usage }
    }
}
