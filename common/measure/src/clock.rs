//! One monotonic clock for all processes of a run.

use serde::{Deserialize, Serialize};
use std::{ops::Sub, time::Duration};

/// A moment on the machine's monotonic clock, the same in every process of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment(u64);

impl Moment {
    /// Now.
    pub fn now() -> Self {
        Self(nanoseconds())
    }

    /// The moment `since` after the clock's arbitrary zero; for rendering fixed data in tests.
    pub const fn at(since: Duration) -> Self {
        Self(since.as_nanos() as u64)
    }

    /// The moment that lies `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_nanos() as u64))
    }
}

impl Sub for Moment {
    type Output = Duration;

    /// The time from `earlier` to here; zero if `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(unix)]
fn nanoseconds() -> u64 {
    read(nix::time::ClockId::CLOCK_MONOTONIC).as_nanos() as u64
}

/// CPU time that the calling thread has used.
#[cfg(unix)]
pub fn thread_cpu() -> Option<Duration> {
    Some(read(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID))
}

#[cfg(unix)]
fn read(clock: nix::time::ClockId) -> Duration {
    nix::time::clock_gettime(clock)
        .map(Duration::from)
        .expect("every Unix has this clock")
}

/// Elsewhere `Instant` does not cross processes: the wall clock at the first call anchors it.
#[cfg(not(unix))]
fn nanoseconds() -> u64 {
    use std::{
        sync::OnceLock,
        time::{Instant, SystemTime},
    };
    static ANCHOR: OnceLock<(Instant, Duration)> = OnceLock::new();
    let (start, offset) = ANCHOR.get_or_init(|| {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        (Instant::now(), wall.unwrap_or_default())
    });
    (*offset + start.elapsed()).as_nanos() as u64
}

/// Elsewhere the CPU time of one thread is not told.
#[cfg(not(unix))]
pub fn thread_cpu() -> Option<Duration> {
    None
}
