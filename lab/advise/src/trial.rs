//! Ways tried on a job of that shape, taking turns, and how wrong the predictions were.

use crate::{
    Costs, Forecast, Job, Way, advice,
    costs::{MIDDLE, quantile},
    model,
    ways::{self, Item},
};
use common::format::seconds_f64;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How often each way is tried.
pub const ROUNDS: usize = 5;
/// A way that takes longer, all rounds together, is tried with fewer items, for so long at most.
const PATIENCE_S: f64 = 6.0;
const SHORTENED_S: f64 = 5.5;
/// On a machine that turns out slower, no round begins after so long.
const LIMIT: Duration = Duration::from_secs(12);
/// More items show no more.
const MOST_ITEMS: usize = 20_000;
/// A way is as good as the fastest if it takes no longer than this, against that one.
pub(crate) const AS_GOOD: f64 = 1.1;

/// A way that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The way.
    pub way: Way,
    /// How many items at once.
    pub at_once: usize,
    /// What was predicted.
    pub predicted_s: f64,
    /// What it took, the median.
    pub took_s: f64,
    /// By how much the prediction was wrong: 0.1 is a tenth too long.
    pub error: f64,
    /// With how many items it was tried where all would have taken too long; the time is scaled up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_items: Option<usize>,
}

/// A job that was done in several ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The job.
    pub job: Job,
    /// The way that was recommended.
    pub named: Way,
    /// The way that took least.
    pub fastest: Way,
    /// How long the named one took, against the fastest.
    pub against_fastest: f64,
    /// How often each way ran, taking turns.
    #[serde(default)]
    pub rounds: usize,
    /// All ways.
    pub ways: Vec<Tried>,
}

/// What a trial showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// How many CPUs were free then.
    pub free_cpus: f64,
    /// Whether the advised way was the fastest or as good.
    pub stands: bool,
    /// The advised way, the next, and the worst.
    #[serde(flatten)]
    pub compared: Compared,
}

/// Tries the advised way, the next and the worst, and compares them with what the CPUs that are free now allow.
///
/// # Errors
/// The system starts no thread or no process; or one item alone takes too long.
pub fn run(job: &Job, now: &Costs, predicted: &[Forecast]) -> anyhow::Result<Option<Trial>> {
    let (chosen, mut costs) = (choose(job, predicted), now.clone());
    let items = chosen.iter().map(|one| fitting(job, now, one));
    let items = items.collect::<anyhow::Result<Vec<usize>>>()?;
    let Some(advised) = chosen.first().map(|one| one.way) else {
        return Ok(None);
    };
    let compared = compare(job, &mut costs, chosen, &items, Some(advised))?;
    Ok(Some(Trial {
        free_cpus: costs.free(MIDDLE),
        stands: compared.against_fastest <= AS_GOOD,
        compared,
    }))
}

/// Does so many items in each way, round by round, and compares that with predictions from the costs, and from the
/// CPUs as they are in between.
pub(crate) fn compare(
    job: &Job,
    costs: &mut Costs,
    mut ways: Vec<Forecast>,
    items: &[usize],
    advised: Option<Way>,
) -> anyhow::Result<Compared> {
    let item = Item::of(job, costs.steps_per_s());
    let limit = advised.map_or(Duration::MAX, |_| LIMIT);
    let mut took = take_turns(&item, &ways, items, costs, limit)?;
    // The machine may be faster or slower than when the item got its steps.
    let mut job = job.clone();
    job.cpu_s = item.cpu_s(costs.steps_per_s());
    for ((one, took), some) in ways.iter_mut().zip(&mut took).zip(items) {
        one.predicted_s = time_of(&job, costs, one, job.items);
        let scale = one.predicted_s / time_of(&job, costs, one, *some);
        took.iter_mut().for_each(|took| *took *= scale);
    }
    let best = || advice::best(&ways, &job).map(|best| best.way);
    let named = advised.or_else(best).expect("all of them are allowed");
    let (against_fastest, fastest) = fastest(named, &ways, &took);
    let rounds = took[0].len();
    let tried = |((one, took), some): ((&Forecast, &Vec<f64>), &usize)| Tried {
        way: one.way,
        at_once: one.at_once,
        predicted_s: one.predicted_s,
        took_s: quantile(took, MIDDLE),
        error: one.predicted_s / quantile(took, MIDDLE) - 1.0,
        with_items: (*some < job.items).then_some(*some),
    };
    let ways = ways.iter().zip(&took).zip(items).map(tried).collect();
    Ok(Compared {
        job,
        named,
        fastest,
        against_fastest,
        rounds,
        ways,
    })
}

