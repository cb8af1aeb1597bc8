//! Runs a repair to its end, and says why where it has none.

use super::{Event, LOOK, MOST, Stage, message};
use anyhow::{anyhow, bail};
use common::timing::Usage;
use std::{
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// Between two looks where processes are at work: their pool pauses for a second at most.
const LONG_LOOK: Duration = Duration::from_secs(2);

/// A repair that has worked so long, on whatever CPUs, and neither ends nor waits is in an endless loop.
const PATIENCE: Duration = Duration::from_secs(3);

impl Stage {
    /// Says what is wrong with the repair, whatever the drill asks for; what is said first counts.
    pub(super) fn broke(&self, what: String) {
        self.seen().broken.get_or_insert(what);
    }

    /// Takes back that the repair is broken: the drill has a word of its own for it.
    pub(crate) fn forgive(&self) {
        self.seen().broken = None;
    }

    /// Whether a repair of tasks ended with all of them awaiting something: none blocks its thread.
    pub(crate) fn is_idle(&self) -> bool {
        self.seen().is_idle == Some(true)
    }

    /// Runs a repair to its end, or until nothing can go on.
    ///
    /// # Errors
    /// It panics; it is stuck for good; it runs without an end.
    pub(crate) fn watch<T: Send + 'static>(
        &self,
        repair: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (began, ended) = (Usage::of_this_process(), start(repair));
        loop {
            // When it has returned, what it left behind goes as far as it can: that is seen, too.
            while !self.all_sleep() && !self.runs_on(&began) {}
            let ended = ended.try_recv().ok();
            self.seen().end = match &ended {
                Some(Ok(_)) => "it returned".into(),
                Some(Err(_)) => "it panicked".into(),
                None => "it never returned".into(),
            };
            match ended {
                Some(ended) => return returned(ended),
                None if self.runs_on(&began) => bail!("it runs on and on"),
                None => self.release_one()?,
            }
        }
    }

    /// Runs a repair that starts processes, which is held nowhere.
    ///
    /// # Errors
    /// As for [`watch`](Self::watch).
    pub(crate) fn watch_processes<T: Send + 'static>(
        &self,
        repair: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (began, ended) = (Usage::of_this_process(), start(repair));
        loop {
            let before = asleep(self);
            match ended.recv_timeout(LONG_LOOK) {
                Ok(ended) => return returned(ended),
                Err(RecvTimeoutError::Disconnected) => bail!("its thread was ended"),
                Err(_) if self.runs_on(&began) => bail!("it runs on and on"),
                Err(_) if before.is_some() && before == asleep(self) => bail!(Stuck),
                Err(_) => {}
            }
        }
    }

    /// Runs a repair of tasks: one thread, and a clock that jumps when all tasks wait for it.
    ///
    /// # Errors
    /// As for [`watch`](Self::watch).
    pub(crate) fn watch_tasks<T: Send + 'static>(
        &self,
        repair: impl AsyncFnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let is_idle = |idle| {
            let stage = self.clone();
            move || stage.seen().is_idle = Some(idle)
        };
        builder.on_thread_park(is_idle(true));
        builder.on_thread_unpark(is_idle(false));
        let runtime = builder.enable_time().start_paused(true).build()?;
        self.seen().is_idle = Some(false);
        self.watch(move || runtime.block_on(repair()))
    }

    /// Whether the repair has done too much to end by itself; then it is broken.
    fn runs_on(&self, began: &Usage) -> bool {
        let steps = self.seen().events.len() >= MOST;
        let runs_on = steps || Usage::of_this_process().since(began).cpu() > PATIENCE;
        if runs_on {
            let so_far = match steps {
                true => format!("goes on after {MOST} steps"),
                false => format!("is still computing after {} s of CPU", PATIENCE.as_secs()),
            };
            self.broke(format!(
                "your code {so_far}: a loop that never ends, or one that asks again and again where `join`, `lock`, `recv` or `wait` would block?"
            ));
        }
        runs_on
    }

    /// That the repair waits for ever, and at what.
    pub(super) fn waits(&self) -> String {
        let seen = self.seen();
        let at = match seen.is_idle {
            None => "every thread of it is blocked, as in `join`, `lock`, `recv` or `wait`",
            Some(false) => "the executor's only thread is blocked, as in `join`, `lock` or `recv`",
            Some(true) => "every task of it is at an `.await`",
        };
        let last = |lane| {
            let (_, last) = seen.events.iter().rfind(|(of, _)| *of == lane)?;
            let last = match last {
                Event::Enter => "at work",
                Event::Leave => "done",
                Event::Note(note) => note,
            };
            Some(format!("{}: {last}", self.name(lane)))
        };
        let last: Vec<String> = (0..self.0.lanes).filter_map(last).collect();
        let last = match last.is_empty() {
            true => "nothing was done before".to_owned(),
            false => format!("the last of each: {}", last.join(", ")),
        };
        format!(
            "your code waits for ever: {at}, and nothing is left that could end the wait; {last}"
        )
    }

    /// Whether every other thread waits.
    fn all_sleep(&self) -> bool {
        let before = asleep(self);
        thread::sleep(LOOK);
        // Each thread slept from its first look to its second: there was a moment when all did.
        before.is_some() && before == asleep(self)
    }

    /// Releases one of those that are held.
    fn release_one(&self) -> anyhow::Result<()> {
        let mut seen = self.seen();
        let next = if self.0.last_first {
            seen.held.iter().max().copied()
        } else {
            seen.held.iter().min().copied()
        };
        let Some(next) = next else { bail!(Stuck) };
        seen.held.retain(|lane| *lane != next);
        self.0.changed.notify_all();
        Ok(())
    }
}

