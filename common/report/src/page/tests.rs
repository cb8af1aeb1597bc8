use super::*;
use crate::{
    ClaimReport, CounterReport, Curve, CurveLine, CurvePoint, LaneReport, Ledger, Pointer,
    RecorderReport, Scale, SpanReport, TableReport, Variant, Verdict,
};
use ::timeline::{LaneKind, Recording};
use measure::host::Host;

const HOSTILE: &str = "</script><script>alert(1)</script>\"'&";

/// A variant without lanes that took this long.
pub(super) fn variant(name: &str, wall_s: f64) -> Variant {
    Variant {
        name: name.into(),
        runs: 1,
        wall_s,
        wall_min_s: wall_s,
        wall_max_s: wall_s,
        walls_s: vec![wall_s],
        failed_by_round: vec![0],
        cpu_user_s: 0.25,
        cpu_system_s: 0.125,
        open_s: 0.0,
        busy_s: 0.0,
        bound_s: Some(0.5),
        bound_reason: Some("one wait".into()),
        speedup: Some(1.0),
        efficiency: Some(0.5 / wall_s),
        comparable: true,
        ledger: Ledger::default(),
        lanes: Vec::new(),
        folded: 0,
        counters: Vec::new(),
        spent: crate::SpentReport::default(),
        recorder: RecorderReport::default(),
        figures: std::collections::BTreeMap::new(),
        note: None,
        results: Value::Null,
        recording: Recording::default(),
    }
}

fn lane(id: u64, spans: usize, wall_s: f64) -> LaneReport {
    let each = wall_s / spans as f64;
    let span = |number: usize| SpanReport {
        name: "fetch".into(),
        start_s: each * number as f64,
        end_s: each * (number as f64 + 0.9),
        busy_s: each * 0.3,
        wait: number.is_multiple_of(2).then(|| "io".into()),
        depth: 0,
        cut: number == 3,
        polls_s: Vec::new(),
        file: None,
        line: None,
    };
    LaneReport {
        id,
        name: format!("task {id}"),
        kind: LaneKind::Task,
        spans: (0..spans).map(span).collect(),
    }
}

fn document(variants: Vec<Variant>) -> Document {
    let claim = |verdict| ClaimReport {
        name: "claim".into(),
        headline: true,
        text: "waits overlap".into(),
        line: "waits overlap".into(),
        verdict,
        evidence: "a 1 s < b 2 s".into(),
        reason: (verdict != Verdict::Shown).then(|| "there were none".into()),
        needs_quiet: false,
        checks: Vec::new(),
    };
    Document {
        schema: SCHEMA,
        step: "lab-99-example".into(),
        question: "what does a page look like?".into(),
        mirrors: vec!["lab/99.py".into()],
        why: "Because it is drawn from fixed data.".into(),
        remember: "One thread does one thing at a time.".into(),
        predict: Pointer::to(
            "cargo run -p lab-99-example -- --workers 4",
            "twice as fast?",
        ),
        next: Some(Pointer::to("lab-98-another", "what comes after it?")),
        sources: Vec::new(),
        command: "cargo run -p lab-99 -- --workers 4".into(),
        host: Host {
            os: "linux".into(),
            arch: "x86_64".into(),
            cpus: 2,
            parallelism: 1.9,
            load: None,
            profile: "dev profile".into(),
            rustc: "rustc 1.95.0".into(),
            commit: Some("123456789".into()),
        },
        params: json!({ "workers": 4 }),
        variants,
        figures: std::collections::BTreeMap::new(),
        claims: vec![
            claim(Verdict::Shown),
            claim(Verdict::NotShown),
            claim(Verdict::Inconclusive),
        ],
        curves: Vec::new(),
        tables: Vec::new(),
        questions: Vec::new(),
        error: None,
    }
}

fn two() -> Document {
    let mut long = variant("sequential", 2.0);
    long.lanes = vec![lane(1, 10, 2.0)];
    (long.open_s, long.busy_s) = (1.8, 0.6);
    let mut short = variant("threaded", 0.1);
    short.lanes = (1..=50).map(|id| lane(id, 4, 0.1)).collect();
    short.folded = 950;
    short.counters = vec![CounterReport {
        name: "in flight".into(),
        samples: vec![(0.0, 3.0), (0.05, 8.0), (0.09, 0.0)],
    }];
    short.recorder = RecorderReport {
        spans: 1_200,
        thinned: 200,
        mended: 0,
        cost_s: 0.001,
    };
    document(vec![long, short])
}

