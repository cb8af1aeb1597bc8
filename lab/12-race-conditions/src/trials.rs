//! The races and their repairs on real threads, many times over.

use interleave::Race;
use measure::workload::mix;
use std::{
    cell::Cell,
    sync::Barrier,
    thread::{self, Builder},
};
use tracing::info_span;

/// How a race is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With no pause in the window.
    Tight,
    /// With the window held open.
    Widened,
    /// Repaired; where the repair has a critical section, it is as long as the window was.
    Repaired,
}

/// Runs a race in so many trials, whose threads start it together; returns what came out of each.
pub(crate) fn try_often<S: Sync>(race: &Race<S>, mode: Mode, trials: usize) -> Vec<i64> {
    let trials: Vec<S> = (0..trials).map(|_| (race.share)()).collect();
    let (shared, barrier) = (&trials, &Barrier::new(race.threads));
    thread::scope(|scope| {
        for thread in 0..race.threads {
            let name = format!("{mode:?} {}", thread + 1).to_lowercase();
            let work = move || {
                let _trials = info_span!("trials", wait = "barrier").entered();
                for (trial, shared) in shared.iter().enumerate() {
                    // Every second thread holds its windows open, two trials each: which one is first through
                    // the barrier may change, and on one CPU only a first one that waits lets others in.
                    let is_open = mode == Mode::Widened && (trial / 2 + thread).is_multiple_of(2);
                    let steps = Cell::new(0);
                    let turn = |_: &'static str| {
                        // Every second step of a race stands in a window.
                        match steps.replace(steps.get() + 1) {
                            1 if is_open => let_others_run(),
                            step if is_open && step % 2 == 1 => drop(mix(step, 100)),
                            _ => {}
                        }
                    };
                    barrier.wait();
                    (race.run)(shared, thread, &turn);
                }
            };
            let started = Builder::new().name(name).spawn_scoped(scope, work);
            started.expect("the system starts a thread");
        }
    });
    trials.iter().map(race.result).collect()
}

/// Holds a window open until the others are awake that waited at the same barrier, and leaves the CPU to
/// them where there is but one.
pub(crate) fn let_others_run() {
    mix(7, 20_000);
    thread::yield_now();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::{audit, counter, withdrawals};

    #[test]
    fn one_thread_counts_everything_in_every_mode() {
        for (mode, repaired) in [
            (Mode::Tight, false),
            (Mode::Widened, false),
            (Mode::Repaired, true),
        ] {
            let alone = counter(1, 1_000, repaired);
            assert_eq!(try_often(&alone, mode, 3), [1_000; 3]);
        }
    }

    #[test]
    fn one_step_loses_nothing_and_two_steps_add_nothing() {
        for threads in 1..=8 {
            let race = |repaired| counter(threads, 2_000, repaired);
            let expected = race(true).expected;
            assert_eq!(try_often(&race(true), Mode::Repaired, 3), [expected; 3]);
            for mode in [Mode::Tight, Mode::Widened] {
                let counts = try_often(&race(false), mode, 3);
                assert!(counts.iter().all(|got| (1..=expected).contains(got)));
            }
        }
    }

    #[test]
    fn a_race_goes_wrong_as_it_can_and_a_repair_never() {
        for mode in [Mode::Tight, Mode::Widened] {
            let left = try_often(&withdrawals(false, || ()), mode, 50);
            let seen = try_often(&audit(false, || ()), mode, 50);
            assert_eq!((left.len(), seen.len()), (50, 50));
            assert!(left.iter().all(|left| [20, -60].contains(left)), "{left:?}");
            assert!(seen.iter().all(|seen| [190, 200, 210].contains(seen)));
        }
        let repaired = withdrawals(true, let_others_run);
        assert_eq!(try_often(&repaired, Mode::Repaired, 50), [20; 50]);
        let repaired = audit(true, let_others_run);
        assert_eq!(try_often(&repaired, Mode::Repaired, 50), [200; 50]);
    }
}
