//! The race as games.

use interleave::{
    Race, Turn,
    play::{Game, playable},
};
use lab_06_race_condition::increment_in_two_steps;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The repair: no thread gets between load and store, because there is one step.
fn increment_in_one_step(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// So many threads that each add one.
fn increments(threads: usize, repaired: bool) -> Race<AtomicU64> {
    let add = move |counter: &AtomicU64, _, turn: Turn<'_>| match repaired {
        true => {
            turn("adds 1 and leaves");
            increment_in_one_step(counter);
        }
        false => {
            turn("loads");
            increment_in_two_steps(counter, || turn("stores"));
        }
    };
    Race {
        threads,
        share: || AtomicU64::new(0),
        run: Box::new(add),
        value: |counter, _| counter.load(Relaxed) as i64,
        result: |counter| counter.load(Relaxed) as i64,
        expected: threads as i64,
    }
}

/// The games of this step, from easy to hard.
pub(crate) fn games() -> Vec<Game> {
    let game = |number, threads, repaired: bool| Game {
        number,
        title: match (threads, repaired) {
            (2, false) => "lose an update",
            (_, false) => "lose as many updates as possible",
            _ => "lose an update, repaired",
        },
        goal: match threads {
            2 => "two threads add one each; let the counter end at 1",
            _ => "three threads add one each; let the counter end at 1",
        },
        reaches: |run| run.result == Some(1),
        hint: match repaired {
            false => "a thread stores one more than it has loaded, whatever is there by then",
            true => "load and store are one step, and no other thread comes in between",
        },
        program: playable(increments(threads, repaired)),
        value: "counter",
        source: concat!(include_str!("lib.rs"), include_str!("games.rs")),
        functions: match repaired {
            false => &[(
                "increment_in_two_steps",
                &["counter.load(", "counter.store("],
            )],
            true => &[("increment_in_one_step", &["fetch_add("])],
        },
    };
    vec![
        game(1, 2, false),
        game(2, 2, true),
        game(3, 3, false),
        game(4, 3, true),
    ]
}
