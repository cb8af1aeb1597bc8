//! How many threads a variant had, counted by looking.

use measure::timing::{self, Housekeeper};
use std::{
    collections::BTreeSet,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};
use timeline::{Lane, LaneKind};

/// Looks again and again how many threads this process has, until it is dropped or finished.
pub(super) struct Census {
    stop: Sender<()>,
    counting: JoinHandle<u64>,
}

impl Census {
    /// Starts counting, where the platform allows it and a thread can be started.
    pub(super) fn start() -> Option<Self> {
        settle()?;
        let (stop, stopped) = mpsc::channel();
        let housekeeper = Housekeeper::enrol();
        let counting = thread::Builder::new().spawn(move || {
            let mut peak = 0;
            // Threads come and go at the start of a run; later on it is enough to look now and then.
            let mut pause = Duration::from_millis(2);
            loop {
                let all = timing::threads_now().unwrap_or(0) as u64;
                peak = peak.max(all.saturating_sub(timing::housekeepers()));
                housekeeper.charge();
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return peak;
                }
                pause = (pause * 5 / 4).min(Duration::from_millis(100));
            }
        });
        let counting = counting.ok()?;
        Some(Self { stop, counting })
    }

    /// Ends the count and returns the peak; every thread that recorded a span was there.
    pub(super) fn finish(self, lanes: &[Lane]) -> Option<u64> {
        drop(self.stop);
        let is_other = |it: &&Lane| it.id.kind == LaneKind::Thread && it.name != "main";
        let others = lanes.iter().filter(is_other).map(|lane| lane.id.number);
        let others = others.collect::<BTreeSet<_>>().len() as u64;
        Some(self.counting.join().ok()?.max(1 + others))
    }
}

/// Waits until threads that were joined a moment ago are gone from the kernel's list too.
fn settle() -> Option<()> {
    // Others than this one may stay for good.
    let mut looks = 0..10;
    while timing::threads_now()? as u64 > 1 + timing::housekeepers() && looks.next().is_some() {
        thread::sleep(Duration::from_millis(2));
    }
    Some(())
}
