use super::*;
use crate::{CheckReport, Ledger, Pointer, RecorderReport, Recording, SCHEMA, Variant};
use measure::host::Host;
use std::time::Duration;
use timeline::{Handover, Lane, LaneId, LaneKind, Level, Moment, Span, Toll};

fn lane(kind: LaneKind, number: u64, name: &str, spans: Vec<Span>) -> Lane {
    Lane {
        id: LaneId { kind, number },
        name: name.into(),
        spans,
    }
}

fn variant(name: &str, wall_ms: u64, speedup: f64, lanes: Vec<Lane>) -> Variant {
    let wall_s = wall_ms as f64 / 1e3;
    Variant {
        name: name.into(),
        runs: 1,
        wall_s,
        wall_min_s: wall_s,
        wall_max_s: wall_s,
        walls_s: vec![wall_s],
        failed_by_round: vec![0],
        cpu_user_s: 0.004,
        cpu_system_s: 0.001,
        open_s: 1.0,
        busy_s: 0.5,
        bound_s: Some(1.0),
        bound_reason: Some("one wait".into()),
        speedup: Some(speedup),
        efficiency: Some(1.0 / wall_s),
        comparable: true,
        ledger: Ledger {
            submitted: 2,
            done: 1,
            failed: 1,
            peak_in_flight: Some(2),
            threads: Some(3),
            processes: 1,
            connections: None,
            voluntary_switches: Some(1_234),
            involuntary_switches: Some(5),
            peak_rss_bytes: Some(7_400_000),
            ..Ledger::default()
        },
        lanes: Vec::new(),
        folded: 0,
        counters: Vec::new(),
        recorder: RecorderReport::default(),
        figures: std::collections::BTreeMap::new(),
        results: Value::Null,
        recording: Recording {
            start: start(),
            wall: Duration::from_millis(wall_ms),
            lanes,
            ..Recording::default()
        },
    }
}

fn start() -> Moment {
    Moment::at(Duration::from_secs(5))
}

fn span(name: &'static str, from_ms: u64, to_ms: u64, busy_ms: u64) -> Span {
    let at = |ms| start().plus(Duration::from_millis(ms));
    Span::watched(name, at(from_ms), at(to_ms), Duration::from_millis(busy_ms))
}

