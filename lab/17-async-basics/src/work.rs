//! The same two ways with CPU work, taking turns.

use crate::args::{Args, right_values};
use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_17_async_basics::{
    cpu::{Mixed, mix_joined, mix_spawned, run_with_workers},
    run_on_this_thread,
};
use serde::Serialize;
use std::{collections::HashSet, num::NonZeroUsize};

pub(crate) const JOIN_CPU: &str = "join, CPU work";
pub(crate) const SPAWN_CPU: &str = "spawn, CPU work";
const WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// What the jobs of one variant brought.
#[derive(Serialize)]
struct Values {
    right: Vec<bool>,
    threads_used: usize,
}

impl Values {
    fn new(mixed: &[Mixed], right: &[u64]) -> Self {
        let threads: HashSet<_> = mixed.iter().map(|mixed| mixed.thread).collect();
        let pairs = mixed.iter().zip(right);
        Self {
            right: pairs.map(|(mixed, right)| mixed.value == *right).collect(),
            threads_used: threads.len(),
        }
    }

    fn tally(&self) -> Tally {
        Tally::of_checked(&self.right, |right| *right)
    }
}

pub(crate) fn show(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (jobs, rounds) = (args.jobs(), args.rounds.rounds.get());
    let steps = format::count(jobs[0].steps);
    lab.say(format!(
        "two CPU jobs, {steps} steps each; joined and spawned take turns, rounds: {rounds} …"
    ));
    let right = right_values(&jobs);
    for _ in 0..rounds {
        let joined = || {
            let mixed = run_on_this_thread(mix_joined(&jobs)).context("cannot start a runtime")?;
            Ok(Values::new(&mixed, &right))
        };
        let variant = lab.variant(JOIN_CPU).other_work();
        let variant = variant.bound(Bound::Work { workers: 1 });
        let joined = variant.run_counted(joined, Values::tally)?;
        let spawned = || {
            let mixed = run_with_workers(WORKERS, mix_spawned(&jobs));
            Ok(Values::new(
                &mixed.context("cannot start a runtime")?,
                &right,
            ))
        };
        let workers = WORKERS.get();
        let variant = lab.variant(SPAWN_CPU).other_work();
        let variant = variant.bound(Bound::Work { workers });
        let spawned = variant.run_counted(spawned, Values::tally)?;
        for (name, values) in [(JOIN_CPU, joined), (SPAWN_CPU, spawned)] {
            if values.right.contains(&false) {
                lab.fail(format!(
                    "`{name}` computed a wrong value; please report this"
                ));
            }
        }
    }
    for name in [JOIN_CPU, SPAWN_CPU] {
        let elapsed = format::seconds(lab.wall(name).unwrap_or_default());
        lab.say(format!("{name}: elapsed {elapsed}"));
    }
    Ok(())
}
