//! What this machine asks for a thread, a task, a process, a handoff: measured now, several times.

use crate::{
    Way,
    job::Job,
    ways::{self, Item, STACK_BYTES},
};
use measure::{
    host::free_cpus,
    limits::{Limit, sockets_allowed, threads_allowed},
    surroundings::cpus,
    timing::timed,
    workload::mix,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Instant};

/// Of the costs that were seen, the one that a quarter stays below: a machine in a good moment.
pub const GOOD: f64 = 0.25;
/// The median.
pub const MIDDLE: f64 = 0.5;
/// The one that a quarter exceeds: a machine in a bad moment.
pub const BAD: f64 = 0.75;

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
    /// Each further process of a pool, up to the fifth.
    Process,
    /// Each beyond the fifth: by then none starts on a CPU that has nothing else to do.
    MoreProcesses,
    /// An item to a process and its answer.
    Handoff,
    /// A MiB to a process or back.
    Mib,
    /// How late a sleeping thread wakes up.
    ThreadLate,
    /// How late a sleeping task wakes up.
    TaskLate,
}

/// What was seen, each figure several times.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// CPUs that this process may run on.
    pub cpus: usize,
    /// How many of them were to be had, before and after.
    pub free_cpus: Vec<f64>,
    /// How long one thread took for the same piece of work.
    pub pieces_s: Vec<f64>,
    /// How much longer threads that wait in between take to compute than the CPUs to be had explain: one that
    /// wakes up may find its CPU taken, and leave another idle.
    pub crowding: Vec<f64>,
    /// What is paid for, in seconds.
    pub prices_s: BTreeMap<Price, Vec<f64>>,
    /// How many threads the machine allows.
    pub most_threads: Option<Limit>,
    /// How many sockets, should items wait for the network.
    pub most_sockets: Option<Limit>,
    /// How long it took to measure all this.
    pub measured_in_s: f64,
}

/// A piece of work of about ten milliseconds: on a busy machine a shorter one may find a CPU all to itself.
const STEPS: u64 = 5_000_000;
const NAP_S: f64 = 2e-3;
const MIB: usize = 1 << 20;

/// The value that this part of all values stays below; 0 where there is none.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = part * sorted.len().saturating_sub(1) as f64;
    sorted.get(place.round() as usize).copied().unwrap_or(0.0)
}

