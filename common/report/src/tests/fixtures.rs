//! A run that never was, for the tests of everything that is drawn from one.

use crate::{
    CheckReport, ClaimReport, Document, Ledger, Pointer, RecordingReport, SCHEMA, Variant, Verdict,
};
use measure::host::Host;
use std::time::Duration;
use timeline::{Lane, LaneId, LaneKind, Moment, Recording, Span};

pub(crate) fn lane(kind: LaneKind, number: u64, name: &str, spans: Vec<Span>) -> Lane {
    Lane {
        id: LaneId { kind, number },
        name: name.into(),
        spans,
    }
}

pub(crate) fn variant(name: &str, wall_ms: u64, speedup: f64, lanes: Vec<Lane>) -> Variant {
    let wall_s = wall_ms as f64 / 1e3;
    let recording = Recording {
        start: start(),
        wall: Duration::from_millis(wall_ms),
        lanes,
        ..Recording::default()
    };
    Variant {
        name: name.into(),
        runs: 1,
        wall_s,
        wall_min_s: wall_s,
        wall_max_s: wall_s,
        walls_s: vec![wall_s; 3],
        failed_by_round: vec![0; 3],
        cpu_user_s: 0.004,
        cpu_system_s: 0.001,
        open_s: 1.0,
        busy_s: 0.5,
        bound_s: Some(1.0),
        bound_reason: Some("one wait".into()),
        speedup: Some(speedup),
        efficiency: Some(1.0 / wall_s),
        comparable: true,
        ledger: ledger(),
        recorded: RecordingReport::of(&recording),
        figures: std::collections::BTreeMap::new(),
        note: None,
        disturbed: None,
        results: serde_json::Value::Null,
        recording,
    }
}

/// Puts what a test has done to a recording into the document.
pub(crate) fn recorded(mut document: Document) -> Document {
    for variant in &mut document.variants {
        variant.recorded = RecordingReport::of(&variant.recording);
    }
    document
}

fn ledger() -> Ledger {
    Ledger {
        submitted: 2,
        done: 1,
        failed: 1,
        cancelled: 0,
        retried: 0,
        peak_in_flight: Some(2),
        threads: Some(3),
        processes: 1,
        connections: None,
        voluntary_switches: Some(1_234),
        involuntary_switches: Some(5),
        peak_rss_bytes: Some(7_400_000),
    }
}

pub(crate) fn start() -> Moment {
    Moment::at(Duration::from_secs(5))
}

pub(crate) fn span(name: &'static str, from_ms: u64, to_ms: u64, busy_ms: u64) -> Span {
    let at = |ms| start().plus(Duration::from_millis(ms));
    Span::watched(name, at(from_ms), at(to_ms), Duration::from_millis(busy_ms))
}

fn fetch(from_ms: u64, to_ms: u64, busy_ms: u64) -> Span {
    Span {
        wait: Some("io".into()),
        ..span("fetch", from_ms, to_ms, busy_ms)
    }
}

pub(crate) fn document() -> Document {
    let [one, two] = lanes();
    Document {
        schema: SCHEMA,
        step: "lab-99-example".into(),
        question: "what does a report look like?".into(),
        legend: String::new(),
        mirrors: vec!["lab/99_example.py".into()],
        scripts: "lab/99_example.py (time.sleep)".into(),
        why: "Because it is drawn from fixed data.".into(),
        remember: "One thread does one thing at a time.".into(),
        predict: Pointer::to(
            "cargo run -p lab-99-example -- --workers 4",
            "twice as fast?",
        ),
        next: Some(Pointer::to("lab-98-another", "what comes after it?")),
        sources: Vec::new(),
        command: "cargo run -p step".into(),
        host: host(),
        params: serde_json::json!({ "requests": 10_000, "delay_s": 0.5, "url": [], "base_url": null }),
        variants: vec![
            variant("one", 2000, 1.0, one),
            variant("both", 1000, 2.0, two),
        ],
        skipped: Vec::new(),
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
        tables: Vec::new(),
        questions: Vec::new(),
        error: None,
    }
}

fn host() -> Host {
    Host {
        os: "linux".into(),
        arch: "x86_64".into(),
        cpus: 2,
        quota: None,
        parallelism: 1.9,
        load: None,
        profile: "dev profile, opt-level 2".into(),
        rustc: "rustc 1.95.0 (hash date)".into(),
        commit: None,
    }
}

fn claim(text: &str, verdict: Verdict, reason: Option<&str>) -> ClaimReport {
    ClaimReport {
        name: "claim".into(),
        headline: true,
        text: text.into(),
        line: format!("{text}: 1.00 s instead of 2.00 s"),
        verdict,
        evidence: "both: wall 1.00 s < 2.00 s".into(),
        reason: reason.map(String::from),
        needs_quiet: false,
        checks: Vec::<CheckReport>::new(),
    }
}

fn lanes() -> [Vec<Lane>; 2] {
    let one = vec![lane(
        LaneKind::Thread,
        0,
        "main",
        vec![fetch(0, 1000, 2), fetch(1000, 2000, 2)],
    )];
    let two = vec![
        lane(LaneKind::Task, 0, "fetch 1", vec![fetch(0, 1000, 1)]),
        lane(
            LaneKind::Process,
            77,
            "worker 1",
            vec![span("parse", 500, 1000, 500)],
        ),
    ];
    [one, two]
}
