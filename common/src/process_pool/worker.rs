//! The worker process: one thread listens to the parent, the main thread works.

use super::{
    batch, panics,
    wire::{Done, Failure, Order, Report},
};
use crate::{
    child::{Closing, Link, LinkSender},
    timeline::{self, Lane, Moment, Span},
    timing::Usage,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, Write},
    mem,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// Results are reported when they have waited for so long.
const REPORT_AFTER: Duration = Duration::from_millis(2);

/// Results are reported when they have grown to this.
const REPORT_BYTES: usize = 256 * 1024;

/// An order that takes longer was given in error.
const RETURN_AFTER: Duration = Duration::from_millis(8);

/// Asking for the peak of memory costs as much as many a task: once in so long.
const MEMORY_EVERY: Duration = Duration::from_millis(20);

/// Serves tasks until the parent closes the link.
pub(super) fn serve<I, O>(name: &'static str, function: fn(I) -> O, link: Link) -> ExitCode
where
    I: DeserializeOwned,
    O: Serialize,
{
    panics::keep_those_of_this_thread();
    let (mut sender, mut receiver) = link.split();
    let hello = Report::Hello {
        ready: Moment::now(),
        busy: timeline::thread_cpu().unwrap_or_default(),
    };
    let watched = receiver.closing().and_then(watch);
    if sender.send(&hello).is_err() || watched.is_err() {
        return ExitCode::FAILURE;
    }
    let desk = Arc::new(Mutex::new(Desk::new(sender)));
    let Ok(clerk) = employ(Arc::clone(&desk)) else {
        return ExitCode::FAILURE;
    };
    let mut recorder = Recorder::default();
    let mut tick = Tick::default();
    let mut result = Vec::new();
    loop {
        let (order, mut inputs) = match receiver.receive_with::<Order>() {
            Ok(Some(order)) => order,
            // The parent's end; the thread that watches for it ends this process.
            Ok(None) => return ExitCode::SUCCESS,
            Err(_) => return ExitCode::FAILURE,
        };
        lock(&desk).open(order.tasks);
        if order.tasks > 1 {
            clerk.unpark();
        }
        loop {
            let Some((_, input)) = batch::take_record(&mut inputs) else {
                return ExitCode::FAILURE;
            };
            recorder.begin(order.record);
            result.clear();
            let ended_well = run(function, input, &mut result);
            let lanes = recorder.end(name);
            let mut desk = lock(&desk);
            desk.file(ended_well, &mut result, lanes);
            if desk.report_if_due(tick.has_passed()).is_err() {
                return ExitCode::FAILURE;
            }
            if desk.is_closed() {
                break;
            }
        }
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where results lie until they are reported.
struct Desk {
    sender: LinkSender,
    /// How many orders there were.
    orders: u64,
    /// How many tasks of the present one are to be done, and are.
    wanted: u32,
    filed: u32,
    /// When it came, when the last report went, when memory was asked for last.
    opened: Instant,
    reported: Instant,
    weighed: Option<Instant>,
    pending: Done,
    results: Vec<u8>,
}

impl Desk {
    fn new(sender: LinkSender) -> Self {
        let now = Instant::now();
        Self {
            sender,
            orders: 0,
            wanted: 0,
            filed: 0,
            opened: now,
            reported: now,
            weighed: None,
            pending: Done::default(),
            results: Vec::new(),
        }
    }

    fn open(&mut self, tasks: u32) {
        self.orders += 1;
        (self.wanted, self.filed) = (tasks, 0);
        self.opened = Instant::now();
        self.reported = self.opened;
    }

    /// Whether the present order is done as far as it is to be done.
    fn is_closed(&self) -> bool {
        self.filed >= self.wanted
    }

    /// Takes a task's result.
    fn file(&mut self, ended_well: bool, result: &mut Vec<u8>, lanes: Vec<Lane>) {
        self.filed += 1;
        self.pending.tasks += 1;
        self.pending.failed += u32::from(!ended_well);
        self.pending.lanes.extend(lanes);
        if self.results.is_empty() {
            mem::swap(&mut self.results, result);
        } else {
            self.results.extend_from_slice(result);
        }
    }

    /// Reports when it is time; `tick` says that it may be.
    fn report_if_due(&mut self, tick: bool) -> io::Result<()> {
        let is_large = self.results.len() > REPORT_BYTES;
        if !tick && !is_large && !self.is_closed() {
            return Ok(());
        }
        let now = Instant::now();
        if is_large || self.is_closed() || now - self.reported > REPORT_AFTER {
            return self.report(now);
        }
        Ok(())
    }

    fn report(&mut self, now: Instant) -> io::Result<()> {
        // A half line would wait in the buffer and be lost when this process is killed.
        let _ = io::stdout().flush();
        let weighs = self.weighed.is_none_or(|last| now - last > MEMORY_EVERY);
        let usage = if weighs {
            self.weighed = Some(now);
            Usage::of_this_process()
        } else {
            Usage::of_this_process_but_memory()
        };
        let done = Done {
            keeps: self.wanted - self.filed,
            took: now - self.reported,
            usage,
            ..mem::take(&mut self.pending)
        };
        self.reported = now;
        let sent = self.sender.send_with(&Report::Done(done), &[&self.results]);
        self.results.clear();
        sent
    }

    /// Gives back all but the task that is running.
    fn give_back(&mut self, now: Instant) -> io::Result<()> {
        self.wanted = self.filed + 1;
        self.report(now)
    }
}

/// Starts the thread that looks after orders with several tasks while these run: one that takes too
/// long was given in error, and what is not begun goes back, for others to take.
fn employ(desk: Arc<Mutex<Desk>>) -> io::Result<Thread> {
    let clerk = thread::Builder::new().name("clerk".into()).spawn(move || {
        let mut looked_at = 0;
        loop {
            let mut desk = lock(&desk);
            let is_new = desk.orders != looked_at;
            let waits = desk.wanted.saturating_sub(desk.filed) > 1;
            let due = desk.opened + RETURN_AFTER;
            let now = Instant::now();
            if is_new && waits && now >= due {
                looked_at = desk.orders;
                // Without a parent this process ends anyway.
                let _ = desk.give_back(now);
            }
            drop(desk);
            if is_new && waits && now < due {
                thread::park_timeout(due - now);
            } else {
                thread::park();
            }
        }
    })?;
    Ok(clerk.thread().clone())
}

/// Waits for the parent's end on a thread of its own, so that it is noticed in mid-task too.
fn watch(closing: Closing) -> io::Result<()> {
    thread::Builder::new()
        .name("watcher".into())
        .spawn(move || {
            closing.wait();
            end_with_the_parent()
        })
        .map(drop)
}

/// Tells cheaply that some milliseconds may have passed: short tasks ask after every one of them.
#[derive(Default)]
struct Tick {
    #[cfg(target_os = "linux")]
    last: Option<nix::sys::time::TimeSpec>,
}

impl Tick {
    /// Whether the system's coarse clock has moved since the last time it was asked.
    #[cfg(target_os = "linux")]
    fn has_passed(&mut self) -> bool {
        use nix::time::{ClockId, clock_gettime};
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).ok();
        let has_moved = now.is_none() || now != self.last;
        self.last = now;
        has_moved
    }

    #[cfg(not(target_os = "linux"))]
    fn has_passed(&mut self) -> bool {
        true
    }
}

/// Ends this process at once, and on Unix the helpers that a task started.
#[expect(
    clippy::exit,
    reason = "the parent is gone, and a task may run for ever"
)]
fn end_with_the_parent() -> ! {
    #[cfg(unix)]
    {
        use nix::{sys::signal, unistd};
        // `Child::start` made this process the leader of a group that holds it and its helpers.
        if unistd::getpgrp() == unistd::getpid() {
            let _ = signal::killpg(unistd::getpgrp(), signal::Signal::SIGKILL);
        }
    }
    std::process::exit(0)
}

