//! What happens to every counted request: it is counted, and perhaps it fails.

use super::{
    Lab,
    connection::Connection,
    faults::{self, FaultKind},
    witness::InFlight,
};
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Counts a request, lets it fail if its turn has come, and watches its answer to the end.
pub(super) async fn watch(
    State(lab): State<Arc<Lab>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    mut request: Request,
    next: Next,
) -> Response {
    let (arrival, in_flight) = lab.counts.arrive(&lab, &connection, request.uri().path());
    let plan = lab.config.faults.as_ref();
    let fault = plan.and_then(|faults| Some((faults.at(arrival?)?, faults)));
    let mut response = match fault {
        None => {
            request.extensions_mut().insert(connection);
            next.run(request).await
        }
        Some((FaultKind::ServerError, faults)) => {
            in_flight.fault(FaultKind::ServerError);
            let status = StatusCode::from_u16(faults.status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, "a fault, by the seed\n").into_response()
        }
        Some((FaultKind::TooManyRequests, faults)) => {
            in_flight.fault(FaultKind::TooManyRequests);
            faults::too_many_requests(faults.retry_after_s.to_string())
        }
        Some((FaultKind::Stall, _)) => faults::stall(),
        Some((FaultKind::Reset, _)) => faults::reset(&connection),
        Some((FaultKind::Cut, _)) => halve(next.run(request).await, &connection).await,
    };
    match response.extensions().get::<FaultKind>() {
        Some(kind) => in_flight.fault(*kind),
        None => in_flight.answered(response.status()),
    }
    if plan.is_some_and(|faults| faults.kinds.contains(&FaultKind::Reset)) {
        // A kept connection that breaks makes clients try again on their own, unseen.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response.map(|body| {
        let in_flight = Some(in_flight).filter(|_| !body.is_end_stream());
        Body::new(Watched { body, in_flight })
    })
}

/// Half of what the true answer would have been.
async fn halve(response: Response, connection: &Connection) -> Response {
    let (head, body) = response.into_parts();
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(whole) if !whole.is_empty() => faults::cut(connection, head.headers, &whole),
        // Nothing to halve: the connection breaks all the same.
        _ => faults::reset(connection),
    }
}

/// A body that keeps its request in flight until its last byte is handed over, or it is dropped.
///
/// "Handed over" comes just before the client can see the end: a client that starts its next
/// request the moment it has this answer is never counted twice.
struct Watched {
    body: Body,
    in_flight: Option<InFlight>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream() {
            self.in_flight = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
