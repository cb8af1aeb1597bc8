//! Failures, so that they can be looked at twice: by a seed, and on request.

use super::{
    Connection, Lab, PATHS,
    asked::{Answer, Asked, BRIEF},
    bodies::gzip,
    mix,
};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use futures_util::stream;
use http_body_util::BodyExt;
use measure::workload::Seeded;
use serde::{
    Deserialize, Serialize,
    de::{IntoDeserializer, value},
};
use std::{
    convert::Infallible,
    num::NonZeroU32,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// One way in which the server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A status of the server's own, 500 unless the plan says otherwise.
    #[serde(alias = "server-error", alias = "500")]
    ServerError,
    /// Status 429, with a `Retry-After`.
    #[serde(alias = "too-many-requests", alias = "429")]
    TooManyRequests,
    /// The head of an answer, and then nothing for ever.
    Stall,
    /// Half of the body, and then the connection closes.
    Cut,
    /// A TCP reset instead of an answer.
    Reset,
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = Self::deserialize(text.into_deserializer());
        kind.map_err(|_: value::Error| {
            "not one of server-error, too-many-requests, stall, cut, reset".into()
        })
    }
}

/// Lets one request in `every` fail: which ones depends on what they ask for, and for which time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// One request in so many fails.
    pub every: NonZeroU32,
    /// Decides which ones fail, and how.
    pub seed: u64,
    /// The ways to fail that it chooses from; if empty, nothing fails.
    pub kinds: Vec<FaultKind>,
    /// What the 429s ask for in `Retry-After`, in seconds.
    pub retry_after_s: u32,
    /// What a server error is, from 500 to 599.
    pub status: u16,
    /// Only requests whose path begins so fail.
    pub path: String,
}

impl Faults {
    /// One request in `every` fails, in one of these ways; the 429s ask for one second.
    pub fn new(every: NonZeroU32, seed: u64, kinds: Vec<FaultKind>) -> Self {
        Self {
            every,
            seed,
            kinds,
            retry_after_s: 1,
            status: 500,
            path: "/".into(),
        }
    }

    /// What happens when `target`, such as `/page/3?size=9`, is asked for the `ask`-th time in a run.
    ///
    /// What else arrives, and in which order, changes nothing.
    pub fn at(&self, target: &str, ask: u64) -> Option<FaultKind> {
        let seed = target
            .bytes()
            .fold(self.seed, |seed, byte| mix(seed, byte.into()));
        let mut draws = Seeded::for_item(seed, ask);
        let fails = draws.range(0..self.every.get().into()) == 0 && !self.kinds.is_empty();
        fails.then(|| self.kinds[draws.range(0..self.kinds.len() as u64) as usize])
    }
}

/// Counts a request, lets it fail if its turn has come, and watches its answer to the end.
pub(super) async fn watch(
    State(lab): State<Arc<Lab>>,
    Extension(connection): Extension<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let plan = lab.config.faults.as_ref();
    let aimed = plan.filter(|faults| request.uri().path().starts_with(&faults.path));
    let in_flight = lab.counts.arrive(&connection);
    let fault = aimed.and_then(|faults| {
        let target = request.uri().to_string();
        Some((faults.at(&target, lab.counts.asks(target.clone()))?, faults))
    });
    let mut response = match fault {
        None => next.run(request).await,
        Some((kind, faults)) => fail(kind, faults, next.run(request)).await,
    };
    let broken = response.extensions().get::<FaultKind>().copied();
    in_flight.note(|now| {
        if let Some(kind) = broken.or(fault.map(|(kind, _)| kind)) {
            *now.faults.entry(kind).or_default() += 1;
        }
        if broken.is_none() {
            *now.by_status.entry(response.status().as_u16()).or_default() += 1;
        }
    });
    if plan.is_some_and(|faults| faults.kinds.contains(&FaultKind::Reset)) {
        // A kept connection that breaks makes clients try again on their own, unseen.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    // In flight until the body is dropped, which is just before the client can see its end: a client
    // that starts its next request the moment it has this answer is never counted twice.
    response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _ = &in_flight;
            error
        }))
    })
}

/// The answer of a request that fails, which is half of the true one if it is cut.
async fn fail(kind: FaultKind, plan: &Faults, whole: impl Future<Output = Response>) -> Response {
    match kind {
        FaultKind::ServerError => {
            let status = StatusCode::from_u16(plan.status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, "a fault, by the seed\n").into_response()
        }
        FaultKind::TooManyRequests => too_many_requests(plan.retry_after_s.to_string()),
        FaultKind::Stall => stall(),
        FaultKind::Reset => reset(),
        FaultKind::Cut => {
            let (head, body) = whole.await.into_parts();
            match axum::body::to_bytes(body, usize::MAX).await {
                Ok(whole) if !whole.is_empty() => cut(head.headers, &whole),
                // Nothing to halve: the connection breaks all the same.
                _ => reset(),
            }
        }
    }
}

