//! The whole path in one go: builds every step, runs it at a quick pace, and sums up.

pub mod summary;
pub mod walk;

pub use common::path;
