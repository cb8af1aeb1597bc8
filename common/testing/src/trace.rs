//! Holds a trace against the rules of the Trace Event Format, as published by the Chromium project.

use super::run;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Times are microseconds with three decimals; what differs by less is the same.
const SAME: f64 = 0.002;

/// A slice: from when to when.
type Slice = (f64, f64);

/// Runs a step with `--trace` and returns its trace, which keeps to the format.
///
/// # Panics
/// If the step or its trace fails.
pub fn traced(program: impl AsRef<Path>, arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a folder for the trace");
    let file = folder.path().join("trace.json");
    let place = file.to_str().expect("a plain name");
    let _ = run(program, &[arguments, &["--trace", place]].concat()).well();
    let text = fs::read(&file).expect("the trace was written");
    let trace = serde_json::from_slice(&text).expect("it is JSON");
    let faults = faults_of(&trace);
    assert!(
        faults.is_empty(),
        "{} faults, first {}",
        faults.len(),
        faults[0]
    );
    trace
}

/// The events of a trace that have this phase.
///
/// # Panics
/// If it has no list of events.
pub fn events_of<'a>(trace: &'a Value, phase: &str) -> Vec<&'a Value> {
    let events = trace["traceEvents"].as_array().expect("a list of events");
    events.iter().filter(|event| event["ph"] == phase).collect()
}

/// What is wrong with a trace, one line each; nothing if it keeps to the format.
///
/// Checked are the fields that each phase requires, that slices of a track lie in each other or apart, and
/// that arrows begin and end within slices.
pub fn faults_of(trace: &Value) -> Vec<String> {
    let Some(events) = trace["traceEvents"].as_array() else {
        return vec!["`traceEvents` is no list".into()];
    };
    let mut faults: Vec<String> = events.iter().flat_map(faults_of_event).collect();
    let slices = slices(events);
    faults.extend(
        slices
            .iter()
            .flat_map(|(track, slices)| faults_of_nesting(*track, slices)),
    );
    faults.extend(faults_of_arrows(events, &slices));
    faults.extend(faults_of_names(events, &slices));
    faults
}

fn phase(event: &Value) -> &str {
    event["ph"].as_str().unwrap_or_default()
}

fn time(event: &Value) -> f64 {
    event["ts"].as_f64().unwrap_or(f64::NAN)
}

/// Process and thread.
fn track(event: &Value) -> (u64, u64) {
    let number = |name| event[name].as_u64().unwrap_or(u64::MAX);
    (number("pid"), number("tid"))
}

fn faults_of_event(event: &Value) -> Vec<String> {
    let required: &[&str] = match phase(event) {
        "M" => &["name", "pid", "args"],
        "X" => &["name", "pid", "tid", "ts", "dur"],
        "i" => &["name", "s", "pid", "tid", "ts"],
        "C" => &["name", "pid", "ts", "args"],
        "s" | "t" | "f" => &["name", "cat", "id", "pid", "tid", "ts"],
        _ => return vec![format!("an unknown phase: {event}")],
    };
    let is_right = |field: &str| match field {
        "pid" | "tid" => event[field].is_u64(),
        "ts" | "dur" => event[field]
            .as_f64()
            .is_some_and(|value| value.is_finite() && value >= 0.0),
        "args" => event[field].is_object(),
        "id" => event[field].is_string() || event[field].is_u64(),
        _ => event[field].as_str().is_some_and(|text| !text.is_empty()),
    };
    let wrong = required.iter().filter(|field| !is_right(field));
    let mut faults: Vec<String> = wrong.map(|field| format!("`{field}` of {event}")).collect();
    let counts = event["args"].as_object();
    if phase(event) == "C" && !counts.is_some_and(|counts| counts.values().all(Value::is_number)) {
        faults.push(format!("a counter of what is no number: {event}"));
    }
    faults
}

fn slices(events: &[Value]) -> BTreeMap<(u64, u64), Vec<Slice>> {
    let mut slices: BTreeMap<_, Vec<Slice>> = BTreeMap::new();
    for event in events.iter().filter(|event| phase(event) == "X") {
        let start = time(event);
        let end = start + event["dur"].as_f64().unwrap_or(f64::NAN);
        slices.entry(track(event)).or_default().push((start, end));
    }
    for slices in slices.values_mut() {
        slices.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    }
    slices
}

fn faults_of_nesting(track: (u64, u64), slices: &[Slice]) -> Vec<String> {
    let mut open: Vec<f64> = Vec::new();
    let mut faults = Vec::new();
    for (start, end) in slices {
        while open.pop_if(|around| *around <= start + SAME).is_some() {}
        if open.last().is_some_and(|around| *end > around + SAME) {
            faults.push(format!(
                "slices cross on {track:?}: {start}–{end} over {open:?}"
            ));
        }
        open.push(*end);
    }
    faults
}

