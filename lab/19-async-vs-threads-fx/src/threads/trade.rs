//! The table: a few threads share all requests.

use super::Client;
use crate::{
    batch::{Batch, in_order},
    protocol::{Outcome, RequestError, Target},
};
use std::{
    io,
    sync::{
        OnceLock,
        mpsc::{self, Sender},
    },
    thread,
};
use web::venue::Request;

/// Asks for all quotes on `workers` threads with a connection each, then for what `then` makes of
/// the answers, on the same threads; outcomes of both in the order of asking.
///
/// # Errors
/// The system refuses to start another thread.
pub fn trade_with_threads(
    target: &Target,
    quotes: &[Request],
    workers: usize,
    then: impl FnOnce(&[Outcome]) -> Vec<Request>,
) -> io::Result<[Vec<Outcome>; 2]> {
    let (quotes, orders) = (Batch::new(quotes.to_vec()), OnceLock::new());
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for number in 1..=workers {
            let worker = thread::Builder::new().name(format!("worker {number}"));
            let (tx, quotes, orders) = (tx.clone(), &quotes, &orders);
            let started = worker.spawn_scoped(scope, move || work(target, quotes, orders, &tx));
            if let Err(error) = started {
                // Those that wait for orders would wait for ever.
                let _ = orders.set(Batch::default());
                return Err(error);
            }
        }
        // Whatever ends all workers ends the waiting for them, too.
        drop(tx);
        let quoted = in_order(rx.iter().take(quotes.len()).collect());
        let orders = orders.get_or_init(|| Batch::new(then(&quoted)));
        Ok([quoted, in_order(rx.iter().take(orders.len()).collect())])
    })
}

/// Takes quotes, then orders, until none is left; after a failure, on a new connection.
fn work(target: &Target, quotes: &Batch, orders: &OnceLock<Batch>, tx: &Sender<(usize, Outcome)>) {
    let mut client = Err(RequestError::Closed);
    drain(&mut client, target, quotes, tx);
    drain(&mut client, target, orders.wait(), tx);
}

fn drain<'a>(
    client: &mut Result<Client<'a>, RequestError>,
    target: &'a Target,
    batch: &Batch,
    tx: &Sender<(usize, Outcome)>,
) {
    while let Some((index, request)) = batch.take() {
        if client.is_err() {
            *client = Client::connect(target);
        }
        let outcome = match client {
            Ok(client) => ask_one(client, request),
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
fn ask_one(client: &mut Client<'_>, request: &Request) -> Outcome {
    client.ask(request)
}
