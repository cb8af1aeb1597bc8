//! How wrong the predictions are: many jobs drawn by a seed, predicted, done in every way, and compared.

use crate::{
    Forecast, Job, Way, advice,
    costs::Samples,
    model::{self, Language, forecasts},
    trial::{ROUNDS, Tried, median},
    ways::{self, Item},
};
use common::format::percent;
use measure::{host::Host, workload::Seeded};
use serde::{Deserialize, Serialize};

/// A job one by one takes no longer than this: all ways run several times.
const LONGEST_S: f64 = 0.2;
/// And no shorter: what is over at once needs no advice.
const SHORTEST_S: f64 = 0.01;
/// The named way is as good as the best if it takes no longer than this, against the best.
const AS_GOOD: f64 = 1.1;

/// A job of the grid in every way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// The job.
    pub job: Job,
    /// The way that was recommended.
    pub named: Way,
    /// The way that took least.
    pub fastest: Way,
    /// How long the named one took, against the fastest.
    pub against_fastest: f64,
    /// All ways.
    pub ways: Vec<Tried>,
}

/// All jobs of a grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grid {
    /// The machine and the build; how many CPUs were free is the median over the grid.
    pub host: Host,
    /// What the jobs were drawn by.
    pub seed: u64,
    /// In the order in which they ran.
    pub jobs: Vec<Compared>,
}

impl Grid {
    /// Predicts so many jobs and does them in every way; `done` is called after each.
    ///
    /// # Errors
    /// The system starts no thread or no process.
    pub fn run(count: usize, seed: u64, mut done: impl FnMut(usize)) -> anyhow::Result<Self> {
        let mut host = Host::inspect();
        let (mut jobs, mut free) = (Vec::new(), Vec::new());
        for number in 0..count {
            let job = draw(&mut Seeded::for_item(seed, number as u64));
            jobs.push(compare(job, &mut free)?);
            done(number + 1);
        }
        host.parallelism = median(&mut free);
        Ok(Self { host, seed, jobs })
    }

    /// How many jobs there are of which this holds.
    fn count(&self, holds: impl Fn(&Compared) -> bool) -> usize {
        self.jobs.iter().filter(|job| holds(job)).count()
    }

    /// The errors' absolute values, of a way or of all.
    fn errors(&self, way: Option<Way>) -> Vec<f64> {
        let all = self.jobs.iter().flat_map(|job| &job.ways);
        let chosen = all.filter(|tried| way.is_none_or(|way| tried.way == way));
        let mut errors: Vec<f64> = chosen.map(|tried| tried.error.abs()).collect();
        errors.sort_by(f64::total_cmp);
        errors
    }

    /// What came out, in sentences.
    pub fn summary(&self) -> Vec<String> {
        let (all, errors) = (self.jobs.len(), self.errors(None));
        let best = self.count(|job| job.named == job.fastest);
        let near = self.count(|job| job.against_fastest <= AS_GOOD);
        let median = percent(at(&errors, 0.5));
        vec![
            format!("median error of {} predictions: {median}", errors.len()),
            format!(
                "the fastest way was named for {best} of {all} jobs, it or one within 10 % for {near}"
            ),
        ]
    }

    /// The rows of a table: a way, its median error, what nine of ten stay below, how often it was fastest.
    pub fn rows(&self) -> Vec<[String; 5]> {
        let row = |way: Option<Way>| {
            let errors = self.errors(way);
            let [median, most] = [0.5, 0.9].map(|part| percent(at(&errors, part)));
            let of = |choice: fn(&Compared) -> Way| match way {
                Some(way) => self.count(|job| choice(job) == way).to_string(),
                None => self.jobs.len().to_string(),
            };
            let name = way.map_or("all", Way::name);
            [
                name.into(),
                median,
                most,
                of(|job| job.fastest),
                of(|job| job.named),
            ]
        };
        Way::ALL
            .into_iter()
            .map(Some)
            .chain([None])
            .map(row)
            .collect()
    }

