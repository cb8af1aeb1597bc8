//! How long each way would take: a small simulation of workers that wait and share CPUs.

use crate::{
    costs::{BAD, Costs, GOOD, MIDDLE, Price},
    job::{Job, Tool},
};
use common::format::seconds_f64;
use measure::limits::Limit;
use serde::{Deserialize, Serialize};

mod schedule;

use schedule::Plan;

/// A way to do many items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// One after another.
    OneByOne,
    /// Threads that take the next item.
    Threads,
    /// Tasks on one thread.
    Tasks,
    /// A parallel iterator, with a thread for each CPU.
    Rayon,
    /// A pool of worker processes.
    Processes,
    /// Tasks wait, a pool of worker processes computes.
    TasksAndProcesses,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::OneByOne,
        Self::Threads,
        Self::Tasks,
        Self::Rayon,
        Self::Processes,
        Self::TasksAndProcesses,
    ];

    /// Its name on the screen, and what must be at hand.
    fn about(self) -> (&'static str, &'static [Tool]) {
        match self {
            Self::OneByOne => ("one by one", &[]),
            Self::Threads => ("threads", &[Tool::Threads]),
            Self::Tasks => ("tasks", &[Tool::Async]),
            Self::Rayon => ("rayon", &[Tool::Threads]),
            Self::Processes => ("processes", &[Tool::Processes]),
            Self::TasksAndProcesses => ("tasks + processes", &[Tool::Async, Tool::Processes]),
        }
    }

    /// Its name on the screen.
    pub fn name(self) -> &'static str {
        self.about().0
    }

    /// Whether it uses a tool.
    pub(crate) fn uses(self, tool: Tool) -> bool {
        self.about().1.contains(&tool)
    }

    /// Why a job should not be done that way.
    fn why_not(self, job: &Job, language: Language) -> Option<&'static str> {
        let is_at_hand = |tool| job.with.contains(tool);
        match self {
            _ if job.crash && !self.uses(Tool::Processes) => Some("does not contain a crash"),
            _ if !self.about().1.iter().all(is_at_hand) => Some("is not at hand"),
            Self::TasksAndProcesses if job.cpu_s == 0.0 && !job.crash => {
                Some("has nothing to compute")
            }
            Self::Threads | Self::Tasks if language == Language::PythonWithGil && job.works() => {
                Some("computes one at a time")
            }
            _ => None,
        }
    }
}

/// Whose threads compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// All threads at once.
    Rust,
    /// One thread at a time.
    PythonWithGil,
    /// All threads at once.
    PythonWithoutGil,
}

/// Python with a GIL, and without one.
pub const PYTHONS: [Language; 2] = [Language::PythonWithGil, Language::PythonWithoutGil];

/// What one way would take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The way.
    pub way: Way,
    /// How many items at once.
    pub at_once: usize,
    /// With the median of each cost.
    pub predicted_s: f64,
    /// With each cost as in a good moment.
    pub low_s: f64,
    /// With each cost as in a bad one.
    pub high_s: f64,
    /// What it cannot be faster for.
    pub limited_by: String,
    /// Why the job should not be done that way.
    pub why_not: Option<&'static str>,
}

impl Forecast {
    /// A time with its range, where that is no single figure.
    pub fn ranged(&self) -> String {
        let (time, range) = (seconds_f64(self.predicted_s), self.range());
        match time == range {
            true => time,
            false => format!("{time} ({range})"),
        }
    }

    /// The range of a time, a single figure where both ends are shown alike.
    pub fn range(&self) -> String {
        let [low, high] = [self.low_s, self.high_s].map(seconds_f64);
        match low == high {
            true => low,
            false => format!("{low}–{high}"),
        }
    }
}

/// More worker processes than this are not started for a job.
const MOST_PROCESSES: usize = 64;
/// What is this little slower is as good, if it is smaller or simpler.
pub(crate) const AS_GOOD: f64 = 1.02;

/// What each way of a language would take.
pub fn forecasts(job: &Job, costs: &Costs, language: Language) -> Vec<Forecast> {
    let ways = Way::ALL.into_iter();
    let ways = ways.filter(|way| language == Language::Rust || *way != Way::Rayon);
    ways.map(|way| {
        Case {
            job,
            costs,
            language,
            way,
        }
        .forecast()
    })
    .collect()
}

/// How long a way takes in Rust with so many items at once.
pub fn time(job: &Job, costs: &Costs, way: Way, at_once: usize) -> f64 {
    let language = Language::Rust;
    let case = Case {
        job,
        costs,
        language,
        way,
    };
    case.time(at_once, MIDDLE)
}

/// One way to do a job on a machine.
#[derive(Clone, Copy)]
struct Case<'a> {
    job: &'a Job,
    costs: &'a Costs,
    language: Language,
    way: Way,
}

