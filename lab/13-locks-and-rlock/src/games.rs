//! Deadlocks as games.

use interleave::{
    Race, Turn,
    play::{Game, playable},
};
use parking_lot::Mutex;

const TAKES: [&str; 3] = ["takes A", "takes B", "takes C"];

/// The locks of each thread, by number and in the order in which it takes them.
type Orders = &'static [[usize; 2]];
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

const DINERS: Orders = &[[0, 1], [1, 2], [2, 0]];
const SORTED_DINERS: Orders = &[[0, 1], [1, 2], [0, 2]];

/// Two tellers, three philosophers, and both with one order for all locks.
const GAMES: [(&str, Orders); 4] = [
    ("two tellers: AB and BA", &[[0, 1], [1, 0]]),
    ("two tellers, repaired: AB and AB", &[[0, 1], [0, 1]]),
    ("three philosophers: AB, BC and CA", DINERS),
    ("three philosophers, repaired: AB, BC and AC", SORTED_DINERS),
];

const HINTS: [&str; 2] = [
    "give each thread its first lock before any has its second",
    "all threads take locks in the order of the alphabet, so the one that has the last can go on",
];

/// The games of this step.
pub(crate) fn games() -> Vec<Game> {
    let game = |(at, (title, orders))| Game {
        number: 9 + at,
        title,
        goal: "each thread takes two locks, such as AB: A, then B; let all wait for one another",
        reaches: interleave::Run::is_deadlock,
        hint: HINTS[at % 2],
        program: playable(under_both(orders)),
        value: "",
        source: include_str!("games.rs"),
        functions: &[("work_under_both", &["one = ", "two = ", "drop("])],
    };
    GAMES.into_iter().enumerate().map(game).collect()
}
