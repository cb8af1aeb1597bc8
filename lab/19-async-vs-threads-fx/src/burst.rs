//! What both sides share when everything is to be in flight at once.

use crate::protocol::{Outcome, RequestError};
use hdrhistogram::Histogram;
use measure::limits;
use serde::Serialize;
use std::{
    io::{
        self,
        ErrorKind::{ConnectionRefused, ConnectionReset, TimedOut},
    },
    time::Duration,
};

/// How many connections may be open without having been greeted.
///
/// A connect succeeds as soon as the system has put it in the listener's queue. Past the queue's end
/// it would be dropped and tried again a second later, so neither side runs ahead of the venue.
pub const GREETINGS_AHEAD: usize = 64;

/// What became of a request, and how long after the start of them all.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The outcome.
    pub outcome: Outcome,
    /// The time since all were let go; what waits for its turn to be sent is waiting too.
    pub after: Duration,
}

impl Answered {
    /// A request that was not made.
    pub(crate) fn never() -> Self {
        Self {
            outcome: Err(RequestError::Closed),
            after: Duration::ZERO,
        }
    }
}

/// Why a burst did not come about.
#[derive(Debug, thiserror::Error)]
pub enum BurstError {
    /// A connection was refused or broke.
    #[error(transparent)]
    Connection(#[from] RequestError),
    /// The system refused another thread.
    #[error("threads: the system started {started} of {wanted} ({source})")]
    Thread {
        /// How many there were.
        started: usize,
        /// How many there were to be.
        wanted: usize,
        /// The system's word.
        source: io::Error,
    },
}

impl BurstError {
    /// The limit of this machine that was met; `None` where it was something else.
    pub fn limit(&self) -> Option<String> {
        match self {
            Self::Thread { .. } => {
                let limits = limits::on_threads();
                let limits = limits
                    .iter()
                    .map(|limit| format!("; {} {}", limit.name, limit.value));
                Some(format!("{self}{}", limits.collect::<String>()))
            }
            // Where the venue is alive, it is the system that has no more sockets.
            Self::Connection(RequestError::Connect { kind, .. })
                if !matches!(kind, ConnectionRefused | ConnectionReset | TimedOut) =>
            {
                Some(self.to_string())
            }
            Self::Connection(_) => None,
        }
    }
}

/// How long answers took: the middle, the slowest of a hundred, the slowest.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Latencies {
    /// How many.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_s: f64,
    /// Ninety-nine of a hundred took no longer.
    pub p99_s: f64,
    /// None took longer.
    pub max_s: f64,
}

impl Latencies {
    /// The percentiles of `times`, to three significant digits.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut histogram = Histogram::<u64>::new(3).expect("three digits are within its range");
        for time in times {
            // A value past its range would be 292 years.
            let _ = histogram.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
        let seconds = |micros: u64| micros as f64 / 1e6;
        Self {
            count: histogram.len(),
            p50_s: seconds(histogram.value_at_quantile(0.50)),
            p99_s: seconds(histogram.value_at_quantile(0.99)),
            max_s: seconds(histogram.max()),
        }
    }
}
