#![doc = include_str!("../README.md")]

mod cause;
pub mod chrome;
mod cost;
mod fields;
mod layer;
mod level;
mod live;
mod queries;
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
