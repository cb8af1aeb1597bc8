//! How many threads a variant had, counted by looking.

use measure::timing::{self, Housekeeper};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use timeline::{Lane, LaneKind};

/// Between two looks that are to see the same before counting begins.
const SETTLING: Duration = Duration::from_millis(2);

/// Looks again and again how many threads this process has.
pub(super) struct Census {
    stop: Arc<AtomicBool>,
    peak: Arc<AtomicUsize>,
    counting: JoinHandle<()>,
}

impl Census {
    /// Starts counting, where the platform allows it.
    pub(super) fn start() -> Option<Self> {
        settle()?;
        let stop = Arc::new(AtomicBool::new(false));
        let peak = Arc::new(AtomicUsize::new(0));
        let (stopped, seen) = (Arc::clone(&stop), Arc::clone(&peak));
        let housekeeper = Housekeeper::enrol();
        let counting = thread::Builder::new().spawn(move || {
            // Threads come and go at the start of a run; later on it is enough to look now and then.
            let mut pause = Duration::from_millis(2);
            while !stopped.load(Ordering::SeqCst) {
                let all = timing::threads_now().unwrap_or(0);
                let own = timing::housekeepers() as usize;
                seen.fetch_max(all.saturating_sub(own), Ordering::SeqCst);
                housekeeper.charge();
                thread::park_timeout(pause);
                pause = (pause * 5 / 4).min(Duration::from_millis(100));
            }
        });
        Some(Self {
            stop,
            peak,
            // Where no thread can be started, none is counted.
            counting: counting.ok()?,
        })
    }

    /// Ends the count and tells the peak.
    pub(super) fn finish(self) -> Option<u64> {
        self.stop.store(true, Ordering::SeqCst);
        self.counting.thread().unpark();
        self.counting.join().ok()?;
        Some(self.peak.load(Ordering::SeqCst) as u64)
    }
}

/// Waits until threads that were joined a moment ago are gone from the kernel's list too.
fn settle() -> Option<()> {
    let mut before = timing::threads_now()?;
    for _ in 0..10 {
        thread::sleep(SETTLING);
        let now = timing::threads_now()?;
        if now == before {
            break;
        }
        before = now;
    }
    Some(())
}

/// The main thread and every other that recorded a span.
pub(super) fn recorded(lanes: &[Lane]) -> u64 {
    let threads = lanes.iter().filter(|lane| lane.id.kind == LaneKind::Thread);
    let others: BTreeSet<u64> = threads
        .filter(|lane| lane.name != "main")
        .map(|lane| lane.id.number)
        .collect();
    1 + others.len() as u64
}
