//! The best that was attainable: what no scheduling of the same work could have beaten.

use report::format::seconds;
use std::time::Duration;
use timeline::{Recording, Span};

#[cfg(test)]
mod tests;

/// A lower bound on a variant's wall time.
#[derive(Clone, Debug)]
pub enum Bound {
    /// A known time, and why not a shorter one.
    Known(Duration, String),
    /// CPU work: the greater of all work shared out among the CPUs that may run it, and the
    /// longest single job. The work is the CPU time of this run's own outermost spans, so a
    /// machine that changes speed changes the bound with it.
    Work {
        /// How many jobs may run at once.
        workers: usize,
    },
    /// Waiting for `count` answers that take `each`, at most `at_once` at a time.
    Waits {
        /// How long one answer takes at least; `None` to take the waits of the run itself.
        each: Option<Duration>,
        /// How many answers.
        count: usize,
        /// How many may be waited for at once.
        at_once: usize,
    },
}

impl Bound {
    /// The bound for a recording on a machine with `cpus` CPUs, and its reason.
    ///
    /// A bound that the run has beaten was none, as where requests failed before their time.
    pub(super) fn of(&self, recording: &Recording, cpus: usize) -> Option<(Duration, String)> {
        match self {
            Self::Known(duration, reason) => {
                (*duration <= recording.wall).then(|| (*duration, reason.clone()))
            }
            Self::Work { workers } => work(recording.jobs(), *workers, cpus)
                // Who waits for a lock works a little, too, beside its holder.
                .map(|(bound, reason)| (bound.min(recording.wall), reason)),
            Self::Waits {
                each,
                count,
                at_once,
            } => waves(recording, *each, *count, *at_once)
                .or_else(|| own_waits(recording.jobs(), *at_once)),
        }
    }
}

/// `count` waits of `each`, `at_once` at a time, where the run has not beaten that.
fn waves(
    recording: &Recording,
    each: Option<Duration>,
    count: usize,
    at_once: usize,
) -> Option<(Duration, String)> {
    let each = each?;
    let waves = u32::try_from(count.div_ceil(at_once.max(1))).ok()?;
    let bound = each.saturating_mul(waves);
    let each = seconds(each);
    let reason = match waves {
        0 | 1 => "one wait".into(),
        _ if at_once == 1 => format!("{waves} waits of {each} in a row"),
        _ => format!("{waves} waves of {each}: {count} waits, {at_once} at a time"),
    };
    (bound <= recording.wall).then_some((bound, reason))
}

fn work<'a>(
    jobs: impl Iterator<Item = &'a Span>,
    workers: usize,
    cpus: usize,
) -> Option<(Duration, String)> {
    let at_once = workers.min(cpus).max(1);
    let (total, longest, share) = shared_out(jobs.map(|job| job.busy), at_once)?;
    let total = seconds(total);
    Some(match at_once {
        _ if longest > share => (longest, "the longest job".into()),
        1 => (share, format!("all {total} of work on one CPU")),
        _ => (share, format!("{total} of work on {at_once} CPUs")),
    })
}

/// The longest of the waits that a run really had, or all of them shared out.
fn own_waits<'a>(
    waits: impl Iterator<Item = &'a Span>,
    at_once: usize,
) -> Option<(Duration, String)> {
    let (_, longest, share) = shared_out(waits.map(Span::duration), at_once)?;
    Some(match at_once {
        0 | 1 => (share, "all waits in a row".into()),
        _ if longest >= share => (longest, "the longest single wait".into()),
        _ => (share, format!("all waits, {at_once} at a time")),
    })
}

/// All times together, the longest of them, and an equal share for each of `at_once`.
fn shared_out(
    times: impl Iterator<Item = Duration>,
    at_once: usize,
) -> Option<(Duration, Duration, Duration)> {
    let times: Vec<Duration> = times.collect();
    let (total, longest) = (times.iter().sum(), *times.iter().max()?);
    Some((total, longest, total / u32::try_from(at_once.max(1)).ok()?))
}
