//! Ways tried on a job of that shape, taking turns, and how wrong the predictions were.

use crate::{
    Costs, Forecast, Job, Way, advice,
    costs::{MIDDLE, quantile},
    grid::AS_GOOD,
    model,
    ways::{self, Item},
};
use common::format::seconds_f64;
use serde::{Deserialize, Serialize};

/// How often each way is tried.
pub const ROUNDS: usize = 5;
/// A way that takes longer, all rounds together, is tried with fewer items, for half of that.
const PATIENCE_S: f64 = 10.0;

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

/// What a trial showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// How often each way ran, taking turns.
    pub rounds: usize,
    /// How many CPUs were free then.
    pub free_cpus: f64,
    /// The advised way, the next, and the worst.
    pub ways: Vec<Tried>,
    /// The way that took least.
    pub fastest: Way,
    /// Whether the advised way was the fastest or as good.
    pub stands: bool,
}

impl Tried {
    /// What a way took, beside what was predicted.
    pub(crate) fn of(forecast: &Forecast, predicted_s: f64, took: &[f64]) -> Self {
        let (way, at_once, took_s) = (forecast.way, forecast.at_once, quantile(took, MIDDLE));
        Self {
            way,
            at_once,
            predicted_s,
            took_s,
            error: predicted_s / took_s - 1.0,
            with_items: None,
        }
    }
}

/// Does so many items in each way, round by round, and calls `before` each of them; what each took in each round.
pub(crate) fn take_turns(
    item: &Item,
    ways: &[Forecast],
    items: &[usize],
    mut before: impl FnMut(),
) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut took = vec![Vec::new(); ways.len()];
    for round in 0..ROUNDS {
        for turn in 0..ways.len() {
            before();
            // Each round begins with another one.
            let at = (turn + round) % ways.len();
            took[at].push(ways::run(ways[at].way, item, items[at], ways[at].at_once)?);
        }
    }
    Ok(took)
}

/// Tries the advised way, the next and the worst, and compares them with what the CPUs that are free now allow.
///
/// # Errors
/// The system starts no thread or no process; or one item alone takes too long.
pub fn run(job: &Job, now: &Costs, predicted: &[Forecast]) -> anyhow::Result<Option<Trial>> {
    let chosen = choose(job, predicted);
    let (mut items, mut ways) = (Vec::new(), Vec::new());
    for one in &chosen {
        items.push(fitting(job, now, one)?);
    }
    let item = Item::of(job, now.steps_per_s());
    for ((one, took), some) in chosen
        .iter()
        .zip(take_turns(&item, &chosen, &items, || ())?)
        .zip(items)
    {
        let [all_s, some_s] = [job.items, some].map(|items| time_of(job, now, one, items));
        let took: Vec<f64> = took.into_iter().map(|took| took * all_s / some_s).collect();
        ways.push(Tried {
            with_items: (some < job.items).then_some(some),
            ..Tried::of(one, all_s, &took)
        });
    }
    let least = ways
        .iter()
        .min_by(|one, other| one.took_s.total_cmp(&other.took_s));
    Ok(least.cloned().map(|least| Trial {
        rounds: ROUNDS,
        free_cpus: now.free(MIDDLE),
        fastest: least.way,
        stands: ways[0].took_s <= least.took_s * AS_GOOD,
        ways,
    }))
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
    let (mut items, mut allowed_s) = (job.items, PATIENCE_S);
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
        allowed_s = PATIENCE_S / 2.0;
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
            fits(&Job::new(15, 0.1, 0.0), Way::OneByOne).expect("short"),
            15
        );
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
