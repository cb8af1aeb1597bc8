//! The client that never blocks a thread, for tasks on a runtime.

use super::{
    BODY_LIMIT_BYTES, FetchError, KEEP_ALIVE, Page, REDIRECT_LIMIT, USER_AGENT, Url,
    error::{Progress, parse_retry_after},
};
use reqwest::{Client, redirect::Policy};
use std::{
    error::Error,
    io,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// A client for tasks, with keep-alive; clones share its connections.
///
/// `timeout` covers one whole request, from the name look-up to the last byte. Certificates are
/// checked against the Mozilla roots compiled in, as the blocking client does: the system's store
/// would be read from disk here, even for a client that only speaks plain HTTP.
pub fn async_client(timeout: Duration) -> Client {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(timeout)
        .no_proxy()
        .user_agent(USER_AGENT)
        .redirect(Policy::limited(REDIRECT_LIMIT as usize))
        .pool_idle_timeout(KEEP_ALIVE)
        .build()
        .expect("a client from constants and a ready TLS configuration")
}

/// Fetches one page without blocking the thread.
///
/// # Errors
/// A [`FetchError`]: no connection, no complete answer in time, or a status of 400 and up.
///
/// # Cancel safety
/// A dropped future closes its connection; what had come of the body is lost.
#[tracing::instrument(name = "fetch", level = "info", skip_all, fields(wait = "io"))]
pub async fn get_async(client: &Client, url: &Url) -> Result<Page, FetchError> {
    let start = Instant::now();
    let mut progress = Progress {
        url: url.as_str(),
        elapsed: Duration::ZERO,
        got: 0,
        expected: None,
    };
    let mut response = client.get(url.clone()).send().await.map_err(|error| {
        progress.elapsed = start.elapsed();
        explain(&error, progress)
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
    let final_url = response.url().clone();
    progress.expected = response.content_length();
    let length = progress.expected.unwrap_or_default();
    if length > BODY_LIMIT_BYTES {
        return Err(progress.too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    loop {
        let chunk = response.chunk().await;
        progress.got = body.len() as u64;
        progress.elapsed = start.elapsed();
        match chunk.map_err(|error| explain(&error, progress))? {
            Some(bytes) if progress.got + bytes.len() as u64 > BODY_LIMIT_BYTES => {
                return Err(progress.too_large());
            }
            Some(bytes) => body.extend_from_slice(&bytes),
            None => break,
        }
    }
    Ok(Page {
        url: final_url,
        status,
        body,
        content_type,
        elapsed: progress.elapsed,
    })
}

fn explain(error: &reqwest::Error, at: Progress<'_>) -> FetchError {
    if error.is_timeout() {
        return at.timeout();
    }
    if error.is_redirect() {
        return at.other("it redirects in circles; check the URL");
    }
    let mut root: &(dyn Error + 'static) = error;
    let mut cause = error.source();
    while let Some(inner) = cause {
        // hyper-util keeps the type to itself; its word is all that tells a failed look-up.
        if inner.to_string() == "dns error" {
            return at.host_not_found();
        }
        if let Some(error) = inner.downcast_ref::<hyper::Error>()
            && error.is_incomplete_message()
        {
            return at.cut();
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
