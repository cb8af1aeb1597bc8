//! The sweep in lines.

use super::{Sweep, WAYS, Way};
use common::{Experiment, report::format};
use lab_16_processes_vs_threads::verdict::Verdict;
use std::time::Duration;

impl Sweep {
    /// Prints a line per size, and the break-evens.
    pub(crate) fn tell(&self, lab: &Experiment) {
        lab.say(format!(
            "{:>12} {:>12} {:>13} {:>13} {:>16}",
            "steps a job", "one by one", "threads", "processes", "a running pool"
        ));
        for point in &self.points {
            let [threads, processes, running] = point.ways().map(tell_way);
            lab.say(format!(
                "{:>12} {:>12} {threads:>13} {processes:>13} {running:>16}",
                format::count(point.steps),
                middle(&point.one_by_one_s),
            ));
        }
        lab.say("beside one by one, by the rule above:");
        lab.say("  + faster, - slower, = no detectable difference, ? too noisy");
        lab.say("break-even, the size from which on it is + up to the end of the sweep:");
        for ((_, name), steps) in WAYS.iter().zip(self.break_even_steps) {
            let found = steps.map_or("not within the sweep".into(), |steps| {
                format!("{} steps a job", format::count(steps))
            });
            lab.say(format!("  {name}: {found}"));
        }
    }
}

fn tell_way(way: &Way) -> String {
    let sign = match way.verdict() {
        Verdict::SecondFaster => '+',
        Verdict::FirstFaster => '-',
        Verdict::NoDetectableDifference => '=',
        Verdict::TooNoisy => '?',
    };
    format!("{} {sign}", middle(&way.times_s))
}

/// The middle of the times, the lower of two.
fn middle(times_s: &[f64]) -> String {
    let mut times_s = times_s.to_vec();
    times_s.sort_by(f64::total_cmp);
    let middle = times_s.get(times_s.len().saturating_sub(1) / 2);
    middle.map_or("–".into(), |time| {
        format::seconds(Duration::from_secs_f64(*time))
    })
}
