//! What happens to every counted request: it is counted, and perhaps it fails.

use super::{
    Lab,
    faults::{self, FaultKind},
    witness::Connection,
};
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use std::sync::Arc;

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
        Some((FaultKind::ServerError, faults)) => {
            let status = StatusCode::from_u16(faults.status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, "a fault, by the seed\n").into_response()
        }
        Some((FaultKind::TooManyRequests, faults)) => {
            faults::too_many_requests(faults.retry_after_s.to_string())
        }
        Some((FaultKind::Stall, _)) => faults::stall(),
        Some((FaultKind::Reset, _)) => faults::reset(),
        Some((FaultKind::Cut, _)) => halve(next.run(request).await).await,
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

/// Half of what the true answer would have been.
async fn halve(response: Response) -> Response {
    let (head, body) = response.into_parts();
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(whole) if !whole.is_empty() => faults::cut(head.headers, &whole),
        // Nothing to halve: the connection breaks all the same.
        _ => faults::reset(),
    }
}