/// Runs one task and appends its result; whatever it and its types do, there is one. Returns whether
/// it is a value.
fn run<I: DeserializeOwned, O: Serialize>(
    function: fn(I) -> O,
    input: &[u8],
    results: &mut Vec<u8>,
) -> bool {
    let start = results.len();
    let ended = panics::catch(|| {
        let input = postcard::from_bytes(input).map_err(|error| Failure::Input {
            reason: error.to_string(),
        })?;
        batch::append(results, &function(input)).map_err(|reason| Failure::Output { reason })
    });
    let failure = match ended {
        Ok(Ok(())) => return true,
        Ok(Err(failure)) => failure,
        Err((message, location)) => Failure::Panicked { message, location },
    };
    // A panic while it was encoded leaves half of a value.
    results.truncate(start);
    if let Err(reason) = batch::append_failure(results, &failure) {
        let too_long = Failure::Output { reason };
        // It is a short sentence.
        let _ = batch::append_failure(results, &too_long);
    }
    false
}

/// Records a task as a span of this process's lane, around the spans that the task records.
#[derive(Default)]
struct Recorder {
    installed: bool,
    began: Option<(Moment, Option<Duration>)>,
}

impl Recorder {
    fn begin(&mut self, record: bool) {
        if record && !self.installed {
            timeline::install();
            self.installed = true;
        }
        self.began = record.then(|| (Moment::now(), timeline::thread_cpu()));
    }

    fn end(&mut self, name: &'static str) -> Vec<Lane> {
        let Some((start, cpu)) = self.began.take() else {
            if self.installed {
                timeline::take();
            }
            return Vec::new();
        };
        let end = Moment::now();
        let busy = match cpu.zip(timeline::thread_cpu()) {
            Some((before, after)) => after.saturating_sub(before).min(end - start),
            None => end - start,
        };
        let mut lanes = timeline::take();
        for span in lanes.iter_mut().flat_map(|lane| &mut lane.spans) {
            span.depth += 1;
        }
        let whole = Lane {
            id: timeline::LaneId {
                kind: timeline::LaneKind::Process,
                number: std::process::id().into(),
            },
            name: name.into(),
            spans: vec![Span::watched(name, start, end, busy)],
        };
        lanes.insert(0, whole);
        lanes
    }
}
