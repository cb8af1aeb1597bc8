//! The client that really blocks its thread: no runtime, no hidden event loop.

use super::{
    BODY_LIMIT_BYTES, FetchError, KEEP_ALIVE, Page, REDIRECT_LIMIT, USER_AGENT, Url,
    error::{Progress, parse_retry_after},
};
use std::{
    io::Read,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant, SystemTime},
};
use ureq::{
    Agent, ResponseExt,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

/// Idle connections an agent keeps, in all and per host: past the largest pool of threads.
const IDLE_CONNECTIONS: usize = 10_000;

/// A client for threads, with keep-alive; clones share its connections.
///
/// `timeout` covers one whole request, from the name look-up to the last byte.
pub fn blocking_agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        // A status is an answer; `get_blocking` makes the error, with its `Retry-After`.
        .http_status_as_error(false)
        .proxy(None)
        .user_agent(USER_AGENT)
        .max_redirects(REDIRECT_LIMIT)
        .max_idle_connections(IDLE_CONNECTIONS)
        .max_idle_connections_per_host(IDLE_CONNECTIONS)
        .max_idle_age(KEEP_ALIVE)
        // The default, 2 × 128 KiB a connection, would make threads look hungrier than they are.
        .input_buffer_size(32 * 1024)
        .output_buffer_size(8 * 1024)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), AddressFirst::default())
}

/// Fetches one page and blocks until its last byte.
///
/// # Errors
/// A [`FetchError`]: no connection, no complete answer in time, or a status of 400 and up.
#[tracing::instrument(name = "fetch", level = "info", skip_all, fields(wait = "io"))]
pub fn get_blocking(agent: &Agent, url: &Url) -> Result<Page, FetchError> {
    request(agent, url)
}

/// [`get_blocking`] without its span, for what is no part of a lesson.
pub(super) fn request(agent: &Agent, url: &Url) -> Result<Page, FetchError> {
    let start = Instant::now();
    let mut progress = Progress {
        url: url.as_str(),
        elapsed: Duration::ZERO,
        got: 0,
        expected: None,
    };
    let response = agent.get(url.as_str()).call().map_err(|error| {
        progress.elapsed = start.elapsed();
        explain(error, progress)
    })?;
    let header = |name| response.headers().get(name)?.to_str().ok();
    let status = response.status().as_u16();
    if status >= 400 {
        let retry_after = header("retry-after");
        return Err(FetchError::Status {
            url: url.to_string(),
            code: status,
            retry_after: retry_after.and_then(|v| parse_retry_after(v, SystemTime::now())),
        });
    }
    let content_type = header("content-type").map(str::to_owned);
    let final_url = Url::parse(&response.get_uri().to_string()).unwrap_or_else(|_| url.clone());
    progress.expected = response.body().content_length();
    let length = progress.expected.unwrap_or_default();
    if length > BODY_LIMIT_BYTES {
        return Err(progress.too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // One byte past the limit tells a full body from one that is too long.
    let mut reader = response
        .into_body()
        .into_reader()
        .take(BODY_LIMIT_BYTES + 1);
    let read = reader.read_to_end(&mut body);
    progress.got = body.len() as u64;
    progress.elapsed = start.elapsed();
    read.map_err(|error| explain(ureq::Error::from(error), progress))?;
    if progress.got > BODY_LIMIT_BYTES {
        return Err(progress.too_large());
    }
    Ok(Page {
        url: final_url,
        status,
        body,
        content_type,
        elapsed: progress.elapsed,
    })
}

fn explain(error: ureq::Error, at: Progress<'_>) -> FetchError {
    match error {
        ureq::Error::Timeout(_) => at.timeout(),
        ureq::Error::HostNotFound => at.host_not_found(),
        ureq::Error::Io(error) => at.io(&error),
        ureq::Error::TooManyRedirects => at.other("it redirects in circles; check the URL"),
        error => at.other(error),
    }
}

/// Takes an address for what it is, and looks up only names.
///
/// With a time-out set, ureq starts a thread for each look-up, even of `127.0.0.1`: a program that
/// counts its threads must not pay for that.
#[derive(Debug, Default)]
struct AddressFirst {
    names: DefaultResolver,
}

impl Resolver for AddressFirst {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(address) = host.parse::<IpAddr>() else {
            return self.names.resolve(uri, config, timeout).map_err(no_name);
        };
        let standard = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = uri.port_u16().unwrap_or(standard);
        let mut found = self.empty();
        found.push(SocketAddr::new(address, port));
        Ok(found)
    }
}

/// The system's word for an unknown host has no error kind of its own.
fn no_name(error: ureq::Error) -> ureq::Error {
    match error {
        ureq::Error::Io(_) => ureq::Error::HostNotFound,
        other => other,
    }
}
