//! An httpbin-like server that counts what it sees, and two clients for it.
//!
//! The [`Server`] keeps count of what it saw ([`Witness`]), so that a client can prove how many of its
//! requests were really in flight, and fails as it is told to ([`Faults`]).
//!
//! Both clients have the same limits, the same keep-alive and the same errors ([`FetchError`]), so
//! that threads and tasks can be compared: [`get_blocking`] really blocks its thread (no runtime
//! behind it), [`get_async`] never does (reqwest). [`venue`] is a second, smaller service.
//!
//! ```
//! use std::{thread, time::Duration};
//! use web::{Server, ServerConfig, blocking_agent, get_blocking};
//!
//! let server = Server::in_process(0, ServerConfig::default())?;
//! let agent = blocking_agent(Duration::from_secs(5));
//! thread::scope(|scope| {
//!     for _ in 0..3 {
//!         scope.spawn(|| get_blocking(&agent, &server.url("delay/0.1")));
//!     }
//! });
//! assert_eq!(server.witness()?.arrivals, 3);
//! # Ok::<(), web::ServerError>(())
//! ```

mod asynchronous;
mod blocking;
mod error;
mod exchange;
mod page;
pub mod server;
mod service;
#[cfg(test)]
mod tests;
pub mod venue;

pub use asynchronous::{AsyncClient, async_client, get_async};
pub use blocking::{Agent, blocking_agent, get_blocking};
pub use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
pub use error::FetchError;
pub use exchange::{BODY_LIMIT_BYTES, has_user_info};
pub use page::Page;
pub use server::{FaultKind, Faults, SERVER, Server, ServerConfig, Witness};
pub use service::{ServerError, Service};
pub use url::Url;

use std::time::Duration;

/// What one request came to.
pub type Fetched = Result<Page, FetchError>;

/// How long both clients keep an idle connection for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// What both clients call themselves.
const USER_AGENT: &str = concat!("concurrency-lab/", env!("CARGO_PKG_VERSION"));

/// `path` below `base`, whether or not the base ends in a slash.
///
/// # Panics
/// If `base` is no URL with a host.
pub fn under(base: &Url, path: &str) -> Url {
    let mut directory = base.clone();
    if let Ok(mut segments) = directory.path_segments_mut() {
        segments.pop_if_empty().push("");
    }
    let path = directory.join(path.trim_start_matches('/'));
    path.expect("a relative path joins any http URL")
}
