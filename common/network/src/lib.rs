//! What the network steps share: their flags, the site they fetch from, and the lines they print.

mod args;
pub mod lesson;

pub use args::{RequestArgs, Site, WebUrl};
