//! What this machine asks for a thread, a task, a process, a handoff: measured now, several times.

use crate::{
    Way,
    job::Job,
    ways::{self, Item, STACK_BYTES},
};
use measure::{
    host::free_cpus,
    limits::{Limit, kilobytes_in, memory_left, sockets_allowed, threads_allowed},
    surroundings::cpus,
    timing::timed,
    workload::mix,
};
use serde::Serialize;
use std::time::{Duration, Instant};

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

    /// The figure of a level.
    pub fn at(&self, level: Level) -> f64 {
        match level {
            Level::Low => self.low,
            Level::Middle => self.middle,
            Level::High => self.high,
        }
    }
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
    /// A thread: its start, one wake-up, its end.
    pub thread_s: Cost,
    /// A task: its start, one wake-up, its end.
    pub task_s: Cost,
    /// An item that goes through rayon.
    pub rayon_s: Cost,
    /// A pool of one process: its start and its end.
    pub pool_s: Cost,
    /// Each further process of a pool.
    pub process_s: Cost,
    /// An item to a process and its answer.
    pub handoff_s: Cost,
    /// A MiB to a process or back.
    pub mib_s: Cost,
    /// How late a sleeping thread wakes up.
    pub thread_late_s: Cost,
    /// How late a sleeping task wakes up.
    pub task_late_s: Cost,
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

/// A piece of work of some milliseconds.
const STEPS: u64 = 1_000_000;
const NAP: Duration = Duration::from_millis(2);
const MIB: usize = 1 << 20;

/// What was seen in some rounds.
#[derive(Default)]
struct Seen {
    work: Vec<f64>,
    thread: Vec<f64>,
    task: Vec<f64>,
    rayon: Vec<f64>,
    pool: Vec<f64>,
    process: Vec<f64>,
    handoff: Vec<f64>,
    mib: Vec<f64>,
    thread_late: Vec<f64>,
    task_late: Vec<f64>,
    process_bytes: Option<u64>,
}

impl Costs {
    /// Measures everything so many times; takes about a fifth of a second each.
    ///
    /// # Errors
    /// The system starts no thread or no process.
    pub fn measure(rounds: usize) -> anyhow::Result<Self> {
        let began = Instant::now();
        let before = free_cpus(rounds);
        let mut seen = Seen::default();
        for _ in 0..rounds.max(1) {
            seen.look_at_threads_and_tasks()?;
            seen.look_at_processes()?;
        }
        let after = free_cpus(rounds);
        let mut costs = seen.costs();
        costs.free_cpus = Cost {
            low: before.min(after),
            middle: f64::midpoint(before, after),
            high: before.max(after),
        };
        costs.measured_in_s = began.elapsed().as_secs_f64();
        Ok(costs)
    }
}

impl Costs {
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

impl Seen {
    fn costs(&self) -> Costs {
        let work = Cost::of(&self.work);
        Costs {
            cpus: cpus(),
            pace: Cost {
                low: work.low / work.middle,
                middle: 1.0,
                high: work.high / work.middle,
            },
            steps_per_s: STEPS as f64 / work.middle,
            thread_s: Cost::of(&self.thread),
            task_s: Cost::of(&self.task),
            rayon_s: Cost::of(&self.rayon),
            pool_s: Cost::of(&self.pool),
            process_s: Cost::of(&self.process),
            handoff_s: Cost::of(&self.handoff),
            mib_s: Cost::of(&self.mib),
            thread_late_s: Cost::of(&self.thread_late),
            task_late_s: Cost::of(&self.task_late),
            process_bytes: self.process_bytes,
            most: Most::now(self.process_bytes),
            ..Costs::default()
        }
    }

    fn look_at_threads_and_tasks(&mut self) -> anyhow::Result<()> {
        let (nap, nothing) = (item(NAP, 0), item(Duration::ZERO, 0));
        for _ in 0..3 {
            let took = timed(|| mix(7, STEPS)).1.as_secs_f64();
            self.work.push(took);
        }
        // The difference of many and few is what more of them cost.
        let each = |way, few: usize, many: usize| -> anyhow::Result<f64> {
            let few_took = run(way, &nap, few, few)?;
            let many_took = run(way, &nap, many, many)?;
            Ok((many_took - few_took) / (many - few) as f64)
        };
        self.thread.push(each(Way::Threads, 16, 128)?);
        self.task.push(each(Way::Tasks, 100, 2000)?);
        self.rayon
            .push(run(Way::Rayon, &nothing, 2000, cpus())? / 2000.0);
        for (way, late) in [
            (Way::OneByOne, &mut self.thread_late),
            (Way::Tasks, &mut self.task_late),
        ] {
            late.push(run(way, &nap, 3, 1)? / 3.0 - NAP.as_secs_f64());
        }
        Ok(())
    }

    fn look_at_processes(&mut self) -> anyhow::Result<()> {
        const MORE: usize = 4;
        let nothing = item(Duration::ZERO, 0);
        let one = run(Way::Processes, &nothing, 1, 1)?;
        let more = run(Way::Processes, &nothing, 1 + MORE, 1 + MORE)?;
        self.pool.push(one);
        self.process.push((more - one) / MORE as f64);
        let pool = ways::start_pool(cpus())?;
        let timed_in_pool = |item: &Item, count: usize| -> anyhow::Result<f64> {
            let began = Instant::now();
            ways::in_pool(&pool, item, count)?;
            Ok(began.elapsed().as_secs_f64() / count as f64)
        };
        timed_in_pool(&nothing, 2 * cpus())?;
        let handoff = timed_in_pool(&nothing, 300)?;
        self.handoff.push(handoff);
        let large = timed_in_pool(&item(Duration::ZERO, MIB), 6)?;
        self.mib.push((large - handoff) / 2.0);
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
