//! What it takes to begin: a thread, a task, a process, a pool, a whole step.

mod one;
mod pools;
mod steps;

pub(crate) use one::group as one;
pub(crate) use pools::{NEXT, group as pools};
pub(crate) use steps::group as steps;