/// How long a way took against the fastest, and which that was: compared within each round.
fn fastest(named: Way, ways: &[Forecast], took: &[Vec<f64>]) -> (f64, Way) {
    let at = ways.iter().position(|one| one.way == named).unwrap_or(0);
    let against = |(one, other): (&Forecast, &Vec<f64>)| {
        let both = took[at].iter().zip(other);
        let ratios: Vec<f64> = both.map(|(named, other)| named / other).collect();
        (quantile(&ratios, MIDDLE), one.way)
    };
    let ratios = ways.iter().zip(took).map(against);
    let fastest = ratios.max_by(|one, other| one.0.total_cmp(&other.0));
    fastest.expect("there are ways")
}

/// What each way took in each round.
fn take_turns(
    item: &Item,
    ways: &[Forecast],
    items: &[usize],
    costs: &mut Costs,
    limit: Duration,
) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut took = vec![Vec::new(); ways.len()];
    let began = Instant::now();
    for round in 0..ROUNDS {
        if round > 0 && began.elapsed() > limit {
            break;
        }
        for turn in 0..ways.len() {
            costs.look_at_cpus();
            // Each round begins with another one.
            let at = (turn + round) % ways.len();
            took[at].push(ways::run(ways[at].way, item, items[at], ways[at].at_once)?);
        }
    }
    Ok(took)
}

/// The advised way, the one that would be without it, and the slowest.
fn choose(job: &Job, predicted: &[Forecast]) -> Vec<Forecast> {
    let (mut left, mut chosen) = (predicted.to_vec(), Vec::new());
    left.retain(|one| one.why_not.is_none());
    left.sort_by(|one, other| one.predicted_s.total_cmp(&other.predicted_s));
    while let Some(best) = advice::best(&left, job)
        .cloned()
        .filter(|_| chosen.len() < 2)
    {
        left.retain(|one| one.way != best.way);
        chosen.push(best);
    }
    chosen.extend(left.pop());
    chosen
}

fn time_of(job: &Job, costs: &Costs, one: &Forecast, items: usize) -> f64 {
    let some = Job {
        items,
        ..job.clone()
    };
    model::time(&some, costs, one.way, one.at_once.min(items))
}

/// How many items a way can be tried with.
fn fitting(job: &Job, costs: &Costs, one: &Forecast) -> anyhow::Result<usize> {
    let (mut items, mut allowed_s) = (job.items.min(MOST_ITEMS), PATIENCE_S);
    loop {
        let took_s = time_of(job, costs, one, items);
        let share = allowed_s / (took_s * ROUNDS as f64);
        if share >= 1.0 {
            return Ok(items);
        }
        let took = seconds_f64(took_s);
        anyhow::ensure!(
            items > 1,
            "`--try` is for shorter items: a single one takes {took}"
        );
        allowed_s = SHORTENED_S;
        items = ((items as f64 * share) as usize).clamp(1, items - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Language, forecasts};

    fn two_free_cpus() -> Costs {
        Costs {
            cpus: 2,
            free_cpus: vec![2.0],
            pieces_s: vec![0.01],
            ..Costs::default()
        }
    }

    #[test]
    fn a_job_that_takes_too_long_is_tried_with_fewer_items() {
        let costs = two_free_cpus();
        let fits = |job: &Job, way: Way| {
            let all = forecasts(job, &costs, Language::Rust);
            fitting(
                job,
                &costs,
                all.iter().find(|one| one.way == way).expect("a way"),
            )
        };
        let many = Job::new(100, 0.45, 0.0);
        assert_eq!(fits(&many, Way::OneByOne).expect("items are short"), 2);
        assert_eq!(fits(&many, Way::Tasks).expect("items are short"), 100);
        // Nearly all is no less than all.
        assert_eq!(
            fits(&Job::new(11, 0.1, 0.0), Way::OneByOne).expect("short"),
            11
        );
        // A million of the shortest show no more than some.
        let short = Job::new(1_000_000, 0.0, 1e-7);
        assert_eq!(fits(&short, Way::OneByOne).expect("short"), MOST_ITEMS);
        let error = fits(&Job::new(9, 60.0, 0.0), Way::OneByOne).expect_err("a minute");
        assert!(error.to_string().contains("for shorter items"), "{error}");
    }

    #[test]
    fn the_advised_way_is_tried_and_nothing_that_is_no_use() {
        let costs = two_free_cpus();
        for job in [Job::new(100, 0.05, 0.0), Job::new(100, 0.0, 0.05)] {
            let all = forecasts(&job, &costs, Language::Rust);
            let chosen: Vec<Way> = choose(&job, &all).iter().map(|one| one.way).collect();
            let advised = advice::best(&all, &job).map(|best| best.way);
            assert_eq!((chosen.len(), chosen.first().copied()), (3, advised));
            assert!(!chosen.contains(&Way::TasksAndProcesses), "{chosen:?}");
        }
    }
}
