//! The lab's network: URL lists, a blocking and an asynchronous client, and the server they ask.
//!
//! [`open_target`] turns a lesson's arguments into a [`Site`]: the URLs to fetch and, unless the
//! reader named a host of their own, the lab's [`Server`] in a process of its own. The server keeps
//! count of what it saw, so that a lesson can prove how many requests were really in flight.
//!
//! Both clients have the same limits, the same keep-alive and the same errors ([`FetchError`]), so
//! that threads and tasks can be compared: [`get_blocking`] really blocks its thread (ureq, no
//! runtime behind it), [`get_async`] never does (reqwest).

mod args;
#[cfg(feature = "net-async")]
mod asynchronous;
mod blocking;
mod error;
mod handle;
pub mod lesson;
mod page;
pub mod server;
mod site;
#[cfg(test)]
mod tests;

pub use args::{RequestArgs, as_seconds, parse_delay, parse_timeout, parse_url};
#[cfg(feature = "net-async")]
pub use asynchronous::{async_client, get_async};
pub use blocking::{blocking_agent, get_blocking};
pub use error::FetchError;
pub use handle::{Server, ServerError};
pub use page::{BODY_LIMIT_BYTES, Page};
pub use server::{FaultKind, Faults, SERVER, ServerConfig, Witness};
pub use site::{Site, open_target};
pub use url::Url;

use std::time::Duration;

/// How long both clients keep an idle connection for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How many redirects both clients follow for one request.
const REDIRECT_LIMIT: u32 = 10;

/// What both clients call themselves.
const USER_AGENT: &str = concat!("concurrency-lab/", env!("CARGO_PKG_VERSION"));
