//! Ways tried on a job of that shape, taking turns, and how wrong the predictions were.

use crate::{
    Costs, Forecast, Job, Way,
    costs::{MIDDLE, quantile},
    model::{Language, forecasts},
    ways::{self, Item},
};
use common::format::seconds_f64;
use serde::{Deserialize, Serialize};

/// How often each way is tried.
pub const ROUNDS: usize = 5;
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
        }
    }
}

/// Does so many items in each way, round by round, and calls `before` each of them; what each took in each round.
pub(crate) fn take_turns(
    (item, items): (&Item, usize),
    ways: &[Forecast],
    mut before: impl FnMut(),
) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut took = vec![Vec::new(); ways.len()];
    for round in 0..ROUNDS {
        for turn in 0..ways.len() {
            before();
            // Each round begins with another one.
            let at = (turn + round) % ways.len();
            took[at].push(ways::run(ways[at].way, item, items, ways[at].at_once)?);
        }
    }
    Ok(took)
}

/// Tries the two best ways and the worst, with fewer items where the worst would take too long.
///
/// # Errors
/// The system starts no thread or no process; or one item alone takes too long.
pub fn run(job: &Job, costs: &Costs, predicted: &[Forecast]) -> anyhow::Result<Trial> {
    let mut order: Vec<&Forecast> = predicted.iter().filter(|one| one.is_allowed).collect();
    order.sort_by(|one, other| one.predicted_s.total_cmp(&other.predicted_s));
    let worst = order.pop();
    let chosen = order.into_iter().take(2).chain(worst).map(|one| one.way);
    let (smaller, forecasts) = shortened(job, costs, &chosen.collect::<Vec<_>>())?;
    let item = Item::of(&smaller, costs.steps_per_s());
    let took = take_turns((&item, smaller.items), &forecasts, || ())?;
    let tried = forecasts.iter().zip(&took);
    let tried = tried.map(|(one, took)| Tried::of(one, one.predicted_s, took));
    Ok(Trial {
        items: smaller.items,
        rounds: ROUNDS,
        ways: tried.collect(),
    })
}

/// A job of that shape whose slowest way does not take too long, and the predictions for it.
fn shortened(job: &Job, costs: &Costs, chosen: &[Way]) -> anyhow::Result<(Job, Vec<Forecast>)> {
    let mut smaller = job.clone();
    loop {
        let mut forecasts = forecasts(&smaller, costs, Language::Rust);
        forecasts.retain(|one| chosen.contains(&one.way));
        forecasts.sort_by_key(|one| chosen.iter().position(|way| *way == one.way));
        let slowest = forecasts
            .iter()
            .map(|one| one.predicted_s)
            .fold(0.0, f64::max);
        let fitting = smaller.items as f64 * PATIENCE_S / (slowest * ROUNDS as f64);
        if fitting >= smaller.items as f64 {
            return Ok((smaller, forecasts));
        }
        let one = seconds_f64(slowest);
        anyhow::ensure!(
            smaller.items > 1,
            "`--try` is for shorter items: a single one takes {one}"
        );
        smaller.items = (fitting as usize).clamp(1, smaller.items - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_takes_too_long_is_tried_with_fewer_items() {
        let costs = Costs {
            cpus: 2,
            free_cpus: vec![2.0],
            pieces_s: vec![0.01],
            ..Costs::default()
        };
        let chosen = [Way::Tasks, Way::OneByOne];
        let job = Job::new(1_000_000, 0.45, 0.0);
        let (smaller, forecasts) = shortened(&job, &costs, &chosen).expect("items are short");
        assert_eq!(smaller.items, 4);
        let ways: Vec<Way> = forecasts.iter().map(|one| one.way).collect();
        assert_eq!(ways, chosen);
        assert!(
            (forecasts[1].predicted_s - 1.8).abs() < 0.1,
            "{forecasts:?}"
        );
        let short = Job::new(10, 0.01, 0.0);
        let (same, _) = shortened(&short, &costs, &chosen).expect("it is short");
        assert_eq!(same.items, 10);
        let error = shortened(&Job::new(9, 60.0, 0.0), &costs, &chosen).expect_err("a minute");
        assert!(error.to_string().contains("for shorter items"), "{error}");
    }
}
