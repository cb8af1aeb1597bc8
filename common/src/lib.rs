//! What every step of the lab shares.
//!
//! A lesson keeps its mechanism in its own `lib.rs`; everything that is not the mechanism stands
//! here, behind one plain call: measuring, recording a timeline, judging claims, reporting, and the
//! child processes that serve as workers or as the web server.

mod cast;
pub mod child;
pub mod cli;
pub mod experiment;
pub mod host;
#[cfg(feature = "net")]
pub mod http;
pub mod narrator;
pub mod page;
pub mod panics;
#[cfg(feature = "process")]
pub mod process_pool;
pub mod report;
pub mod testing;
pub mod timeline;
pub mod timing;
pub mod workload;

pub use experiment::{Bound, Experiment, Step, Tally};
