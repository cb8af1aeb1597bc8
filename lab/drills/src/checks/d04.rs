//! Check, then act.

use crate::{
    Drill,
    stage::{Stage, judge},
    sync::{lane, on_lanes},
    verdict::Verdict,
};
use anyhow::ensure;
use std::sync::{Arc, Mutex};

const TILLS: usize = 2;

pub(crate) const DRILL: Drill = Drill {
    number: 4,
    name: "check_then_act",
    task: "Two tills pay out from one account. Every access is locked, and still the account is \
           overdrawn. Repair `withdraw`: no more is paid out than there is; a withdrawal that the \
           balance covers succeeds; and both tills may count out notes at the same time, because \
           counting is slow.",
    hints: [
        "The balance that you checked may have changed by the time you take from it.",
        "The check and the taking must happen under one lock, with no gap.",
        "Take the money under the same guard that checked it, drop the guard, and count out after \
         that.",
    ],
    entry: "withdraw",
    source: include_str!("d04.rs"),
    candidates: crate::candidates! { withdraw;
        solution "",
        shipped "the check and the taking have a lock each",
        checks_again_too_late "the second check comes when the notes are out",
        locked_while_counting "the lock is held while notes are counted",
        refuses_all "nothing is paid out",
    },
};

/// Where notes are counted out.
pub struct Till(Stage);

impl Till {
    /// Counts out notes; it takes a while.
    pub fn count_out(&self, amount: i64) {
        self.0.note(lane(), format!("pays {amount}"));
        self.0.work(lane());
    }
}

/// Checks a repair.
pub fn check(withdraw: fn(&Mutex<i64>, &Till, i64) -> bool) -> Verdict {
    judge("till", TILLS, |stage| {
        for balance in [100, 200] {
            let (before, account) = (stage.count(None, "pays 80"), Arc::new(Mutex::new(balance)));
            let (shared, till) = (Arc::clone(&account), Till(stage.clone()));
            stage.watch(move || on_lanes(TILLS, |_| _ = withdraw(&shared, &till, 80)))?;
            let left = *account.lock().unwrap();
            let paid = (stage.count(None, "pays 80") - before) as i64;
            stage.ended(format!(
                "{paid} × 80 paid from {balance}, which leaves {left}"
            ));
            ensure!(
                paid > 0,
                "the balance is {balance}, and neither of two withdrawals of 80 was paid"
            );
            ensure!(
                paid * 80 <= balance || left < 0,
                "{paid} × 80 were counted out from {balance}; the account says {left}, the notes are gone"
            );
            ensure!(
                left >= 0,
                "the account is at {left}: both tills saw {balance} before either took 80"
            );
            ensure!(
                paid == balance / 80,
                "the balance is {balance}, and {paid} of two withdrawals of 80 was paid"
            );
            ensure!(
                left == balance - paid * 80,
                "{paid} × 80 of {balance} were paid, and {left} are left"
            );
        }
        let most = stage.most_inside();
        ensure!(
            most == TILLS,
            "only {most} till counted at a time: the other one waited for the lock"
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d04::Till;
    use std::sync::Mutex;

    /// Pays out an amount if the account has it; returns whether it did.
    pub(super) fn withdraw(account: &Mutex<i64>, till: &Till, amount: i64) -> bool {
        let balance = *account.lock().unwrap();
        if balance < amount {
            return false;
        }
        till.count_out(amount);
        *account.lock().unwrap() -= amount;
        true
    }
}

mod solution {
    use lab_drills::d04::Till;
    use std::sync::Mutex;

    /// Pays out an amount if the account has it; returns whether it did.
    pub(super) fn withdraw(account: &Mutex<i64>, till: &Till, amount: i64) -> bool {
        let mut balance = account.lock().unwrap();
        if *balance < amount {
            return false;
        }
        *balance -= amount;
        drop(balance);
        till.count_out(amount);
        true
    }
}

mod checks_again_too_late {
    pub(super) fn withdraw(account: &super::Mutex<i64>, till: &super::Till, amount: i64) -> bool {
        if *account.lock().unwrap() < amount {
            return false;
        }
        till.count_out(amount);
        let mut balance = account.lock().unwrap();
        let enough = *balance >= amount;
        if enough {
            *balance -= amount;
        }
        enough
    }
}

mod locked_while_counting {
    pub(super) fn withdraw(account: &super::Mutex<i64>, till: &super::Till, amount: i64) -> bool {
        let mut balance = account.lock().unwrap();
        if *balance < amount {
            return false;
        }
        till.count_out(amount);
        *balance -= amount;
        true
    }
}

mod refuses_all {
    pub(super) fn withdraw(_: &super::Mutex<i64>, _: &super::Till, _: i64) -> bool {
        false
    }
}
