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

/// Process and thread.
type Track = (u64, u64);

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
    assert_eq!(faults_of(&trace), [""; 0]);
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
/// Checked are the fields that each phase requires, that slices of a track lie in each other or apart, that
/// the first slice of those that arrows join, and no other, has none that leads to it, and that every track with
/// slices, and its process, has one name.
pub fn faults_of(trace: &Value) -> Vec<String> {
    let Some(events) = trace["traceEvents"].as_array() else {
        return vec!["`traceEvents` is no list".into()];
    };
    let mut faults: Vec<String> = events.iter().filter_map(fault_of_event).collect();
    let mut tracks: BTreeMap<_, Vec<Slice>> = BTreeMap::new();
    let mut arrows: BTreeMap<_, Vec<&Value>> = BTreeMap::new();
    let (mut threads, mut processes) = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        match (phase(event), event["name"].as_str()) {
            ("X", _) => {
                if let Some(id) = event["bind_id"].as_str() {
                    arrows.entry(id).or_default().push(event);
                }
                let end = time(event) + event["dur"].as_f64().unwrap_or(f64::NAN);
                let slices = tracks.entry(track(event)).or_default();
                slices.push((time(event), end));
            }
            ("M", Some("thread_name")) if !threads.insert(track(event)) => {
                faults.push(format!("a track has two names: {event}"));
            }
            ("M", Some("process_name")) => drop(processes.insert(track(event).0)),
            _ => {}
        }
    }
    for (track, slices) in &mut tracks {
        slices.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let crossing = crossing(slices);
        faults.extend(crossing.map(|slice| format!("slices cross on {track:?}: {slice:?}")));
        if !threads.contains(track) || !processes.contains(&track.0) {
            faults.push(format!("{track:?} has no name"));
        }
    }
    let arrows = arrows.into_iter();
    faults.extend(arrows.filter_map(|(id, slices)| fault_of_arrows(id, slices)));
    faults
}

/// Slices that arrows join begin with one that none leads to; programs that draw them read a hexadecimal number.
fn fault_of_arrows(id: &str, mut slices: Vec<&Value>) -> Option<String> {
    slices.sort_by(|a, b| time(a).total_cmp(&time(b)));
    let mut starts = slices.iter().map(|slice| &slice["flow_in"]);
    let is_right = starts.next().is_some_and(|first| first == false)
        && starts.all(|later| later == true)
        && slices.iter().all(|slice| slice["flow_out"] == true)
        && (id.strip_prefix("0x")).is_some_and(|id| u64::from_str_radix(id, 16).is_ok());
    (!is_right).then(|| format!("arrows of {id}: {slices:?}"))
}

fn phase(event: &Value) -> &str {
    event["ph"].as_str().unwrap_or_default()
}

fn time(event: &Value) -> f64 {
    event["ts"].as_f64().unwrap_or(f64::NAN)
}

fn track(event: &Value) -> Track {
    let number = |name| event[name].as_u64().unwrap_or(u64::MAX);
    (number("pid"), number("tid"))
}

/// A field that is missing or wrong, or a phase that is not known.
fn fault_of_event(event: &Value) -> Option<String> {
    let required: &[&str] = match phase(event) {
        "M" => &["name", "pid", "args"],
        "X" => &["name", "pid", "tid", "ts", "dur"],
        "i" => &["name", "s", "pid", "tid", "ts"],
        "C" => &["name", "pid", "ts", "args"],
        _ => return Some(format!("an unknown phase: {event}")),
    };
    let is_right = |field: &str| match (field, &event[field]) {
        ("pid" | "tid", value) => value.is_u64(),
        ("ts" | "dur", value) => value.as_f64() >= Some(0.0),
        // A counter counts numbers.
        ("args", Value::Object(args)) => phase(event) == "M" || args.values().all(Value::is_number),
        (_, value) => value.as_str().is_some_and(|text| !text.is_empty()),
    };
    let wrong = required.iter().find(|field| !is_right(field))?;
    Some(format!("`{wrong}` of {event}"))
}

/// The slices of a track, in order, that end after the one around them.
fn crossing(slices: &[Slice]) -> impl Iterator<Item = &Slice> {
    let mut open: Vec<f64> = Vec::new();
    slices.iter().filter(move |(start, end)| {
        while open.pop_if(|around| *around <= start + SAME).is_some() {}
        let crosses = open.last().is_some_and(|around| *end > around + SAME);
        open.push(*end);
        crosses
    })
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

    fn stop(id: &str, flow_in: bool, from: f64) -> Value {
        let mut stop = slice(from, 1.0);
        stop["bind_id"] = json!(id);
        (stop["flow_in"], stop["flow_out"]) = (json!(flow_in), json!(true));
        stop
    }

    #[test]
    fn what_keeps_to_the_format_has_no_fault() {
        let events = json!([
            slice(0.0, 10.0), slice(0.0, 4.0), slice(4.0, 6.0), slice(10.0, 1.0),
            { "ph": "i", "s": "t", "name": "polled", "pid": 1, "tid": 1, "ts": 1.0 },
            stop("0x1f", false, 11.0), stop("0x1f", true, 12.0), stop("0x1f", true, 13.0),
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
            (json!([stop("0x1", true, 1.0)]), "arrows of 0x1"),
            (json!([stop("1/2", false, 1.0)]), "arrows of 1/2"),
            (
                json!([stop("0x1", true, 1.0), stop("0x1", false, 3.0)]),
                "arrows of 0x1",
            ),
            (
                json!([{ "ph": "X", "name": "work", "pid": 2, "tid": 1, "ts": 0.0, "dur": 1.0 }]),
                "no name",
            ),
            (
                json!([{ "ph": "C", "name": "queue", "pid": 1, "ts": 1.0, "args": { "level": "x" } }]),
                "`args`",
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
