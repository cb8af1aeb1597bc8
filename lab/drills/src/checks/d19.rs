//! CPU work on the executor.

use crate::{
    Drill,
    heart::Heart,
    stage::{Stage, is_stuck, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::sync::{Arc, Mutex, mpsc::Receiver};

const PARTS: usize = 4;

pub(crate) const DRILL: Drill = Drill {
    number: 19,
    name: "cpu_work_on_the_executor",
    task: "`price` computes a long sum in four parts. It waits for nothing, so the executor's only \
           thread gets to no other task until the sum is done: a heartbeat beside it stops. Repair \
           `price`: the heart beats between any two parts that are computed on the executor's thread, \
           or all of them are computed elsewhere.",
    hints: [
        "A task goes on until it awaits something that is not there yet. Where does `price` do that?",
        "Compute on a thread that no task needs, or give the others a turn after each part.",
        "`tokio::task::yield_now().await` after each part. Or, better for long work: \
         `spawn_blocking` around the whole sum.",
    ],
    entry: "price",
    source: include_str!("d19.rs"),
    candidates: crate::candidates! { price;
        solution "",
        solution_beside "",
        shipped "the sum never gives another task a turn",
        spawned "a task of its own computes on the same thread",
        joined "a thread computes, and the executor's thread waits in `join`",
        yields_once "others get one turn in the middle",
        hard_coded "nothing is computed",
    },
};

/// A part of the sum; each takes a while.
pub struct Part {
    number: usize,
    stage: Stage,
    heart: Arc<Heart>,
    /// The beat that the part before asked for.
    beat: Arc<Mutex<Option<Receiver<()>>>>,
}

impl Part {
    /// Computes it.
    pub fn compute(self) -> u64 {
        let mut last = self.beat.lock().unwrap();
        if last.take().is_some_and(|last| last.try_recv().is_ok()) {
            self.stage.note(self.number, "beat");
        }
        self.stage.enter(self.number);
        let beat = self.heart.ask();
        match self.heart.blocked() {
            Some(place) => {
                self.stage.note(self.number, place);
                *last = Some(beat);
            }
            // The executor is free, and so is the heart.
            None => drop(beat.recv()),
        }
        self.stage.leave(self.number);
        1 << self.number
    }
}

/// Checks a repair.
pub fn check(price: impl AsyncFn(Vec<Part>) -> u64 + Copy + Send + 'static) -> Verdict {
    judge("part", PARTS, |stage| {
        let seen = stage.clone();
        let got = stage.watch_tasks(async move || {
            let (heart, beat) = (Arc::new(Heart::start()), Arc::default());
            let part = |number| Part {
                number,
                stage: seen.clone(),
                heart: Arc::clone(&heart),
                beat: Arc::clone(&beat),
            };
            price((0..PARTS).map(part).collect()).await
        });
        ensure!(
            !is_stuck(&got) || stage.is_idle(),
            "another thread computed, and the executor's only thread waited for it: the heart did not beat"
        );
        let (got, done) = (got?, stage.count(None, "leave"));
        ensure!(done == PARTS, "{done} of {PARTS} parts were computed");
        ensure!(got == 15, "the sum is {got} instead of 15");
        let by_task = stage.count(None, "task");
        let here = by_task + stage.count(None, "caller");
        let (beats, gaps) = (stage.count(None, "beat"), here.saturating_sub(1));
        ensure!(
            beats > 0 || by_task == 0,
            "spawned tasks computed {by_task} parts in one go, on the thread of all tasks: the heart did not beat"
        );
        ensure!(
            beats > 0 || gaps == 0,
            "all {here} parts were computed in one go on the executor's thread: the heart did not beat"
        );
        ensure!(
            beats == gaps,
            "between {here} parts on the executor's thread the heart beat {beats} time, and there were {gaps} gaps"
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d19::Part;

    /// Computes a price: the sum of its parts.
    pub(super) async fn price(parts: Vec<Part>) -> u64 {
        let mut sum = 0;
        for part in parts {
            sum += part.compute();
        }
        sum
    }
}

mod solution {
    use lab_drills::d19::Part;
    use tokio::task::yield_now;

    /// Computes a price: the sum of its parts.
    pub(super) async fn price(parts: Vec<Part>) -> u64 {
        let mut sum = 0;
        for part in parts {
            sum += part.compute();
            yield_now().await;
        }
        sum
    }
}

mod solution_beside {
    pub(super) async fn price(parts: Vec<super::Part>) -> u64 {
        let sum = || parts.into_iter().map(super::Part::compute).sum();
        tokio::task::spawn_blocking(sum).await.unwrap()
    }
}

mod spawned {
    pub(super) async fn price(parts: Vec<super::Part>) -> u64 {
        let sum = async { parts.into_iter().map(super::Part::compute).sum() };
        tokio::spawn(sum).await.unwrap()
    }
}

mod joined {
    pub(super) async fn price(parts: Vec<super::Part>) -> u64 {
        let sum = || parts.into_iter().map(super::Part::compute).sum();
        std::thread::spawn(sum).join().unwrap()
    }
}

mod yields_once {
    pub(super) async fn price(mut parts: Vec<super::Part>) -> u64 {
        let rest = parts.split_off(parts.len() / 2);
        let first: u64 = parts.into_iter().map(super::Part::compute).sum();
        tokio::task::yield_now().await;
        first + rest.into_iter().map(super::Part::compute).sum::<u64>()
    }
}

mod hard_coded {
    pub(super) async fn price(_: Vec<super::Part>) -> u64 {
        15
    }
}
