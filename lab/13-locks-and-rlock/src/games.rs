//! Deadlocks as games.

use interleave::{
    Race, Turn,
    play::{Game, playable},
};
use parking_lot::Mutex;

const TAKES: [&str; 3] = ["takes A", "takes B", "takes C"];

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// The locks of each thread, in the order in which it takes them.
type Orders = &'static [[usize; 2]];
const TELLERS: Orders = &[[A, B], [B, A]];
const SORTED_TELLERS: Orders = &[[A, B], [A, B]];
const DINERS: Orders = &[[A, B], [B, C], [C, A]];
const SORTED: Orders = &[[A, B], [B, C], [A, C]];

type Locks = [Mutex<()>; 3];

/// Takes two locks, one after the other.
fn work_under_both(locks: &Locks, [first, second]: [usize; 2], turn: Turn<'_>) {
    turn(TAKES[first]);
    let one = locks[first].lock();
    turn(TAKES[second]);
    let two = locks[second].lock();
    turn("frees both");
    drop((one, two));
}

/// Threads that each take two locks, in these orders.
fn under_both(orders: Orders) -> Race<Locks> {
    Race {
        threads: orders.len(),
        share: Locks::default,
        run: Box::new(move |locks, thread, turn| work_under_both(locks, orders[thread], turn)),
        value: |_, _| 0,
        result: |_| 0,
        expected: 0,
    }
}

/// Functions, each with its steps.
type Functions = &'static [(&'static str, &'static [&'static str])];

const WORK: (&str, &[&str]) = (
    "work_under_both",
    &["locks[first].lock()", "locks[second].lock()", "drop("],
);

/// Two tellers, three philosophers, and both with one order for all locks.
const GAMES: [(&str, Orders, Functions); 4] = [
    ("deadlock two tellers", TELLERS, &[("TELLERS", &[]), WORK]),
    (
        "deadlock two tellers, repaired",
        SORTED_TELLERS,
        &[("SORTED_TELLERS", &[]), WORK],
    ),
    (
        "deadlock three philosophers",
        DINERS,
        &[("DINERS", &[]), WORK],
    ),
    (
        "deadlock three philosophers, repaired",
        SORTED,
        &[("SORTED", &[]), WORK],
    ),
];

const HINTS: [&str; 2] = [
    "give each thread its first lock before any has its second",
    "all threads take locks in the order of the alphabet, so the one that has the last can go on",
];

/// The games of this step.
pub(crate) fn games() -> Vec<Game> {
    let game = |(at, (title, orders, functions))| Game {
        number: 9 + at,
        title,
        goal: "let all threads wait for one another",
        reaches: interleave::Run::is_deadlock,
        hint: HINTS[at % 2],
        program: playable(under_both(orders)),
        value: "",
        source: include_str!("games.rs"),
        functions,
    };
    GAMES.into_iter().enumerate().map(game).collect()
}
