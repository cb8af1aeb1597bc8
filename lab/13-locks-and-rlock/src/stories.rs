//! Long reads, a lock taken again by its holder, and a panic under a lock: each in two ways.

use common::{
    Bound, Lab, Tally,
    claim::{Claim, count},
    format,
};
use lab_13_locks_and_rlock::{
    nested::{BATCH, Deposit, deposit_reentrant, deposit_split, torn_batches},
    poison::{Aftermath, TOTAL, go_on_unaware, repair_what_a_panic_left},
    read::{read_under_mutex, read_under_rwlock},
};
use std::{num::NonZeroUsize, time::Duration};

const READERS: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");
const STAY: Duration = Duration::from_millis(50);
const VALUE: u64 = 42;

/// Lets readers stay under each kind of lock.
pub(crate) fn read(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say(format!(
        "long reads: {READERS} readers, each stays for {} …",
        format::seconds(STAY)
    ));
    type Reading = fn(NonZeroUsize, u64, Duration) -> Vec<u64>;
    let ways: [(_, Reading, _); 2] = [
        ("reads, Mutex", read_under_mutex, 1),
        ("reads, RwLock", read_under_rwlock, READERS.get()),
    ];
    let mut reading = |(name, read, at_once): (&str, Reading, usize)| {
        let bound = Bound::Waits {
            each: Some(STAY),
            count: READERS.get(),
            at_once,
        };
        lab.variant(name).other_work().bound(bound).run_counted(
            || Ok(read(READERS, VALUE, STAY)),
            |seen| Tally::of_checked(seen, |seen| *seen == VALUE),
        )?;
        let most = lab.recording(name).most_open("read");
        lab.say(format!("  {name}: at most {most} inside"));
        anyhow::Ok(lab.count(name, "most_readers_inside", most))
    };
    let [mutex, rwlock] = ways;
    let (under_mutex, under_rwlock) = (reading(mutex)?, reading(rwlock)?);
    lab.claim(
        Claim::that(
            "readers_share_an_rwlock",
            "long reads: one at a time under the Mutex, several at once under the RwLock",
        )
        .check(under_mutex.equals(count(1)))
        .check(under_rwlock.above(count(1)))
        .headline(),
    );
    Ok(())
}

const TELLERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
const BATCHES: usize = 1_000;

/// Lets tellers make batches of deposits in methods that call one another.
pub(crate) fn nest(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say("nested: `deposit_all` holds the lock and calls `deposit`, which takes it …");
    type Depositing = fn(NonZeroUsize, usize) -> Vec<Deposit>;
    let ways: [(_, Depositing); 2] = [("reentrant", deposit_reentrant), ("split", deposit_split)];
    let (batches, mut claim) = (
        TELLERS.get() * BATCHES,
        Claim::that(
            "batches_stay_whole",
            "with a reentrant lock, or split in two, a method may call another: no deposit was \
             lost, no batch torn apart",
        ),
    );
    for (name, deposit) in ways {
        let work = || {
            let log = deposit(TELLERS, BATCHES);
            Ok((log.len(), torn_batches(&log)))
        };
        let tally = |(made, _): &(usize, usize)| Tally {
            submitted: (batches * BATCH) as u64,
            done: *made as u64,
            ..Tally::default()
        };
        let variant = lab.variant(name).other_work();
        let (made, torn) = variant.run_counted(work, tally)?;
        let all = format::count(batches as u64);
        lab.say(format!("  {name}: {all} batches, {torn} torn apart"));
        claim = claim
            .check(
                lab.count(name, "deposits", made)
                    .equals(count(batches * BATCH)),
            )
            .check(lab.count(name, "batches_torn_apart", torn).equals(count(0)));
    }
    lab.claim(claim);
    Ok(())
}

/// Lets a thread panic in mid-change, under a lock that is poisoned by it and under one that is not.
pub(crate) fn poison(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say("poison: a thread panics with half of a transfer made …");
    let ways: [(_, fn() -> Aftermath); 2] = [
        ("poison", repair_what_a_panic_left),
        ("no poison", go_on_unaware),
    ];
    for (name, panic) in ways {
        // The thread that panics, and the one that comes after it.
        let tally = |_: &()| Tally {
            submitted: 2,
            done: 1,
            failed: 1,
            ..Tally::default()
        };
        let mut after = None;
        let work = || {
            after = Some(panic());
            Ok(())
        };
        lab.variant(name).other_work().run_counted(work, tally)?;
        let after = after.expect("it ran");
        let is = if after.warned { "is" } else { "is not" };
        let (found, left) = (after.total_found as usize, after.total_left as usize);
        lab.say(format!(
            "  {name}: the next thread {is} warned, finds {found} of {TOTAL} and leaves {left}"
        ));
        let total = || count(TOTAL as usize);
        let warned = lab.count(name, "threads_warned", usize::from(after.warned));
        let found = lab.count(name, "total_found", found);
        let left = lab.count(name, "total_left", left);
        let still = usize::from(after.still_poisoned);
        let still = lab.count(name, "locks_still_poisoned", still);
        lab.claim(if name == "poison" {
            Claim::that(
                "poison_warns",
                "after the panic the `Mutex` warned the next thread, which repaired the total",
            )
            .check(warned.equals(count(1)))
            .check(found.below(total()))
            .check(left.equals(total()))
            .check(still.equals(count(0)))
        } else {
            Claim::that(
                "no_poison_no_warning",
                "a lock without poison warned no thread, and half of the change stayed",
            )
            .check(warned.equals(count(0)))
            .check(left.below(total()))
        });
    }
    Ok(())
}
