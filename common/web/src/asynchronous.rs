//! The client that never blocks a thread, for tasks on a runtime.

use super::{
    FetchError, KEEP_ALIVE, Page, USER_AGENT, Url,
    exchange::{self, BoxError, Exchange, fetch, left},
};
use reqwest::{Client, redirect::Policy};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::TrustAnchor};
use std::{cell::Cell, mem, sync::Arc, time::Duration};
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

tokio::task_local! {
    /// Whether a connection was made for the request that is waited for.
    static CONNECTED: Cell<bool>;
}

pub(super) fn build(idle_connections: usize, roots: &[TrustAnchor<'static>]) -> Client {
    Client::builder()
        .tls_backend_preconfigured(tls_config(roots))
        .no_proxy()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .pool_idle_timeout(KEEP_ALIVE)
        .pool_max_idle_per_host(idle_connections)
        .connector_layer(MapRequestLayer::new(|address| {
            // Perhaps for nobody: another may have become free first.
            let _ = CONNECTED.try_with(|connected| connected.set(true));
            address
        }))
        .build()
        .expect("a client from constants and a ready TLS configuration")
}

/// What both clients trust.
pub(super) fn tls_config(roots: &[TrustAnchor<'static>]) -> ClientConfig {
    let roots = roots.to_vec();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default protocol versions")
        .with_root_certificates(RootCertStore { roots })
        .with_no_client_auth()
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
    async fn exchange(&self, at: &mut Exchange) -> Result<(), BoxError> {
        let ask = |client: &Client| client.get(at.url.clone()).timeout(left(at.until)).send();
        let first = async { (ask(&self.client).await, CONNECTED.with(Cell::get)) };
        let mut answer = match CONNECTED.scope(Cell::new(false), first).await {
            (Err(error), false) if at.explain(&error).is_broken() => {
                // A new client has no connection that may have been closed.
                ask(&build(0, webpki_roots::TLS_SERVER_ROOTS)).await?
            }
            (answer, _) => answer?,
        };
        at.begin(answer.status(), mem::take(answer.headers_mut()))?;
        while let Some(bytes) = answer.chunk().await? {
            at.take(&bytes)?;
        }
        Ok(())
    }
}
