//! The races as games.

use crate::programs::{audit, withdrawals};
use interleave::play::{Game, playable};

const SOURCE: &str = include_str!("lib.rs");

/// Functions of the lesson, each with its steps.
type Functions = &'static [(&'static str, &'static [&'static str])];

const WITHDRAW: [Functions; 2] = [
    &[(
        "withdraw_after_a_check",
        &["let enough = *account", "-= amount"],
    )],
    &[("withdraw_in_one_section", &["let mut balance"])],
];
const TRANSFER: [Functions; 2] = [
    &[
        (
            "transfer_lock_by_lock",
            &["*first.lock()", "*second.lock()"],
        ),
        ("audit_lock_by_lock", &["*first.lock()", "*second.lock()"]),
    ],
    &[
        ("transfer_under_both_locks", &["first.lock()"]),
        ("audit_under_both_locks", &["first.lock()"]),
    ],
];

/// The games of this step: each race, and its repair.
pub(crate) fn games() -> Vec<Game> {
    let overdraw = |number, repaired: bool| Game {
        number,
        title: ["overdraw the account", "overdraw it, repaired"][usize::from(repaired)],
        goal: "the account has 100, each thread withdraws 80; make it negative",
        reaches: |run| run.result.is_some_and(|left| left < 0),
        hint: match repaired {
            false => "both threads must check before either takes",
            true => "a thread checks and takes under one lock, so the other checks what is left",
        },
        program: playable(withdrawals(repaired, || ())),
        value: "balance",
        source: SOURCE,
        functions: WITHDRAW[usize::from(repaired)],
    };
    let mislead = |number, repaired: bool| Game {
        number,
        title: ["break the invariant of two locks", "break it, repaired"][usize::from(repaired)],
        goal: "two accounts hold 200 in all; let the audit of thread 2 see another total",
        reaches: |run| run.result.is_some_and(|seen| seen != run.expected),
        hint: match repaired {
            false => "let the audit read one account before the transfer has changed both",
            true => "each thread holds both locks at once",
        },
        program: playable(audit(repaired, || ())),
        value: "balance",
        source: SOURCE,
        functions: TRANSFER[usize::from(repaired)],
    };
    vec![
        overdraw(5, false),
        overdraw(6, true),
        mislead(7, false),
        mislead(8, true),
    ]
}
