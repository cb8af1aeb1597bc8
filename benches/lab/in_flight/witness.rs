//! What the figures leave out: what the server can hold, and how many each client really had in flight.

use super::{Client, Target};
use anyhow::{Context, ensure};
use common::report::format;
use side_by_side::{Program, Side};
use std::{fs, rc::Rc, thread, time::Duration};

/// So many clients at once show what the server holds.
const CROWD: u64 = 5;

/// The server before a crowd: five times the load of each place, as far as its open files go.
pub(super) fn capacity(target: &Target, places: &[u64]) -> anyhow::Result<Vec<String>> {
    let mut loads: Vec<u64> = places
        .iter()
        .map(|place| place.min(&(target.most / CROWD)) * CROWD)
        .collect();
    loads.dedup();
    let busy = busy(target);
    let mut held = Vec::new();
    for &load in &loads {
        held.push(crowd(target, load / CROWD)?);
    }
    let busy = self::busy(target).zip(busy).map(|(now, then)| now - then);
    let mut note = format!(
        "the server, asked by {CROWD} clients of sockets together: {}",
        held.join(", ")
    );
    if let Some(busy) = busy {
        let each = busy.as_secs_f64() / loads.iter().sum::<u64>() as f64;
        note += &format!(
            "; its one thread was busy for {:.0} µs a request",
            each * 1e6
        );
    }
    Ok(vec![note])
}

/// Has a crowd make so many requests each; says how many were in flight and how long it took.
fn crowd(target: &Target, each: u64) -> anyhow::Result<String> {
    let client = Client::sockets();
    let programs: anyhow::Result<Vec<Program>> =
        (0..CROWD).map(|_| client.start(&target.url)).collect();
    target.server.begin_run()?;
    let turns: Vec<_> = programs?
        .into_iter()
        .map(|mut program| thread::spawn(move || program.run(each)))
        .collect();
    let mut longest = Duration::ZERO;
    for turn in turns {
        let turn = turn.join().ok().context("a client's thread panicked")??;
        longest = longest.max(turn.took);
    }
    let seen = target.server.witness()?;
    ensure!(
        seen.arrivals == each * CROWD,
        "the server lost some: {seen:?}"
    );
    Ok(format!(
        "{} requests in {:.2} s with {} in flight",
        format::count(seen.arrivals),
        longest.as_secs_f64(),
        format::count(seen.peak_in_flight)
    ))
}

/// How long the server's thread has been on a CPU, where the system tells it.
fn busy(target: &Target) -> Option<Duration> {
    let id = target.server.id();
    let text = fs::read_to_string(format!("/proc/{id}/schedstat")).ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

/// Where a client has most to do: how many it really had in flight, by the server's count, and over how
/// many connections; and what its process holds before it does anything.
pub(super) fn what_each_had(
    target: &Target,
    clients: &[Rc<Client>],
    last: u64,
) -> anyhow::Result<Vec<String>> {
    let mut had = Vec::new();
    let mut idle = Vec::new();
    for client in clients.iter().filter(|client| client.holds(last)) {
        if let Err(error) = target.turn(client, last) {
            // Its row says why it is left out.
            if client.side == Side::Peer {
                continue;
            }
            return Err(error.context(client.name.clone()));
        }
        let seen = target.server.witness()?;
        let [peak, connections] = [seen.peak_in_flight, seen.connections].map(format::count);
        had.push(format!("{} {peak} over {connections}", client.name));
        if let Some(bytes) = client.start(&target.url)?.run(0)?.peak_bytes {
            let bytes = format::bytes(bytes as f64);
            idle.push(format!("{} {bytes}", client.name));
        }
    }
    let last = format::count(last);
    let mut notes = vec![format!(
        "of {last} at most in flight, by the server's count, and over how many connections: {}",
        had.join(", ")
    )];
    if !idle.is_empty() {
        let idle = idle.join(", ");
        notes.push(format!("memory before the first request: {idle}"));
    }
    Ok(notes)
}
