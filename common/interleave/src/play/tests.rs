//! Games as their reader plays them.

use super::*;
use crate::tests::counter;

const GAME: fn() -> Game = || Game {
    number: 1,
    title: "lose an update",
    goal: "let the counter end at 1",
    reaches: |run| run.result == Some(1),
    hint: "load both first",
    program: playable(counter(2, 1)),
    value: "counter",
    source: "fn add(counter) {\n    // A comment.\n    load\n    store\n}\n",
    functions: &[("add", &["load", "store"])],
};

fn drawn(moves: &str) -> Result<String, char> {
    drawn_in(24, moves)
}

fn drawn_in(rows: usize, moves: &str) -> Result<String, char> {
    let game = GAME();
    let mut table = Table {
        game: &game,
        turns: Vec::new(),
        note: String::new(),
    };
    for key in moves.chars() {
        table.note = table.play(key).map_err(|_| key)?;
    }
    Ok(table.drawn(80, rows))
}

#[test]
fn the_screen_shows_who_stands_where_and_what_was_done() {
    let text = drawn("12").expect("they can");
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "game 1 · lose an update",
        "Goal: let the counter end at 1",
        "",
        "        fn add(counter) {",
        "            load",
        "  1 2 →     store",
        "        }",
        "",
        "  thread 1  next: stores …",
        "  thread 2  next: stores …",
        "  counter  0",
        "Not finished; so far: 1 loads 0, 2 loads 0",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_move_is_taken_back_and_one_that_cannot_be_is_refused() {
    let text = drawn("112u212").expect_err("thread 1 has finished");
    assert_eq!(text, '1');
    let lost = drawn("1u1212").expect("they can");
    assert!(
        lost.contains("as in 4 of 6 orders") && lost.contains("--moves 1212"),
        "{lost}"
    );
    let kept = drawn("12r1122").expect("they can");
    assert!(kept.contains("✗ Expected 2, got 2."), "{kept}");
    assert_eq!(drawn("u"), Err('u'));
    assert_eq!(drawn("?"), Err('?'));
    assert!(drawn("h").expect("a hint").contains("Hint: load both"));
}

#[test]
fn where_there_is_no_room_the_blank_lines_go_and_a_hint_takes_the_place_of_the_steps() {
    let roomy = drawn_in(24, "12h").expect("a hint");
    assert!(!roomy.contains("so far"), "{roomy}");
    let narrow = drawn_in(10, "12h").expect("a hint");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let mut kept = lines(&roomy);
    kept.retain(|line| !line.is_empty());
    assert_eq!((lines(&narrow), kept.len()), (kept.clone(), 10));
}