impl Costs {
    /// Measures everything so many times; takes about a fifth of a second each.
    ///
    /// # Errors
    /// The system starts no thread or no process.
    pub fn measure(rounds: usize) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut costs = Self {
            cpus: cpus(),
            most_threads: threads_allowed(STACK_BYTES),
            most_sockets: sockets_allowed(),
            ..Self::default()
        };
        for _ in 0..rounds {
            costs.look_at_cpus();
            costs.look_at_prices()?;
            costs.look_at_cpus();
        }
        costs.measured_in_s = began.elapsed().as_secs_f64();
        Ok(costs)
    }

    /// The same on a machine whose CPUs are all free.
    #[must_use]
    pub fn undisturbed(&self) -> Self {
        let free_cpus = vec![self.cpus as f64];
        Self {
            free_cpus,
            ..self.clone()
        }
    }

    /// What is paid for something: of what was seen, the value that this part stays below.
    pub fn price(&self, price: Price, part: f64) -> f64 {
        // A difference of two times may be less than nothing, a cost is not.
        quantile(self.prices_s.get(&price).map_or(&[], Vec::as_slice), part).max(0.0)
    }

    /// The CPUs to be had: of them, more is better.
    pub fn free(&self, part: f64) -> f64 {
        quantile(&self.free_cpus, 1.0 - part).max(1.0)
    }

    /// How much longer threads that wait in between take to compute.
    pub fn crowding(&self, part: f64) -> f64 {
        quantile(&self.crowding, part).max(1.0)
    }

    /// How much longer than usual a piece of work takes; never less than its owner says.
    pub fn pace(&self, part: f64) -> f64 {
        (quantile(&self.pieces_s, part) / quantile(&self.pieces_s, MIDDLE)).max(1.0)
    }

    /// Steps of work that one thread does in a second.
    pub fn steps_per_s(&self) -> f64 {
        STEPS as f64 / quantile(&self.pieces_s, MIDDLE)
    }

    /// All of it, each figure with its quartiles.
    pub fn document(&self) -> Value {
        let quartiles = |seen: &[f64]| {
            let [low, middle, high] = [GOOD, MIDDLE, BAD].map(|part| quantile(seen, part).max(0.0));
            json!({ "low": low, "middle": middle, "high": high })
        };
        let prices = self
            .prices_s
            .iter()
            .map(|(price, seen)| (price, quartiles(seen)));
        json!({
            "cpus": self.cpus, "free_cpus": quartiles(&self.free_cpus), "crowding": quartiles(&self.crowding),
            "steps_per_s": self.steps_per_s(),
            "prices_s": prices.collect::<BTreeMap<_, _>>(), "measured_in_s": self.measured_in_s,
        })
    }

    /// Looks once how fast one thread computes, and how many can at once.
    pub fn look_at_cpus(&mut self) {
        let (_, took) = timed(|| mix(7, STEPS));
        self.pieces_s.push(took.as_secs_f64());
        self.free_cpus.push(free_cpus(1));
    }

    /// Looks once at all the rest.
    ///
    /// # Errors
    /// The system starts no thread or no process.
    pub fn look_at_prices(&mut self) -> anyhow::Result<()> {
        let (nap, nothing) = (item(NAP_S, 0), item(0.0, 0));
        let late = |way| anyhow::Ok(ways::run(way, &nap, 3, 1)? / 3.0 - NAP_S);
        let thread_late = late(Way::OneByOne)?;
        self.note(Price::ThreadLate, thread_late);
        self.note(Price::TaskLate, late(Way::Tasks)?);
        let (threads, thread) = some_and_each(Way::Threads, &nap, [8, 128])?;
        self.note(Price::Thread, thread);
        self.note(Price::Threads, threads - NAP_S - thread_late - thread * 8.0);
        let (_, task) = some_and_each(Way::Tasks, &nap, [100, 2000])?;
        self.note(Price::Task, task);
        let (pool, process) = some_and_each(Way::Processes, &nothing, [1, 5])?;
        self.note(Price::Pool, pool);
        self.note(Price::Process, process);
        let (_, more) = some_and_each(Way::Processes, &nothing, [5, 17])?;
        self.note(Price::MoreProcesses, more);
        let rayon = ways::run(Way::Rayon, &nothing, 2000, self.cpus)?;
        self.note(Price::Rayon, rayon / 2000.0);
        self.look_at_a_pool(&nothing)?;
        self.look_at_a_crowd(thread_late)
    }

    /// How long many threads take to wait and compute in turn.
    fn look_at_a_crowd(&mut self, thread_late: f64) -> anyhow::Result<()> {
        const CPU_S: f64 = 0.5e-3;
        let (threads, items) = (8 * self.cpus, 24 * self.cpus);
        let item = Item::of(&Job::new(1, NAP_S, CPU_S), self.steps_per_s());
        let took = ways::run(Way::Threads, &item, items, threads)?;
        let starting =
            self.price(Price::Threads, MIDDLE) + threads as f64 * self.price(Price::Thread, MIDDLE);
        let computing = took - starting - NAP_S - thread_late;
        self.crowding
            .push(computing * self.free(MIDDLE) / (items as f64 * CPU_S));
        Ok(())
    }

    /// What a handoff takes in a pool that has started, and a MiB.
    fn look_at_a_pool(&mut self, nothing: &Item) -> anyhow::Result<()> {
        let pool = ways::start_pool(self.cpus)?;
        let each = |item: &Item, count: usize| {
            let began = Instant::now();
            ways::in_pool(&pool, item, count)?;
            anyhow::Ok(began.elapsed().as_secs_f64() / count as f64)
        };
        each(nothing, 2 * self.cpus)?;
        let (handoff, large) = (each(nothing, 300)?, each(&item(0.0, MIB), 6)?);
        self.note(Price::Handoff, handoff);
        self.note(Price::Mib, (large - handoff) / 2.0);
        Ok(())
    }

    fn note(&mut self, price: Price, cost: f64) {
        self.prices_s.entry(price).or_default().push(cost);
    }
}

/// What some items take, all at once, and what each of more of them adds.
fn some_and_each(way: Way, item: &Item, [some, many]: [usize; 2]) -> anyhow::Result<(f64, f64)> {
    let time = |count| ways::run(way, item, count, count);
    let (few, all) = (time(some)?, time(many)?);
    Ok((few, (all - few) / (many - some) as f64))
}

/// An item that waits, and carries so many bytes there and back.
fn item(wait_s: f64, bytes: usize) -> Item {
    let (bytes_in, bytes_out) = (bytes, bytes);
    let job = Job {
        bytes_in,
        bytes_out,
        ..Job::new(1, wait_s, 0.0)
    };
    Item::of(&job, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_a_quartile_of_what_was_seen_and_never_negative() {
        let of = |seen: &[f64]| {
            let prices_s = [(Price::Thread, seen.to_vec())].into();
            let costs = Costs {
                prices_s,
                ..Costs::default()
            };
            [GOOD, MIDDLE, BAD].map(|part| costs.price(Price::Thread, part))
        };
        assert_eq!(of(&[5.0, 1.0, 3.0, 2.0, 4.0]), [2.0, 3.0, 4.0]);
        assert_eq!(of(&[-1.0]), [0.0; 3]);
        assert_eq!(of(&[]), [0.0; 3]);
    }
}
