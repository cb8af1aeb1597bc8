//! The timeline in the Chrome trace format, which Perfetto and `chrome://tracing` open.

use crate::{
    experiment::{Document, Recording},
    timeline::{Lane, LaneKind, Moment, Span},
};
use serde_json::{Value, json};
use std::process;

/// All variants one after another as they ran, each with its lanes.
pub(crate) fn trace(document: &Document) -> Value {
    let variants = document.variants.iter();
    let recordings: Vec<_> = variants
        .map(|variant| (variant.name.as_str(), &variant.recording))
        .collect();
    let other = json!({ "host": document.host, "params": document.params });
    of_recordings(&document.step, &recordings, &other)
}

/// A recording by itself.
pub(super) fn alone(recording: &Recording) -> Value {
    of_recordings("program", &[("timeline", recording)], &json!({}))
}

fn of_recordings(program: &str, recordings: &[(&str, &Recording)], other: &Value) -> Value {
    let own = process::id();
    let zero = recordings
        .iter()
        .map(|(_, recording)| recording.start)
        .min();
    let mut events = vec![json!({
        "ph": "M", "name": "process_name", "pid": own, "args": { "name": program }
    })];
    for (index, (name, recording)) in recordings.iter().enumerate() {
        let row = Row {
            zero: zero.unwrap_or_default(),
            own,
            first_thread: (index as u64 + 1) * 10_000,
            variant: name,
        };
        row.variant_events(recording, &mut events);
    }
    json!({ "traceEvents": events, "displayTimeUnit": "ms", "otherData": other })
}

/// Where one variant's events go: threads of different variants are kept apart by their ids.
struct Row<'a> {
    zero: Moment,
    own: u32,
    first_thread: u64,
    variant: &'a str,
}

impl Row<'_> {
    fn variant_events(&self, recording: &Recording, events: &mut Vec<Value>) {
        let whole = Span::watched(
            "variant",
            recording.start,
            recording.start.plus(recording.wall),
            recording.wall,
        );
        self.name_thread(self.own, self.first_thread, self.variant, events);
        events.push(self.complete(self.own, self.first_thread, self.variant, &whole));
        for lane in &recording.lanes {
            self.lane_events(lane, events);
        }
    }

    fn lane_events(&self, lane: &Lane, events: &mut Vec<Value>) {
        let title = format!("{}: {}", self.variant, lane.name);
        match lane.id.kind {
            LaneKind::Task => {
                let id = format!("{}/{}", self.variant, lane.id.number);
                for span in &lane.spans {
                    events.push(self.task_event("b", &id, &title, span.start, span));
                    events.push(self.task_event("e", &id, &title, span.end, span));
                }
            }
            LaneKind::Thread | LaneKind::Process => {
                let (process, thread) = match lane.id.kind {
                    LaneKind::Process => (lane.id.number as u32, self.first_thread),
                    _ => (self.own, self.first_thread + 1 + lane.id.number),
                };
                if lane.id.kind == LaneKind::Process {
                    events.push(json!({
                        "ph": "M", "name": "process_name", "pid": process, "args": { "name": lane.name }
                    }));
                }
                self.name_thread(process, thread, &title, events);
                events.extend(
                    lane.spans
                        .iter()
                        .map(|span| self.complete(process, thread, &span.name, span)),
                );
            }
        }
    }

    fn name_thread(&self, process: u32, thread: u64, name: &str, events: &mut Vec<Value>) {
        events.push(json!({
            "ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": { "name": name }
        }));
    }

    fn complete(&self, process: u32, thread: u64, name: &str, span: &Span) -> Value {
        json!({
            "ph": "X", "name": name, "pid": process, "tid": thread, "ts": self.microseconds(span.start),
            "dur": span.duration().as_nanos() as f64 / 1e3, "args": about(span),
        })
    }

    fn task_event(&self, phase: &str, id: &str, title: &str, at: Moment, span: &Span) -> Value {
        let name = if span.depth == 0 { title } else { &span.name };
        json!({
            "ph": phase, "cat": "task", "id": id, "name": name, "pid": self.own, "tid": self.first_thread,
            "ts": self.microseconds(at), "args": about(span),
        })
    }

    fn microseconds(&self, moment: Moment) -> f64 {
        (moment - self.zero).as_nanos() as f64 / 1e3
    }
}

fn about(span: &Span) -> Value {
    json!({ "busy_s": span.busy.as_secs_f64(), "wait": span.wait })
}
