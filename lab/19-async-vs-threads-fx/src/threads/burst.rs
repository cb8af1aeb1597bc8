//! The sweep: a thread and a connection for every request.

use super::Client;
use crate::{
    burst::{Answered, BurstError, GREETINGS_AHEAD},
    protocol::Target,
};
use std::{
    collections::VecDeque,
    panic::resume_unwind,
    sync::OnceLock,
    thread::{self, Scope, ScopedJoinHandle},
    time::Instant,
};
use web::venue::Request;

/// Has every request in flight at once, each on a thread and a connection of its own.
///
/// # Errors
/// A connection or a thread was refused; nothing was asked then.
pub fn burst_with_threads(
    target: &Target,
    requests: &[Request],
    stack_bytes: usize,
) -> Result<Vec<Answered>, BurstError> {
    let clients = connect_all(target, requests.len())?;
    let go = OnceLock::new();
    thread::scope(|scope| {
        let crew = start_all(scope, clients, requests, &go, stack_bytes)?;
        let _ = go.set(Some(Instant::now()));
        Ok(join_all(crew))
    })
}

/// Opens `count` connections, at most [`GREETINGS_AHEAD`] of them not yet greeted.
#[tracing::instrument(name = "connect", skip_all, fields(wait = "io"))]
fn connect_all(target: &Target, count: usize) -> Result<Vec<Client<'_>>, BurstError> {
    let (mut clients, mut coming) = (Vec::with_capacity(count), VecDeque::new());
    for _ in 0..count {
        coming.push_back(Client::open(target)?);
        if coming.len() > GREETINGS_AHEAD
            && let Some(mut client) = coming.pop_front()
        {
            client.read_greeting()?;
            clients.push(client);
        }
    }
    for mut client in coming {
        client.read_greeting()?;
        clients.push(client);
    }
    Ok(clients)
}

/// When all may ask; `None` where it came to nothing.
type Go = OnceLock<Option<Instant>>;

#[tracing::instrument(name = "start", skip_all)]
fn start_all<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    clients: Vec<Client<'env>>,
    requests: &'env [Request],
    go: &'env Go,
    stack_bytes: usize,
) -> Result<Vec<ScopedJoinHandle<'scope, Answered>>, BurstError> {
    let mut crew = Vec::with_capacity(clients.len());
    for (mut client, request) in clients.into_iter().zip(requests) {
        let thread = thread::Builder::new().stack_size(stack_bytes);
        match thread.spawn_scoped(scope, move || ask_at_go(&mut client, request, go)) {
            Ok(started) => crew.push(started),
            Err(source) => {
                let (started, wanted) = (crew.len(), requests.len());
                let error = BurstError::Thread {
                    started,
                    wanted,
                    source,
                };
                // Those that wait for it would wait for ever.
                let _ = go.set(None);
                return Err(error);
            }
        }
    }
    Ok(crew)
}

fn ask_at_go(client: &mut Client<'_>, request: &Request, go: &Go) -> Answered {
    let Some(go) = go.wait() else {
        return Answered::never();
    };
    let outcome = client.ask(request);
    Answered {
        outcome,
        after: go.elapsed(),
    }
}

#[tracing::instrument(name = "answers", skip_all, fields(wait = "join"))]
fn join_all(crew: Vec<ScopedJoinHandle<'_, Answered>>) -> Vec<Answered> {
    let answered = crew.into_iter().map(ScopedJoinHandle::join);
    answered
        .map(|one| one.unwrap_or_else(|panic| resume_unwind(panic)))
        .collect()
}
