//! Deadlocks as games.

use interleave::{
    Race, Turn,
    play::{Game, playable},
};
use parking_lot::Mutex;

const TAKES: [&str; 3] = ["takes A", "takes B", "takes C"];

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
fn under_both(orders: &'static [[usize; 2]]) -> Race<Locks> {
    Race {
        threads: orders.len(),
        share: Locks::default,
        run: Box::new(move |locks, thread, turn| work_under_both(locks, orders[thread], turn)),
        value: |_, _| 0,
        result: |_| 0,
        expected: 0,
    }
}

/// The games of this step: two tellers, three philosophers, and both with one order for all locks.
pub(crate) fn games() -> Vec<Game> {
    let game = |number, title, orders| Game {
        number,
        title,
        goal: "let all threads wait for one another",
        reaches: interleave::Run::is_deadlock,
        hint: "give each thread its first lock before any has its second",
        program: playable(under_both(orders)),
        value: "",
        source: include_str!("games.rs"),
        functions: &[(
            "work_under_both",
            &["locks[first].lock()", "locks[second].lock()", "drop("],
        )],
    };
    vec![
        game(9, "deadlock two tellers", &[[0, 1], [1, 0]]),
        game(10, "deadlock two tellers, repaired", &[[0, 1], [0, 1]]),
        game(11, "deadlock three philosophers", &[[0, 1], [1, 2], [2, 0]]),
        game(
            12,
            "deadlock three philosophers, repaired",
            &[[0, 1], [1, 2], [0, 2]],
        ),
    ]
}
