//! A start gate.

use crate::{
    Drill,
    stage::{Stage, is_stuck, judge},
    verdict::Verdict,
};
use anyhow::{bail, ensure};
use std::{
    sync::OnceLock,
    thread::{self, ThreadId},
};

const RUNNERS: usize = 3;

pub(crate) const DRILL: Drill = Drill {
    number: 2,
    name: "start_gate",
    task: "Threads that do not start together do not race. Each runner warms up, some longer than \
           others, and then runs. Repair `race`: each runner warms up and runs on a thread of its \
           own, no runner starts before all of them are warm, and then all run at the same time.",
    hints: [
        "Each thread has to wait until the last one is ready. Which primitive counts arrivals?",
        "`std::sync::Barrier`: `wait` blocks until as many threads as it was made for have called it.",
        "`let gate = Barrier::new(runners.len());` before the scope, and `gate.wait()` between \
         `warm_up` and `run`.",
    ],
    entry: "race",
    source: include_str!("d02.rs"),
    candidates: crate::candidates! { race;
        solution "",
        shipped "nothing holds the first runners back",
        gate_too_small "the gate opens for two threads of three",
        gate_too_large "the gate waits for one thread more than there are",
        warmed_before "one thread lets all warm up, and then starts theirs",
        serial "all warm up first, and then they run one after another",
    },
};

/// One who runs.
pub struct Runner(usize, Stage, OnceLock<ThreadId>);

impl Runner {
    /// Warms up: the first runner is soon ready.
    pub fn warm_up(&self) {
        if self.0 > 0 {
            self.1.hold(self.0);
        }
        let _ = self.2.set(thread::current().id());
        self.1.note(self.0, "warm");
    }

    /// Runs.
    pub fn run(&self) {
        let warm = self.1.count(None, "warm");
        if warm < RUNNERS {
            self.1
                .note(self.0, format!("starts when {warm} of {RUNNERS} are warm"));
        }
        if self.2.get().is_some_and(|id| *id != thread::current().id()) {
            self.1.note(self.0, MOVED);
        }
        self.1.work(self.0);
    }
}

/// A note of a runner.
const MOVED: &str = "on another thread";

/// Checks a repair.
pub fn check(race: fn(Vec<Runner>)) -> Verdict {
    judge("runner", RUNNERS, |stage| {
        let seen = stage.clone();
        let ended = stage.watch(move || {
            race(
                (0..RUNNERS)
                    .map(|lane| Runner(lane, seen.clone(), OnceLock::new()))
                    .collect(),
            )
        });
        let (warm, ran) = (stage.count(None, "warm"), stage.count(None, "leave"));
        let early = |warm: &usize| {
            stage.count(None, &format!("starts when {warm} of {RUNNERS} are warm")) > 0
        };
        if let Some(warm) = (1..RUNNERS).find(early) {
            ensure!(
                warm > 1,
                "the first runner started when {warm} of {RUNNERS} was warm: nothing held it back"
            );
            bail!("a runner started when {warm} of {RUNNERS} were warm: the gate opens too soon");
        }
        ensure!(
            !is_stuck(&ended) || warm < RUNNERS || ran > 0,
            "{warm} of {RUNNERS} runners are warm, {ran} ran, and all threads wait: the gate never opens"
        );
        ended?;
        ran_together(stage, ran)
    })
}

/// All ran at the same time, each on the thread that it had warmed up on.
fn ran_together(stage: &Stage, ran: usize) -> anyhow::Result<()> {
    let most = stage.most_inside();
    ensure!(ran == RUNNERS, "{ran} of {RUNNERS} runners ran");
    ensure!(
        most == RUNNERS,
        "at most {most} of {RUNNERS} ran at the same time"
    );
    let moved = stage.count(None, MOVED);
    ensure!(
        moved == 0,
        "{moved} of {RUNNERS} runners ran on another thread than they had warmed up on: their own threads began too late to need a gate"
    );
    Ok(())
}

mod shipped {
    use lab_drills::d02::Runner;
    use std::thread;

    /// Lets all runners warm up, and then run at the same time.
    pub(super) fn race(runners: Vec<Runner>) {
        thread::scope(|scope| {
            for runner in &runners {
                scope.spawn(|| {
                    runner.warm_up();
                    runner.run();
                });
            }
        });
    }
}

mod solution {
    use lab_drills::d02::Runner;
    use std::{sync::Barrier, thread};

    /// Lets all runners warm up, and then run at the same time.
    pub(super) fn race(runners: Vec<Runner>) {
        let gate = Barrier::new(runners.len());
        thread::scope(|scope| {
            for runner in &runners {
                scope.spawn(|| {
                    runner.warm_up();
                    gate.wait();
                    runner.run();
                });
            }
        });
    }
}

mod gate_too_small {
    pub(super) fn race(runners: Vec<super::Runner>) {
        let gate = std::sync::Barrier::new(runners.len() - 1);
        std::thread::scope(|scope| {
            for runner in &runners {
                scope.spawn(|| {
                    runner.warm_up();
                    gate.wait();
                    runner.run();
                });
            }
        });
    }
}

mod gate_too_large {
    pub(super) fn race(runners: Vec<super::Runner>) {
        let gate = std::sync::Barrier::new(runners.len() + 1);
        std::thread::scope(|scope| {
            for runner in &runners {
                scope.spawn(|| {
                    runner.warm_up();
                    gate.wait();
                    runner.run();
                });
            }
        });
    }
}

mod warmed_before {
    pub(super) fn race(runners: Vec<super::Runner>) {
        runners.iter().for_each(super::Runner::warm_up);
        std::thread::scope(|scope| {
            for runner in &runners {
                scope.spawn(|| runner.run());
            }
        });
    }
}

mod serial {
    pub(super) fn race(runners: Vec<super::Runner>) {
        runners.iter().for_each(super::Runner::warm_up);
        runners.iter().for_each(super::Runner::run);
    }
}
