pub(crate) mod fixtures;

use super::*;
use fixtures::{document, lane, recorded, span, start, variant};
use std::time::Duration;
use timeline::{LaneKind, Level, Toll};

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn screen(document: &Document, width: usize, rows: usize) -> String {
    plain(&summary(document, width, rows))
}

#[test]
fn a_screen_has_question_bars_lanes_claims_and_what_to_do_next() {
    let expected = "\
lab-99-example · what does a report look like?
mirrors lab/99_example.py (time.sleep)     middle of 3 rounds · 2 CPUs, 1.9 free

  one    2.00 s                 ████████████████████████████████████████████████
  both   1.00 s  2.0 × as fast  ████████████████████████
  one   main                    ░░░░░░░░░░░░░░░░░░░░░░░░|░░░░░░░░░░░░░░░░░░░░░░░
  both  fetch 1                 ░░░░░░░░░░░░░░░░░░░░░░░░
        worker 1                            ████████████
                                0───────────┴0.5 s──────┴1.0 s────────────2.00 s
  █ running  ░ waiting  | next begins

✓ waits overlap: 1.00 s instead of 2.00 s
✗ not shown: work overlaps
  because there was none
– undecided: it is fast
  because it was not repeated

REMEMBER   One thread does one thing at a time.
Predict    Twice as fast?
           cargo run -p lab-99-example -- --workers 4
Next       lab-98: what comes after it?
More       --verbose: figures · --report lab-99.html: a page";
    assert_eq!(screen(&document(), 80, 24), expected);
}

#[test]
fn no_line_is_wider_than_it_may_be_and_no_screen_higher() {
    let mut document = document();
    document.claims[0].line = "a long claim of many words ".repeat(4);
    document.claims[1].reason = Some("many words and their reason ".repeat(12));
    document.variants[0].name = "a name that goes on and on".into();
    let another = document.variants[1].clone();
    document.variants.extend(vec![another; 5]);
    for width in [50, 60, 80, 120] {
        for rows in [18, 23, 40] {
            let text = screen(&document, width, rows);
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            let height = text.lines().count();
            assert!(height <= rows, "{width} × {rows}: {height}\n{text}");
            let bars = text.lines().filter(|line| line.contains('█'));
            assert!(bars.count() >= 7, "{width} × {rows}\n{text}");
        }
        for line in plain(&verbose(&document, width)).lines() {
            assert!(line.chars().count() <= width.max(80), "{width}: {line}");
        }
    }
}

#[test]
fn where_room_is_short_a_table_breaks_between_words_and_no_figure() {
    let row = ["100 × 50 ms CPU", "12.3 ms, slower", "ProcessPool(2)"].map(String::from);
    let names = ["job", "one by one", "in Python"];
    let text = plain(&table(&names, vec![row.into()], &[0, 2], 42));
    let expected = "\
job             one by one  in Python
100 × 50   12.3 ms, slower  ProcessPool(2)
ms CPU
";
    assert_eq!(text, expected);
}

#[test]
fn every_text_of_a_picture_is_one_line_so_that_what_is_drawn_can_be_taken_away() {
    let mut document = document();
    let spans = (0..5).map(|at| span("work", 10 * at, 10 * at + 10, at % 3 * 5));
    let lanes = &mut document.variants[1].recording.lanes;
    lanes.push(lane(LaneKind::Thread, 1, "worker 2", spans.collect()));
    let document = recorded(document);
    let drawn = picture::Picture::of(&document, 50).lanes(&document.variants, 12);
    assert!(drawn.len() > 5, "the legend has two lines: {drawn:?}");
    assert!(drawn.iter().all(|line| !line.contains('\n')), "{drawn:?}");
}

#[test]
fn a_factor_of_few_rounds_is_not_said_and_one_on_which_rounds_disagree_is_undecided() {
    let said = |walls_s: &[f64], words: &str| {
        let mut document = document();
        document.variants[1].walls_s = walls_s.into();
        screen(&document, 80, 24).contains(words)
    };
    assert!(said(&[1.0, 1.1, 0.9], "s  2.0 ×"));
    assert!(said(&[1.0, 1.1], "1.00 s      "));
    assert!(said(&[1.0, 1.1, 1.9], "undecided  ███"));
}

#[test]
fn a_step_that_compares_no_times_and_has_a_table_shows_no_lanes() {
    let mut document = document();
    for one in &mut document.variants {
        (one.speedup, one.bound_s) = (None, None);
    }
    let has_lanes = |document: &Document| screen(document, 80, 24).contains("main    ");
    assert!(has_lanes(&document));
    document.tables.push(TableReport {
        rows: vec![vec!["one".into(), "both".into()]],
        ..TableReport::default()
    });
    assert!(!has_lanes(&document));
}