/// Status 429 with a `Retry-After`.
fn too_many_requests(retry_after: String) -> Response {
    let text = format!("too many requests; retry after {retry_after}\n");
    let header = [(header::RETRY_AFTER, retry_after)];
    (StatusCode::TOO_MANY_REQUESTS, header, text).into_response()
}

/// The head of an answer that promises a body which never comes.
fn stall() -> Response {
    let never = stream::pending::<Result<Bytes, Infallible>>();
    let length = [(header::CONTENT_LENGTH, 1024)];
    let never = Body::from_stream(never);
    (Extension(FaultKind::Stall), length, never).into_response()
}

/// In place of an answer: the connection ends with these bytes, or with a reset if there are none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the connection ends")]
pub(super) struct Ending(pub(super) Vec<u8>);

/// The first half of `whole` under the length of all of it; then the connection closes.
fn cut(mut fields: HeaderMap, whole: &[u8]) -> Response {
    fields.insert(header::CONTENT_LENGTH, whole.len().into());
    instead(Some(FaultKind::Cut), fields, &whole[..whole.len() / 2])
}

/// An answer that nobody will see: the connection ends in a reset.
fn reset() -> Response {
    (Extension(FaultKind::Reset), Extension(Ending(Vec::new()))).into_response()
}

/// These fields and this body go out as they are, and then the connection closes.
fn instead(kind: Option<FaultKind>, fields: HeaderMap, body: &[u8]) -> Response {
    let mut bytes = b"HTTP/1.1 200 OK\r\nconnection: close\r\n".to_vec();
    for (name, value) in &fields {
        let field = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"];
        bytes.extend(field.concat());
    }
    let ending = Ending([&bytes, &b"\r\n"[..], body].concat());
    (kind.map(Extension), Extension(ending)).into_response()
}

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
async fn flaky(Path(n): Path<u32>, asked: Asked) -> Answer {
    let code = asked.code("status", 503)?;
    let time = asked.lab.counts.asks(format!("flaky {}", asked.head.uri));
    Ok(match time > n.into() {
        true => asked.json(BRIEF),
        false => (code, format!("failure {time} of {n}\n")).into_response(),
    })
}

async fn cut_in_half(State(lab): State<Arc<Lab>>, Path(n): Path<u32>) -> Response {
    cut(HeaderMap::new(), &lab.bytes(n, None))
}

async fn wrong_length(State(lab): State<Arc<Lab>>, Path((said, n)): Path<(u64, u32)>) -> Response {
    let fields = HeaderMap::from_iter([(header::CONTENT_LENGTH, said.into())]);
    let kind = (said > n.into()).then_some(FaultKind::Cut);
    instead(kind, fields, &lab.bytes(n, None))
}

async fn broken_gzip() -> impl IntoResponse {
    let page = "<title>half</title>\n".repeat(100);
    let mut packed = gzip(page.as_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [FaultKind; 5] = [
        FaultKind::ServerError,
        FaultKind::TooManyRequests,
        FaultKind::Stall,
        FaultKind::Cut,
        FaultKind::Reset,
    ];

    fn faults(every: u32, seed: u64) -> Faults {
        let every = NonZeroU32::new(every).expect("not zero");
        Faults::new(every, seed, ALL.to_vec())
    }

    #[test]
    fn one_request_in_k_fails_the_first_time_and_later() {
        for every in 1..=7 {
            for ask in 1..=3 {
                let fails = |n: &u32| faults(every, 1).at(&format!("/{n}"), ask).is_some();
                let share = (0..7000).filter(fails).count() * every as usize;
                assert!((6300..7700).contains(&share), "{share}: {every}, {ask}");
            }
        }
    }

    #[test]
    fn the_seed_and_the_target_decide() {
        let plan = |seed, target| -> Vec<_> {
            let faults = faults(3, seed);
            (1..=60).map(|ask| faults.at(target, ask)).collect()
        };
        assert_eq!(plan(1, "/a"), plan(1, "/a"));
        assert_ne!(plan(1, "/a"), plan(2, "/a"));
        assert_ne!(plan(1, "/a"), plan(1, "/b"));
        for kind in ALL {
            assert!(plan(1, "/a").contains(&Some(kind)), "{kind:?} never comes");
        }
    }

    #[test]
    fn without_kinds_nothing_fails() {
        let none = Faults {
            kinds: Vec::new(),
            ..faults(1, 1)
        };
        assert_eq!(none.at("/", 1), None);
    }
}
