//! What a stretch of code cost: wall time, CPU time, context switches, peak memory.
//!
//! Worker processes are part of a stretch too. Each one reports its own cumulative [`Usage`], the
//! parent [adopts](Family::adopt) it, and [`Usage::now`] is the whole family:
//!
//! ```
//! use measure::timing::{Usage, timed};
//!
//! let before = Usage::now();
//! let (sum, wall) = timed(|| (0..1_000_u64).sum::<u64>());
//! let cost = Usage::now().since(&before);
//! println!("{sum} took {wall:?}, of CPU {:?}", cost.cpu());
//! ```

mod housekeeping;
mod platform;

pub use housekeeping::{Housekeeper, housekeepers};

use crate::limits::number_behind;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Runs `work` and says how long it took on the wall clock.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = work();
    (value, start.elapsed())
}

/// What a process has used, in total or in one stretch.
///
/// `None` is what the platform does not tell. CPU times are zero where they are not told
/// (outside Unix).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in the program's own code, over all threads.
    pub cpu_user: Duration,
    /// CPU time in the kernel on the program's behalf, over all threads.
    pub cpu_system: Duration,
    /// Times a thread gave up its CPU to wait for something.
    pub voluntary_switches: Option<u64>,
    /// Times a thread was taken off its CPU while it could have gone on.
    pub involuntary_switches: Option<u64>,
    /// The largest resident memory so far, or since [`reset_peak_memory`].
    pub peak_rss_bytes: Option<u64>,
}

impl Usage {
    /// What this process alone has used since it began.
    pub fn of_this_process() -> Self {
        platform::usage()
    }

    /// What this process and every worker it has heard from have used.
    ///
    /// The lab's own housekeeping (the live view, the census of threads) is left out.
    /// Worker peaks add up with this process's own, although they need not have come at one moment:
    /// the sum is an upper bound of what the family held at once.
    pub fn now() -> Self {
        let family = family();
        let whole = family.total().plus(Self::of_this_process());
        whole.since(&family.housekeeping)
    }

    /// What was used after `earlier`; the peak is no difference and stays as it is.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            peak_rss_bytes: self.peak_rss_bytes,
            ..self.with(*earlier, Duration::saturating_sub, u64::saturating_sub)
        }
    }

    /// User and system CPU time together.
    pub fn cpu(&self) -> Duration {
        self.cpu_user + self.cpu_system
    }

    fn plus(self, other: Self) -> Self {
        self.with(other, Duration::saturating_add, u64::saturating_add)
    }

    /// Joins each figure with the other's; one that is unknown counts as zero beside one that is known.
    fn with(
        self,
        other: Self,
        time: fn(Duration, Duration) -> Duration,
        number: fn(u64, u64) -> u64,
    ) -> Self {
        let known = |one: Option<u64>, other: Option<u64>| {
            one.or(other)?;
            Some(number(one.unwrap_or(0), other.unwrap_or(0)))
        };
        Self {
            cpu_user: time(self.cpu_user, other.cpu_user),
            cpu_system: time(self.cpu_system, other.cpu_system),
            voluntary_switches: known(self.voluntary_switches, other.voluntary_switches),
            involuntary_switches: known(self.involuntary_switches, other.involuntary_switches),
            peak_rss_bytes: known(self.peak_rss_bytes, other.peak_rss_bytes),
        }
    }
}

/// What worker processes have used, as far as they have reported it, and the lab's own threads.
#[derive(Default)]
pub struct Family {
    alive: BTreeMap<u32, Usage>,
    /// The last word of workers that are gone: their process id may come back as another process.
    ended: Usage,
    housekeeping: Usage,
}

impl Family {
    /// Takes over what worker `pid` has used since *it* began; a later report replaces an earlier one.
    pub fn adopt(&mut self, pid: u32, mut cumulative: Usage) {
        let known = self.alive.entry(pid).or_default();
        // A report may leave the peak out; it does not fall.
        cumulative.peak_rss_bytes = cumulative.peak_rss_bytes.or(known.peak_rss_bytes);
        *known = cumulative;
    }

    /// Closes the account of worker `pid`, which is gone; what it used stays in the sum.
    ///
    /// Call this once the worker has been waited for: from then on its id may name another process.
    pub fn forget(&mut self, pid: u32) {
        let last = self.alive.remove(&pid).unwrap_or_default();
        self.ended = self.ended.plus(last);
    }

    fn total(&self) -> Usage {
        let alive = self.alive.values();
        alive.fold(self.ended, |total, worker| total.plus(*worker))
    }
}

/// The family of this process.
pub fn family() -> MutexGuard<'static, Family> {
    static FAMILY: LazyLock<Mutex<Family>> = LazyLock::new(Mutex::default);
    // No method of `Family` leaves it half changed, so a panic elsewhere does not spoil it.
    FAMILY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a new stretch for peak memory, as far as the platform can.
