//! What the interpreter answers, and whether it can be.

use serde::Deserialize;
use std::time::Duration;

/// What our script says of two jobs.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) took_s: f64,
    pub(super) cpu_s: f64,
    /// Since the interpreter began, in its own code and in the kernel.
    pub(super) used_s: [f64; 2],
    pub(super) jobs: Vec<Job>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) start_s: f64,
    pub(super) end_s: f64,
    pub(super) busy_s: Option<f64>,
    pub(super) left: u64,
}

/// CPU time since the interpreter began that none has used up here.
const MOST_USED_S: f64 = 1e6;

impl Answer {
    /// Whether our script can have said this of two jobs that took no longer than `limit`.
    pub(super) fn can_be(&self, limit: Duration) -> bool {
        let jobs_fit = self.jobs.iter().all(|job| job.can_be(self.took_s));
        let used = [self.used_s[0], self.used_s[1], self.cpu_s];
        self.jobs.len() == 2
            && jobs_fit
            && (0.0..=limit.as_secs_f64()).contains(&self.took_s)
            && used.iter().all(|used| (0.0..=MOST_USED_S).contains(used))
    }
}

impl Job {
    fn can_be(&self, took_s: f64) -> bool {
        // The clock of CPU time may tick in long steps.
        let most_busy_s = 2.0 * (self.end_s - self.start_s) + 0.1;
        0.0 <= self.start_s
            && self.start_s <= self.end_s
            && self.end_s <= took_s
            && self
                .busy_s
                .is_none_or(|busy| (0.0..=most_busy_s).contains(&busy))
    }
}
