//! Where a worker lays its results until it reports them, and the clerk who looks after it.

use super::wire::{Done, Report};
use crate::child::LinkSender;
use measure::timing::Usage;
use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Thread},
    time::{Duration, Instant},
};
use timeline::Recording;

/// Results are reported when they have waited for so long.
const REPORT_AFTER: Duration = Duration::from_millis(2);

/// Results are reported when they have grown to this.
const REPORT_BYTES: usize = 256 * 1024;

/// An order that takes longer was given in error.
const RETURN_AFTER: Duration = Duration::from_millis(8);

/// Asking for the peak of memory costs as much as many a task: once in so long.
const MEMORY_EVERY: Duration = Duration::from_millis(20);

#[inline]
pub(super) fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where results lie until they are reported.
pub(super) struct Desk {
    sender: LinkSender,
    /// How many orders there were.
    orders: u64,
    /// How many tasks of the present one are to be done, and are.
    wanted: u32,
    filed: u32,
    /// Whether each of them is reported before the next one begins.
    promptly: bool,
    /// When it came, when the last report went, when memory was asked for last.
    opened: Instant,
    reported: Instant,
    weighed: Option<Instant>,
    pending: Done,
    results: Vec<u8>,
}

impl Desk {
    pub(super) fn new(sender: LinkSender) -> Self {
        let now = Instant::now();
        Self {
            sender,
            orders: 0,
            wanted: 0,
            filed: 0,
            promptly: false,
            opened: now,
            reported: now,
            weighed: None,
            pending: Done::default(),
            results: Vec::new(),
        }
    }

    pub(super) fn open(&mut self, tasks: u32, promptly: bool) {
        self.orders += 1;
        (self.wanted, self.filed) = (tasks, 0);
        self.promptly = promptly;
        self.opened = Instant::now();
        self.reported = self.opened;
    }

    /// Whether the present order is done as far as it is to be done.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.filed >= self.wanted
    }

    /// Takes a task's result.
    #[inline]
    pub(super) fn file(
        &mut self,
        ended_well: bool,
        result: &mut Vec<u8>,
        recording: Option<Recording>,
    ) {
        self.filed += 1;
        self.pending.tasks += 1;
        self.pending.failed += u32::from(!ended_well);
        self.pending.recordings.extend(recording);
        if self.results.is_empty() {
            mem::swap(&mut self.results, result);
        } else {
            self.results.extend_from_slice(result);
        }
    }

    /// Reports when it is time; `tick` says that it may be.
    #[inline]
    pub(super) fn report_if_due(&mut self, tick: bool) -> io::Result<()> {
        let at_once = self.promptly || self.is_closed() || self.results.len() > REPORT_BYTES;
        if !tick && !at_once {
            return Ok(());
        }
        let now = Instant::now();
        if at_once || now - self.reported > REPORT_AFTER {
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
pub(super) fn employ(desk: Arc<Mutex<Desk>>) -> io::Result<Thread> {
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

/// Tells cheaply that some milliseconds may have passed: short tasks ask after every one of them.
///
/// Where tasks are so short that many fit between two looks at the clock, it looks less often. One that
/// takes long after all is the clerk's business.
#[derive(Debug)]
pub(super) struct Tick {
    #[cfg(target_os = "linux")]
    last: Option<nix::sys::time::TimeSpec>,
    /// How many questions are answered without a look, and how many are left of these.
    skips: u32,
    skips_left: u32,
}

/// The most questions that are answered without a look.
const MOST_SKIPS: u32 = 31;

impl Tick {
    pub(super) fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            last: None,
            skips: 0,
            skips_left: 0,
        }
    }

    /// Whether the clock has moved since it was last looked at.
    #[inline]
    pub(super) fn has_passed(&mut self) -> bool {
        if let Some(left) = self.skips_left.checked_sub(1) {
            self.skips_left = left;
            return false;
        }
        let has_passed = self.look();
        self.skips = match has_passed {
            true => self.skips / 2,
            false => (2 * self.skips + 1).min(MOST_SKIPS),
        };
        self.skips_left = self.skips;
        has_passed
    }

    /// The system's coarse clock is cheaper than the other one.
    #[cfg(target_os = "linux")]
    fn look(&mut self) -> bool {
        use nix::time::{ClockId, clock_gettime};
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).ok();
        let has_moved = now.is_none() || now != self.last;
        self.last = now;
        has_moved
    }

    #[cfg(not(target_os = "linux"))]
    fn look(&mut self) -> bool {
        true
    }
}
