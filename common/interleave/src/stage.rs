//! Real threads that take one step at a time, in a given order or as they come.

use crate::{Log, Played, Program, Schedule, letter};
use std::{
    panic::resume_unwind,
    sync::{Barrier, Condvar, Mutex, MutexGuard},
    thread::{self, Builder},
};
use tracing::info_span;

/// One run: whose step it is now, and who has finished.
struct Stage<'a, P: Program> {
    scene: Mutex<Scene<'a, P>>,
    changed: Condvar,
    /// Who has which turn; empty where all go as they come.
    script: &'a [usize],
    /// Whether a thread leaves the CPU to others before each step.
    yields: bool,
}

struct Scene<'a, P: Program> {
    log: Log<'a, P>,
    /// The thread whose step it is.
    stepping: Option<usize>,
    finished: Vec<bool>,
    /// How much of the script is done with.
    played: usize,
}

const NO_PANIC: &str = "no thread panics with the scene";

impl<'a, P: Program> Stage<'a, P> {
    fn new(program: &'a P, shared: &'a P::Shared, script: &'a [usize], yields: bool) -> Self {
        let log = Log {
            program,
            shared,
            steps: Vec::new(),
        };
        Self {
            scene: Mutex::new(Scene {
                log,
                stepping: None,
                finished: vec![false; program.threads()],
                played: 0,
            }),
            changed: Condvar::new(),
            script,
            yields,
        }
    }

    /// Ends the thread's step, if it is in one.
    fn end_step(&self, thread: usize) -> MutexGuard<'_, Scene<'a, P>> {
        let mut scene = self.scene.lock().expect(NO_PANIC);
        if scene.stepping == Some(thread) {
            scene.log.end();
            scene.stepping = None;
            self.changed.notify_all();
        }
        scene
    }

    /// Ends the thread's step and waits until it may take the next.
    fn turn(&self, thread: usize, name: &'static str) {
        let mut scene = self.end_step(thread);
        if self.yields {
            drop(scene);
            thread::yield_now();
            scene = self.scene.lock().expect(NO_PANIC);
        }
        let must_wait = |scene: &mut Scene<'a, P>| {
            // A turn of a thread that has finished is skipped, and past the script all may go.
            while (self.script.get(scene.played)).is_some_and(|turn| scene.finished[*turn]) {
                scene.played += 1;
            }
            let others_turn = self
                .script
                .get(scene.played)
                .is_some_and(|turn| *turn != thread);
            scene.stepping.is_some() || others_turn
        };
        let waiting = info_span!("turn", wait = "turn").entered();
        let mut scene = self.changed.wait_while(scene, must_wait).expect(NO_PANIC);
        drop(waiting);
        scene.stepping = Some(thread);
        scene.played += 1;
        scene.log.begin(thread, name);
    }

    fn finish(&self, thread: usize) {
        self.end_step(thread).finished[thread] = true;
        self.changed.notify_all();
    }

    fn run(&self, thread: usize) {
        let scene = self.scene.lock().expect(NO_PANIC);
        let (program, shared) = (scene.log.program, scene.log.shared);
        drop(scene);
        program.run(shared, thread, &|name| self.turn(thread, name));
        self.finish(thread);
    }

    fn played(self) -> Played {
        self.scene.into_inner().expect(NO_PANIC).log.played()
    }
}

/// Runs `program` on real threads once for each schedule, its steps in that order.
///
/// A turn of a thread that has finished is skipped; a schedule that is too short leaves the order of
/// the rest to the threads. The threads are the same for all schedules.
///
/// # Panics
/// The system refuses to start a thread; the program panics; a schedule has more threads than the
/// program.
pub fn force<P: Program>(program: &P, schedules: &[Schedule]) -> Vec<Played> {
    let most = schedules.iter().map(Schedule::threads).max().unwrap_or(0);
    assert!(most <= program.threads(), "the schedule has {most} threads");
    let scripts: Vec<&[usize]> = schedules.iter().map(Schedule::turns).collect();
    on_threads(program, &scripts, None)
}

