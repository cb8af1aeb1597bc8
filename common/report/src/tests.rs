use super::*;
use crate::fixtures::{document, lane, span, start, variant};
use std::time::Duration;
use timeline::{LaneKind, Level, Toll};

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_header_names_step_machine_and_parameters() {
    let expected = "\
lab-99-example · what does a report look like?
Linux x86_64 · 2 CPUs, 1.9 usable now · dev profile, opt-level 2 · rustc 1.95.0
mirrors lab/99_example.py
delay 0.5 s · requests 10,000";
    assert_eq!(plain(&header(&document(), 80)), expected);
}

#[test]
fn a_report_is_drawn_from_its_document_alone() {
    let expected = "
█ running  ▒ partly  ░ waiting or without a CPU  | next begins
one 2.00 s · 1 lane · in its spans 0 % running, 100 % waiting
main               │░░░░░░░░░░░░░░░░░░░░░░░░░░░░░|░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
                   └0──────────────┴0.5 s─────────┴1.0 s────────┴1.5 s───2.00 s
both 1.00 s · 2 lanes · in its spans 33 % running, 67 % waiting
fetch 1            │░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
worker 1           │              ▐██████████████▌
                   └0──────────────┴0.5 s─────────┴1.0 s────────┴1.5 s───2.00 s

variant     wall      CPU  speed-up    bound  of bound
one       2.00 s  5.00 ms     1.00×   1.00 s      50 %
both      1.00 s  5.00 ms     2.00×   1.00 s     100 %
  bound: one wait (one; both)

ledger             tasks  in flight  threads   switches   memory
one     1 of 2, 1 failed          2        3    1,234+5  7.40 MB
both    1 of 2, 1 failed          2        3    1,234+5  7.40 MB

✓ shown: waits overlap
    both: wall 1.00 s < 2.00 s
✗ not shown here: work overlaps
    both: wall 1.00 s < 2.00 s
    because there was none
– could not tell: it is fast
    both: wall 1.00 s < 2.00 s
    because it was not repeated

Why
  Because it is drawn from fixed data.

Remember
  One thread does one thing at a time.

Predict
  twice as fast?
  cargo run -p lab-99-example -- --workers 4

Next
  lab-98-another: what comes after it?";
    assert_eq!(plain(&terminal(&document(), 80)), expected);
}

#[test]
fn no_line_of_a_report_is_wider_than_it_may_be() {
    let mut document = document();
    document.claims[0].text = "a long claim of many words ".repeat(12);
    document.claims[1].reason = Some("many words and their reason ".repeat(12));
    for width in [80, 100, 120, 200] {
        for line in plain(&terminal(&document, width)).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn a_variant_too_short_for_the_axis_of_the_others_says_how_much_it_is_enlarged() {
    let mut document = document();
    let short = vec![lane(
        LaneKind::Thread,
        0,
        "main",
        vec![span("count", 0, 5, 5)],
    )];
    document.variants.push(variant("brief", 5, 400.0, short));
    let text = plain(&picture::timelines(&document.variants, 80));
    let axes: Vec<&str> = text.lines().filter(|line| line.contains('└')).collect();
    assert!(!axes[1].contains("enlarged"), "{text}");
    assert!(axes[2].contains("└0─ enlarged 400 × ─"), "{text}");
    assert!(axes[2].ends_with("5.00 ms"), "{text}");
    assert_eq!(axes[2].chars().count(), axes[0].chars().count(), "{text}");
}

#[test]
fn more_lanes_than_rows_are_counted() {
    let lanes = (0..100).map(|n| lane(LaneKind::Task, n, "fetch", vec![span("fetch", 0, 1000, 1)]));
    let text = plain(&picture::timelines(
        &[variant("many", 1000, 1.0, lanes.collect())],
        80,
    ));
    assert!(
        text.contains("+ 90 more tasks, 0 % running, 100 % waiting"),
        "{text}"
    );
    assert!(text.contains("tasks           90 │▇▇▇▇"), "{text}");
    assert_eq!(text.lines().count(), 3 + 10 + 2 + 1);
}

#[test]
fn a_level_that_was_told_has_a_row_with_its_peak() {
    let mut variant = variant(
        "queue",
        1000,
        1.0,
        document().variants[1].recording.lanes.clone(),
    );
    let samples = vec![
        (start(), 1.0),
        (start().plus(Duration::from_millis(500)), 12.0),
    ];
    let name = "items queued".into();
    variant.recording.levels.push(Level { name, samples });
    let text = plain(&picture::timelines(&[variant], 80));
    let row = text
        .lines()
        .find(|line| line.starts_with("items queued    12 │"));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains('▂') && row.ends_with("▇▇▇"), "{text}");
}

#[test]
fn what_was_thinned_or_mended_is_said() {
    let mut document = document();
    document.variants[0].recording.toll = Toll {
        spans: 1_000_000,
        events: 3_000_000,
        thinned: 999_998,
        mended: 3,
        ..Toll::default()
    };
    for width in [80, 120] {
        let text = plain(&picture::timelines(&document.variants, width));
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flat.contains("one: recorded 1,000,000 spans, drew 2:"),
            "{text}"
        );
        assert!(flat.contains("one: 3 spans had impossible times"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= width),
            "{text}"
        );
    }
}

#[test]
fn plain_ascii_keeps_every_column() {
    let mut document = document();
    document.variants[1].recording.lanes[1].spans[0].cut = true;
    let report = plain(&terminal(&document, 80));
    let ascii = ascii::plain_text(&report);
    assert!(ascii.is_ascii());
    assert!(!ascii.contains('?') || report.contains('?'), "{ascii}");
    let widths = |text: &str| {
        text.lines()
            .map(|line| line.chars().count())
            .collect::<Vec<_>>()
    };
    assert_eq!(widths(&ascii), widths(&report));
    assert!(
        ascii.contains("worker 1           |              ???????????????!"),
        "{ascii}"
    );
    assert!(ascii.contains("+ shown: waits overlap") && ascii.contains("x not shown here"));
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
fn two_runs_break_their_lines_alike() {
    let said = |[a, b, c]: [&str; 3]| {
        let text = format!("the least and the most of it: wall {a}–{b}, which is {c} of it all");
        let text = wrap(&text, 50, 4);
        let words = text.replace(|c: char| c.is_ascii_digit() || ". nµm".contains(c), "");
        (words, text)
    };
    let (first, text) = said(["1.02 s", "1.05 s", "9 %"]);
    for other in [["850 µs", "12.3 ms", "100 %"], ["9 ms", "9 s", "0 %"]] {
        assert_eq!(said(other).0, first, "{text}");
    }
}

#[test]
fn a_column_of_figures_is_as_wide_in_every_run() {
    let end = |cell: &str, width| {
        let rows = vec![vec!["one".to_owned(), cell.into(), "1".into()]];
        let text = plain(&table(&["name", "CPU", "n"], rows, &[0], width));
        text.lines().last().map_or(0, |line| line.chars().count())
    };
    for cell in ["9.99 ms", "10 ms", "1.02 s", "0 s"] {
        assert_eq!(end(cell, 80), "name  9.99 ms  1".len(), "{cell}");
    }
    assert_eq!(end("1 s", 14), "name     1 s 1".len(), "a smaller gap");
    assert_eq!(end("1 s", 11), "name 1 s 1".len(), "no room to spare");
}

#[test]
fn text_wraps_between_words_and_keeps_its_margin() {
    assert_eq!(
        wrap("one two three four five six seven", 24, 2),
        "  one two three four\n  five six seven"
    );
    assert_eq!(wrap("", 24, 2), "");
}
