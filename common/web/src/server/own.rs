//! The lab's own paths: ways to fail on request.

use super::{
    Lab,
    asked::{Asked, BRIEF},
    bodies::{gzip, seeded_bytes},
    faults::{FaultKind, cut, instead, reset, stall, too_many_requests},
    httpbin::bad_request,
};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// What is there, a path a line.
pub const PATHS: &str = "\
httpbin's paths:
  /get /post /put /patch /delete /anything  what you asked, as JSON
  /headers /ip /user-agent /uuid            parts of it
  /delay/{seconds}          what you asked, later (0 to 60, fractions are fine)
  /status/{codes}           that status, or one of a list: 200:3,500:1 by weight
  /redirect/{n} /absolute-redirect/{n} /relative-redirect/{n}
  /redirect-to?url=URL&status_code=CODE
  /cookies /cookies/set?NAME=VALUE /cookies/set/{name}/{value} /cookies/delete?NAME
  /basic-auth/{user}/{password} /bearer
  /bytes/{n}?seed=N /stream/{lines} /range/{n} /links/{n}/{offset}
  /drip?numbytes=N&duration=S&delay=S&code=CODE   a body byte by byte
  /gzip /deflate /brotli    coded bodies
  /json /html /xml /image/png /encoding/utf8 /robots.txt
  /response-headers?NAME=VALUE /cache /cache/{seconds} /etag/{etag}
the lab's own:
  /page/{n}                 page n of many that link to each other
                            (?size=BYTES&count=PAGES&delay=SECONDS)
  /files/{path}             a directory, if one is served
  /flaky/{n}                fails n times, then what you asked (?status=CODE)
  /stall                    the head of an answer, and then nothing for ever
  /cut/{n}                  half of n bytes, then the connection closes
  /reset                    a TCP reset
  /wrong-length/{said}/{n}  n bytes under another length
  /broken-gzip              half of a gzip, as if it were whole
  /retry-after/{seconds}    status 429, to be tried again later (?as=date)
  /not-utf8                 a page that is not UTF-8
  /witness                  what the server saw since POST /witness/begin
";

pub(super) fn routes() -> Router<Arc<Lab>> {
    Router::new()
        .route("/", get(PATHS))
        .route("/flaky/{n}", any(flaky))
        .route("/stall", get(async || stall()))
        .route("/cut/{n}", get(cut_in_half))
        .route("/reset", get(async || reset()))
        .route("/wrong-length/{said}/{n}", get(wrong_length))
        .route("/broken-gzip", get(broken_gzip))
        .route("/retry-after/{seconds}", get(retry_after))
        .route("/not-utf8", get(async || Html(NOT_UTF8)))
}

/// Each target fails so often, in each run.
async fn flaky(
    State(lab): State<Arc<Lab>>,
    Path(n): Path<u32>,
    uri: Uri,
    asked: Asked,
) -> Response {
    let code = StatusCode::from_u16(asked.arg("status").unwrap_or(503));
    match (lab.counts.failures_of(&uri, n), code) {
        (None, _) => asked.json(BRIEF),
        (Some(time), Ok(code)) => (code, format!("failure {time} of {n}\n")).into_response(),
        (_, Err(_)) => bad_request("Invalid status code"),
    }
}

async fn cut_in_half(State(lab): State<Arc<Lab>>, Path(n): Path<u32>) -> Response {
    cut(HeaderMap::new(), &seeded_bytes(lab.config.seed, n))
}

async fn wrong_length(State(lab): State<Arc<Lab>>, Path((said, n)): Path<(u64, u32)>) -> Response {
    let fields = HeaderMap::from_iter([(header::CONTENT_LENGTH, said.into())]);
    let kind = (said > n.into()).then_some(FaultKind::Cut);
    instead(kind, fields, &seeded_bytes(lab.config.seed, n))
}

async fn broken_gzip() -> impl IntoResponse {
    let page = "<title>half</title>\n".repeat(100);
    let mut packed = gzip(page.as_bytes()).expect("memory takes what is written");
    packed.truncate(packed.len() / 2);
    ([(header::CONTENT_ENCODING, "gzip")], Html(packed))
}

async fn retry_after(Path(seconds): Path<u32>, asked: Asked) -> Response {
    let date = SystemTime::now() + Duration::from_secs(seconds.into());
    too_many_requests(match asked.arg::<String>("as").as_deref() {
        Some("date") => httpdate::fmt_http_date(date),
        _ => seconds.to_string(),
    })
}

const NOT_UTF8: &[u8] = b"<html><head><title>caf\xe9</title></head><body>\xff\xfe</body></html>";
