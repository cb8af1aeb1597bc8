//! What the figures leave out: what the server can hold, and how many each client really had in flight.

use super::{Client, Target};
use anyhow::{Context, ensure};
use common::format;
use side_by_side::{Program, Side};
use std::{fs, rc::Rc, thread, time::Duration};

/// So many clients at once show what the server holds.
const CROWD: u64 = 5;

/// The server before a crowd: five times the load of each place, as far as its open files go.
pub(super) fn capacity(target: &Target, places: &[u64]) -> anyhow::Result<Vec<String>> {
    let mut places = places.to_vec();
    // What cannot have five times its load here is told by the last alone.
    let cut = places.partition_point(|place| place * CROWD <= target.most);
    places.drain(cut..places.len().max(cut + 1) - 1);
    let loads: Vec<u64> = places
        .iter()
        .map(|place| place.min(&(target.most / CROWD)) * CROWD)
        .collect();
    let busy = busy(target);
    let mut held = Vec::new();
    for (&place, &load) in places.iter().zip(&loads) {
        held.push(crowd(target, load / CROWD, place)?);
    }
    let busy = self::busy(target).zip(busy).map(|(now, then)| now - then);
    let mut note = format!(
        "the server, asked by {CROWD} clients of sockets together: {}",
        held.join("; ")
    );
    if loads
        .iter()
        .zip(&places)
        .any(|(load, place)| *load < place * CROWD)
    {
        let most = format::count(target.most);
        note += &format!("; no more than {most} connections fit one process here");
    }
    if let Some(busy) = busy {
        let each = busy.as_secs_f64() / loads.iter().sum::<u64>() as f64;
        note += &format!(
            "; its one thread was busy for {:.0} µs a request",
            each * 1e6
        );
        if let Some(&last) = places.last() {
            let (last, all) = (format::count(last), format::seconds_f64(each * last as f64));
            note += &format!(", which makes {all} for {last}");
        }
    }
    Ok(vec![note])
}

/// Has a crowd make so many requests each; says how many were in flight, and for how long it took.
fn crowd(target: &Target, each: u64, place: u64) -> anyhow::Result<String> {
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
        "{} requests in {:.2} s, {} in flight, {:.1} × the row of {}",
        format::count(seen.arrivals),
        longest.as_secs_f64(),
        format::count(seen.peak_in_flight),
        seen.peak_in_flight as f64 / place as f64,
        format::count(place)
    ))
}

/// How long the server's threads have been on a CPU, where the system reports it.
fn busy(target: &Target) -> Option<Duration> {
    let id = target.server.id();
    let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?.flatten();
    let nanos = threads.map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanos.sum::<Option<u64>>()?))
}

/// Where a client has most to do: how many it really had in flight, by the server's count, and over how
/// many connections; and what its process holds before it does anything.
pub(super) fn what_each_had(
    target: &Target,
    clients: &[Rc<Client>],
    last: u64,
) -> anyhow::Result<Vec<String>> {
    let mut had = Vec::new();
    let mut memory = Vec::new();
    for client in clients.iter().filter(|client| client.holds(last)) {
        let turn = match target.turn(client, last) {
            Ok(turn) => turn,
            // Its row says why it is left out.
            Err(_) if client.side == Side::Peer => continue,
            Err(error) => return Err(error.context(client.name.clone())),
        };
        let seen = target.server.witness()?;
        let [peak, connections] = [seen.peak_in_flight, seen.connections].map(format::count);
        had.push(format!("{} {peak} over {connections}", client.name));
        let before = client.start(&target.url)?.run(0)?;
        if let Some((before, then)) = before.peak_bytes.zip(turn.peak_bytes) {
            let each = then.saturating_sub(before) as f64 / seen.peak_in_flight.max(1) as f64;
            let [before, each] = [before as f64, each].map(format::bytes);
            memory.push(format!("{} {before}, {each}", client.name));
        }
    }
    let last = format::count(last);
    let mut notes = vec![format!(
        "of {last} at most in flight, by the server's count, and over how many connections: {}",
        had.join(", ")
    )];
    if !memory.is_empty() {
        let memory = memory.join("; ");
        notes.push(format!(
            "memory before the first request, and what each in flight added to it: {memory}"
        ));
    }
    Ok(notes)
}
