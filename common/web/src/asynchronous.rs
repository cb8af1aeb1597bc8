//! The client that never blocks a thread, for tasks on a runtime.

use super::{
    BODY_LIMIT_BYTES, FetchError, KEEP_ALIVE, Page, USER_AGENT, Url,
    exchange::{self, Exchange, fetch, note_connection},
};
use reqwest::{Client, Response, redirect::Policy};
use rustls::pki_types::TrustAnchor;
use std::{
    error::Error,
    io,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tower::util::MapRequestLayer;

/// A client for tasks, with keep-alive; clones share its connections.
#[derive(Clone, Debug)]
pub struct AsyncClient {
    pub(super) client: Client,
    pub(super) timeout: Duration,
}

/// Makes a client for tasks.
///
/// `timeout` covers one whole request, from the name look-up to the last byte. Certificates are
/// checked against the Mozilla roots compiled in, as the blocking client does: the system's store
/// would be read from disk here, even for a client that only speaks plain HTTP.
pub fn async_client(timeout: Duration) -> AsyncClient {
    let client = build(usize::MAX, webpki_roots::TLS_SERVER_ROOTS);
    AsyncClient { client, timeout }
}

pub(super) fn build(idle_connections: usize, roots: &[TrustAnchor<'static>]) -> Client {
    let roots = rustls::RootCertStore {
        roots: roots.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .pool_idle_timeout(KEEP_ALIVE)
        .pool_max_idle_per_host(idle_connections)
        .connector_layer(MapRequestLayer::new(|address| {
            note_connection();
            address
        }))
        .build()
        .expect("a client from constants and a ready TLS configuration")
}

/// Fetches one page without blocking the thread.
///
/// # Errors
/// A [`FetchError`]: no connection, no complete answer in time, or a status that is no page.
///
/// # Cancel safety
/// A dropped future closes its connection; what had come of the body is lost.
#[tracing::instrument(name = "fetch", level = "info", skip_all, fields(wait = "io"))]
pub async fn get_async(client: &AsyncClient, url: &Url) -> Result<Page, FetchError> {
    fetch(client, url, client.timeout).await
}

impl exchange::Client for AsyncClient {
    type Answer = Response;

    async fn ask(&self, at: &Exchange, fresh: bool) -> Result<Response, FetchError> {
        /// It keeps no connections, so it has none that may have been closed.
        static ALONE: LazyLock<Client> = LazyLock::new(|| build(0, webpki_roots::TLS_SERVER_ROOTS));
        let client = if fresh { &*ALONE } else { &self.client };
        let request = client.get(at.url.clone()).timeout(at.left());
        request.send().await.map_err(|error| explain(&error, at))
    }

    async fn read(&self, mut answer: Response, at: &mut Exchange) -> Result<(), FetchError> {
        at.begin(answer.status().as_u16(), answer.headers())?;
        while at.body.len() as u64 <= BODY_LIMIT_BYTES {
            let more = answer.chunk().await;
            match more.map_err(|error| explain(&error, at))? {
                Some(bytes) => at.body.extend_from_slice(&bytes),
                None => break,
            }
        }
        Ok(())
    }
}

fn explain(error: &reqwest::Error, at: &Exchange) -> FetchError {
    if error.is_timeout() {
        return at.timeout();
    }
    let mut root: &(dyn Error + 'static) = error;
    let mut cause = error.source();
    while let Some(inner) = cause {
        // hyper-util keeps the type to itself; its word is all that tells a failed look-up.
        if inner.to_string() == "dns error" {
            return at.error(|url| FetchError::HostNotFound { url });
        }
        if let Some(error) = inner.downcast_ref::<hyper::Error>() {
            if error.is_incomplete_message() {
                return at.cut();
            }
            if error.is_parse_too_large() {
                return at.head_too_large();
            }
            if error.is_parse() {
                return at.against_the_rules();
            }
        }
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            // TLS errors come wrapped in an io error without a meaning of its own.
            if error.get_ref().is_none() || error.kind() != io::ErrorKind::Other {
                return at.io(error);
            }
        }
        root = inner;
        cause = inner.source();
    }
    at.other(root)
}
