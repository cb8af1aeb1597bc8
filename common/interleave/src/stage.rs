//! Real threads that take one step at a time, in a given order.

use crate::{Log, Played, Program, Schedule, letter};
use std::{
    panic::resume_unwind,
    sync::{Condvar, Mutex, MutexGuard},
    thread::{self, Builder},
};
use tracing::info_span;

/// One run: whose step it is now, and who has finished.
struct Stage<'a, P: Program> {
    scene: Mutex<Scene<'a, P>>,
    changed: Condvar,
    /// Who has which turn.
    script: &'a [usize],
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
    fn new(program: &'a P, shared: &'a P::Shared, script: &'a [usize]) -> Self {
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
        let scene = self.end_step(thread);
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
    let shared: Vec<P::Shared> = schedules.iter().map(|_| program.share()).collect();
    let pairs = shared.iter().zip(schedules);
    let stages = pairs.map(|(shared, schedule)| Stage::new(program, shared, schedule.turns()));
    let stages: Vec<_> = stages.collect();
    thread::scope(|scope| {
        let stages = &stages;
        let begin = |number| {
            let thread = Builder::new().name(format!("thread {}", letter(number)));
            let play = move || stages.iter().for_each(|stage| stage.run(number));
            let begun = thread.spawn_scoped(scope, play);
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
}
