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
            Self::Work { workers } => {
                let words = [
                    "all {} of work on one CPU",
                    "{} of work on {n} CPUs",
                    "the longest job",
                ];
                let busy = recording.jobs().map(|job| job.busy);
                let (bound, reason) = shared_out(busy, *workers.min(&cpus), words)?;
                // Who waits for a lock works a little, too, beside its holder.
                Some((bound.min(recording.wall), reason))
            }
            Self::Waits {
                each,
                count,
                at_once,
            } => waves(*each, *count, *at_once)
                .filter(|(bound, _)| *bound <= recording.wall)
                .or_else(|| {
                    let words = [
                        "all waits in a row",
                        "all waits, {n} at a time",
                        "the longest single wait",
                    ];
                    shared_out(recording.jobs().map(Span::duration), *at_once, words)
                }),
        }
    }
}

/// `count` waits of `each`, `at_once` at a time.
fn waves(each: Option<Duration>, count: usize, at_once: usize) -> Option<(Duration, String)> {
    let waves = u32::try_from(count.div_ceil(at_once.max(1))).ok()?;
    let bound = each?.saturating_mul(waves);
    let each = seconds(each?);
    let reason = match waves {
        0 | 1 => "one wait".into(),
        _ if at_once == 1 => format!("{waves} waits of {each} in a row"),
        _ => format!("{waves} waves of {each}: {count} waits, {at_once} at a time"),
    };
    Some((bound, reason))
}

/// What all times come to where one follows the other, where they are shared out among `at_once`, or the longest of
/// them if that is more; each in words, with all times together at `{}`.
fn shared_out(
    times: impl Iterator<Item = Duration>,
    at_once: usize,
    [in_a_row, shared, longest]: [&str; 3],
) -> Option<(Duration, String)> {
    let times: Vec<Duration> = times.collect();
    let (total, most) = (times.iter().sum::<Duration>(), *times.iter().max()?);
    let at_once = u32::try_from(at_once.max(1)).ok()?;
    let (bound, words) = match total / at_once {
        share if at_once == 1 => (share, in_a_row),
        share if share > most => (share, shared),
        _ => (most, longest),
    };
    let words = words.replace("{n}", &at_once.to_string());
    Some((bound, words.replace("{}", &seconds(total))))
}
