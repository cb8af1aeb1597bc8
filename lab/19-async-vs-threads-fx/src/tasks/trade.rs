//! The table: a few tasks share all requests.

use super::Client;
use crate::{
    batch::{Batch, in_order},
    protocol::{Outcome, RequestError, Target},
};
use std::{panic::resume_unwind, sync::Arc};
use tokio::{
    sync::{
        SetOnce,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
    },
    task::JoinSet,
};
use web::venue::Request;

/// Asks for all quotes in `workers` tasks with a connection each, then for what `then` makes of the
/// answers, in the same tasks; outcomes of both in the order of asking.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn trade_with_tasks(
    target: Target,
    quotes: &[Request],
    workers: usize,
    then: impl FnOnce(&[Outcome]) -> Vec<Request>,
) -> [Vec<Outcome>; 2] {
    let (quotes, orders) = (Arc::new(Batch::new(quotes.to_vec())), Arc::default());
    let (tx, mut rx) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for number in 1..=workers {
        let (quotes, orders) = (Arc::clone(&quotes), Arc::clone(&orders));
        tasks.spawn(work(number, target, quotes, orders, tx.clone()));
    }
    // Whatever ends all workers ends the waiting for them, too.
    drop(tx);
    let quoted = receive(&mut rx, quotes.len()).await;
    let batch = Batch::new(then(&quoted));
    let count = batch.len();
    let _ = orders.set(batch);
    let ordered = receive(&mut rx, count).await;
    while let Some(joined) = tasks.join_next().await {
        joined.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    }
    [quoted, ordered]
}

async fn receive(rx: &mut UnboundedReceiver<(usize, Outcome)>, count: usize) -> Vec<Outcome> {
    let mut numbered = Vec::with_capacity(count);
    while numbered.len() < count {
        match rx.recv().await {
            Some(one) => numbered.push(one),
            None => break,
        }
    }
    in_order(numbered)
}

/// Takes quotes, then orders, until none is left; after a failure, on a new connection.
#[tracing::instrument(name = "worker", skip_all, fields(task = number, wait = "io"))]
async fn work(
    number: usize,
    target: Target,
    quotes: Arc<Batch>,
    orders: Arc<SetOnce<Batch>>,
    tx: UnboundedSender<(usize, Outcome)>,
) {
    let mut client = Err(RequestError::Closed);
    drain(&mut client, target, &quotes, &tx).await;
    drain(&mut client, target, orders.wait().await, &tx).await;
}

async fn drain(
    client: &mut Result<Client, RequestError>,
    target: Target,
    batch: &Batch,
    tx: &UnboundedSender<(usize, Outcome)>,
) {
    while let Some((index, request)) = batch.take() {
        if client.is_err() {
            *client = Client::connect(target).await;
        }
        let outcome = match client {
            Ok(client) => ask_one(client, request).await,
            Err(error) => Err(error.clone()),
        };
        if let Err(error) = &outcome {
            *client = Err(error.clone());
        }
        // Nobody to hear it means that the others have failed, and that is told.
        let _ = tx.send((index, outcome));
    }
}

#[tracing::instrument(name = "ask", skip_all, fields(wait = "io"))]
async fn ask_one(client: &mut Client, request: &Request) -> Outcome {
    client.ask(request).await
}