/// Each arrow begins once and ends once, no stop lies before the one before it, and each in a slice.
fn faults_of_arrows(events: &[Value], slices: &BTreeMap<(u64, u64), Vec<Slice>>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut arrows: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| matches!(phase(event), "s" | "t" | "f"))
    {
        arrows
            .entry(event["id"].to_string())
            .or_default()
            .push(event);
        let at = time(event);
        let lies_in = |slice: &Slice| slice.0 <= at + SAME && at <= slice.1 + SAME;
        if !slices
            .get(&track(event))
            .is_some_and(|slices| slices.iter().any(lies_in))
        {
            faults.push(format!("an arrow outside of all slices: {event}"));
        }
        if phase(event) == "f" && event["bp"] != "e" {
            faults.push(format!("an arrow to whatever comes next: {event}"));
        }
    }
    for (id, stops) in arrows {
        let phases: String = stops.iter().map(|stop| phase(stop)).collect();
        let between = phases
            .strip_prefix('s')
            .and_then(|rest| rest.strip_suffix('f'));
        if !between.is_some_and(|between| between.chars().all(|phase| phase == 't')) {
            faults.push(format!("arrow {id} goes {phases}"));
        }
        if !stops.is_sorted_by(|a, b| time(a) <= time(b)) {
            faults.push(format!("arrow {id} goes back in time"));
        }
    }
    faults
}

/// Every track with slices, and every process, has one name.
fn faults_of_names(events: &[Value], slices: &BTreeMap<(u64, u64), Vec<Slice>>) -> Vec<String> {
    let named = |what: &'static str| {
        let is_name = move |event: &&Value| phase(event) == "M" && event["name"] == what;
        events.iter().filter(is_name).map(track)
    };
    let threads: BTreeSet<_> = named("thread_name").collect();
    let processes: BTreeSet<_> = named("process_name").collect();
    let tracks = slices.keys();
    let unnamed = tracks.filter(|track| {
        !threads.contains(track) || !processes.iter().any(|process| process.0 == track.0)
    });
    let mut faults: Vec<String> = unnamed
        .map(|track| format!("{track:?} has no name"))
        .collect();
    if named("thread_name").count() > threads.len() {
        faults.push("a track has two names".into());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(events: Value) -> Vec<String> {
        let names = [
            json!({ "ph": "M", "name": "process_name", "pid": 1, "args": { "name": "one" } }),
            json!({ "ph": "M", "name": "thread_name", "pid": 1, "tid": 1, "args": { "name": "main" } }),
        ];
        let events = names
            .into_iter()
            .chain(events.as_array().cloned().expect("a list"));
        faults_of(&json!({ "traceEvents": events.collect::<Vec<_>>() }))
    }

    fn slice(from: f64, length: f64) -> Value {
        json!({ "ph": "X", "name": "work", "pid": 1, "tid": 1, "ts": from, "dur": length })
    }

    fn at(phase: &str, name: &str, ts: f64) -> Value {
        json!({ "ph": phase, "bp": "e", "cat": "c", "id": "1", "name": name, "pid": 1, "tid": 1, "ts": ts })
    }

    #[test]
    fn what_keeps_to_the_format_has_no_fault() {
        let events = json!([
            slice(0.0, 10.0), slice(0.0, 4.0), slice(4.0, 6.0), slice(10.0, 1.0),
            { "ph": "i", "s": "t", "name": "polled", "pid": 1, "tid": 1, "ts": 1.0 },
            at("s", "job", 1.0), at("t", "job", 5.0), at("f", "job", 10.5),
            { "ph": "C", "name": "queue", "pid": 1, "ts": 1.0, "args": { "level": 3 } },
        ]);
        assert_eq!(faults(events), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_is_found() {
        for (broken, word) in [
            (json!([slice(-1.0, 1.0)]), "`ts`"),
            (
                json!([{ "ph": "X", "name": "work", "pid": 1, "tid": 1.5, "ts": 0.0, "dur": 1.0 }]),
                "`tid`",
            ),
            (json!([slice(0.0, 5.0), slice(4.0, 5.0)]), "cross"),
            (
                json!([{ "ph": "M", "name": "thread_name", "pid": 1, "tid": 1, "args": { "name": "b" } }]),
                "two names",
            ),
            (json!([slice(0.0, 9.0), at("s", "job", 1.0)]), "goes s"),
            (
                json!([slice(0.0, 9.0), at("s", "job", 3.0), at("f", "job", 1.0)]),
                "back in time",
            ),
            (
                json!([slice(0.0, 1.0), at("s", "job", 1.0), at("f", "job", 3.0)]),
                "outside of all slices",
            ),
            (
                json!([{ "ph": "X", "name": "work", "pid": 2, "tid": 1, "ts": 0.0, "dur": 1.0 }]),
                "no name",
            ),
            (
                json!([{ "ph": "C", "name": "queue", "pid": 1, "ts": 1.0, "args": { "level": "x" } }]),
                "no number",
            ),
            (json!([{ "ph": "?" }]), "unknown phase"),
        ] {
            let found = faults(broken.clone());
            assert!(
                found.iter().any(|fault| fault.contains(word)),
                "{broken}: {found:?}"
            );
        }
    }
}
