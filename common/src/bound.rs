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
        let (bound, reason) = match *self {
            Self::Known(bound, ref reason) => (bound, reason.clone()),
            Self::Work { workers } => {
                let busy = recording.jobs().map(|job| job.busy);
                let (bound, reason) = shared_out(busy, workers.min(cpus), ["work", "job"])?;
                // Who waits for a lock works a little, too, beside its holder.
                (bound.min(recording.wall), reason)
            }
            Self::Waits {
                each: Some(each),
                count,
                at_once,
            } => waves(each, count, at_once)?,
            Self::Waits { at_once, .. } => {
                let waits = recording.jobs().map(Span::duration);
                shared_out(waits, at_once, ["waiting", "wait"])?
            }
        };
        (bound <= recording.wall).then_some((bound, reason))
    }
}

/// `count` waits of `each`, `at_once` at a time.
fn waves(each: Duration, count: usize, at_once: usize) -> Option<(Duration, String)> {
    let waves = u32::try_from(count.div_ceil(at_once.max(1))).ok()?;
    let bound = each.saturating_mul(waves);
    let each = seconds(each);
    let reason = match waves {
        0 | 1 => "one wait".into(),
        _ if at_once == 1 => format!("{waves} waits of {each} in a row"),
        _ => format!("{waves} waves of {each}: {count} waits, {at_once} at a time"),
    };
    Some((bound, reason))
}

/// What all times come to where one follows the other, where they are shared out among `at_once`, or the longest of
/// them if that is more; with a word for all of them, and one for each.
fn shared_out(
    times: impl Iterator<Item = Duration>,
    at_once: usize,
    [all, each]: [&str; 2],
) -> Option<(Duration, String)> {
    let times: Vec<Duration> = times.collect();
    let (total, most) = (times.iter().sum::<Duration>(), *times.iter().max()?);
    let at_once = u32::try_from(at_once.max(1)).ok()?;
    let shown = seconds(total);
    Some(match total / at_once {
        share if at_once == 1 => (share, format!("{shown} of {all} in a row")),
        share if share > most => (share, format!("{shown} of {all}, {at_once} at a time")),
        _ => (most, format!("the longest {each}")),
    })
}
