//! The sweep in lines.

use super::{Sweep, WAYS, Way};
use crate::{args::Args, rule};
use common::{Lab, format};
use lab_16_processes_vs_threads::verdict::Verdict;
use std::time::Duration;

impl Sweep {
    /// Prints a line per size, and the break-evens.
    pub(crate) fn tell(&self, args: &Args, lab: &Lab) {
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
        lab.say("beside one by one, by the same rule:");
        lab.say("  + faster, - slower, = no detectable difference, ? too noisy");
        lab.say("break-even, the size from which on it is + up to the end of the sweep:");
        for (way, (_, name)) in WAYS.into_iter().enumerate() {
            if let Some(steps) = self.break_even_steps[way] {
                let steps = format::count(steps);
                lab.say(format!("  {name}: {steps} steps a job"));
            } else {
                lab.say(format!("  {name}: not within the sweep; at its end"));
                rule::say_wrapped(lab, &self.why_none(way, args.rounds.get(), lab), 4);
            }
        }
        let lacking = self.break_even_steps.contains(&None) && lacks_cpus(lab);
        if lacking {
            lab.say(format!(
                "  just before, {:.1} of {} CPUs worked at once; on one, CPU work gains nothing",
                lab.parallelism(),
                lab.cpus()
            ));
        }
    }

    /// How a way that has no break-even stands at the end of the sweep, and what to try.
    pub(crate) fn why_none(&self, way: usize, rounds: usize, lab: &Lab) -> String {
        let last = self.points.last().map(|point| point.ways()[way]);
        let Some(compared) = last.and_then(|last| last.over_one_by_one.as_ref()) else {
            return "nothing was measured".into();
        };
        let ways = ["one by one", WAYS[way].1];
        match compared.verdict {
            // More of anything will not help.
            _ if lacks_cpus(lab) => rule::how_it_stands(compared, rounds, ways),
            Verdict::TooNoisy => rule::why_too_noisy(compared, rounds, ways, "--work"),
            _ => format!(
                "{}; a larger `--work` takes the sweep further",
                rule::how_it_stands(compared, rounds, ways)
            ),
        }
    }
}

fn lacks_cpus(lab: &Lab) -> bool {
    lab.parallelism() < 1.5
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
