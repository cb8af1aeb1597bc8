//! What a service saw, by its own count.

use super::FaultKind;
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
    /// How often each of these was asked for.
    asks: HashMap<String, u64>,
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

    /// Counts a request in.
    pub(crate) fn arrive(self: &Arc<Self>, connection: &Connection) -> InFlight {
        let now = &mut self.0.lock().witness;
        now.arrivals += 1;
        now.in_flight += 1;
        now.peak_in_flight = now.peak_in_flight.max(now.in_flight);
        // The server has one thread: any ordering does.
        let counted = connection.0.swap(now.run, Ordering::SeqCst);
        now.connections += u64::from(counted != now.run);
        InFlight {
            counts: self.clone(),
            run: now.run,
        }
    }

    /// How often this was asked for in this run, now included.
    pub(super) fn asks(&self, what: String) -> u64 {
        let mut now = self.0.lock();
        let asks = now.asks.entry(what).or_default();
        *asks += 1;
        *asks
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
    pub(super) fn note(&self, change: impl FnOnce(&mut Witness)) {
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
