//! What this machine asks for a thread, a task, a process, a handoff: measured now, several times.

use crate::{
    Way,
    job::Job,
    ways::{self, Item, STACK_BYTES},
};
use measure::{
    limits::{Limit, kilobytes_in, memory_left, sockets_allowed, threads_allowed},
    surroundings::{cpus, quota},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Which of the figures that were seen a prediction is to be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A machine in a good moment.
    Low,
    /// The medians.
    Middle,
    /// A machine in a bad moment.
    High,
}

/// A cost as it was seen several times, in the unit of its name; mostly seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// A quarter of what was seen is less.
    pub low: f64,
    /// The median.
    pub middle: f64,
    /// A quarter of what was seen is more.
    pub high: f64,
}

impl Cost {
    /// A cost that is known.
    pub fn known(value: f64) -> Self {
        let (low, middle, high) = (value, value, value);
        Self { low, middle, high }
    }

    /// The quartiles of what was seen; a difference of two times may be less than nothing, a cost is not.
    pub fn of(seen: &[f64]) -> Self {
        let mut sorted: Vec<f64> = seen.iter().map(|cost| cost.max(0.0)).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * sorted.len().saturating_sub(1) as f64;
            sorted.get(place.round() as usize).copied().unwrap_or(0.0)
        };
        Self {
            low: at(0.25),
            middle: at(0.5),
            high: at(0.75),
        }
    }

    /// A middle that is known otherwise, with the quartiles of what was seen.
    fn around(middle: f64, seen: &[f64]) -> Self {
        let quartiles = Self::of(seen);
        Self {
            low: quartiles.low.min(middle),
            middle,
            high: quartiles.high.max(middle),
        }
    }

    /// The figure of a level.
    pub fn at(&self, level: Level) -> f64 {
        match level {
            Level::Low => self.low,
            Level::Middle => self.middle,
            Level::High => self.high,
        }
    }
}

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// Some threads beside what each of them costs: until they have begun, and all have been waited for.
    Threads,
    /// A thread: its start, one wake-up, its end.
    Thread,
    /// A task: its start, one wake-up, its end.
    Task,
    /// An item that goes through rayon.
    Rayon,
    /// A pool of one process: its start and its end.
    Pool,
    /// Each further process of a pool.
    Process,
    /// An item to a process and its answer.
    Handoff,
    /// A MiB to a process or back.
    Mib,
    /// How late a sleeping thread wakes up.
    ThreadLate,
    /// How late a sleeping task wakes up.
    TaskLate,
}

/// All costs of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Costs {
    /// CPUs that this process may run on.
    pub cpus: usize,
    /// How many of them were to be had, before and after.
    pub free_cpus: Cost,
    /// How long the same work took at different moments, against its median.
    pub pace: Cost,
    /// Steps of work that one thread did in a second.
    pub steps_per_s: f64,
    /// What is paid for, in seconds.
    pub prices_s: BTreeMap<Price, Cost>,
    /// Memory of a worker process.
    pub process_bytes: Option<u64>,
    /// What the machine allows.
    #[serde(skip)]
    pub most: Most,
    /// How long it took to measure all this.
    pub measured_in_s: f64,
}

/// What the machine allows at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Most {
    /// Threads.
    pub threads: Option<Limit>,
    /// Sockets, should items wait for the network.
    pub sockets: Option<Limit>,
    /// Worker processes.
    pub processes: Option<Limit>,
}

/// A piece of work of about ten milliseconds: on a busy machine a shorter one may find a CPU all to itself.
const STEPS: u64 = 5_000_000;
const NAP: Duration = Duration::from_millis(2);
const MIB: usize = 1 << 20;

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Samples {
    alone: Vec<f64>,
    together: Vec<f64>,
    prices_s: BTreeMap<Price, Vec<f64>>,
    process_bytes: Option<u64>,
}

impl Costs {
    /// Measures everything so many times; takes about a sixth of a second each.
    ///
    /// # Errors
    /// The system starts no thread or no process.
    pub fn measure(rounds: usize) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut samples = Samples::default();
        for _ in 0..rounds.max(1) {
            samples.look_at_cpus()?;
            samples.look_at_costs()?;
            samples.look_at_cpus()?;
        }
        let mut costs = samples.costs();
        costs.measured_in_s = began.elapsed().as_secs_f64();
        Ok(costs)
    }

    /// The same costs on CPUs as these samples saw them.
    #[must_use]
    pub fn on_cpus_of(&self, samples: &Samples) -> Self {
        let mean = |seen: &[f64]| seen.iter().sum::<f64>() / seen.len().max(1) as f64;
        let (alone, together) = (mean(&samples.alone), mean(&samples.together));
        // All of them did together what one did alone, each.
        let most = quota().unwrap_or(f64::MAX).min(self.cpus as f64).max(1.0);
        let free =
            |alone: f64, together: f64| (self.cpus as f64 * alone / together).clamp(1.0, most);
        let pairs = samples.alone.iter().zip(&samples.together);
        let seen: Vec<f64> = pairs
            .map(|(alone, together)| free(*alone, *together))
            .collect();
        let pace: Vec<f64> = samples.alone.iter().map(|one| one / alone).collect();
        Self {
            free_cpus: Cost::around(free(alone, together), &seen),
            pace: Cost::around(1.0, &pace),
            steps_per_s: STEPS as f64 / alone,
            ..self.clone()
        }
    }
}

/// The cost of each price that was seen.
pub(crate) fn quartiles(seen: &BTreeMap<Price, Vec<f64>>) -> BTreeMap<Price, Cost> {
    let prices = seen.iter();
    prices
        .map(|(price, seen)| (*price, Cost::of(seen)))
        .collect()
}