///
/// On Linux the peak of this process falls to what it holds now; elsewhere it stays the peak since
/// the process began. Workers that are gone no longer count.
pub fn reset_peak_memory() {
    family().ended.peak_rss_bytes = None;
    // Best effort: a system without this file leaves the peak of the whole run.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// How many threads this process has right now; `None` where the platform does not tell.
pub fn threads_now() -> Option<usize> {
    number_behind("Threads:", "/proc/self/status")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(user_ms: u64, switches: u64, peak_rss_bytes: u64) -> Usage {
        Usage {
            cpu_user: Duration::from_millis(user_ms),
            cpu_system: Duration::from_millis(1),
            voluntary_switches: Some(switches),
            involuntary_switches: Some(2 * switches),
            peak_rss_bytes: Some(peak_rss_bytes),
        }
    }

    #[test]
    fn timed_returns_the_value_and_at_least_the_time_slept() {
        let nap = Duration::from_millis(5);
        let (value, wall) = timed(|| {
            std::thread::sleep(nap);
            7
        });
        assert_eq!(value, 7);
        assert!(wall >= nap, "{wall:?}");
    }

    #[test]
    fn since_takes_differences_and_keeps_the_later_peak() {
        let cost = usage(30, 9, 500).since(&usage(10, 4, 900));
        assert_eq!(cost.cpu_user, Duration::from_millis(20));
        assert_eq!(cost.cpu_system, Duration::ZERO);
        assert_eq!(cost.cpu(), Duration::from_millis(20));
        assert_eq!(cost.voluntary_switches, Some(5));
        assert_eq!(cost.involuntary_switches, Some(10));
        assert_eq!(cost.peak_rss_bytes, Some(500));
    }

    #[test]
    fn since_never_underflows_and_leaves_the_unknown_unknown() {
        let cost = usage(1, 1, 1).since(&usage(2, 2, 2));
        assert_eq!(cost.cpu(), Duration::ZERO);
        assert_eq!(cost.voluntary_switches, Some(0));
        let unknown = Usage::default().since(&Usage::default());
        assert_eq!(unknown.voluntary_switches, None);
    }

    #[test]
    fn a_later_report_replaces_the_earlier_one_of_the_same_worker() {
        let mut family = Family::default();
        family.adopt(7, usage(10, 1, 100));
        family.adopt(7, usage(25, 3, 200));
        assert_eq!(family.total(), usage(25, 3, 200));
    }

    #[test]
    fn the_family_is_the_sum_of_its_workers() {
        let mut family = Family::default();
        assert_eq!(family.total(), Usage::default());
        family.adopt(7, usage(10, 1, 100));
        family.adopt(8, usage(20, 2, 300));
        let total = family.total();
        assert_eq!(total.cpu_user, Duration::from_millis(30));
        assert_eq!(total.cpu_system, Duration::from_millis(2));
        assert_eq!(total.voluntary_switches, Some(3));
        assert_eq!(total.involuntary_switches, Some(6));
        assert_eq!(total.peak_rss_bytes, Some(400));
    }

    #[test]
    fn forgetting_keeps_the_sum_and_frees_the_process_id() {
        let mut family = Family::default();
        family.adopt(7, usage(10, 1, 100));
        let before = family.total();
        family.forget(7);
        family.forget(7);
        family.forget(99);
        assert_eq!(family.total(), before);

        family.adopt(7, usage(4, 1, 50));
        assert_eq!(family.total().cpu_user, Duration::from_millis(14));
        assert_eq!(family.total().since(&before).voluntary_switches, Some(1));
    }

    #[test]
    fn now_contains_what_adopted_workers_used() {
        // Ids past any kernel's limit, so that no real worker of another test is in the way.
        let before = Usage::now();
        family().adopt(u32::MAX, usage(5_000, 3, 100));
        let adopted = Usage::now().since(&before);
        assert!(adopted.cpu_user >= Duration::from_secs(5), "{adopted:?}");
        family().forget(u32::MAX);
        let forgotten = Usage::now().since(&before);
        assert!(forgotten.cpu_user >= adopted.cpu_user, "{forgotten:?}");
    }

    #[cfg(unix)]
    #[test]
    fn cpu_time_grows_with_work() {
        let before = Usage::of_this_process();
        let mut state = 1_u64;
        while Usage::of_this_process().since(&before).cpu() < Duration::from_millis(5) {
            state = std::hint::black_box(state.wrapping_mul(3));
        }
        assert!(Usage::of_this_process().cpu() > before.cpu());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn resetting_the_peak_still_leaves_a_peak() {
        reset_peak_memory();
        let peak = Usage::of_this_process().peak_rss_bytes;
        assert!(peak.is_some_and(|bytes| bytes > 0), "{peak:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_waiting_thread_is_counted() {
        let (release_tx, release_rx) = std::sync::mpsc::channel::<()>();
        let (ready_tx, ready_rx) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                ready_tx.send(()).expect("the test is listening");
                let _ = release_rx.recv();
            });
            ready_rx.recv().expect("the thread says that it runs");
            assert!(threads_now().is_some_and(|threads| threads >= 2));
            drop(release_tx);
        });
    }
}
