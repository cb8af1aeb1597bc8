//! A process pool's task that must not run twice.

pub use crate::bank::{PAY, Payment};
use crate::{
    Drill,
    bank::BY_CALLER,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::{bail, ensure};
use process_pool::child;
use std::{env, fs, process};

const PAYMENTS: usize = 3;

pub(crate) const DRILL: Drill = Drill {
    number: 20,
    name: "paid_twice",
    task: "Worker processes book payments. The worker of payment 2 is killed when it has booked and \
           not yet said so; the one of payment 3 before it has booked. The pool begins both tasks \
           again, so payment 2 is booked twice. Repair `pay_all`: each payment is booked once, by a \
           worker. The bank books no key twice: `payment.with_key(key)`. `payment.is_booked()` asks it.",
    hints: [
        "When a worker is lost, who knows whether it had booked? Is it enough not to try again?",
        "A task that may be begun again must have the same effect when it runs twice. How can the \
         bank know that a second booking is the same payment?",
        "Give each payment a key of its own before the pool sees it: then each try has the same one. \
         `payment.number()` will do.",
    ],
    entry: "pay_all",
    source: include_str!("d20.rs"),
    candidates: crate::candidates! { pay_all;
        solution "",
        solution_asks "",
        shipped "a task that is begun again books again",
        no_retries "a task whose worker is lost is never begun again",
        one_key "all payments have the same key",
        key_per_try "each try has a key of its own",
        no_worker "the payments are booked in the caller's process",
        empty "nothing is booked",
    },
};

/// Checks a repair.
pub fn check(pay_all: fn(Vec<Payment>)) -> Verdict {
    child::enter(&[&PAY]);
    judge("payment", PAYMENTS, |stage| {
        let bank = env::temp_dir().join(format!("lab-drill-{}", process::id()));
        let payment = |number| Payment::new(number, &bank);
        let payments: Vec<Payment> = (1..=PAYMENTS).map(payment).collect();
        let (first, own) = (payments[0].clone(), payments);
        let ended = stage.watch_processes(move || pay_all(own));
        let books = first.books();
        let _ = fs::remove_file(&bank);
        for (number, word) in books.lines().filter_map(|line| line.split_once(' ')) {
            stage.note(number.parse::<usize>()? - 1, word);
        }
        let (booked, lost) = (
            books.matches("booked").count(),
            books.matches("lost").count(),
        );
        stage.ended(format!("bookings: {booked}, workers lost: {lost}"));
        ended?;
        ensure!(
            !books.contains(BY_CALLER),
            "a payment is booked in the caller's process: a crash would end it"
        );
        ensure!(booked > 0, "the bank saw no payment");
        (0..PAYMENTS).try_for_each(|lane| is_booked_once(stage, lane))
    })
}

fn is_booked_once(stage: &Stage, lane: usize) -> anyhow::Result<()> {
    let (name, notes) = (stage.name(lane), stage.notes(lane));
    let keys = notes.iter().filter_map(|note| note.strip_prefix("booked"));
    match keys.collect::<Vec<_>>()[..] {
        [_] => Ok(()),
        [] if stage.count(Some(lane), "known") > 0 => {
            bail!("{name} was never booked: the bank had seen its key with another payment")
        }
        [] => bail!(
            "{name} was never booked: its worker was lost before, and its task was not begun again"
        ),
        [first, second, ..] if first != second => bail!(
            "{name} was booked twice, with the keys{first} and{second}: to the bank, another key is another payment"
        ),
        _ => bail!(
            "{name} was booked twice: its worker was lost after the booking, and its task was begun again"
        ),
    }
}

mod shipped {
    use lab_drills::d20::{PAY, Payment};

    /// Books all payments in worker processes.
    pub(super) fn pay_all(payments: Vec<Payment>) {
        let pool = PAY.pool_builder().retries(2).start().unwrap();
        for result in pool.map(payments) {
            result.unwrap();
        }
    }
}

mod solution {
    use lab_drills::d20::{PAY, Payment};

    /// Books all payments in worker processes.
    pub(super) fn pay_all(payments: Vec<Payment>) {
        let pool = PAY.pool_builder().retries(2).start().unwrap();
        let keyed = payments.into_iter().map(|payment| {
            let key = payment.number();
            payment.with_key(key)
        });
        for result in pool.map(keyed) {
            result.unwrap();
        }
    }
}

mod solution_asks {
    pub(super) fn pay_all(payments: Vec<super::Payment>) {
        let pool = super::PAY.pool_builder().start().unwrap();
        for payment in payments {
            if pool.call(payment.clone()).is_err() && !payment.is_booked() {
                pool.call(payment).unwrap();
            }
        }
    }
}

mod no_retries {
    pub(super) fn pay_all(payments: Vec<super::Payment>) {
        let pool = super::PAY.pool_builder().start().unwrap();
        pool.map(payments);
    }
}

mod one_key {
    pub(super) fn pay_all(payments: Vec<super::Payment>) {
        let pool = super::PAY.pool_builder().retries(2).start().unwrap();
        for payment in payments {
            pool.call(payment.with_key(1)).unwrap();
        }
    }
}

mod key_per_try {
    pub(super) fn pay_all(payments: Vec<super::Payment>) {
        let pool = super::PAY.pool_builder().start().unwrap();
        for payment in payments {
            let key = 10 * payment.number();
            if pool.call(payment.clone().with_key(key)).is_err() {
                pool.call(payment.with_key(key + 1)).unwrap();
            }
        }
    }
}

mod no_worker {
    pub(super) fn pay_all(payments: Vec<super::Payment>) {
        let pay = |payment| super::PAY.run_here(payment);
        payments.into_iter().for_each(pay);
    }
}

mod empty {
    pub(super) fn pay_all(_: Vec<super::Payment>) {}
}
