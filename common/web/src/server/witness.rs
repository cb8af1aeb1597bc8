//! What the server saw, by its own count, and what happens to each request that it counts.

use super::{
    Lab,
    faults::{self, FaultKind, Faults},
};
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// What the server saw since the run began.
///
/// A request is in flight from its arrival until the last byte of its answer is handed over or its
/// connection is gone. Questions for these counts are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The number of the run, from 1.
    pub run: u64,
    /// Requests that arrived.
    pub arrivals: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// Most requests in flight at one time.
    pub peak_in_flight: u64,
    /// Connections that carried at least one of the requests.
    pub connections: u64,
    /// Answers by HTTP status; one that was cut, stalled or reset has none.
    pub by_status: BTreeMap<u16, u64>,
    /// Faults by kind: those of the plan, and each answer that was cut, stalled or reset on request.
    pub faults: BTreeMap<FaultKind, u64>,
}

/// The last run that counted a connection; clones are the same connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<AtomicU64>);

/// The counts of the run that is on.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<Now>);

#[derive(Debug, Default)]
struct Now {
    witness: Witness,
    /// Requests below the path of the faults.
    exposed: u64,
    /// How often each target has failed.
    failures: HashMap<String, u32>,
}

impl Counts {
    /// What was counted; where the next run `begins`, that is nothing.
    pub(crate) fn ask(&self, begins: bool) -> Witness {
        let mut now = self.0.lock();
        if begins {
            let run = now.witness.run + 1;
            *now = Now::default();
            now.witness.run = run;
        }
        now.witness.clone()
    }

    /// Counts a request in; returns its number in this run, or among those at which faults aim.
    pub(crate) fn arrive(
        self: &Arc<Self>,
        connection: &Connection,
        is_exposed: bool,
    ) -> (u64, InFlight) {
        let mut all = self.0.lock();
        all.exposed += u64::from(is_exposed);
        let exposed = all.exposed;
        let now = &mut all.witness;
        now.arrivals += 1;
        now.in_flight += 1;
        now.peak_in_flight = now.peak_in_flight.max(now.in_flight);
        // The server has one thread: any ordering does.
        let counted = connection.0.swap(now.run, Ordering::SeqCst);
        now.connections += u64::from(counted != now.run);
        let in_flight = InFlight {
            counts: self.clone(),
            run: now.run,
        };
        (exposed, in_flight)
    }

    /// Which failure of a target this is, if it is to fail `n` times and has not yet.
    pub(super) fn failures_of(&self, target: &Uri, n: u32) -> Option<u32> {
        let mut now = self.0.lock();
        let failures = now.failures.entry(target.to_string()).or_default();
        *failures = failures.saturating_add(1);
        Some(*failures).filter(|failures| *failures <= n)
    }
}

/// One request in flight; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    counts: Arc<Counts>,
    run: u64,
}

impl InFlight {
    /// What is left over from an earlier run is no part of this one.
    fn note(&self, change: impl FnOnce(&mut Witness)) {
        let mut now = self.counts.0.lock();
        if now.witness.run == self.run {
            change(&mut now.witness);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.note(|now| now.in_flight -= 1);
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
    let (arrival, in_flight) = lab.counts.arrive(&connection, aimed.is_some());
    let fault = aimed.and_then(|faults| Some((faults.at(arrival)?, faults)));
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
        FaultKind::TooManyRequests => faults::too_many_requests(plan.retry_after_s.to_string()),
        FaultKind::Stall => faults::stall(),
        FaultKind::Reset => faults::reset(),
        FaultKind::Cut => {
            let (head, body) = whole.await.into_parts();
            match axum::body::to_bytes(body, usize::MAX).await {
                Ok(whole) if !whole.is_empty() => faults::cut(head.headers, &whole),
                // Nothing to halve: the connection breaks all the same.
                _ => faults::reset(),
            }
        }
    }
}