#[test]
fn a_page_holds_everything_that_a_run_told_and_asks_the_network_for_nothing() {
    let page = of(&[two()], &[]);
    for part in [
        "what does a page look like?",
        "✓ shown:",
        "✗ not shown here:",
        "– could not tell:",
        "because there were none",
        "data-field=wall_s data-value=2>2.00 s",
        "25 % of bound",
        "+ 961 more tasks",
        "Enlarged 20 × against the others",
        "in flight <small>≤ 8",
        "Recorded 1,200 spans; that took 1.00 ms, 1.00 % of the wall time; 200 of them were joined to neighbours",
        "nobody told how it ran",
        "Because it is drawn from fixed data.",
        "twice as fast? <code>cargo run -p lab-99-example -- --workers 4</code>",
        "<code>cargo run -p lab-99 -- --workers 4</code>",
        "workers 4",
        "commit 123456789",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let without_name = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!without_name.contains(word), "{word}");
    }
}

#[test]
fn what_others_wrote_stays_text_wherever_it_stands() {
    let mut hostile = two();
    let ours = of(std::slice::from_ref(&hostile), &[])
        .matches("<script")
        .count();
    hostile.step = HOSTILE.into();
    hostile.question = HOSTILE.into();
    hostile.why = HOSTILE.into();
    hostile.command = HOSTILE.into();
    hostile.error = Some(HOSTILE.into());
    hostile.mirrors = vec![HOSTILE.into()];
    hostile.remember = HOSTILE.into();
    hostile.predict = Pointer::to(HOSTILE, HOSTILE);
    hostile.next = Some(Pointer::to(HOSTILE, HOSTILE));
    hostile.params = json!({ HOSTILE: HOSTILE });
    hostile.host.os = HOSTILE.into();
    hostile.claims[1].text = HOSTILE.into();
    hostile.claims[1].evidence = HOSTILE.into();
    hostile.claims[1].reason = Some(format!("{HOSTILE}2"));
    hostile.tables = vec![TableReport {
        title: HOSTILE.into(),
        headings: vec![HOSTILE.into()],
        rows: vec![vec![HOSTILE.into()]],
        text_columns: vec![0],
        notes: vec![HOSTILE.into()],
    }];
    hostile.curves = vec![curve(HOSTILE)];
    for variant in &mut hostile.variants {
        variant.name = HOSTILE.into();
        variant.bound_reason = Some(HOSTILE.into());
        for lane in &mut variant.lanes {
            lane.name = HOSTILE.into();
            lane.spans.iter_mut().for_each(|span| {
                span.name = HOSTILE.into();
                span.wait = Some(HOSTILE.into());
            });
        }
        variant
            .counters
            .iter_mut()
            .for_each(|counter| counter.name = HOSTILE.into());
    }
    let page = of(&[hostile.clone()], &[]);
    assert_eq!(page.matches("<script").count(), ours);
    assert_eq!(page.matches("</script").count(), ours);
    let pages = of(&[hostile.clone(), hostile], &[HOSTILE.into()]);
    assert!(!pages.contains("<script>alert"));
}

fn curve(name: &str) -> Curve {
    let point = |x: f64| CurvePoint {
        x,
        y: 8.0 / x,
        low: 7.0 / x,
        high: 9.0 / x,
        bound: Some(6.0 / x),
    };
    let line = CurveLine {
        name: name.into(),
        points: [1.0, 2.0, 4.0].map(point).into(),
        knee: Some(4.0),
    };
    Curve {
        title: name.into(),
        axis: name.into(),
        scale: Scale::Seconds,
        lines: vec![line],
        bound_reason: Some(name.into()),
    }
}

#[test]
fn a_curve_has_its_points_its_bound_and_its_knee() {
    let mut document = two();
    document.curves = vec![curve("pool sizes")];
    let page = of(&[document], &[]);
    assert_eq!(page.matches("class=knee").count(), 1);
    assert!(page.contains("pool sizes: 8.00 s at 1, 4.00 s at 2, 2.00 s at 4; knee at 4"),);
    assert!(page.contains("<td>2.00 s<td>1.75 s–2.25 s<td>1.50 s"),);
}

