//! How long each way would take: a small simulation of workers that wait and share CPUs.

use crate::{
    costs::{Costs, Level, Price},
    job::{Job, Tool},
};
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

    /// Its name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneByOne => "one by one",
            Self::Threads => "threads",
            Self::Tasks => "tasks",
            Self::Rayon => "rayon",
            Self::Processes => "processes",
            Self::TasksAndProcesses => "tasks + processes",
        }
    }

    /// The verb to its name.
    pub fn takes(self) -> &'static str {
        match self {
            Self::OneByOne | Self::Rayon => "takes",
            _ => "take",
        }
    }

    /// What must be at hand.
    pub fn tools(self) -> &'static [Tool] {
        match self {
            Self::OneByOne => &[],
            Self::Threads | Self::Rayon => &[Tool::Threads],
            Self::Tasks => &[Tool::Async],
            Self::Processes => &[Tool::Processes],
            Self::TasksAndProcesses => &[Tool::Async, Tool::Processes],
        }
    }

    /// Whether an item that crashes costs the others nothing.
    pub fn contains_a_crash(self) -> bool {
        matches!(self, Self::Processes | Self::TasksAndProcesses)
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

impl Language {
    /// The ways that it has.
    pub fn ways(self) -> impl Iterator<Item = Way> {
        let all = Way::ALL.into_iter();
        all.filter(move |way| self == Self::Rust || *way != Way::Rayon)
    }
}

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
    /// Whether the job may be done that way: it is at hand, and contains a crash where it must.
    pub is_allowed: bool,
    /// Whether an item that crashes costs the others nothing.
    pub contains_a_crash: bool,
}

/// More worker processes than this are not started for a job.
const MOST_PROCESSES: u64 = 64;
/// A pool that is this little slower is as good, if it is smaller.
const AS_GOOD: f64 = 1.02;

/// How long a way takes with so many items at once.
pub fn time(job: &Job, costs: &Costs, language: Language, way: Way, at_once: usize) -> f64 {
    plan(job, costs, language, way, at_once, Level::Middle).makespan(job.items)
}

/// What each way of a language would take.
pub fn forecasts(job: &Job, costs: &Costs, language: Language) -> Vec<Forecast> {
    let forecast = |way| forecast(job, costs, language, way);
    language.ways().map(forecast).collect()
}

fn forecast(job: &Job, costs: &Costs, language: Language, way: Way) -> Forecast {
    let cap = cap(job, costs, way);
    let plan = |at_once, level| plan(job, costs, language, way, at_once, level);
    let time = |at_once, level| plan(at_once, level).makespan(job.items);
    let most = cap.value as usize;
    let at_once = match way {
        Way::Threads | Way::Processes => choose(costs.cpus, most, |k| time(k, Level::Middle)),
        _ => most,
    };
    let [predicted_s, low_s, high_s] =
        [Level::Middle, Level::Low, Level::High].map(|level| time(at_once, level));
    let limited_by = limited_by(job, language, way, &plan(at_once, Level::Middle), cap);
    let at_hand = way.tools().iter().all(|tool| job.with.contains(tool));
    Forecast {
        way,
        at_once,
        predicted_s,
        low_s: low_s.min(predicted_s),
        high_s: high_s.max(predicted_s),
        limited_by,
        is_allowed: at_hand && (way.contains_a_crash() || !job.crash),
        contains_a_crash: way.contains_a_crash(),
    }
}

/// The most items at once, and why not more.
fn cap(job: &Job, costs: &Costs, way: Way) -> Limit {
    let limit = |name, value| Some(Limit { name, value });
    let waits = job.wait_s > 0.0;
    let asked = job.limit.filter(|limit| *limit < job.items);
    let own = match way {
        Way::OneByOne => [limit("one item at a time", 1), None],
        Way::Rayon => [limit("a thread for each CPU", costs.cpus as u64), None],
        Way::Threads => [costs.most.threads, costs.most.sockets.filter(|_| waits)],
        Way::Tasks | Way::TasksAndProcesses => [costs.most.sockets.filter(|_| waits), None],
        Way::Processes => [
            costs.most.processes,
            limit("at most 64 processes", MOST_PROCESSES),
        ],
    };
    let all = [
        limit("the longest item", job.items as u64),
        asked.and_then(|asked| limit("the limit in flight", asked as u64)),
    ];
    let all = all.into_iter().chain(own).flatten();
    let least = all.min_by_key(|limit| limit.value).expect("the items");
    Limit {
        value: least.value.max(1),
        ..least
    }
}

