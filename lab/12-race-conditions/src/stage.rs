//! Real threads whose accesses to a counter are recorded in their order, or made in a given one.

use crate::{
    Shared, increment_losing_updates,
    program::Program,
    schedule::Schedule,
    threads::{letter, together},
    trials::dawdle,
};
use serde::Serialize;
use std::{
    fmt, io,
    sync::{Barrier, Condvar, Mutex, MutexGuard},
};

/// One access: who did what, and what the number was then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// The number of the thread.
    pub thread: usize,
    /// What it did.
    pub deed: &'static str,
    /// The number that it read or left.
    pub value: i64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", letter(self.thread), self.deed, self.value)
    }
}

/// What one program did under one schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Played {
    /// In what order the accesses happened.
    pub schedule: Schedule,
    /// Each of them.
    pub steps: Vec<Step>,
    /// What the counter held at the end.
    pub result: i64,
    /// What it should have held.
    pub expected: i64,
}

/// A counter on which one access happens at a time, each written down as it is made.
#[derive(Debug, Default)]
struct Stage {
    scene: Mutex<Scene>,
    next_turn: Condvar,
    /// Who has which turn; empty where everybody goes as they come.
    script: Vec<usize>,
}

#[derive(Debug, Default)]
struct Scene {
    counter: i64,
    steps: Vec<Step>,
}

/// The counter as one of the threads sees it.
struct Seen<'a> {
    stage: &'a Stage,
    thread: usize,
}

const NOBODY_PANICS: &str = "nobody panics on the stage";

impl Stage {
    fn following(schedule: &Schedule) -> Self {
        Self {
            script: schedule.turns().to_vec(),
            ..Self::default()
        }
    }

    /// Waits for the thread's turn; without a script, for the lock alone.
    fn enter(&self, thread: usize) -> MutexGuard<'_, Scene> {
        let scene = self.scene.lock().expect(NOBODY_PANICS);
        let others_turn = |scene: &mut Scene| {
            let turn = self.script.get(scene.steps.len());
            turn.is_some_and(|turn| *turn != thread)
        };
        self.next_turn
            .wait_while(scene, others_turn)
            .expect(NOBODY_PANICS)
    }

    fn played(self) -> Played {
        let scene = self.scene.into_inner().expect(NOBODY_PANICS);
        let schedule = Schedule::of(scene.steps.iter().map(|step| step.thread).collect());
        Played {
            expected: (schedule.program().threads.get() as u64 * schedule.program().increments)
                as i64,
            schedule,
            steps: scene.steps,
            result: scene.counter,
        }
    }
}

impl Seen<'_> {
    fn access(&self, deed: &'static str, work: impl FnOnce(&mut i64) -> i64) -> i64 {
        let mut scene = self.stage.enter(self.thread);
        let value = work(&mut scene.counter);
        let thread = self.thread;
        scene.steps.push(Step {
            thread,
            deed,
            value,
        });
        drop(scene);
        self.stage.next_turn.notify_all();
        value
    }
}

impl Shared for Seen<'_> {
    fn load(&self) -> i64 {
        self.access("loads", |counter| *counter)
    }

    fn store(&self, value: i64) {
        self.access("stores", |counter| {
            *counter = value;
            value
        });
    }

    fn add(&self, amount: i64) {
        self.access("makes it", |counter| {
            *counter += amount;
            *counter
        });
    }
}

/// Plays each schedule of `program` on real threads, which wait for their turns.
///
/// # Errors
/// The system refuses to start another thread.
pub fn force(program: Program, schedules: &[Schedule]) -> io::Result<Vec<Played>> {
    let stages: Vec<Stage> = schedules.iter().map(Stage::following).collect();
    together(program.threads, |thread, _| {
        take_turns(&stages, thread, program.increments);
    })?;
    Ok(stages.into_iter().map(Stage::played).collect())
}

#[tracing::instrument(name = "take turns", skip_all, fields(wait = "turn"))]
fn take_turns(stages: &[Stage], thread: usize, increments: u64) {
    for stage in stages {
        for _ in 0..increments {
            increment_losing_updates(&Seen { stage, thread }, || ());
        }
    }
}

/// Lets real threads run `program` as they come and records the order, once per trial.
///
/// With `widened`, the window between load and store is held open.
///
/// # Errors
/// The system refuses to start another thread.
pub fn observe(program: Program, trials: usize, widened: bool) -> io::Result<Vec<Played>> {
    let stages: Vec<Stage> = (0..trials).map(|_| Stage::default()).collect();
    together(program.threads, |thread, barrier| {
        run_freely(&stages, thread, program.increments, barrier, widened);
    })?;
    Ok(stages.into_iter().map(Stage::played).collect())
}

#[tracing::instrument(name = "run freely", skip_all, fields(wait = "barrier"))]
fn run_freely(stages: &[Stage], thread: usize, increments: u64, barrier: &Barrier, widened: bool) {
    for stage in stages {
        barrier.wait();
        for _ in 0..increments {
            increment_losing_updates(&Seen { stage, thread }, || {
                if widened {
                    dawdle();
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{num::NonZeroUsize, sync::mpsc, thread, time::Duration};

    fn program(threads: usize, increments: u64) -> Program {
        Program {
            threads: NonZeroUsize::new(threads).expect("not zero"),
            increments,
        }
    }

    /// Plays under a watchdog: on a stage that lets nobody on, the test fails instead of hanging.
    fn play(program: Program, schedules: &[Schedule]) -> Vec<Played> {
        let (schedules, (tx, rx)) = (schedules.to_vec(), mpsc::channel());
        thread::spawn(move || tx.send(force(program, &schedules)));
        let played = rx.recv_timeout(Duration::from_secs(60));
        let played = played.expect("everybody gets their turns");
        played.expect("threads start")
    }

    #[test]
    fn a_forced_schedule_is_played_step_by_step() {
        let schedule: Schedule = "ABBA".parse().expect("a schedule");
        let played = play(Program::SMALLEST, std::slice::from_ref(&schedule)).remove(0);
        let steps: Vec<String> = played.steps.iter().map(Step::to_string).collect();
        assert_eq!(
            steps,
            ["A loads 0", "B loads 0", "B stores 1", "A stores 1"]
        );
        assert_eq!((played.result, played.expected), (1, 2));
        assert_eq!(played.schedule, schedule);
    }

    #[test]
    fn every_schedule_comes_out_in_its_own_order_and_loses_by_a_store_in_a_window() {
        for program in [program(1, 2), program(2, 1), program(2, 2), program(3, 1)] {
            let all = program.all_schedules();
            let played = play(program, &all);
            assert_eq!(played.len(), all.len());
            for (played, asked) in played.iter().zip(&all) {
                assert_eq!(&played.schedule, asked);
                let lost = played.result < played.expected;
                assert_eq!(lost, asked.has_a_store_in_a_window(), "{asked}");
            }
        }
    }

    #[test]
    fn what_is_observed_is_one_of_the_schedules() {
        let all = program(3, 1).all_schedules();
        for widened in [false, true] {
            let seen = observe(program(3, 1), 30, widened).expect("threads start");
            assert_eq!(seen.len(), 30);
            assert!(seen.iter().all(|played| all.contains(&played.schedule)));
            assert!(seen.iter().all(|played| (1..=3).contains(&played.result)));
        }
    }
}
