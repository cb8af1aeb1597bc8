//! A `select!` that loses an item.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::time::Duration;
use tokio::time::{Interval, interval, sleep};

const MESSAGES: usize = 3;

pub(crate) const DRILL: Drill = Drill {
    number: 15,
    name: "select_loses_an_item",
    lesson: "lab-17-async-basics",
    task: "`read_all` reads messages and beats in between. When a beat is due in the middle of a \
           message, `select!` drops the future that has read its first half, and that half is lost. \
           Repair `read_all`: no message is lost, and the beats go on while a message is read.",
    hints: [
        "`select!` drops what does not win. What has the dropped future already taken from the link?",
        "Make the future of a message once, and let `select!` poll the same one again after a beat.",
        "`let mut message = pin!(link.read());` before an inner loop, `text = &mut message => …` in \
         the `select!`, and leave the inner loop when the text is there.",
    ],
    entry: "read_all",
    source: include_str!("d15.rs"),
    candidates: crate::candidates! { read_all;
        solution "",
        shipped "a future that is half done is dropped",
        no_beats "nothing beats while messages are read",
        hard_coded "nothing is read",
    },
};

/// A link over which messages come in two halves.
pub struct Link {
    stage: Stage,
    /// Due every four seconds.
    pub beats: tokio::sync::Mutex<Interval>,
    next: std::sync::atomic::AtomicUsize,
}

/// Notes that it was dropped before its time.
struct Half(Stage, usize);

impl Drop for Half {
    fn drop(&mut self) {
        if self.0.count(Some(self.1), "leave") == 0 {
            self.0.note(self.1, "dropped");
        }
    }
}

impl Link {
    /// Reads the next message: its first half is gone from the link once it is read.
    pub async fn read(&self) -> String {
        sleep(Duration::from_secs(3)).await;
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.stage.enter(number);
        let _half = Half(self.stage.clone(), number);
        sleep(Duration::from_secs(3)).await;
        self.stage.leave(number);
        format!("message {}", number + 1)
    }

    /// Waits until a beat is due, and beats.
    pub async fn beat(&self) {
        self.beats.lock().await.tick().await;
        self.stage.note(MESSAGES, "beats");
    }
}

/// Checks a repair.
pub fn check(
    read_all: impl AsyncFn(&Link, usize) -> Vec<String> + Copy + Send + 'static,
) -> Verdict {
    judge("message", MESSAGES, |stage| {
        let seen = stage.clone();
        let got = stage.watch_tasks(async move || {
            let link = Link {
                stage: seen,
                beats: tokio::sync::Mutex::new(interval(Duration::from_secs(4))),
                next: 0.into(),
            };
            let limit = Duration::from_secs(600);
            tokio::time::timeout(limit, read_all(&link, MESSAGES))
                .await
                .unwrap_or_default()
        })?;
        let (read, lost, beats) = (
            stage.count(None, "leave"),
            stage.count(None, "dropped"),
            stage.count(None, "beats"),
        );
        ensure!(
            lost == 0,
            "{lost} messages were dropped with their first half read; {read} of them arrived"
        );
        ensure!(
            read > 0,
            "the link saw no reader, and `read_all` returned {got:?}"
        );
        ensure!(
            beats > 2,
            "{beats} beats in 18 s, one is due every 4 s: they stop while a message is read"
        );
        let expected: Vec<String> = (1..=MESSAGES).map(|at| format!("message {at}")).collect();
        ensure!(got == expected, "{got:?} were read");
        Ok(())
    })
}

mod shipped {
    use lab_drills::d15::Link;

    /// Reads so many messages, here 3, and beats in between.
    pub(super) async fn read_all(link: &Link, messages: usize) -> Vec<String> {
        let mut got = Vec::new();
        while got.len() < messages {
            tokio::select! {
                text = link.read() => got.push(text),
                () = link.beat() => {}
            }
        }
        got
    }
}

mod solution {
    use lab_drills::d15::Link;
    use std::pin::pin;

    /// Reads so many messages, here 3, and beats in between.
    pub(super) async fn read_all(link: &Link, messages: usize) -> Vec<String> {
        let mut got = Vec::new();
        while got.len() < messages {
            let mut message = pin!(link.read());
            loop {
                tokio::select! {
                    text = &mut message => {
                        got.push(text);
                        break;
                    }
                    () = link.beat() => {}
                }
            }
        }
        got
    }
}

mod no_beats {
    pub(super) async fn read_all(link: &super::Link, messages: usize) -> Vec<String> {
        let mut got = Vec::new();
        while got.len() < messages {
            got.push(link.read().await);
        }
        got
    }
}

mod hard_coded {
    pub(super) async fn read_all(_: &super::Link, messages: usize) -> Vec<String> {
        (1..=messages).map(|at| format!("message {at}")).collect()
    }
}
