//! What the network steps share: their flags, the site they fetch from, and the lines they print.

mod args;
pub mod lesson;
mod site;

pub use args::{RequestArgs, parse_delay, parse_timeout, parse_url};
pub use site::{Site, open_target};
