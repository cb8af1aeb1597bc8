//! The lab's own threads: counted apart, and what they use is left out of what a lesson used.

use super::{Usage, family, platform};
use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

static AT_WORK: AtomicU64 = AtomicU64::new(0);

/// Threads of the lab's own that are running now, to be left out of a lesson's count.
pub fn housekeepers() -> u64 {
    AT_WORK.load(Ordering::SeqCst)
}

/// Marks one thread as the lab's own until dropped.
#[derive(Debug)]
pub struct Housekeeper {
    known: Cell<Usage>,
}

impl Housekeeper {
    /// Enrols the thread that is about to start; it is counted from now on.
    pub fn enrol() -> Self {
        AT_WORK.fetch_add(1, Ordering::SeqCst);
        Self {
            known: Cell::default(),
        }
    }

    /// Books what the calling thread has used since it last did so; called in every round of it.
    pub fn charge(&self) {
        let used = platform::thread_usage();
        let new = used.since(&self.known.replace(used));
        let charged = &mut family().housekeeping;
        *charged = charged.plus(new);
    }
}

impl Drop for Housekeeper {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_housekeeper_is_counted_while_it_lives() {
        // Other tests may enrol some too; this one's is among them.
        let housekeeper = Housekeeper::enrol();
        assert!(housekeepers() >= 1);
        drop(housekeeper);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_housekeeper_uses_is_charged() {
        let before = family().housekeeping;
        let used = std::thread::spawn(|| {
            let housekeeper = Housekeeper::enrol();
            std::hint::black_box(crate::workload::mix(1, 20_000_000));
            housekeeper.charge();
            housekeeper.known.get().cpu()
        });
        let used = used.join().expect("the thread only works");
        assert!(family().housekeeping.since(&before).cpu() >= used);
        assert!(!used.is_zero());
    }
}
