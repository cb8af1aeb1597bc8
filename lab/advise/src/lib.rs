//! Which way for a job of your own: costs measured now, a prediction for each way, and how wrong it was.
//!
//! [`costs`] measures, [`model`] predicts from what was measured, [`advice`] puts it into words;
//! [`ways`] does a job of the same shape for real, for the costs and for [`trial`].

pub mod advice;
pub mod command;
pub mod costs;
pub mod grid;
pub mod job;
pub mod model;
pub mod python;
pub mod trial;
pub mod typical;
pub mod ways;

pub use costs::Costs;
pub use job::Job;
pub use model::{Forecast, Way};