/// Lets real threads run `program` as they come, so many times, and records the order.
///
/// Steps are taken one at a time, and in every second run a thread leaves the CPU to others before
/// each. So the order is exact, and how often each comes up is not what it is without.
///
/// # Panics
/// The system refuses to start a thread, or the program panics.
pub fn observe<P: Program>(program: &P, runs: usize) -> Vec<Played> {
    let start = Barrier::new(program.threads());
    on_threads(program, &vec![&[][..]; runs], Some(&start))
}

/// Plays all scripts on one set of threads, which meet before each where there is a barrier.
fn on_threads<P: Program>(
    program: &P,
    scripts: &[&[usize]],
    start: Option<&Barrier>,
) -> Vec<Played> {
    let shared: Vec<P::Shared> = scripts.iter().map(|_| program.share()).collect();
    let mut stages = Vec::new();
    for (run, (shared, script)) in shared.iter().zip(scripts).enumerate() {
        let yields = start.is_some() && run % 2 == 1;
        stages.push(Stage::new(program, shared, script, yields));
    }
    thread::scope(|scope| {
        let stages = &stages;
        let begin = |number| {
            let thread = Builder::new().name(format!("thread {}", letter(number)));
            let begun = thread.spawn_scoped(scope, move || {
                for stage in stages {
                    start.map(Barrier::wait);
                    stage.run(number);
                }
            });
            begun.expect("the system starts a thread")
        };
        let begun: Vec<_> = (0..program.threads()).map(begin).collect();
        for thread in begun {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    stages.into_iter().map(Stage::played).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::Counter;
    use std::sync::mpsc;
    use std::time::Duration;

    fn written(schedules: &[&str]) -> Vec<Schedule> {
        let read = |text: &&str| text.parse().expect("a schedule");
        schedules.iter().map(read).collect()
    }

    /// Plays under a watchdog: on a stage that lets no thread on, the test fails instead of hanging.
    fn play(program: Counter, schedules: Vec<Schedule>) -> Vec<Played> {
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || tx.send(force(&program, &schedules)));
        let played = rx.recv_timeout(Duration::from_secs(60));
        played.expect("all threads get their turns")
    }

    #[test]
    fn a_forced_schedule_is_played_step_by_step() {
        let played = play(Counter::of(2, 1), written(&["ABBA", "BBAA"]));
        let steps: Vec<String> = played[0].steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            steps,
            ["A loads 0", "B loads 0", "B stores 1", "A stores 1"]
        );
        assert_eq!((played[0].result, played[1].result), (1, 2));
        assert_eq!(played[1].schedule.to_string(), "BBAA");
    }

    #[test]
    fn every_schedule_is_played_in_its_own_order() {
        for (threads, increments) in [(1, 2), (2, 1), (2, 2), (3, 1)] {
            let all = Schedule::all(&vec![2 * increments; threads]);
            let played = play(Counter::of(threads, increments), all.clone());
            assert!(played.iter().map(|one| &one.schedule).eq(&all));
        }
    }

    #[test]
    fn a_schedule_that_does_not_fit_hangs_no_thread() {
        let played = play(Counter::of(2, 1), written(&["AA", "BBBBBA", "AAAABB"]));
        assert!(played.iter().all(|one| one.steps.len() == 4));
        assert_eq!(played[1].schedule.to_string(), "BBAA");
        assert_eq!(played[2].schedule.to_string(), "AABB");
    }

    #[test]
    fn what_is_observed_is_one_of_the_schedules() {
        let all = Schedule::all(&[2; 3]);
        let seen = observe(&Counter::of(3, 1), 30);
        assert_eq!(seen.len(), 30);
        assert!(seen.iter().all(|played| all.contains(&played.schedule)));
        assert!(seen.iter().all(|played| (1..=3).contains(&played.result)));
    }
}
