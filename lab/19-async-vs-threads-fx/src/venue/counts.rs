//! What the venue counts in a run, and the opening bell.

use hdrhistogram::Histogram;
use measure::timing::Usage;
use serde::Serialize;
use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::SetOnce, time::Instant};

/// What the venue saw since a run began, and what that cost it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    /// Quotes and orders that arrived.
    pub arrivals: u64,
    /// The most of them in flight at one time: arrived, and not answered yet.
    pub peak_in_flight: u64,
    /// Connections that carried at least one of them.
    pub connections: u64,
    /// CPU time of its process.
    pub cpu_s: f64,
    /// How long the run has lasted.
    pub lasted_s: f64,
    /// Ninety-nine of a hundred answers left no later than this after their latency had passed.
    pub late_p99_s: f64,
}

impl Counts {
    /// The part of the time in which the venue's one thread was at work, 0–1.
    pub fn busy_ratio(&self) -> f64 {
        if self.lasted_s > 0.0 {
            self.cpu_s / self.lasted_s
        } else {
            0.0
        }
    }
}

/// As the venue answers to `COUNTS`: the fields in their order.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "COUNTS {} {} {} {} {} {}",
            self.arrivals,
            self.peak_in_flight,
            self.connections,
            self.cpu_s,
            self.lasted_s,
            self.late_p99_s
        )
    }
}

impl FromStr for Counts {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words: Vec<&str> = line.split(' ').collect();
        let ["COUNTS", arrivals, peak, connections, cpu, lasted, late] = words[..] else {
            return Err(());
        };
        let count = |text: &str| text.parse().map_err(|_| ());
        let seconds = |text: &str| text.parse().map_err(|_| ());
        Ok(Self {
            arrivals: count(arrivals)?,
            peak_in_flight: count(peak)?,
            connections: count(connections)?,
            cpu_s: seconds(cpu)?,
            lasted_s: seconds(lasted)?,
            late_p99_s: seconds(late)?,
        })
    }
}

/// One run.
pub(super) struct Run {
    number: u64,
    bell: u64,
    rung: SetOnce<Instant>,
    began: Instant,
    cpu_before: Duration,
    book: Mutex<Book>,
}

struct Book {
    counts: Counts,
    in_flight: u64,
    late_micros: Histogram<u64>,
}

impl Run {
    /// A run whose bell rings at the arrival `bell`; without a bell if that is less than two.
    pub(super) fn begin(number: u64, bell: u64) -> Self {
        Self {
            number,
            bell,
            rung: SetOnce::new(),
            began: Instant::now(),
            cpu_before: Usage::of_this_process().cpu(),
            book: Mutex::new(Book {
                counts: Counts::default(),
                in_flight: 0,
                late_micros: Histogram::new(2).expect("two digits are within its range"),
            }),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Whole numbers are right at every moment, whoever panicked.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request in until the returned guard is dropped; `is_new` if its connection is.
    pub(super) fn arrive(&self, is_new: bool) -> InFlight<'_> {
        let mut book = self.book();
        book.counts.arrivals += 1;
        book.counts.connections += u64::from(is_new);
        book.in_flight += 1;
        book.counts.peak_in_flight = book.counts.peak_in_flight.max(book.in_flight);
        if self.bell > 1 && book.counts.arrivals == self.bell {
            self.ring();
        }
        InFlight(self)
    }

    /// Lets everybody go who waits for the bell.
    pub(super) fn ring(&self) {
        // A bell that has rung keeps its time.
        let _ = self.rung.set(Instant::now());
    }

    /// From when on latencies count: the bell, or now where the run has none.
    pub(super) async fn opening(&self) -> Instant {
        if self.bell > 1 {
            Instant::max(*self.rung.wait().await, self.began)
        } else {
            Instant::now()
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let book = self.book();
        Counts {
            cpu_s: (Usage::of_this_process().cpu() - self.cpu_before).as_secs_f64(),
            lasted_s: self.began.elapsed().as_secs_f64(),
            late_p99_s: book.late_micros.value_at_quantile(0.99) as f64 / 1e6,
            ..book.counts
        }
    }
}

/// One request in flight; it ends when this is dropped.
pub(super) struct InFlight<'a>(&'a Run);

impl InFlight<'_> {
    /// Notes an answer that was due at `due` and has just left.
    pub(super) fn answered(&self, due: Instant) {
        let late = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Past the histogram's range lie 292 years.
        let _ = self.0.book().late_micros.record(late);
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.book().in_flight -= 1;
    }
}