impl Costs {
    /// What is paid for something.
    pub fn price(&self, price: Price) -> Cost {
        self.prices_s.get(&price).copied().unwrap_or_default()
    }

    /// The same on a machine whose CPUs are all free.
    #[must_use]
    pub fn undisturbed(&self) -> Self {
        Self {
            free_cpus: Cost::known(self.cpus as f64),
            ..self.clone()
        }
    }

    /// The CPUs to be had at a level: of them, more is better.
    pub(crate) fn free_cpus_at(&self, level: Level) -> f64 {
        match level {
            Level::Low => self.free_cpus.high,
            Level::Middle => self.free_cpus.middle,
            Level::High => self.free_cpus.low,
        }
    }
}

impl Most {
    /// What is allowed now, with worker processes of that size.
    fn now(process_bytes: Option<u64>) -> Self {
        let processes = process_bytes.zip(memory_left()).map(|(each, left)| Limit {
            name: "processes within memory",
            value: left / each.max(1),
        });
        Self {
            threads: threads_allowed(STACK_BYTES),
            sockets: sockets_allowed(),
            processes,
        }
    }
}

impl Samples {
    /// What it comes to.
    pub fn costs(&self) -> Costs {
        let costs = Costs {
            cpus: cpus(),
            prices_s: quartiles(&self.prices_s),
            process_bytes: self.process_bytes,
            most: Most::now(self.process_bytes),
            ..Costs::default()
        };
        costs.on_cpus_of(self)
    }

    /// Looks once how fast one thread computes, and one for each CPU.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn look_at_cpus(&mut self) -> anyhow::Result<()> {
        let work = Item::of(&Job::new(1, 0.0, 1.0), STEPS as f64);
        let alone = run(Way::OneByOne, &work, 1, 1)?;
        self.alone.push(alone);
        self.together.push(match cpus() {
            1 => alone,
            cpus => run(Way::Threads, &work, cpus, cpus)?,
        });
        Ok(())
    }

    /// Looks once at all the rest.
    ///
    /// # Errors
    /// The system starts no thread or no process.
    pub fn look_at_costs(&mut self) -> anyhow::Result<()> {
        self.look_at_threads_and_tasks()?;
        self.look_at_processes()
    }

    fn look_at_threads_and_tasks(&mut self) -> anyhow::Result<()> {
        let (nap, nothing) = (item(NAP, 0), item(Duration::ZERO, 0));
        const FEW: usize = 8;
        let late = |way| Ok::<_, anyhow::Error>(run(way, &nap, 3, 1)? / 3.0 - NAP.as_secs_f64());
        let (thread_late, task_late) = (late(Way::OneByOne)?, late(Way::Tasks)?);
        // The difference of many and few is what more of them cost.
        let [few, many] = [FEW, 16 * FEW].map(|count| run(Way::Threads, &nap, count, count));
        let (few, many) = (few?, many?);
        let thread = (many - few) / (15 * FEW) as f64;
        let threads = few - NAP.as_secs_f64() - thread_late - thread * FEW as f64;
        let [few, many] = [100, 2000].map(|count| run(Way::Tasks, &nap, count, count));
        self.note([
            (Price::Threads, threads),
            (Price::Thread, thread),
            (Price::Task, (many? - few?) / 1900.0),
            (
                Price::Rayon,
                run(Way::Rayon, &nothing, 2000, cpus())? / 2000.0,
            ),
            (Price::ThreadLate, thread_late),
            (Price::TaskLate, task_late),
        ]);
        Ok(())
    }

    fn note<const N: usize>(&mut self, seen: [(Price, f64); N]) {
        for (price, cost) in seen {
            self.prices_s.entry(price).or_default().push(cost);
        }
    }

    fn look_at_processes(&mut self) -> anyhow::Result<()> {
        const MORE: usize = 4;
        let nothing = item(Duration::ZERO, 0);
        let one = run(Way::Processes, &nothing, 1, 1)?;
        let more = run(Way::Processes, &nothing, 1 + MORE, 1 + MORE)?;
        let pool = ways::start_pool(cpus())?;
        let timed_in_pool = |item: &Item, count: usize| -> anyhow::Result<f64> {
            let began = Instant::now();
            ways::in_pool(&pool, item, count)?;
            Ok(began.elapsed().as_secs_f64() / count as f64)
        };
        timed_in_pool(&nothing, 2 * cpus())?;
        let handoff = timed_in_pool(&nothing, 300)?;
        let large = timed_in_pool(&item(Duration::ZERO, MIB), 6)?;
        self.note([
            (Price::Pool, one),
            (Price::Process, (more - one) / MORE as f64),
            (Price::Handoff, handoff),
            (Price::Mib, (large - handoff) / 2.0),
        ]);
        let id = pool.worker_ids().into_iter().next();
        let memory = id.and_then(|id| kilobytes_in(&format!("/proc/{id}/status"), "VmRSS:"));
        self.process_bytes = memory.or(self.process_bytes);
        Ok(())
    }
}

fn run(way: Way, item: &Item, count: usize, at_once: usize) -> anyhow::Result<f64> {
    Ok(ways::run(way, item, count, at_once)?.as_secs_f64())
}

/// An item that waits, and carries so many bytes there and back.
fn item(wait: Duration, bytes: usize) -> Item {
    let job = Job {
        bytes_in: bytes,
        bytes_out: bytes,
        ..Job::new(1, wait.as_secs_f64(), 0.0)
    };
    Item::of(&job, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_the_quartiles_of_what_was_seen_and_never_negative() {
        let cost = Cost::of(&[5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!((cost.low, cost.middle, cost.high), (2.0, 3.0, 4.0));
        assert_eq!(Cost::of(&[-1.0]), Cost::known(0.0));
        assert_eq!(Cost::of(&[]), Cost::default());
    }
}
