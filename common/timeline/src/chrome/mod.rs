//! The timeline in the Chrome trace format, which Perfetto and `chrome://tracing` open.
//!
//! Each recording is a process of its own name, and all begin at the same moment, so that a slow and a
//! fast one stand above each other. Their lanes are tracks of slices (`X`), levels counters (`C`). Slices of one
//! job have one `bind_id`: arrows lead from that in which it was submitted to those in which it ran and to the one
//! in which its result was taken.

mod track;

use crate::{Lane, LaneKind, Moment, Recording, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use track::tracks;

/// Recordings one above the other, each under its name; `other` is kept as it is.
pub fn trace(recordings: &[(&str, &Recording)], other: &Value) -> Value {
    let mut writer = Writer::default();
    for (name, recording) in recordings {
        writer.process += 1;
        writer.zero = recording.start;
        writer.recording(name, recording);
    }
    json!({ "traceEvents": writer.events, "displayTimeUnit": "ms", "otherData": other })
}

/// Writes the events of one recording after the other.
#[derive(Default)]
struct Writer {
    process: u64,
    zero: Moment,
    /// Tracks so far, of all recordings: readers that look at the number only take none for another.
    threads: u64,
    events: Vec<Value>,
    /// When each job of this recording was first seen.
    jobs: BTreeMap<u64, Moment>,
}

impl Writer {
    fn recording(&mut self, name: &str, recording: &Recording) {
        let whole = self.track("the whole");
        self.name("process", name);
        let end = recording.start.plus(recording.wall);
        self.slice(whole, name, (recording.start, end), json!({}));
        // An arrow begins and ends in slices: each hand-over is one, of its thread.
        let mut lanes = recording.lanes.clone();
        for handed in &recording.handovers {
            match lanes.iter_mut().find(|lane| lane.id == handed.id) {
                Some(lane) => lane.spans.extend_from_slice(&handed.spans),
                None => lanes.push(handed.clone()),
            }
        }
        let spans = lanes.iter().flat_map(|lane| &lane.spans);
        let mut jobs: Vec<_> = spans.filter_map(|it| Some((it.job?, it.start))).collect();
        // Of one job the earliest moment comes last, and stays.
        jobs.sort_by(|one, other| other.cmp(one));
        self.jobs = jobs.into_iter().collect();
        lanes.iter().for_each(|lane| self.lane(lane));
        for level in recording.all_levels() {
            for (at, value) in level.samples {
                let more = json!({ "name": level.name, "args": { "level": value } });
                self.event("C", whole, at, more);
            }
        }
    }

    fn lane(&mut self, lane: &Lane) {
        let name = match lane.id.kind {
            LaneKind::Process => format!("{} (process {})", lane.name, lane.id.number),
            _ => lane.name.clone(),
        };
        for (index, spans) in tracks(&lane.spans, self.zero).into_iter().enumerate() {
            let track = match index {
                0 => self.track(&name),
                _ => self.track(&format!("{name}, {}", index + 1)),
            };
            for span in spans {
                let mark = if span.cut { " (cut off)" } else { "" };
                let name = format!("{}{mark}", span.name);
                let times = (span.start, span.end);
                self.slice(track, &name, times, about(span, lane.id.kind));
                self.arrows(span);
                if lane.id.kind == LaneKind::Task && span.depth == 0 {
                    self.polls(track, span);
                }
            }
        }
    }

    fn polls(&mut self, track: u64, span: &Span) {
        for (start, _) in &span.polls {
            let at = (*start).clamp(span.start, span.end);
            self.event("i", track, at, json!({ "name": "polled", "s": "t" }));
        }
    }

    /// Arrows from and to the latest slice, where it is a part of a job.
    fn arrows(&mut self, span: &Span) {
        if let Some((job, slice)) = span.job.zip(self.events.last_mut()) {
            // Programs that read it take the number for a hexadecimal one.
            slice["bind_id"] = json!(format!("{:#x}", (self.process << 56) ^ job));
            slice["flow_in"] = json!(self.jobs.get(&job) < Some(&span.start));
            slice["flow_out"] = json!(true);
        }
    }

    fn slice(&mut self, track: u64, name: &str, (start, end): (Moment, Moment), args: Value) {
        let start = start.max(self.zero);
        let dur = (end - start).as_nanos() as f64 / 1e3;
        let more = json!({ "name": name, "cat": "span", "dur": dur, "args": args });
        self.event("X", track, start, more);
    }

    fn event(&mut self, phase: &str, track: u64, at: Moment, more: Value) {
        let mut event = more;
        event["ph"] = json!(phase);
        event["pid"] = json!(self.process);
        event["tid"] = json!(track);
        // What began earlier is drawn from the beginning on.
        event["ts"] = json!((at.max(self.zero) - self.zero).as_nanos() as f64 / 1e3);
        self.events.push(event);
    }

    /// A further track of this name, below those before it.
    fn track(&mut self, name: &str) -> u64 {
        self.threads += 1;
        self.name("thread", name);
        self.threads
    }

    /// Names the process or its latest track, and gives it its place.
    fn name(&mut self, what: &str, name: &str) {
        let (pid, tid) = (self.process, self.threads);
        let place = if what == "thread" { tid } else { pid };
        self.events.extend([
            json!({ "ph": "M", "name": format!("{what}_name"), "pid": pid, "tid": tid, "args": { "name": name } }),
            json!({ "ph": "M", "name": format!("{what}_sort_index"), "pid": pid, "tid": tid, "args": { "sort_index": place } }),
        ]);
    }
}

/// A thread's time is CPU time; of a task only the time in which it was polled is known.
fn about(span: &Span, kind: LaneKind) -> Value {
    let time = ["busy_s", "polled_s"][usize::from(kind == LaneKind::Task)];
    json!({
        time: span.busy.as_secs_f64(), "wait": span.wait, "cut": span.cut, "job": span.job,
        "file": span.file, "line": span.line,
    })
}
