//! The whole path in one go: builds every step, runs it at a quick pace, and sums up.

pub mod path;
pub mod summary;
pub mod walk;