    /// What stands above the rows.
    pub const HEADINGS: [&str; 5] = ["way", "median error", "9 of 10 below", "fastest", "named"];

    /// The table in Markdown, with the machine.
    pub fn to_markdown(&self) -> String {
        let mut lines = vec![
            format!(
                "**advise**, {} jobs, {ROUNDS} rounds: predictions against what was measured",
                self.jobs.len()
            ),
            String::new(),
            format!("| {} |", Self::HEADINGS.join(" | ")),
            "|---|--:|--:|--:|--:|".into(),
        ];
        lines.extend(
            self.rows()
                .iter()
                .map(|row| format!("| {} |", row.join(" | "))),
        );
        lines.push(String::new());
        lines.extend(self.summary().iter().map(|line| format!("- {line}")));
        let commit = self.host.commit.as_deref().unwrap_or("unknown");
        lines.push(format!(
            "- {} · commit {commit}, seed {}",
            self.host.one_line(),
            self.seed
        ));
        lines.join("\n") + "\n"
    }
}

fn at(sorted: &[f64], part: f64) -> f64 {
    let place = (part * sorted.len() as f64) as usize;
    sorted
        .get(place.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// A job by chance: what waits, what computes, and what does both; small enough to be done in every way.
fn draw(dice: &mut Seeded) -> Job {
    let mut between = |low: f64, high: f64| low * (high / low).powf(dice.unit());
    let (wait_s, cpu_s) = (between(1e-3, 50e-3), between(20e-6, 10e-3));
    let (items, limit, bytes) = (between(2.0, 300.0), between(2.0, 20.0), between(1e3, 256e3));
    let mut job = match dice.range(0..3) {
        0 => Job::new(1, wait_s, 0.0),
        1 => Job::new(1, 0.0, cpu_s),
        _ => Job::new(1, wait_s, cpu_s),
    };
    let each = job.wait_s + job.cpu_s;
    job.items = items.clamp((SHORTEST_S / each).ceil(), (LONGEST_S / each).ceil()) as usize;
    job.limit = (dice.range(0..3) == 0).then_some(limit as usize);
    if dice.range(0..4) == 0 {
        (job.bytes_in, job.bytes_out) = (bytes as usize, bytes as usize / 4);
    }
    job
}

/// What one round predicted and measured of a way.
struct Turn {
    forecast: Forecast,
    took_s: f64,
}

/// Predicts and does a job in every way, round by round, with the costs measured beside each round and how fast
/// the CPUs are beside each way.
fn compare(job: Job, free: &mut Vec<f64>) -> anyhow::Result<Compared> {
    let (mut samples, mut rounds) = (Samples::default(), Vec::new());
    for round in 0..ROUNDS {
        samples.look_at_cpus()?;
        samples.look_at_costs()?;
        let costs = samples.costs();
        let mut order = forecasts(&job, &costs, Language::Rust);
        let turns = order.len();
        order.rotate_left(round % turns);
        let mut tried = Vec::new();
        for mut forecast in order {
            let mut beside = Samples::default();
            beside.look_at_cpus()?;
            let now = costs.on_cpus_of(&beside);
            let item = Item::of(&job, now.steps_per_s);
            let took_s = ways::run(forecast.way, &item, job.items, forecast.at_once)?.as_secs_f64();
            beside.look_at_cpus()?;
            // The item has its steps from before; the machine may be faster or slower by now.
            let after = costs.on_cpus_of(&beside);
            let mut same = job.clone();
            same.cpu_s *= now.steps_per_s / after.steps_per_s;
            forecast.predicted_s = model::time(
                &same,
                &after,
                Language::Rust,
                forecast.way,
                forecast.at_once,
            );
            free.push(after.free_cpus.middle);
            tried.push(Turn { forecast, took_s });
        }
        tried.sort_by_key(|turn| turn.forecast.way as usize);
        rounds.push(tried);
    }
    Ok(concluded(job, &rounds))
}

/// What all rounds of a job have shown: the medians of each way, what was recommended, what was fastest.
fn concluded(job: Job, rounds: &[Vec<Turn>]) -> Compared {
    // What is compared is compared within a round, whose turns are in the order of the ways.
    let middle = |figure: &dyn Fn(&[Turn]) -> f64| {
        median(&mut rounds.iter().map(|turns| figure(turns)).collect::<Vec<_>>())
    };
    let tried = Way::ALL.map(|way| {
        let of_way = |figure: fn(&Turn) -> f64| middle(&|turns| figure(&turns[way as usize]));
        Tried {
            way,
            at_once: of_way(|turn| turn.forecast.at_once as f64) as usize,
            predicted_s: of_way(|turn| turn.forecast.predicted_s),
            took_s: of_way(|turn| turn.took_s),
            error: of_way(|turn| turn.forecast.predicted_s / turn.took_s - 1.0),
        }
    });
    let mut predicted: Vec<Forecast> = rounds[0].iter().map(|turn| turn.forecast.clone()).collect();
    for (one, tried) in predicted.iter_mut().zip(&tried) {
        one.predicted_s = tried.predicted_s;
    }
    let named = advice::best(&predicted, &job).map_or(Way::OneByOne, |best| best.way);
    let against = |way| {
        (
            way,
            middle(&|turns| turns[named as usize].took_s / turns[way as usize].took_s),
        )
    };
    let fastest = Way::ALL.map(against).into_iter();
    let (fastest, against_fastest) = fastest
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .expect("there are ways");
    Compared {
        named,
        fastest,
        against_fastest,
        ways: tried.to_vec(),
        job,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_jobs_and_all_of_them_are_short() {
        let draw_all = |seed| {
            let jobs = (0..200).map(|number| draw(&mut Seeded::for_item(seed, number)));
            jobs.collect::<Vec<Job>>()
        };
        let jobs = draw_all(42);
        assert_eq!(jobs, draw_all(42));
        assert_ne!(jobs, draw_all(43));
        for job in &jobs {
            let one_by_one = job.items as f64 * (job.wait_s + job.cpu_s);
            assert!(
                job.items > 0 && one_by_one > 0.0 && one_by_one < 0.3,
                "{job:?}"
            );
        }
        let kinds = [
            jobs.iter().filter(|job| job.wait_s == 0.0).count(),
            jobs.iter().filter(|job| job.cpu_s == 0.0).count(),
            jobs.iter().filter(|job| job.limit.is_some()).count(),
            jobs.iter().filter(|job| job.bytes_in > 0).count(),
        ];
        assert!(
            kinds.iter().all(|count| (20..120).contains(count)),
            "{kinds:?}"
        );
    }

    #[test]
    fn the_summary_counts_what_was_named_and_what_is_near() {
        let job = |named, against_fastest, error| Compared {
            job: Job::new(1, 0.1, 0.0),
            named,
            fastest: Way::Tasks,
            against_fastest,
            ways: vec![Tried {
                way: Way::Tasks,
                at_once: 1,
                predicted_s: 1.0,
                took_s: 1.0,
                error,
            }],
        };
        let grid = Grid {
            host: Host::default(),
            seed: 42,
            jobs: vec![
                job(Way::Tasks, 1.0, 0.02),
                job(Way::Threads, 1.05, -0.04),
                job(Way::OneByOne, 2.0, 0.5),
            ],
        };
        assert_eq!(
            grid.summary(),
            [
                "median error of 3 predictions: 4 %",
                "the fastest way was named for 1 of 3 jobs, it or one within 10 % for 2",
            ]
        );
        assert!(
            grid.to_markdown()
                .contains("| tasks | 4 % | 50 % | 3 | 1 |"),
            "{}",
            grid.to_markdown()
        );
    }
}
