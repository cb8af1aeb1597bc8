//! The handle: a timeline to install, to record into from outside, and to take from.

use crate::{
    LaneId, LaneKind, Moment, Recording, Span, chrome,
    log::{What, lock, new_thread},
    store::Store,
};
use serde_json::Value;
use std::{
    env, fmt,
    fs::File,
    io::{self, BufWriter, Write},
    mem,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tracing::{dispatcher, level_filters::LevelFilter};
use tracing_subscriber::layer::SubscriberExt;

/// A recording in the making, and the `tracing` layer that feeds it; clones are the same timeline.
///
/// It records every span of level `INFO` and above: libraries trace themselves below that level, so
/// what is recorded is what the program says. Two timelines of one process do not mix.
#[derive(Clone)]
pub struct Timeline {
    pub(crate) store: Arc<Store>,
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").finish_non_exhaustive()
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self::new()
    }
}

impl Timeline {
    /// A timeline of a whole run, for any program.
    ///
    /// A span that is entered again where no recorded span is around it, as the span of a spawned
    /// future is, becomes a lane of its own, named for the span and its fields: `request user 70`.
    pub fn new() -> Self {
        Self::with(None, true)
    }

    /// A timeline of which at least the last `spans` spans are kept, and older ones are forgotten.
    pub fn keeping_last(spans: usize) -> Self {
        Self::with(Some(spans), true)
    }

    /// A timeline of a whole run in which only spans with a field `task` are tasks.
    ///
    /// Every other span lies on the lane of the thread that enters it, however often it does: for
    /// programs that poll one future after another on one thread and want to see that.
    pub fn with_declared_tasks() -> Self {
        Self::with(None, false)
    }

    fn with(last: Option<usize>, finds_tasks: bool) -> Self {
        let store = Arc::new(Store::new(last, finds_tasks));
        Self { store }
    }

    /// Records this process's spans from now on, and returns the timeline that does.
    ///
    /// For programs without layers of their own. Where a timeline is installed already, that one is
    /// returned; beside a default subscriber without one, this one records no spans.
    #[must_use = "the spans are taken from the timeline that is returned"]
    pub fn install(self) -> Self {
        let subscriber = tracing_subscriber::registry()
            .with(self.clone())
            // Everything below costs nothing then: nobody else listens.
            .with(LevelFilter::INFO);
        // The only way to fail is that a subscriber is set already.
        let _ = tracing::subscriber::set_global_default(subscriber);
        Self::current().unwrap_or(self)
    }

    /// The timeline that records the spans of the calling thread, if one does.
    ///
    /// For code that records what is no span of this process, such as what another process does.
    pub fn current() -> Option<Self> {
        dispatcher::get_default(|current| current.downcast_ref::<Self>().cloned())
    }

    /// Takes all that was recorded since the last call; the stretch is that of the spans.
    ///
    /// A span that is still open is part of a later recording.
    pub fn take(&self) -> Recording {
        let mut state = self.store.state();
        state.share_out();
        mem::take(&mut state.gathered).into_recording()
    }

    /// All that was recorded since the last [`take`](Self::take), for a look while the program runs; it stays.
    ///
    /// A span that is open ends now. Costs a copy of all spans.
    pub fn so_far(&self) -> Recording {
        let (mut replay, now) = (self.store.state().clone(), Moment::now());
        replay.end(now);
        let mut recording = replay.gathered.into_recording();
        recording.wall = now - recording.start;
        recording
    }

    /// Adds one span of the process `pid`, as seen by whoever watches it; `lane_name` is the lane's.
    pub fn record_process(&self, pid: u32, lane_name: &str, span: Span) {
        let gathered = &mut lock(&self.store.state).gathered;
        gathered.lane(process(pid), lane_name).spans.push(span);
        gathered.toll.spans += 1;
    }

    /// Adds what a worker process recorded, as the lane of that process.
    ///
    /// All its threads and tasks become one lane: a worker runs one job at a time.
    pub fn adopt(&self, pid: u32, lane_name: &str, recording: Recording) {
        let gathered = &mut lock(&self.store.state).gathered;
        gathered.adopt(process(pid), lane_name, recording);
    }

    /// Adds what the threads of another process recorded, each on a lane of its own.
    pub fn adopt_lanes(&self, recording: Recording) {
        let gathered = &mut lock(&self.store.state).gathered;
        for lane in recording.lanes {
            let id = LaneKind::Elsewhere.lane(new_thread());
            gathered.lane(id, &lane.name).spans = lane.spans;
        }
    }

    /// Notes that this thread hands the job in.
    pub fn submitted(&self, job: u64) {
        self.store.note(job, |_, _| What::HandOver("submit"));
    }

    /// Notes that this thread takes the job's result.
    pub fn received(&self, job: u64) {
        self.store.note(job, |_, _| What::HandOver("take result"));
    }

    /// Notes what the process `pid` does from now on, if anything; only [`so_far`](Self::so_far) shows it.
    pub fn live_process(&self, pid: u32, lane_name: &str, does: Option<&'static str>) {
        let (lane, now) = (process(pid), Moment::now());
        let span = does.map(|name| Span::watched(name, now, now, Duration::ZERO));
        let busy = &mut lock(&self.store.state).busy;
        busy.remove(&lane);
        busy.extend(span.map(|span| (lane, (lane_name.to_owned(), span))));
    }

    /// Writes what is recorded as a Chrome trace to `path` when the guard is dropped: at the end of
    /// `main`, after an early return, and in a panic that unwinds.
    ///
    /// Not after `std::process::exit` or an abort. Spans that are open end there; what cannot be written is lost.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn write_on_drop(&self, path: impl AsRef<Path>) -> io::Result<WriteOnDrop> {
        Ok(WriteOnDrop {
            timeline: self.clone(),
            file: File::create(path)?,
        })
    }
}

fn process(pid: u32) -> LaneId {
    LaneKind::Process.lane(pid.into())
}

/// Writes a Chrome trace when it is dropped; see [`Timeline::write_on_drop`].
#[derive(Debug)]
#[must_use = "the trace is written when this is dropped"]
pub struct WriteOnDrop {
    timeline: Timeline,
    file: File,
}

impl Drop for WriteOnDrop {
    fn drop(&mut self) {
        let program = env::current_exe().ok();
        let program = program.as_deref().and_then(Path::file_stem);
        let program = program.map_or_else(|| "program".into(), |name| name.to_string_lossy());
        let recording = self.timeline.so_far();
        let trace = chrome::trace(&[(&program, &recording)], &Value::Null);
        // Nobody is left to hear of a failure.
        let mut file = BufWriter::new(&self.file);
        let _ = serde_json::to_writer(&mut file, &trace);
        let _ = file.flush();
    }
}