impl Case<'_> {
    fn forecast(self) -> Forecast {
        let cap = self.cap();
        let at_once = match self.way {
            Way::Threads | Way::Processes => self.choose(cap.value as usize),
            _ => cap.value as usize,
        };
        let [low_s, predicted_s, high_s] = [GOOD, MIDDLE, BAD].map(|part| self.time(at_once, part));
        Forecast {
            way: self.way,
            at_once,
            predicted_s,
            low_s: low_s.min(predicted_s),
            high_s: high_s.max(predicted_s),
            limited_by: self.limited_by(at_once, cap),
            why_not: self.way.why_not(self.job, self.language),
        }
    }

    fn time(self, at_once: usize, part: f64) -> f64 {
        self.plan(at_once, part).makespan(self.job.items)
    }

    /// The most items at once, and why not more.
    fn cap(self) -> Limit {
        let (job, costs) = (self.job, self.costs);
        let limit = |name, value: usize| {
            Some(Limit {
                name,
                value: value as u64,
            })
        };
        let sockets = costs.most_sockets.filter(|_| job.wait_s > 0.0);
        let asked = job
            .limit
            .and_then(|asked| limit("the limit in flight", asked));
        let own = match self.way {
            Way::OneByOne => [limit("one item at a time", 1), None],
            Way::Rayon => [limit("a thread for each CPU", costs.cpus), None],
            Way::Threads => [costs.most_threads, sockets],
            Way::Tasks | Way::TasksAndProcesses => [sockets, None],
            Way::Processes => [limit("at most 64 processes", MOST_PROCESSES), None],
        };
        let all = [limit("the longest item", job.items), asked]
            .into_iter()
            .chain(own)
            .flatten();
        let least = all.min_by_key(|limit| limit.value).expect("the items");
        Limit {
            value: least.value.max(1),
            ..least
        }
    }

    /// The smallest number of workers that is as good as any.
    fn choose(self, most: usize) -> usize {
        let doubled = std::iter::successors(Some(1), |k| Some(k * 2));
        let mut sizes: Vec<usize> = doubled.take_while(|k| *k < most).collect();
        sizes.extend([self.costs.cpus.min(most), most]);
        sizes.sort_unstable();
        let timed: Vec<_> = sizes
            .into_iter()
            .map(|k| (k, self.time(k, MIDDLE)))
            .collect();
        let best = timed.iter().map(|(_, time)| *time).fold(f64::MAX, f64::min);
        let good = timed.iter().find(|(_, time)| *time <= best * AS_GOOD);
        good.map_or(most, |(k, _)| *k)
    }

    /// What its workers do, at costs that this part of what was seen stays below.
    fn plan(self, at_once: usize, part: f64) -> Plan {
        let (job, costs, language, way) = (self.job, self.costs, self.language, self.way);
        let cpus = costs.cpus;
        let (workers, start, overhead) = self.beside_the_work(at_once, part);
        let at = |price| costs.price(price, part);
        let late = match (way.uses(Tool::Async), language) {
            (false, _) => at(Price::ThreadLate),
            (true, Language::Rust) => at(Price::TaskLate) - beyond_the_tick(job.wait_s),
            (true, _) => at(Price::TaskLate),
        };
        let is_crowd = job.wait_s > 0.0 && workers > cpus;
        let crowding = if is_crowd { costs.crowding(part) } else { 1.0 };
        let has_gil = way == Way::Threads && language == Language::PythonWithGil;
        Plan {
            start,
            at_once,
            wait: if job.wait_s > 0.0 {
                job.wait_s + late
            } else {
                0.0
            },
            cpu: job.cpu_s * costs.pace(part) + overhead,
            overhead,
            cores: if has_gil { 1 } else { cpus.min(workers) },
            free: costs.free(part) / crowding,
            takes_turns: !way.uses(Tool::Async),
            stands_in_line: way == Way::Tasks,
        }
    }

    /// How many compute; what it takes before the first item, and for each item beside the work.
    fn beside_the_work(self, at_once: usize, part: f64) -> (usize, f64, f64) {
        let (job, costs, way) = (self.job, self.costs, self.way);
        let at = |price| costs.price(price, part);
        let threads = |count| at(Price::Threads) + count as f64 * at(Price::Thread);
        let pool = |count: usize| {
            let few = count.min(5);
            let more = (count - few) as f64 * at(Price::MoreProcesses);
            at(Price::Pool) + (few - 1) as f64 * at(Price::Process) + more
        };
        // Measured with as many workers as CPUs: what one of them takes was shared out among them.
        let handoff = (at(Price::Handoff) + job.mib() * at(Price::Mib)) * costs.free(part);
        let few = at_once.min(costs.cpus);
        match way {
            Way::OneByOne => (1, 0.0, 0.0),
            Way::Threads => (at_once, threads(at_once), 0.0),
            Way::Tasks => (1, 0.0, at(Price::Task)),
            Way::Rayon => (few, threads(few), at(Price::Rayon)),
            Way::Processes => (at_once, pool(at_once), handoff),
            Way::TasksAndProcesses => (few, pool(few), handoff + at(Price::Task)),
        }
    }

    /// What it cannot be faster for: the greatest of the times that it takes at least.
    fn limited_by(self, at_once: usize, cap: Limit) -> String {
        let (way, plan, items) = (self.way, self.plan(at_once, MIDDLE), self.job.items);
        let computing = items as f64 * plan.cpu / plan.free.min(plan.cores as f64);
        let waves = items.div_ceil(at_once) as f64 * (plan.wait + plan.cpu);
        let is_handed_over = way.uses(Tool::Processes) && plan.overhead > plan.cpu / 2.0;
        let limit = match way {
            Way::OneByOne => cap.name,
            _ if plan.start > computing.max(waves) => "starting them",
            _ if computing * AS_GOOD < waves && at_once == cap.value as usize => cap.name,
            _ if computing * AS_GOOD < waves => return format!("{at_once} at a time"),
            _ if is_handed_over && self.job.mib() > 0.0 => "bytes and handoffs",
            _ if is_handed_over => "handoffs",
            Way::Threads if self.language == Language::PythonWithGil => "the GIL",
            Way::Processes if at_once == 1 => "its one process",
            _ if plan.cores == 1 => "its one thread",
            _ => "the CPUs",
        };
        limit.into()
    }
}

/// Tokio's timers count milliseconds, and what is measured to be late is a whole one: a wait that has a part of
/// one more is this little later.
fn beyond_the_tick(wait_s: f64) -> f64 {
    const TICK_US: u64 = 1000;
    ((wait_s * 1e6).round() as u64 % TICK_US) as f64 / 1e6
}

#[cfg(test)]
mod tests;