/// Starts a repair; what it returns or panics with comes when it has.
fn start<T: Send + 'static>(
    repair: impl FnOnce() -> T + Send + 'static,
) -> Receiver<thread::Result<T>> {
    let (tx, rx) = channel();
    thread::spawn(move || {
        // The check has gone only when it has seen enough.
        let _ = tx.send(catch_unwind(AssertUnwindSafe(repair)));
    });
    rx
}

fn returned<T>(ended: thread::Result<T>) -> anyhow::Result<T> {
    ended.map_err(|panic| anyhow!("it panicked: {}", message(&*panic)))
}

/// Whether a repair does not end because everything waits.
pub(crate) fn is_stuck<T>(ended: &anyhow::Result<T>) -> bool {
    ended.as_ref().is_err_and(|error| error.is::<Stuck>())
}

/// Why a repair never ends: everything waits.
#[derive(Debug, thiserror::Error)]
#[error("your code waits for ever")]
pub(super) struct Stuck;

/// Where a repair has panicked, and with which message.
pub(super) fn panicked(panic: &PanicHookInfo<'_>) -> String {
    let text = message(panic.payload());
    let why = match text.contains("resumed after completion") {
        true => ": a future that had finished was polled again",
        false => "",
    };
    let place = panic.location().map_or_else(String::new, |place| {
        format!(", {}:{}", place.file(), place.line())
    });
    format!("your code panicked: {text}{why}{place}")
}

/// The number of the system call `write`.
#[cfg(target_os = "linux")]
const WRITE: u32 = if cfg!(target_arch = "x86_64") { 1 } else { 64 };

/// How often each other thread of this process and of those that it started has gone to sleep; `None` where one
/// does not sleep.
#[cfg(target_os = "linux")]
fn asleep(_stage: &Stage) -> Option<Vec<String>> {
    use std::{fs, path::PathBuf};
    let own = fs::read_link("/proc/thread-self").ok()?;
    let (mut threads, mut processes) = (Vec::new(), vec![PathBuf::from("/proc/self")]);
    while let Some(process) = processes.pop() {
        for task in fs::read_dir(process.join("task")).ok()?.flatten() {
            let read = |name| fs::read_to_string(task.path().join(name)).ok();
            let children = read("children").unwrap_or_default();
            let children = children.split_whitespace();
            processes.extend(children.map(|id| PathBuf::from("/proc").join(id)));
            if Some(task.file_name().as_os_str()) == own.file_name() {
                continue;
            }
            let status = read("status")?;
            let mut lines = status.lines();
            let state = lines.find_map(|line| line.strip_prefix("State:"))?.trim();
            // What it prints is read soon. What is about to sleep has the state of a sleeper, and still runs.
            let call = read("syscall").unwrap_or_default();
            let prints = [1, 2].map(|stream| format!("{WRITE} 0x{stream} "));
            let is_at_work =
                call.starts_with("running") || prints.iter().any(|it| call.starts_with(it));
            if !state.starts_with(['S', 'Z']) || is_at_work {
                return None;
            }
            let slept = lines.find(|line| line.starts_with("voluntary"))?;
            threads.push(format!("{:?} {slept}", task.file_name()));
        }
    }
    Some(threads)
}

/// Elsewhere: nothing has happened for a while.
#[cfg(not(target_os = "linux"))]
fn asleep(stage: &Stage) -> Option<usize> {
    let seen = || (stage.seen().events.len(), stage.seen().held.len());
    let before = seen();
    thread::sleep(Duration::from_millis(200));
    (before == seen()).then_some(before.0)
}
