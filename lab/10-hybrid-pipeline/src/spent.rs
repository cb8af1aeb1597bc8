//! What a run took, in pieces that add up: all CPUs for as long as it lasted.

use lab_10_hybrid_pipeline::shift::Shifts;
use measure::timing::Usage;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Workers on pages in memory are to have a CPU for so much of the time; handing over takes a little.
const UNDISTURBED: f64 = 0.8;

/// Where the time of the CPUs went in one run; seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Spent {
    pub(crate) pages: usize,
    pub(crate) wall_s: f64,
    /// CPU time of parsing, in whatever thread or process.
    pub(crate) parsing_s: f64,
    /// All other CPU time of this program and its workers: fetching and handing over.
    pub(crate) rest_s: f64,
    /// CPU time of the lab's server; `None` where nobody tells.
    pub(crate) server_s: Option<f64>,
    /// Time that workers had a page in hand.
    pub(crate) at_work_s: f64,
    /// Time that workers waited for the last page of all.
    pub(crate) waited_at_the_end_s: f64,
    /// The least that fetching waits for answers: its waves, one after the other; 0 where nobody knows.
    pub(crate) waits_s: f64,
}

/// Takes what was spent before, to tell what was spent since.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    cpu: Duration,
    server: Option<Duration>,
}

impl Meter {
    /// `server` is the CPU time of the server so far.
    pub(crate) fn start(server: Option<Duration>) -> Self {
        Self {
            began: Instant::now(),
            cpu: Usage::now().cpu(),
            server,
        }
    }

    pub(crate) fn stop(self, pages: usize, shifts: &Shifts, server: Option<Duration>) -> Spent {
        let wall = self.began.elapsed();
        let cpu = Usage::now().cpu().saturating_sub(self.cpu);
        let server = server
            .zip(self.server)
            .map(|(now, then)| now.saturating_sub(then));
        Spent {
            pages,
            wall_s: wall.as_secs_f64(),
            parsing_s: shifts.busy.as_secs_f64(),
            rest_s: cpu.saturating_sub(shifts.busy).as_secs_f64(),
            server_s: server.map(|server| server.as_secs_f64()),
            at_work_s: shifts.open.as_secs_f64(),
            waited_at_the_end_s: shifts.waited_at_the_end().as_secs_f64(),
            waits_s: 0.0,
        }
    }
}

impl Spent {
    pub(crate) fn pages_per_s(&self) -> f64 {
        self.pages as f64 / self.wall_s
    }

    /// The share of the time in which a worker had a page in hand, 0–1.
    pub(crate) fn share_at_work(&self, workers: usize) -> f64 {
        self.at_work_s / (workers as f64 * self.wall_s)
    }

    /// The share of their time at work in which the workers had a CPU, 0–1.
    pub(crate) fn share_on_cpu(&self) -> f64 {
        self.parsing_s / self.at_work_s
    }

    /// Whether other programs took the CPUs from workers that had nothing beside them.
    pub(crate) fn is_disturbed(&self, cpus: usize, workers: usize) -> bool {
        let own = (cpus as f64 / workers as f64).min(1.0);
        self.share_on_cpu() < UNDISTURBED * own
    }

    /// The pages per second that `cpus` CPUs leave to the workers of `held`, when all that this
    /// crawl took beside parsing runs on the same CPUs and its waits cannot be shortened; the best
    /// that it could reach.
    pub(crate) fn attainable_per_s(&self, held: &Self, cpus: usize) -> f64 {
        1.0 / self
            .least_work_s(held, cpus)
            .max(self.waits_s / self.pages as f64)
    }

    /// Whether it is its waits that bound it, and no CPU.
    pub(crate) fn is_bound_by_waits(&self, held: &Self, cpus: usize) -> bool {
        self.waits_s / self.pages as f64 > self.least_work_s(held, cpus)
    }

    /// The least time for a page that `cpus` CPUs need, in seconds.
    fn least_work_s(&self, held: &Self, cpus: usize) -> f64 {
        let (here, there) = (self.of_a_page(cpus), held.of_a_page(cpus));
        let fetching = (here.rest - there.rest).max(0.0) + here.server;
        let work = (there.parsing + there.rest + fetching) / cpus as f64;
        // Workers that are fewer than the CPUs are a bound of their own.
        work.max(1.0 / held.pages_per_s())
    }

    fn per_page(&self, seconds: f64) -> f64 {
        seconds / self.pages as f64
    }

    /// What one page took of `cpus` CPUs, in pieces that add up; seconds.
    pub(crate) fn of_a_page(&self, cpus: usize) -> Pieces {
        let all = self.per_page(cpus as f64 * self.wall_s);
        let parsing = self.per_page(self.parsing_s);
        let rest = self.per_page(self.rest_s);
        let server = self.per_page(self.server_s.unwrap_or_default());
        Pieces {
            all,
            parsing,
            rest,
            server,
            // Clocks that tick at different times may leave a little less than nothing.
            idle: (all - parsing - rest - server).max(0.0),
            at_the_end: self.per_page(self.waited_at_the_end_s),
        }
    }
}

/// The time of all CPUs that one page took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pieces {
    pub(crate) all: f64,
    pub(crate) parsing: f64,
    pub(crate) rest: f64,
    pub(crate) server: f64,
    /// What nobody here used: waiting, or other programs.
    pub(crate) idle: f64,
    /// The part of `idle` in which workers were out of pages.
    pub(crate) at_the_end: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_without_a_cpu_were_disturbed_unless_they_are_more_than_the_cpus() {
        let spent = Spent {
            parsing_s: 1.5,
            at_work_s: 2.0,
            ..Spent::default()
        };
        assert!(spent.is_disturbed(2, 2));
        assert!(!spent.is_disturbed(2, 4));
        let alone = Spent {
            parsing_s: 1.9,
            ..spent
        };
        assert!(!alone.is_disturbed(2, 2) && !alone.is_disturbed(8, 1));
    }

    #[test]
    fn fetching_on_the_same_cpus_takes_its_share_and_on_free_ones_none() {
        let spent = |wall_s, parsing_s, rest_s, server_s| Spent {
            pages: 1_000,
            wall_s,
            parsing_s,
            rest_s,
            server_s: Some(server_s),
            ..Spent::default()
        };
        let (crawl, held) = (spent(9.0, 2.0, 1.5, 0.5), spent(1.0, 2.0, 0.0, 0.0));
        assert!((crawl.attainable_per_s(&held, 2) - 500.0).abs() < 1e-9);
        assert!((crawl.attainable_per_s(&held, 8) - 1_000.0).abs() < 1e-9);
        let waiting = Spent {
            waits_s: 4.0,
            ..crawl
        };
        assert!((waiting.attainable_per_s(&held, 8) - 250.0).abs() < 1e-9);
        assert!(waiting.is_bound_by_waits(&held, 8) && !crawl.is_bound_by_waits(&held, 8));
    }
}
