//! The sweep: a task and a connection for every request.

use super::Client;
use crate::{
    burst::{Answered, BurstError, GREETINGS_AHEAD},
    protocol::Target,
};
use std::{collections::VecDeque, panic::resume_unwind, sync::Arc, time::Instant};
use tokio::{sync::SetOnce, task::JoinSet};
use web::venue::Request;

/// Has every request in flight at once, each in a task and on a connection of its own.
///
/// # Errors
/// A connection was refused; nothing was asked then.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn burst_with_tasks(
    target: Target,
    requests: &[Request],
) -> Result<Vec<Answered>, BurstError> {
    let clients = connect_all(target, requests.len()).await?;
    let go = Arc::new(SetOnce::new());
    let crew = start_all(clients, requests, &go);
    let _ = go.set(Instant::now());
    Ok(join_all(crew).await)
}

/// Opens `count` connections, at most [`GREETINGS_AHEAD`] of them not yet greeted.
#[tracing::instrument(name = "connect", skip_all, fields(wait = "io"))]
async fn connect_all(target: Target, count: usize) -> Result<Vec<Client>, BurstError> {
    let (mut clients, mut coming) = (Vec::with_capacity(count), VecDeque::new());
    for _ in 0..count {
        coming.push_back(Client::open(target).await?);
        if coming.len() > GREETINGS_AHEAD
            && let Some(mut client) = coming.pop_front()
        {
            client.read_greeting().await?;
            clients.push(client);
        }
    }
    for mut client in coming {
        client.read_greeting().await?;
        clients.push(client);
    }
    Ok(clients)
}

#[tracing::instrument(name = "start", skip_all)]
fn start_all(
    clients: Vec<Client>,
    requests: &[Request],
    go: &Arc<SetOnce<Instant>>,
) -> JoinSet<(usize, Answered)> {
    let mut crew = JoinSet::new();
    for (index, (client, &request)) in clients.into_iter().zip(requests).enumerate() {
        crew.spawn(ask_at_go(index, client, request, Arc::clone(go)));
    }
    crew
}

async fn ask_at_go(
    index: usize,
    mut client: Client,
    request: Request,
    go: Arc<SetOnce<Instant>>,
) -> (usize, Answered) {
    let go = *go.wait().await;
    let outcome = client.ask(&request).await;
    let after = go.elapsed();
    (index, Answered { outcome, after })
}

#[tracing::instrument(name = "answers", skip_all, fields(wait = "io"))]
async fn join_all(mut crew: JoinSet<(usize, Answered)>) -> Vec<Answered> {
    let mut all: Vec<Answered> = (0..crew.len()).map(|_| Answered::never()).collect();
    while let Some(joined) = crew.join_next().await {
        match joined {
            Ok((index, answered)) => all[index] = answered,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }
    all
}