fn document() -> Document {
    let one = vec![lane(
        LaneKind::Thread,
        0,
        "main",
        vec![span("fetch", 0, 1000, 2), span("fetch", 1000, 2000, 2)],
    )];
    let two = vec![
        lane(
            LaneKind::Task,
            0,
            "fetch 1",
            vec![span("fetch", 0, 1000, 1)],
        ),
        lane(
            LaneKind::Process,
            77,
            "worker 1",
            vec![span("parse", 500, 1000, 500)],
        ),
    ];
    let claim = |text: &str, verdict, reason: Option<&str>| ClaimReport {
        name: "claim".into(),
        headline: true,
        text: text.into(),
        verdict,
        evidence: "both: wall 1.00 s < 2.00 s".into(),
        reason: reason.map(String::from),
        checks: Vec::<CheckReport>::new(),
    };
    Document {
        schema: SCHEMA,
        step: "lab-99-example".into(),
        question: "what does a report look like?".into(),
        mirrors: vec!["lab/99_example.py".into()],
        why: "Because it is drawn from fixed data.".into(),
        remember: "One thread does one thing at a time.".into(),
        predict: Pointer::to(
            "cargo run -p lab-99-example -- --workers 4",
            "twice as fast?",
        ),
        next: Some(Pointer::to("lab-98-another", "what comes after it?")),
        sources: Vec::new(),
        command: "cargo run -p step".into(),
        host: Host {
            os: "linux".into(),
            arch: "x86_64".into(),
            cpus: 2,
            parallelism: 1.9,
            load: None,
            profile: "dev profile, opt-level 2".into(),
            rustc: "rustc 1.95.0 (hash date)".into(),
            commit: None,
        },
        params: serde_json::json!({ "requests": 10_000, "delay_s": 0.5, "url": [], "base_url": null }),
        variants: vec![
            variant("one", 2000, 1.0, one),
            variant("both", 1000, 2.0, two),
        ],
        figures: std::collections::BTreeMap::new(),
        claims: vec![
            claim("waits overlap", Verdict::Shown, None),
            claim("work overlaps", Verdict::NotShown, Some("there was none")),
            claim(
                "it is fast",
                Verdict::Inconclusive,
                Some("it was not repeated"),
            ),
        ],
        curves: Vec::new(),
        tables: Vec::new(),
        questions: Vec::new(),
        error: None,
    }
}

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
fn a_trace_has_every_span_on_a_track_with_a_name() {
    let trace = trace(&document());
    let events = trace["traceEvents"].as_array().expect("events");
    let of_phase = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
    assert_eq!(
        of_phase("X"),
        2 + 2 + 1,
        "each variant as a whole, two fetches, one parse"
    );
    assert_eq!(
        (of_phase("b"), of_phase("e")),
        (1, 1),
        "a task is an async track"
    );
    let named: Vec<_> = events
        .iter()
        .filter(|event| event["name"] == "thread_name")
        .collect();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        assert!(
            event["ts"].as_f64() >= Some(0.0) && event["dur"].as_f64() >= Some(0.0),
            "{event}"
        );
        let track = |other: &&Value| other["pid"] == event["pid"] && other["tid"] == event["tid"];
        assert!(named.iter().any(track), "{event}");
    }
    let worker = events
        .iter()
        .find(|event| event["name"] == "parse")
        .expect("the worker's span");
    assert_eq!(worker["pid"], 77, "processes are kept apart");
    assert_eq!(worker["dur"], 500_000.0, "microseconds");
}

#[test]
fn a_trace_tells_overlaps_levels_jobs_and_what_was_cut_off_within_the_format() {
    let mut document = document();
    let recording = &mut document.variants[1].recording;
    let at = |ms| start().plus(Duration::from_millis(ms));
    let mut lost = span("parse", 400, 900, 0);
    (lost.cut, lost.job) = (true, Some(7));
    let mut again = span("parse", 900, 950, 50);
    again.job = Some(7);
    // Before the variant began, and over its neighbours' edges.
    let early = Span::watched("early", Moment::default(), at(500), Duration::ZERO);
    recording.lanes[1].spans.extend([lost, again, early]);
    let mut inner = span("answer", 100, 1000, 0);
    inner.depth = 1;
    let mut sibling = span("answer", 500, 1000, 0);
    sibling.depth = 1;
    recording.lanes[0].spans.extend([inner, sibling]);
    recording.lanes[0].spans[0].polls = vec![(at(0), at(1)), (at(999), at(1000))];
    let main = LaneId {
        kind: LaneKind::Thread,
        number: 4711,
    };
    recording.handovers.push(Handover {
        job: 7,
        submitted: Some((main, at(300))),
        received: Some((main, at(980))),
    });
    let (name, samples) = ("queue".into(), vec![(at(1), 3.0), (at(2), 2.0)]);
    recording.levels.push(Level { name, samples });

    let trace = trace(&document);
    assert_eq!(testing::faults_of(&trace), Vec::<String>::new());
    let phases = |phase: &str| testing::events_of(&trace, phase).len();
    assert_eq!((phases("b"), phases("e"), phases("n")), (3, 3, 2));
    assert_eq!((phases("s"), phases("t"), phases("f")), (1, 2, 1));
    assert_eq!(phases("C"), 2);
    let cut = testing::events_of(&trace, "X");
    let cut = cut.iter().filter(|event| event["args"]["cut"] == true);
    assert_eq!(
        cut.map(|event| &event["name"]).collect::<Vec<_>>(),
        ["parse (cut off)"]
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
