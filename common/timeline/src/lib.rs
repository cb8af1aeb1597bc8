#![doc = include_str!("../README.md")]

mod cause;
pub mod chrome;
mod cost;
mod fields;
mod gathered;
mod layer;
mod level;
mod log;
mod queries;
mod recording;
mod replay;
mod store;
mod thin;
mod timeline;

pub use cause::{BACK_OFF, CAUSES, Cause, IO};
pub use measure::{Moment, thread_cpu};
pub use recording::{Lane, LaneId, LaneKind, Level, Recording, START_UP, Span, Toll, thinned};
pub use timeline::{Timeline, WriteOnDrop};
