//! The best that was attainable: what no scheduling of the same work could have beaten.

use report::format::seconds;
use std::time::Duration;
use timeline::{Recording, Span};

#[cfg(test)]
mod tests;

/// A lower bound on a variant's wall time.
#[derive(Clone, Debug)]
pub enum Bound {
    /// A known time.
    Known {
        /// The time.
        duration: Duration,
        /// Why not shorter.
        reason: String,
    },
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
    /// Waiting in the spans of this name, at most `at_once` of them open at a time; the waits of
    /// the run itself. For tasks that also queue or rest: those waits are no part of it.
    Spans {
        /// The name of the spans.
        name: &'static str,
        /// How many of them may be open at once.
        at_once: usize,
    },
    /// Two stages that can overlap: waiting for answers, and CPU work. The slower of the two.
    Pipeline {
        /// How long one answer takes at least; `None` when nobody knows.
        each: Option<Duration>,
        /// How many answers.
        count: usize,
        /// How many may be waited for at once.
        at_once: usize,
        /// The name of the spans that are the CPU work.
        work: &'static str,
        /// How many of them may run at once.
        workers: usize,
    },
}

impl Bound {
    /// How many tasks there are, where it says so.
    pub(crate) fn tasks(&self) -> Option<usize> {
        match self {
            Self::Waits { count, .. } => Some(*count),
            _ => None,
        }
    }

    /// The bound for a recording on a machine with `cpus` CPUs, and its reason.
    pub(super) fn of(&self, recording: &Recording, cpus: usize) -> Option<(Duration, String)> {
        match self {
            // A bound that the run has beaten was none.
            Self::Known { duration, reason } => {
                (*duration <= recording.wall).then(|| (*duration, reason.clone()))
            }
            Self::Work { workers } => work(recording, *workers, cpus),
            Self::Waits {
                each,
                count,
                at_once,
            } => waits(recording, *each, *count, *at_once),
            Self::Spans { name, at_once } => {
                let all = recording.lanes.iter().flat_map(|lane| &lane.spans);
                own_waits(all.filter(|span| span.name == *name), *at_once)
            }
            Self::Pipeline {
                each,
                count,
                at_once,
                work,
                workers,
            } => {
                let waits = each.and_then(|each| waits(recording, Some(each), *count, *at_once));
                let all = recording.lanes.iter().flat_map(|lane| &lane.spans);
                let work = share(all.filter(|span| span.name == *work), *workers, cpus);
                slower(waits, work)
            }
        }
    }
}

fn work(recording: &Recording, workers: usize, cpus: usize) -> Option<(Duration, String)> {
    share(recording.jobs(), workers, cpus)
}

fn share<'a>(
    jobs: impl Iterator<Item = &'a Span>,
    workers: usize,
    cpus: usize,
) -> Option<(Duration, String)> {
    let (mut total, mut longest) = (Duration::ZERO, None);
    for job in jobs {
        total += job.busy;
        longest = longest.max(Some(job.busy));
    }
    let longest = longest?;
    let at_once = workers.min(cpus).max(1);
    let share = total / u32::try_from(at_once).ok()?;
    Some(if longest > share {
        (longest, "the longest job".into())
    } else if at_once == 1 {
        (share, format!("all {} of work on one CPU", seconds(total)))
    } else {
        (
            share,
            format!("{} of work on {at_once} CPUs", seconds(total)),
        )
    })
}

/// The greater bound of two stages, its reason with the stage's name.
fn slower(
    waits: Option<(Duration, String)>,
    work: Option<(Duration, String)>,
) -> Option<(Duration, String)> {
    let waits = waits.map(|(bound, reason)| (bound, format!("waiting: {reason}")));
    let work = work.map(|(bound, reason)| (bound, format!("CPU: {reason}")));
    waits
        .into_iter()
        .chain(work)
        .max_by_key(|(bound, _)| *bound)
}

fn waits(
    recording: &Recording,
    each: Option<Duration>,
    count: usize,
    at_once: usize,
) -> Option<(Duration, String)> {
    if let Some(each) = each {
        let at_once = u32::try_from(at_once.max(1)).ok()?;
        let waves = u32::try_from(count).ok()?.div_ceil(at_once);
        let reason = match waves {
            0 | 1 => "one wait".into(),
            _ if at_once == 1 => format!("{waves} waits of {} in a row", seconds(each)),
            _ => format!(
                "{waves} waves of {}: {count} waits, {at_once} at a time",
                seconds(each)
            ),
        };
        // A bound that the run has beaten was none: requests failed before their time.
        if each * waves <= recording.wall {
            return Some((each * waves, reason));
        }
    }
    own_waits(recording.jobs(), at_once)
}

/// The longest of the waits that a run really had, or all of them shared out.
fn own_waits<'a>(
    waits: impl Iterator<Item = &'a Span>,
    at_once: usize,
) -> Option<(Duration, String)> {
    let at_once = u32::try_from(at_once.max(1)).ok()?;
    let (mut total, mut longest) = (Duration::ZERO, None);
    for wait in waits.map(Span::duration) {
        total += wait;
        longest = longest.max(Some(wait));
    }
    let (longest, share) = (longest?, total / at_once);
    Some(match at_once {
        1 => (share, "all waits in a row".into()),
        _ if longest >= share => (longest, "the longest single wait".into()),
        _ => (share, format!("all waits, {at_once} at a time")),
    })
}
