//! A `select!` that loses an item.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::{bail, ensure};
use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, Interval, interval, sleep, timeout},
};

const MESSAGES: usize = 3;
/// Seconds from beat to beat.
const BEAT: u64 = 4;

pub(crate) const DRILL: Drill = Drill {
    number: 15,
    name: "select_loses_an_item",
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
        read_then_beat "a beat waits until the message before it is there",
        beat_then_read "the next message waits for a beat, and the next beat for that message",
        joined "each message has one beat beside it, however long it takes",
        hard_coded "nothing is read",
    },
};

/// A link over which messages come in two halves.
pub struct Link {
    stage: Stage,
    beats: Mutex<Interval>,
    next: AtomicUsize,
    begun: AtomicUsize,
    /// Beats while a message is read.
    beside: AtomicUsize,
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
        self.begun.fetch_add(1, Relaxed);
        sleep(Duration::from_secs(3)).await;
        let number = self.next.fetch_add(1, Relaxed);
        if number >= MESSAGES {
            pending::<()>().await;
        }
        self.stage.enter(number);
        let _half = Half(self.stage.clone(), number);
        // One message is longer than the other: a fixed number of beats for each is too few.
        sleep(Duration::from_secs(3 + BEAT * number as u64)).await;
        self.stage.leave(number);
        format!("message {}", number + 1)
    }

    /// Waits until a beat is due, and beats.
    pub async fn beat(&self) {
        let late = self.beats.lock().await.tick().await.elapsed().as_secs();
        let note = match late {
            0 => "beats".to_owned(),
            _ => format!("{late} s late"),
        };
        self.stage.note(MESSAGES, note);
        if self.begun.load(Relaxed) > self.stage.count(None, "leave") {
            self.beside.fetch_add(1, Relaxed);
        }
    }
}

/// Checks a repair.
pub fn check(
    read_all: impl AsyncFn(&Link, usize) -> Vec<String> + Copy + Send + 'static,
) -> Verdict {
    let mut verdict = judge("message", MESSAGES, |stage| {
        let seen = stage.clone();
        let (got, beside, lasted) = stage.watch_tasks(async move || {
            let link = Link {
                stage: seen,
                beats: Mutex::new(interval(Duration::from_secs(BEAT))),
                next: 0.into(),
                begun: 0.into(),
                beside: 0.into(),
            };
            let (limit, began) = (Duration::from_mins(1), Instant::now());
            let got = timeout(limit, read_all(&link, MESSAGES)).await;
            let beside = link.beside.load(Relaxed);
            (got.unwrap_or_default(), beside, began.elapsed())
        })?;
        let (read, lost) = (stage.count(None, "leave"), stage.count(None, "dropped"));
        ensure!(
            lost == 0,
            "messages dropped with their first half read: {lost}; messages that arrived: {read}"
        );
        ensure!(
            read > 0,
            "the link saw no reader, and `read_all` returned {got:?}"
        );
        // The first is due at once.
        let due = 1 + lasted.as_millis().saturating_sub(1) / 1000 / u128::from(BEAT);
        on_time(stage, due, beside)?;
        let expected: Vec<String> = (1..=MESSAGES).map(|at| format!("message {at}")).collect();
        ensure!(got == expected, "{got:?} were read");
        Ok(())
    });
    verdict.names.push("link".into());
    verdict
}

/// Each beat comes when it is due, also while a message is read.
fn on_time(stage: &Stage, due: u128, beside: usize) -> anyhow::Result<()> {
    let beats = stage.notes(MESSAGES);
    let on_time = stage.count(None, "beats");
    let Some(first) = beats.first() else {
        bail!("no beat came, and {due} were due: nothing beats while a message is read");
    };
    ensure!(
        on_time > 0,
        "every beat waited until the message before it was there: the first was due at once and came {first}"
    );
    let what = format!("{on_time} of {due} beats came when they were due");
    let enough = on_time as u128 >= due;
    ensure!(
        enough || beside > 0,
        "{what}, none while a message was read: the next beat waited for the message, and the next message for that beat"
    );
    ensure!(
        enough,
        "{what}: a message began together with a beat, and while it was read on, no more beats came"
    );
    Ok(())
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

mod read_then_beat {
    pub(super) async fn read_all(link: &super::Link, messages: usize) -> Vec<String> {
        let mut got = Vec::new();
        while got.len() < messages {
            got.push(link.read().await);
            link.beat().await;
        }
        got
    }
}

mod beat_then_read {
    pub(super) async fn read_all(link: &super::Link, messages: usize) -> Vec<String> {
        let mut got = Vec::new();
        while got.len() < messages {
            link.beat().await;
            got.push(link.read().await);
        }
        got
    }
}

mod joined {
    pub(super) async fn read_all(link: &super::Link, messages: usize) -> Vec<String> {
        let mut got = Vec::new();
        while got.len() < messages {
            got.push(tokio::join!(link.read(), link.beat()).0);
        }
        got
    }
}

mod hard_coded {
    pub(super) async fn read_all(_: &super::Link, messages: usize) -> Vec<String> {
        (1..=messages).map(|at| format!("message {at}")).collect()
    }
}
