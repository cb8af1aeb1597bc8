//! A blocking call in async code.

use crate::{
    Drill,
    heart::Heart,
    stage::{Stage, is_stuck, judge},
    verdict::Verdict,
};
use anyhow::{bail, ensure};
use std::sync::Arc;

pub(crate) const DRILL: Drill = Drill {
    number: 13,
    name: "blocking_in_async",
    task: "`load` is async, but `disk.read()` blocks its thread. That is the executor's only thread, \
           so no other task can run meanwhile: a heartbeat stops. Repair `load`: the heartbeat \
           answers while the disk is read.",
    hints: [
        "An `async fn` does not make a blocking call inside it any less blocking.",
        "The call must run on a thread that no task needs. The runtime has some for that.",
        "`tokio::task::spawn_blocking(move || disk.read()).await.unwrap()`.",
    ],
    entry: "load",
    source: include_str!("d13.rs"),
    candidates: crate::candidates! { load;
        solution "",
        shipped "the executor's thread waits for the disk",
        spawned "a task of its own blocks the same thread",
        joined "a thread reads, and the executor's thread waits in `join`",
        hard_coded "nothing is read",
    },
};

/// A disk, whose reads block the calling thread.
pub struct Disk(Stage, Heart);

impl Disk {
    /// Reads a number; it is there when the heart has beaten once more.
    pub fn read(&self) -> u32 {
        self.0.enter(0);
        if let Some(place) = self.1.blocked() {
            self.0.note(0, format!("{place} blocks the executor"));
        }
        let _ = self.1.ask().recv();
        self.0.leave(0);
        number(&self.0)
    }
}

/// What the disk says: a number of its own in each run.
fn number(stage: &Stage) -> u32 {
    if stage.last_first() { 17 } else { 42 }
}

/// Checks a repair.
pub fn check(load: impl AsyncFn(Arc<Disk>) -> u32 + Copy + Send + 'static) -> Verdict {
    judge("read", 1, |stage| {
        let seen = stage.clone();
        let got = stage.watch_tasks(async move || load(Arc::new(Disk(seen, Heart::start()))).await);
        if is_stuck(&got) && !stage.is_idle() {
            let blocks = |what: &str| stage.count(None, &format!("{what} blocks the executor")) > 0;
            ensure!(
                !blocks("task"),
                "a task of its own reads, on the same thread as all tasks: the heartbeat did not answer"
            );
            ensure!(
                !blocks("caller"),
                "the disk was read on the executor's only thread: the heartbeat did not answer until the end"
            );
            bail!(
                "the disk was read on another thread, and the executor's only thread waited for that one: the heartbeat did not answer"
            );
        }
        let (got, reads) = (got?, stage.count(None, "leave"));
        ensure!(reads == 1, "the disk was read {reads} times");
        let said = number(stage);
        ensure!(got == said, "`load` returned {got}, the disk said {said}");
        Ok(())
    })
}

mod shipped {
    use lab_drills::d13::Disk;
    use std::sync::Arc;

    /// Loads a number from the disk.
    pub(super) async fn load(disk: Arc<Disk>) -> u32 {
        disk.read()
    }
}

mod solution {
    use lab_drills::d13::Disk;
    use std::sync::Arc;
    use tokio::task::spawn_blocking;

    /// Loads a number from the disk.
    pub(super) async fn load(disk: Arc<Disk>) -> u32 {
        spawn_blocking(move || disk.read()).await.unwrap()
    }
}

mod spawned {
    pub(super) async fn load(disk: super::Arc<super::Disk>) -> u32 {
        tokio::spawn(async move { disk.read() }).await.unwrap()
    }
}

mod joined {
    pub(super) async fn load(disk: super::Arc<super::Disk>) -> u32 {
        std::thread::spawn(move || disk.read()).join().unwrap()
    }
}

mod hard_coded {
    pub(super) async fn load(_: super::Arc<super::Disk>) -> u32 {
        42
    }
}
