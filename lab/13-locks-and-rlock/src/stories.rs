//! Long reads, a lock taken twice over, and a panic with the lock in hand: each twice, two ways.

use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_13_locks_and_rlock::{
    nested::{BATCH, Deposit, deposit_reentrant, deposit_split, torn_batches},
    poison::{Aftermath, go_on_unaware, repair_what_a_panic_left},
    read::{Reads, read_under_mutex, read_under_rwlock},
};
use serde::Serialize;
use std::{io, num::NonZeroUsize, time::Duration};

pub(crate) const READ_MUTEX: &str = "reads, Mutex";
pub(crate) const READ_RWLOCK: &str = "reads, RwLock";
pub(crate) const REENTRANT: &str = "reentrant";
pub(crate) const SPLIT: &str = "split";
pub(crate) const POISONED: &str = "poison";
pub(crate) const UNAWARE: &str = "no poison";

const READERS: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");
const STAY: Duration = Duration::from_millis(50);
const VALUE: u64 = 42;

const TELLERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
const BATCHES: usize = 1_000;

const NO_THREADS: &str = "cannot start the threads; end other programs, or raise `ulimit -u`";

/// Lets readers stay under each kind of lock.
pub(crate) fn read(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say(format!(
        "long reads: {READERS} readers, each stays for {} …",
        format::seconds(STAY)
    ));
    type Reading = fn(NonZeroUsize, u64, Duration) -> io::Result<Reads>;
    let ways: [(_, Reading, _); 2] = [
        (READ_MUTEX, read_under_mutex, 1),
        (READ_RWLOCK, read_under_rwlock, READERS.get()),
    ];
    for (name, read, at_once) in ways {
        let bound = Bound::Waits {
            each: Some(STAY),
            count: READERS.get(),
            at_once,
        };
        let reads = lab.variant(name).other_work().bound(bound).run_counted(
            || read(READERS, VALUE, STAY).context(NO_THREADS),
            |reads| Tally::of_checked(&reads.seen, |seen| *seen == VALUE),
        )?;
        lab.say(format!("  {name}: at most {} inside", reads.peak_inside));
    }
    Ok(())
}

/// What became of nested deposits.
#[derive(Serialize)]
struct Deposits {
    deposits: usize,
    expected: usize,
    batches: usize,
    torn: usize,
}

/// Lets tellers make batches of deposits in methods that call one another.
pub(crate) fn nest(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say("nested: `deposit_all` holds the lock and calls `deposit`, which takes it …");
    type Depositing = fn(NonZeroUsize, usize) -> io::Result<Vec<Deposit>>;
    let ways: [(_, Depositing); 2] = [(REENTRANT, deposit_reentrant), (SPLIT, deposit_split)];
    for (name, deposit) in ways {
        let batches = TELLERS.get() * BATCHES;
        let work = || {
            let log = deposit(TELLERS, BATCHES).context(NO_THREADS)?;
            Ok(Deposits {
                deposits: log.len(),
                expected: batches * BATCH,
                batches,
                torn: torn_batches(&log),
            })
        };
        let tally = |made: &Deposits| Tally {
            submitted: made.expected as u64,
            done: made.deposits as u64,
            ..Tally::default()
        };
        let variant = lab.variant(name).other_work();
        let made = variant.run_counted(work, tally)?;
        let (all, torn) = (format::count(made.batches as u64), made.torn);
        lab.say(format!("  {name}: {all} batches, {torn} torn apart"));
    }
    Ok(())
}

/// Lets a thread panic in mid-change, under a lock that tells and under one that does not.
pub(crate) fn poison(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say("poison: a thread panics with half of a transfer made …");
    type Panicking = fn() -> io::Result<Aftermath>;
    let ways: [(_, Panicking); 2] = [
        (POISONED, repair_what_a_panic_left),
        (UNAWARE, go_on_unaware),
    ];
    for (name, panic) in ways {
        // The thread that panics, and the one that comes after it.
        let tally = |_: &Aftermath| Tally {
            submitted: 2,
            done: 1,
            failed: 1,
            ..Tally::default()
        };
        let variant = lab.variant(name).other_work();
        let after = variant.run_counted(|| panic().context(NO_THREADS), tally)?;
        let told = if after.told { "is told" } else { "is not told" };
        lab.say(format!("  {name}: \"{}\"; the next {told},", after.panic));
        lab.say(format!(
            "    finds {} of {} and leaves {}",
            after.total_found, after.total_before, after.total_after
        ));
    }
    Ok(())
}