/// The smallest number of workers that is as good as any.
fn choose(cpus: usize, most: usize, time: impl Fn(usize) -> f64) -> usize {
    let doubled = std::iter::successors(Some(1), |k| Some(k * 2));
    let mut sizes: Vec<usize> = doubled.take_while(|k| *k < most).collect();
    sizes.extend([cpus.min(most), most]);
    sizes.sort_unstable();
    sizes.dedup();
    let timed: Vec<(usize, f64)> = sizes.into_iter().map(|k| (k, time(k))).collect();
    let best = timed.iter().map(|(_, time)| *time).fold(f64::MAX, f64::min);
    let mut good = timed.iter().filter(|(_, time)| *time <= best * AS_GOOD);
    good.next().map_or(most, |(k, _)| *k)
}

/// What the workers of a way do, in the figures of one level.
fn plan(
    job: &Job,
    costs: &Costs,
    language: Language,
    way: Way,
    at_once: usize,
    level: Level,
) -> Plan {
    let at = |price| costs.price(price).at(level);
    let free = costs.free_cpus_at(level);
    let workers = match way {
        Way::OneByOne | Way::Tasks => 1,
        Way::Threads if language == Language::PythonWithGil => 1,
        Way::Rayon | Way::TasksAndProcesses => at_once.min(costs.cpus),
        Way::Threads | Way::Processes => at_once,
    };
    let (start, overhead) = beside_the_work(job, way, (workers, free), at);
    let late = match way {
        Way::Tasks | Way::TasksAndProcesses => {
            at(Price::TaskLate) - to_the_tick(job.wait_s) * f64::from(language == Language::Rust)
        }
        _ => at(Price::ThreadLate),
    };
    Plan {
        start,
        starting: at(Price::Thread) * f64::from(way == Way::Threads),
        at_once,
        wait: (job.wait_s + late) * f64::from(job.wait_s > 0.0),
        cpu: job.cpu_s * costs.pace.at(level) + overhead,
        overhead,
        cores: costs.cpus.min(workers),
        free,
        takes_turns: !matches!(way, Way::Tasks | Way::TasksAndProcesses),
    }
}

/// Tokio's timers count milliseconds, and what is measured to be late is a whole one: a wait that has a part of
/// one more is this little later.
fn to_the_tick(wait_s: f64) -> f64 {
    const TICK_US: u64 = 1000;
    ((wait_s * 1e6).round() as u64 % TICK_US) as f64 / 1e6
}

/// What a way takes before its first item, and for each item beside the work.
fn beside_the_work(
    job: &Job,
    way: Way,
    (workers, free): (usize, f64),
    at: impl Fn(Price) -> f64,
) -> (f64, f64) {
    let pool = at(Price::Pool) + (workers - 1) as f64 * at(Price::Process);
    // Measured with as many workers as CPUs: what one of them takes was shared out among them.
    let handoff = (at(Price::Handoff) + job.mib() * at(Price::Mib)) * free;
    match way {
        Way::OneByOne => (0.0, 0.0),
        Way::Threads => (at(Price::Threads), 0.0),
        Way::Tasks => (0.0, at(Price::Task)),
        Way::Rayon => (
            at(Price::Threads) + workers as f64 * at(Price::Thread),
            at(Price::Rayon),
        ),
        Way::Processes => (pool, handoff),
        Way::TasksAndProcesses => (pool, handoff + at(Price::Task)),
    }
}

/// What a way cannot be faster for: the greatest of the times that it takes at least.
fn limited_by(job: &Job, language: Language, way: Way, plan: &Plan, cap: Limit) -> String {
    let (items, at_once) = (job.items as f64, plan.at_once);
    let computing = items * plan.cpu / plan.free.min(plan.cores as f64);
    let waves = job.items.div_ceil(at_once) as f64 * (plan.wait + plan.cpu);
    let starting = plan.start + plan.starting * at_once as f64;
    if way == Way::OneByOne {
        return cap.name.into();
    }
    if starting > computing.max(waves) {
        return "starting them".into();
    }
    if computing * AS_GOOD < waves {
        return match at_once == cap.value as usize {
            true => cap.name.into(),
            false => format!("{at_once} at a time"),
        };
    }
    match way {
        _ if plan.overhead > plan.cpu / 2.0 && way != Way::Rayon && way != Way::Tasks => {
            if job.mib() > 0.0 {
                "bytes and handoffs"
            } else {
                "handoffs"
            }
            .into()
        }
        Way::Threads if language == Language::PythonWithGil => "the GIL".into(),
        Way::Processes if at_once == 1 => "its one process".into(),
        _ if plan.cores == 1 => "its one thread".into(),
        _ => "the CPUs".into(),
    }
}

#[cfg(test)]
mod tests;