#[test]
fn beside_a_note_stands_a_factor_and_no_other_word() {
    let mut document = document();
    for one in &mut document.variants {
        one.note = Some("got 5".into());
    }
    assert!(screen(&document, 80, 24).contains("got 5, 2.0 × as fast"));
    document.variants[1].speedup = Some(1.01);
    assert!(!screen(&document, 80, 24).contains("got 5, "));
}

#[test]
fn a_bar_is_never_enlarged_and_one_too_short_is_a_mark() {
    let mut document = document();
    document.variants[1].wall_s = 0.001;
    let text = screen(&document, 80, 24);
    let bar = text
        .lines()
        .find(|line| line.starts_with("  both"))
        .expect("a bar");
    assert!(bar.ends_with(" ▏"), "{text}");
}

#[test]
fn lanes_that_look_alike_are_folded_and_counted() {
    let lanes = (0..100).map(|n| lane(LaneKind::Task, n, "fetch", vec![span("fetch", 0, 500, 1)]));
    let mut document = document();
    document
        .variants
        .push(variant("many", 1000, 1.0, lanes.collect()));
    let text = screen(&document, 80, 40);
    assert!(text.contains("├ 100 like this"), "{text}");
    let text = screen(&document, 80, 20);
    assert!(!text.contains('├'), "{text}");
}

#[test]
fn a_level_that_was_told_has_a_row_with_its_peak() {
    let mut document = document();
    let samples = vec![
        (start(), 1.0),
        (start().plus(Duration::from_millis(500)), 12.0),
    ];
    let name = "items queued".into();
    document.variants[1]
        .recording
        .levels
        .push(Level { name, samples });
    let text = screen(&recorded(document), 80, 40);
    let row = text.lines().find(|line| line.contains("12 items queued"));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains('▂') && row.ends_with("▇▇▇"), "{text}");
}

#[test]
fn a_thread_without_a_cpu_is_ready_and_not_waiting() {
    let mut document = document();
    let mut starved = span("count", 0, 1000, 100);
    starved.wait = None;
    document.variants[1].recording.lanes = vec![lane(LaneKind::Thread, 0, "main", vec![starved])];
    let text = screen(&recorded(document), 80, 24);
    assert!(
        text.contains("┄┄┄┄") && text.contains("ready, no CPU free"),
        "{text}"
    );
    assert!(!text.contains('%'), "{text}");
}

#[test]
fn what_did_not_show_is_named_with_its_reason_and_what_a_quiet_machine_shows() {
    let mut document = document();
    document.claims[1].needs_quiet = true;
    let text = screen(&document, 80, 24);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("! Only 1.9 of 2 CPUs were free"), "{text}");
    let told = "– undecided: work overlaps because too few CPUs were free to tell; with more this may show";
    assert!(flat.contains(told), "{text}");
}

#[test]
fn what_was_thinned_is_said() {
    let mut document = document();
    document.variants[0].recording.toll = Toll {
        spans: 1_000_000,
        events: 3_000_000,
        thinned: 999_998,
        ..Toll::default()
    };
    let text = plain(&verbose(&recorded(document), 80));
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("one: 999,998 spans were too many"), "{text}");
}

#[test]
fn plain_ascii_keeps_every_column() {
    let mut document = document();
    document.variants[1].recording.lanes[1].spans[0].cut = true;
    let document = recorded(document);
    let report = screen(&document, 80, 40) + &plain(&verbose(&document, 80));
    let ascii = ascii::settled(&report, true);
    assert!(ascii.is_ascii());
    let widths = |text: &str| {
        text.lines()
            .map(|line| line.chars().count())
            .collect::<Vec<_>>()
    };
    assert_eq!(widths(&ascii), widths(&report));
    assert!(ascii.contains("???????????!"), "{ascii}");
    assert!(
        ascii.contains("+ waits overlap") && ascii.contains("x not shown"),
        "{ascii}"
    );
}

#[test]
fn a_figure_and_its_unit_stay_on_one_line() {
    let wrapped = wrap("twenty columns are 1.2 ms), or 93 %.", 20, 0);
    assert_eq!(wrapped, "twenty columns are\n1.2 ms), or 93 %.");
    assert_eq!(
        wrap("a word of 20 s letters", 20, 0),
        "a word of 20 s\nletters"
    );
}

#[test]
fn text_wraps_between_words_and_keeps_its_margin() {
    assert_eq!(
        wrap("one two three four five six seven", 24, 2),
        "  one two three four\n  five six seven"
    );
    assert_eq!(wrap("", 24, 2), "");
    assert_eq!(
        wrap(&format!("a {}", "世".repeat(25)), 22, 2),
        format!("  a\n  {0}\n  {0}\n  {1}", "世".repeat(10), "世".repeat(5)),
        "what has no blanks is broken by cells"
    );
}
