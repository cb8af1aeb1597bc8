//! Many requests of one second in flight at once: the lessons' tasks and threads, sockets by hand, and
//! what people use in other languages. Each client has a process of its own in each turn, so that its
//! memory can be told.

mod by_hand;
mod clients;
mod far_end;
mod hyper;
mod witness;

pub(crate) use far_end::take_role;

use anyhow::ensure;
use clients::Client;
use measure::host;
use process_pool::child::Program;
use side_by_side::{Group, Row, Setting, Turn, Unit};
use std::rc::Rc;
use web::{Server, ServerConfig, Url};

const PLACES: [u64; 4] = [100, 1_000, 5_000, 10_000];

/// A round of all rows takes a minute.
const ROUNDS: usize = 3;

/// What a process opens beside its connections.
const SPARE_FILES: u64 = 200;

/// What all clients ask, and who tells what came of it.
struct Target {
    server: Server,
    url: Url,
    /// How many connections this system lets the server have.
    most: u64,
}

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let (all, delay_s) = if setting.plan.is_test {
        (&[4][..], 0.02)
    } else {
        (&PLACES[..], 1.0)
    };
    // The clients inherit it.
    let open_files = host::raise_open_files().unwrap_or(u64::MAX);
    let server = Server::start(&Program::this(), ServerConfig::default())?;
    let url = server.url(&format!("delay/{delay_s}"));
    let target = Rc::new(Target {
        server,
        url,
        most: open_files.saturating_sub(SPARE_FILES),
    });
    let (places, beyond): (Vec<u64>, Vec<u64>) = all.iter().partition(|&&n| n <= target.most);
    let (clients, mut notes) = clients::all(setting, &target.url)?;
    notes.extend(beyond.iter().map(|place| {
        format!("left out: {place} in flight; a process may open {open_files} files here")
    }));
    notes.extend(witness::capacity(&target, &places)?);
    if let Some(&last) = places.last() {
        notes.extend(witness::what_each_had(&target, &clients, last)?);
    }
    let mut rows = Vec::new();
    for &place in &places {
        let able = clients.iter().filter(|client| client.holds(place));
        rows.extend(able.map(|client| row(client, &target, place)));
    }
    let title = format!(
        "Requests that are answered after {delay_s} s, so many in flight; peak: the client's memory"
    );
    Ok(Group::new(title, Unit::Time, rows)
        .in_counts_of(1, 1)
        .in_at_most(ROUNDS)
        .along("in flight")
        .noting(notes))
}

fn row(client: &Rc<Client>, target: &Rc<Target>, place: u64) -> Row {
    let (name, side) = (client.name.clone(), client.side);
    let (client, target) = (Rc::clone(client), Rc::clone(target));
    let work = move |_| target.turn(&client, place);
    // Each turn is a new process: there is nothing to warm up.
    Row::new(name, side, work).at(place as f64).cold()
}

impl Target {
    /// Has a client make its requests in a process of its own, and sees that they all came.
    fn turn(&self, client: &Client, place: u64) -> anyhow::Result<Turn> {
        self.server.begin_run()?;
        let turn = client.start(&self.url)?.run(place)?;
        let seen = self.server.witness()?;
        ensure!(
            seen.arrivals == place && seen.by_status.get(&200) == Some(&place),
            "there were {place} requests to make, and the server saw {seen:?}"
        );
        Ok(turn)
    }
}
