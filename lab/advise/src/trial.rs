//! Ways tried on a job of that shape, taking turns, and how wrong the predictions were.

use crate::{
    Costs, Forecast, Job, Way,
    model::{Language, forecasts},
    ways::{self, Item},
};
use common::format::seconds_f64;
use serde::{Deserialize, Serialize};

/// How often each way is tried.
pub const ROUNDS: usize = 3;
/// The slowest way may take so long, all rounds together.
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
}

/// What a trial showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// How many items: fewer than the job has where its slowest way would take too long.
    pub items: usize,
    /// How often each way ran, taking turns.
    pub rounds: usize,
    /// The two best and the worst.
    pub ways: Vec<Tried>,
}

/// Tries the two best ways and the worst, with fewer items where the worst would take too long.
///
/// # Errors
/// The system starts no thread or no process; or one item alone takes too long.
pub fn run(job: &Job, costs: &Costs, predicted: &[Forecast]) -> anyhow::Result<Trial> {
    let mut order: Vec<&Forecast> = predicted.iter().filter(|one| one.is_allowed).collect();
    order.sort_by(|one, other| one.predicted_s.total_cmp(&other.predicted_s));
    let worst = order.pop();
    let chosen: Vec<Way> = order
        .into_iter()
        .take(2)
        .chain(worst)
        .map(|one| one.way)
        .collect();
    let (smaller, forecasts) = shortened(job, costs, &chosen)?;
    let item = Item::of(&smaller, costs.steps_per_s);
    let mut took = vec![Vec::new(); forecasts.len()];
    for round in 0..ROUNDS {
        for turn in 0..forecasts.len() {
            let at = (turn + round) % forecasts.len();
            let one = &forecasts[at];
            took[at].push(ways::run(one.way, &item, smaller.items, one.at_once)?.as_secs_f64());
        }
    }
    let tried = |(one, took): (&Forecast, &mut Vec<f64>)| {
        let took_s = median(took);
        Tried {
            way: one.way,
            at_once: one.at_once,
            predicted_s: one.predicted_s,
            took_s,
            error: one.predicted_s / took_s - 1.0,
        }
    };
    Ok(Trial {
        items: smaller.items,
        rounds: ROUNDS,
        ways: forecasts.iter().zip(&mut took).map(tried).collect(),
    })
}

/// A job of that shape whose slowest way does not take too long, and the predictions for it.
fn shortened(job: &Job, costs: &Costs, chosen: &[Way]) -> anyhow::Result<(Job, Vec<Forecast>)> {
    let mut smaller = job.clone();
    loop {
        let mut forecasts = forecasts(&smaller, costs, Language::Rust);
        forecasts.retain(|one| chosen.contains(&one.way));
        forecasts.sort_by_key(|one| chosen.iter().position(|way| *way == one.way));
        let times = forecasts.iter().map(|one| one.predicted_s);
        let all_rounds = times.fold(0.0, f64::max) * ROUNDS as f64;
        if all_rounds <= PATIENCE_S {
            return Ok((smaller, forecasts));
        }
        anyhow::ensure!(
            smaller.items > 1,
            "`--try` is for shorter items: {ROUNDS} rounds of a single one take {}",
            seconds_f64(all_rounds)
        );
        let fitting = smaller.items as f64 * PATIENCE_S / all_rounds;
        smaller.items = (fitting as usize).clamp(1, smaller.items - 1);
    }
}

/// The middle of them, the upper of two.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::Cost;

    #[test]
    fn a_job_that_takes_too_long_is_tried_with_fewer_items() {
        let (cpus, free_cpus, pace) = (2, Cost::known(2.0), Cost::known(1.0));
        let costs = Costs {
            cpus,
            free_cpus,
            pace,
            ..Costs::default()
        };
        let chosen = [Way::Tasks, Way::OneByOne];
        let job = Job::new(1_000_000, 0.5, 0.0);
        let (smaller, forecasts) = shortened(&job, &costs, &chosen).expect("items are short");
        assert_eq!(smaller.items, 6);
        assert_eq!(
            forecasts.iter().map(|one| one.way).collect::<Vec<_>>(),
            chosen
        );
        assert!(
            (forecasts[1].predicted_s - 3.0).abs() < 0.1,
            "{forecasts:?}"
        );
        let short = Job::new(10, 0.01, 0.0);
        assert_eq!(
            shortened(&short, &costs, &chosen)
                .expect("it is short")
                .0
                .items,
            10
        );
        let error = shortened(&Job::new(9, 60.0, 0.0), &costs, &chosen).expect_err("a minute");
        assert!(error.to_string().contains("for shorter items"), "{error}");
    }
}