#[test]
fn variants_that_do_the_same_work_share_an_axis_where_all_can_be_seen_on_it() {
    let timed = |name: &str, wall_s: f64, speedup: Option<f64>| Variant {
        lanes: vec![lane(1, 2, wall_s)],
        speedup,
        ..variant(name, wall_s)
    };
    let one = timed("one", 1.0, Some(1.0));
    let both = timed("both", 0.1, Some(10.0));
    let other = timed("other", 4.0, None);
    let page = of(&[document(vec![one, both, other])], &[]);
    for (axis, wall) in [("1", "1"), ("1", "0.1"), ("4", "4")] {
        let start = format!("<div class=variant data-axis={axis} data-wall={wall}>");
        assert!(page.contains(&start), "{start}");
    }
    assert_eq!(page.matches("Enlarged 4 × against").count(), 2);
}

#[test]
fn several_steps_have_contents_an_overview_and_what_failed() {
    let mut failed = two();
    failed.step = "lab-98-other".into();
    failed.variants.clear();
    failed.error = Some("it was interrupted".into());
    let page = of(&[two(), failed], &["lab-97 did not build".into()]);
    for part in [
        "<li><a href='#lab-98-other'>",
        "nothing finished",
        "it was interrupted",
        "lab-97 did not build",
        "Steps that ran: 2",
        "<td>1 of 3",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_page_stays_small_however_much_was_recorded() {
    let mut large = variant("large", 1.0);
    large.lanes = (0..60).map(|id| lane(id, 1_000, 1.0)).collect();
    let steps: Vec<Document> = (0..23).map(|_| document(vec![large.clone(); 2])).collect();
    let size = of(&steps, &[]).len();
    assert!(size < 3_000_000, "{size}");
}

#[test]
fn an_empty_run_is_a_page_too() {
    let page = of(&[document(Vec::new())], &[]);
    assert!(!page.contains("class=timelines data-"));
    let endless = variant("endless", 0.0);
    let _ = of(&[document(vec![endless])], &[]);
    let _ = of(&[], &[]);
}

/// The colours that a style sheet gives its variables in the block that begins with `start`.
fn colours(start: &str) -> Vec<(String, [f64; 3])> {
    let from = STYLE.find(start).expect("the block is there") + start.len();
    let block = STYLE[from..].split('}').next().unwrap_or_default();
    let pairs = block
        .split(';')
        .filter_map(|pair| pair.trim().strip_prefix("--")?.split_once(": #"));
    pairs
        .map(|(name, digits)| {
            let channel =
                |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
            (
                name.to_owned(),
                [0, 2, 4].map(|at| f64::from(channel(at)) / 255.0),
            )
        })
        .collect()
}

/// How light a colour is, as the accessibility guidelines reckon it.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|c| {
        if c <= 0.040_45 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_text_stands_out_from_what_is_behind_it_in_light_dark_and_print() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    for block in [
        ":root { color-scheme: light dark;",
        "dark) { :root {",
        "print { :root { color-scheme: light;",
    ] {
        let colours = colours(block);
        assert!(colours.len() >= 23, "{block}: {}", colours.len());
        let of = |name: &str| colours.iter().find(|one| one.0 == name).expect(name).1;
        for (name, colour) in colours
            .iter()
            .filter(|one| !["paper", "panel", "line"].contains(&&*one.0))
        {
            for back in ["paper", "panel"] {
                let ratio = contrast(*colour, of(back));
                assert!(ratio >= 4.5, "{block} {name} on {back}: {ratio:.2}");
            }
        }
    }
}

#[test]
fn headings_are_in_order_and_every_column_has_a_scope() {
    let page = of(&[two(), two()], &[]);
    let mut level = 0;
    for heading in page
        .match_indices("<h")
        .filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10))
    {
        assert!(heading <= level + 1, "h{heading} after h{level}");
        level = heading;
    }
    assert_eq!(page.matches("<th>").count(), 0);
    assert_eq!(
        page.matches("<svg").count(),
        page.matches("role=img").count() + page.matches("aria-hidden=true><path").count()
    );
}
