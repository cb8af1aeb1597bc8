//! Deadlocks as games.

use interleave::{
    Race, Turn,
    play::{Game, playable},
};
use parking_lot::Mutex;

/// A lock, and what the step is called in which a thread takes it.
struct Lock {
    takes: &'static str,
    lock: Mutex<()>,
}

/// Takes two locks, one after the other.
fn work_under_both(first: &Lock, second: &Lock, turn: Turn<'_>) {
    turn(first.takes);
    let one = first.lock.lock();
    turn(second.takes);
    let two = second.lock.lock();
    turn("frees both");
    drop((one, two));
}

/// Which two locks each thread takes, in which order.
type Orders = &'static [(usize, usize)];

fn under_both(orders: Orders) -> Race<[Lock; 3]> {
    Race {
        threads: orders.len(),
        share: || {
            ["takes A", "takes B", "takes C"].map(|takes| Lock {
                takes,
                lock: Mutex::new(()),
            })
        },
        run: Box::new(move |locks, thread, turn| {
            let (first, second) = orders[thread];
            work_under_both(&locks[first], &locks[second], turn);
        }),
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
            &["first.lock.lock()", "second.lock.lock()", "drop("],
        )],
    };
    let repaired = [
        "deadlock two tellers, repaired",
        "deadlock three philosophers, repaired",
    ];
    vec![
        game(9, "deadlock two tellers", &[(0, 1), (1, 0)]),
        game(10, repaired[0], &[(0, 1), (0, 1)]),
        game(11, "deadlock three philosophers", &[(0, 1), (1, 2), (2, 0)]),
        game(12, repaired[1], &[(0, 1), (1, 2), (0, 2)]),
    ]
}
