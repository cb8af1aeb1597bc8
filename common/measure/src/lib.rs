//! What a stretch of code took, the machine under it, and work to measure.

mod clock;
pub mod host;
pub mod inherited;
pub mod limits;
pub mod surroundings;
pub mod timing;
pub mod workload;

pub use clock::{Moment, thread_cpu};
