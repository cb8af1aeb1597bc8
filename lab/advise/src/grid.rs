//! How wrong the predictions are: many jobs drawn by a seed, predicted, done in every way, and compared.

use crate::{
    Costs, Job, Way,
    costs::{MIDDLE, quantile},
    model::{Language, forecasts},
    trial::{AS_GOOD, Compared, ROUNDS, compare},
};
use common::{format::percent, report::TableReport};
use measure::{host::Host, workload::Seeded};
use serde::{Deserialize, Serialize};

/// A job one by one takes no longer than this: all ways run several times.
const LONGEST_S: f64 = 0.25;
/// And no shorter: what is over at once needs no advice.
const SHORTEST_S: f64 = 0.05;
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
            jobs.push(compare_all(&job, &mut free)?);
            done(number + 1);
        }
        host.parallelism = quantile(&free, MIDDLE);
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
        chosen.map(|tried| tried.error.abs()).collect()
    }

    /// What came out, in sentences.
    pub fn summary(&self) -> Vec<String> {
        let (all, errors) = (self.jobs.len(), self.errors(None));
        let best = self.count(|job| job.named == job.fastest);
        let near = self.count(|job| job.against_fastest <= AS_GOOD);
        let median = percent(quantile(&errors, MIDDLE));
        vec![
            format!("median error of {} predictions: {median}", errors.len()),
            format!(
                "the fastest way was named for {best} of {all} jobs, it or one within 10 % for {near}"
            ),
        ]
    }

    /// A row for each way: its median error, what nine of ten stay below, how often it was fastest and was named.
    pub fn table(&self) -> TableReport {
        let row = |way: Option<Way>| {
            let errors = self.errors(way);
            let [median, most] = [MIDDLE, 0.9].map(|part| percent(quantile(&errors, part)));
            let of = |choice: fn(&Compared) -> Way| {
                let is_it = |job: &Compared| way.is_none_or(|way| choice(job) == way);
                self.count(is_it).to_string()
            };
            let (fastest, named) = (of(|job| job.fastest), of(|job| job.named));
            let name = way.map_or("all", Way::name).to_owned();
            vec![name, median, most, fastest, named]
        };
        let headings = ["way", "median error", "9 of 10 below", "fastest", "named"];
        TableReport {
            headings: headings.map(String::from).to_vec(),
            rows: Way::ALL
                .map(Some)
                .into_iter()
                .chain([None])
                .map(row)
                .collect(),
            text_columns: vec![0],
            notes: self.summary(),
            ..TableReport::default()
        }
    }

    /// The table in Markdown, with the machine.
    pub fn to_markdown(&self) -> String {
        let table = self.table();
        let line = |cells: &Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rows: String = table.rows.iter().map(line).collect();
        let headings = line(&table.headings) + "| --- | --: | --: | --: | --: |\n";
        let (jobs, seed, host) = (self.jobs.len(), self.seed, self.host.one_line());
        let commit = self.host.commit.as_deref().unwrap_or("unknown");
        format!(
            "**advise**, {jobs} jobs, {ROUNDS} rounds: predictions against what was measured\n\n{headings}{rows}\n- {}\n\
             - {host} · commit {commit}, seed {seed}\n",
            table.notes.join("\n- ")
        )
    }
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

/// Does a job in every way, and predicts it from the costs before and the CPUs in between.
fn compare_all(job: &Job, free: &mut Vec<f64>) -> anyhow::Result<Compared> {
    let mut costs = Costs::measure(3)?;
    let all = forecasts(job, &costs, Language::Rust);
    let compared = compare(job, &mut costs, all, &[job.items; Way::ALL.len()], None)?;
    free.push(costs.free(MIDDLE));
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Tried;

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
                job.items > 0 && (0.049..0.35).contains(&one_by_one),
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
            rounds: ROUNDS,
            ways: vec![Tried {
                way: Way::Tasks,
                at_once: 1,
                predicted_s: 1.0,
                took_s: 1.0,
                error,
                with_items: None,
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
