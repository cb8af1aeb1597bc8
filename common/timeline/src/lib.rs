//! Turns `tracing` spans into lanes of intervals: threads, tasks and processes on one clock.
//!
//! A span that is *entered* is running; a span that is open but not entered waits. A lesson
//! function carries `#[tracing::instrument]` and no more. Three fields mean something here:
//!
//! - `task`: the span opens a lane of its own, an asynchronous task. Spans inside it belong to it.
//!   Every other span belongs to the thread that runs it.
//! - `wait`: what the span waits for while it does not run, as in [`CAUSES`]: `"io"`, `"lock"`,
//!   `"queue full"`, `"queue empty"`, `"join"`, `"permit"`, `"sleep"`, `"back-off"` …
//! - `job`: the number of the job that it is, where a trace is to tell the job's way.
//!
//! An event with the fields `queue` and `depth` is a sample of a level:
//! `tracing::info!(queue = "pages", depth = 3)`.
//!
//! A thread blocked inside a span is still inside it; how long it really ran comes from the
//! thread's CPU clock. Spans go to a buffer of the thread that closes them and are merged by
//! [`take`] after the measured stretch. Lanes are told apart by id, never by name.
//!
//! Memory is bounded: past some 170,000 spans, those that are too short to see are joined to their
//! neighbours, and [`Toll::thinned`] says how many.
//!
//! # In a program of your own
//! The layer is one of many that a registry can have; it disturbs none of the others.
//! ```
//! # #[cfg(not(feature = "net"))] fn main() {}
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! use common::{report, timeline::{self, TimelineLayer}};
//! use std::time::Duration;
//! use tracing::{Instrument, info_span};
//! use tracing_subscriber::prelude::*;
//!
//! tracing_subscriber::registry()
//!     .with(TimelineLayer::finding_tasks())
//!     // .with(your other layers)
//!     .init();
//! async fn request(number: u64) {
//!     let answer = tokio::time::sleep(Duration::from_millis(2 * number));
//!     answer.instrument(info_span!("answer", wait = "io")).await;
//! }
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! runtime.block_on(async {
//!     let spawn = |n| tokio::spawn(request(n).instrument(info_span!("request", n)));
//!     for request in [1, 2, 3].map(spawn) {
//!         request.await.expect("it only sleeps");
//!     }
//! });
//! let recording = timeline::take();
//! assert_eq!(recording.lanes.len(), 3);
//! println!("{}", report::timeline(&recording, 80));
//! # let folder = tempfile::tempdir()?;
//! # let in_folder = |name| folder.path().join(name);
//! // It opens in https://ui.perfetto.dev.
//! std::fs::write(in_folder("trace.json"), report::trace(&recording))?;
//! # Ok(())
//! # }
//! ```

mod cause;
pub mod chrome;
mod cost;
mod fields;
mod layer;
mod level;
mod live;
mod recording;
mod runs;
mod settled;
mod store;
mod tasks;
mod thin;
mod timeline;

pub use cause::{BACK_OFF, CAUSES, Cause, IO, known_cause};
pub use live::{LiveLane, LiveProcess, LiveSpan};
pub use measure::{Moment, thread_cpu};
pub use recording::{
    Handover, Lane, LaneId, LaneKind, Level, Recording, START_UP, Span, Toll, thinned,
};
pub use timeline::{Timeline, WriteOnDrop};
