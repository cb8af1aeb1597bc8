//! The client that really blocks its thread: no runtime, no hidden event loop.

use super::{
    BODY_LIMIT_BYTES, FetchError, KEEP_ALIVE, Page, USER_AGENT, Url,
    exchange::{Client, Exchange, fetch},
    framing::Strictly,
};
use futures_util::FutureExt;
use std::{io::Read, net::Ipv4Addr, panic::Location, time::Duration};
use ureq::{
    Agent, Body,
    config::Config,
    http::{Response, Uri, Version, header::TRANSFER_ENCODING},
    tls::TlsConfig,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{Connector, DefaultConnector, NextTimeout, time},
    },
};

/// Idle connections an agent keeps, in all and per host: past the largest pool of threads.
const IDLE_CONNECTIONS: usize = 10_000;

/// What a request may take up of memory on its way out: past the longest address.
const OUTPUT_BUFFER_BYTES: usize = 10 * 1024;

/// A client for threads, with keep-alive; clones share its connections.
///
/// `timeout` covers one whole request, from the name look-up to the last byte.
pub fn blocking_agent(timeout: Duration) -> Agent {
    agent(timeout, TlsConfig::default())
}

pub(super) fn agent(timeout: Duration, tls: TlsConfig) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .tls_config(tls)
        // A status is an answer; `get_blocking` makes the error, and follows redirects.
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(USER_AGENT)
        .max_idle_connections(IDLE_CONNECTIONS)
        .max_idle_connections_per_host(IDLE_CONNECTIONS)
        .max_idle_age(KEEP_ALIVE)
        // The default, 2 × 128 KiB a connection, would make threads look hungrier than they are.
        .input_buffer_size(8 * 1024)
        .output_buffer_size(OUTPUT_BUFFER_BYTES)
        .max_response_header_size(usize::MAX)
        .build();
    let connector = DefaultConnector::default().chain(Strictly);
    Agent::with_parts(config, connector, AddressFirst::default())
}

/// Fetches one page and blocks until its last byte; a picture shows where in the code it was called.
///
/// # Errors
/// A [`FetchError`]: no connection, no complete answer in time, or a status that is no page.
#[track_caller]
#[tracing::instrument(name = "fetch", level = "info", skip_all, fields(
    wait = "io", code.file = Location::caller().file(), code.line = Location::caller().line()
))]
pub fn get_blocking(agent: &Agent, url: &Url) -> Result<Page, FetchError> {
    let timeout = agent.config().timeouts().global;
    let page = fetch(agent, url, timeout.unwrap_or(Duration::MAX));
    page.now_or_never().expect("this client only blocks")
}

impl Client for Agent {
    type Answer = Response<Body>;

    async fn ask(&self, at: &Exchange, fresh: bool) -> Result<Response<Body>, FetchError> {
        let request = self.get(at.url.as_str()).config();
        let request = request.timeout_global(Some(at.left()));
        // No kept connection has this shape, so a new one is made for it.
        let request = request.output_buffer_size(OUTPUT_BUFFER_BYTES + usize::from(fresh));
        let answer = request.build().call();
        answer.map_err(|error| explain(error, at))
    }

    async fn read(&self, answer: Response<Body>, at: &mut Exchange) -> Result<(), FetchError> {
        let (head, body) = answer.into_parts();
        if head.version == Version::HTTP_10 && head.headers.contains_key(TRANSFER_ENCODING) {
            return Err(at.against_the_rules());
        }
        at.begin(head.status.as_u16(), &head.headers)?;
        // One byte past the limit tells a full body from one that is too long.
        let mut reader = body.into_reader().take(BODY_LIMIT_BYTES + 1);
        let read = reader.read_to_end(&mut at.body);
        read.map_err(|error| explain(error.into(), at))?;
        Ok(())
    }
}

fn explain(error: ureq::Error, at: &Exchange) -> FetchError {
    match error {
        ureq::Error::Timeout(_) => at.timeout(),
        ureq::Error::HostNotFound => at.error(|url| FetchError::HostNotFound { url }),
        ureq::Error::Io(error) => at.io(&error),
        ureq::Error::Protocol(_) | ureq::Error::BodyStalled => at.against_the_rules(),
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
        mut timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() {
            timeout.after = time::Duration::NotHappening;
        }
        let found = self.names.resolve(uri, config, timeout);
        found.map_err(|error| match error {
            // The system's word for an unknown host has no error kind of its own.
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })
    }
}
