//! httpbin's paths, and the lab's own ways to fail on request.

use super::{
    Lab,
    connection::Connection,
    faults::{cut, reset, stall, too_many_requests},
    mix,
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Extension, Path, Query, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use futures_util::stream;
use serde_json::{Map, Value, json};
use std::{convert::Infallible, fmt::Write, sync::Arc, time::Duration};
use tokio::time;

/// Longest wait of `/delay` and `/stall`.
const DELAY_LIMIT_S: f64 = 60.0;

/// Longest body of `/bytes` and `/cut`.
const BYTES_LIMIT: usize = 64 << 20;

/// Most links of `/links`, as in httpbin.
const LINKS_LIMIT: u32 = 200;

const PATHS: &str = "\
the lab's server; its paths:
  /get                   what you asked, as JSON
  /delay/{seconds}       the same, later (0 to 60, fractions are fine)
  /bytes/{n}             n bytes, by the seed
  /status/{code}         that status (200 to 599)
  /html                  a page
  /links/{n}             a page with n links
  /page/{n}              page n of many that link to each other (?size=BYTES&count=PAGES&delay=SECONDS)
  /pages                 links to all of them (?count=PAGES)
  /files/{path}          a directory, if one is served
  /stall                 the head of an answer, and then nothing for ever
  /stall/{seconds}       the head of an answer, its body later
  /cut/{n}               half of n bytes, then the connection closes
  /reset                 a TCP reset
  /retry-after/{seconds} status 429, to be tried again later
  /not-utf8              a page that is not UTF-8
  /witness               what the server saw since POST /witness/begin
";

const MOBY_DICK: &str = "<!DOCTYPE html>
<html>
  <head><title>Herman Melville - Moby-Dick</title></head>
  <body>
    <h1>Herman Melville - Moby-Dick</h1>
    <p>Call me Ishmael. Some years ago—never mind how long precisely—having little or no money
    in my purse, and nothing particular to interest me on shore, I thought I would sail about a
    little and see the watery part of the world.</p>
  </body>
</html>
";

pub(super) fn routes() -> Router<Arc<Lab>> {
    Router::new()
        .route("/", get(PATHS))
        .route("/get", get(echo))
        .route("/delay/{seconds}", get(delay))
        .route("/bytes/{n}", get(bytes))
        .route("/status/{code}", get(status))
        .route("/html", get(Html(MOBY_DICK)))
        .route("/links/{n}", get(links_start))
        .route("/links/{n}/{offset}", get(links))
        .route("/stall", get(stall_for_ever))
        .route("/stall/{seconds}", get(stall_a_while))
        .route("/cut/{n}", get(cut_in_half))
        .route("/reset", get(reset_now))
        .route("/retry-after/{seconds}", get(retry_after))
        .route("/not-utf8", get(not_utf8))
}

pub(super) async fn not_found(uri: Uri) -> Response {
    let text = format!(
        "no such path: `{}`; see / for those there are\n",
        uri.path()
    );
    (StatusCode::NOT_FOUND, text).into_response()
}

/// One line for a request that makes no sense.
pub(super) fn bad_request(text: impl Into<String>) -> Response {
    (StatusCode::BAD_REQUEST, text.into() + "\n").into_response()
}

async fn echo(
    uri: Uri,
    Query(args): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Json<Value> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let url = format!("http://{}{uri}", host.unwrap_or("127.0.0.1"));
    let args: Map<_, _> = args.into_iter().map(|(k, v)| (k, v.into())).collect();
    let headers: Map<_, Value> = headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value.into())
        })
        .collect();
    Json(json!({ "args": args, "headers": headers, "origin": "127.0.0.1", "url": url }))
}

async fn delay(
    Path(seconds): Path<String>,
    uri: Uri,
    query: Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    match parse_wait(&seconds) {
        Ok(wait) => {
            time::sleep(wait).await;
            echo(uri, query, headers).await.into_response()
        }
        Err(refusal) => refusal,
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer itself")]
pub(super) fn parse_wait(seconds: &str) -> Result<Duration, Response> {
    seconds
        .parse()
        .ok()
        .filter(|seconds| (0.0..=DELAY_LIMIT_S).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| {
            bad_request(format!(
                "not seconds from 0 to {DELAY_LIMIT_S}: `{seconds}`"
            ))
        })
}

async fn bytes(State(lab): State<Arc<Lab>>, Path(n): Path<String>) -> Response {
    match parse_length(&n) {
        Ok(n) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            (kind, seeded_bytes(lab.config.seed, n)).into_response()
        }
        Err(refusal) => refusal,
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer itself")]
fn parse_length(n: &str) -> Result<usize, Response> {
    n.parse()
        .ok()
        .filter(|&n| n <= BYTES_LIMIT)
        .ok_or_else(|| bad_request(format!("not a length from 0 to {BYTES_LIMIT}: `{n}`")))
}

fn seeded_bytes(seed: u64, n: usize) -> Vec<u8> {
    let words = (0..).flat_map(|position| mix(seed, position).to_le_bytes());
    words.take(n).collect()
}

async fn status(Path(code): Path<String>) -> Response {
    let code = code.parse().ok().filter(|code| (200..600).contains(code));
    match code.and_then(|code| StatusCode::from_u16(code).ok()) {
        Some(code) if code.is_redirection() && code != StatusCode::NOT_MODIFIED => {
            (code, [(header::LOCATION, "/get")]).into_response()
        }
        Some(code) => code.into_response(),
        None => bad_request("not a status from 200 to 599"),
    }
}

async fn links_start(Path(n): Path<u32>) -> Redirect {
    Redirect::to(&format!("/links/{n}/0"))
}

async fn links(Path((n, offset)): Path<(u32, u32)>) -> Html<String> {
    let mut page = String::from("<html><head><title>Links</title></head><body>");
    for link in 0..n.clamp(1, LINKS_LIMIT) {
        // Writing to a string cannot fail.
        let _ = if link == offset {
            write!(page, "{link} ")
        } else {
            write!(page, "<a href='/links/{n}/{link}'>{link}</a> ")
        };
    }
    page.push_str("</body></html>");
    Html(page)
}

async fn stall_for_ever() -> Response {
    stall()
}

async fn stall_a_while(Path(seconds): Path<String>) -> Response {
    let wait = match parse_wait(&seconds) {
        Ok(wait) => wait,
        Err(refusal) => return refusal,
    };
    let late = async move {
        time::sleep(wait).await;
        Ok::<_, Infallible>(Bytes::from_static(b"late, but here\n"))
    };
    Body::from_stream(stream::once(late)).into_response()
}

async fn cut_in_half(
    State(lab): State<Arc<Lab>>,
    Extension(connection): Extension<Connection>,
    Path(n): Path<String>,
) -> Response {
    match parse_length(&n) {
        Ok(n) => cut(connection, &seeded_bytes(lab.config.seed, n).into()),
        Err(refusal) => refusal,
    }
}

async fn reset_now(Extension(connection): Extension<Connection>) -> Response {
    reset(&connection)
}

async fn retry_after(Path(seconds): Path<u32>) -> Response {
    too_many_requests(seconds)
}

async fn not_utf8() -> Response {
    let page = b"<html><head><title>caf\xe9</title></head><body>\xff\xfe</body></html>";
    Html(page.as_slice()).into_response()
}
