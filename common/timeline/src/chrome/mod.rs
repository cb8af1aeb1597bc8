//! The timeline in the Chrome trace format, which Perfetto and `chrome://tracing` open.
//!
//! Threads and worker processes are tracks of slices (`X`), tasks asynchronous tracks (`b`, `n`, `e`),
//! levels counters (`C`), and the way of a job is told by arrows (`s`, `t`, `f`) from the slice in which
//! it was submitted to the slices in which it ran and to the one in which its result was taken.

mod flow;
mod track;

use crate::{Lane, LaneId, LaneKind, Moment, Recording, Span};
use serde_json::{Value, json};
use std::process;
use track::tracks;

/// Threads of different variants are kept apart by their numbers.
const THREADS_PER_VARIANT: u64 = 1_000_000;

/// Tracks that a lane can have, because spans that overlap without lying in each other need several.
const TRACKS_PER_LANE: u64 = 100;

/// Recordings one after another as they were made, each under its name; `other` is kept as it is.
pub fn trace(program: &str, recordings: &[(&str, &Recording)], other: &Value) -> Value {
    let starts = recordings.iter().map(|(_, recording)| recording.start);
    let mut writer = Writer {
        zero: starts.min().unwrap_or_default(),
        own: process::id(),
        first_thread: 0,
        variant: "",
        events: Vec::new(),
    };
    writer.name_process(writer.own, program, 0);
    for (index, (name, recording)) in recordings.iter().enumerate() {
        writer.first_thread = (index as u64 + 1) * THREADS_PER_VARIANT;
        writer.variant = name;
        writer.recording(recording);
    }
    json!({ "traceEvents": writer.events, "displayTimeUnit": "ms", "otherData": other })
}

/// A track of slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    process: u32,
    thread: u64,
}

/// Writes events, and knows where those of the present variant go.
struct Writer<'a> {
    zero: Moment,
    own: u32,
    first_thread: u64,
    variant: &'a str,
    events: Vec<Value>,
}

impl Writer<'_> {
    fn recording(&mut self, recording: &Recording) {
        let end = recording.start.plus(recording.wall);
        let whole = Span::watched("variant", recording.start, end, recording.wall);
        let place = Place {
            process: self.own,
            thread: self.first_thread,
        };
        self.name_thread(place, self.variant);
        self.slice(place, self.variant, &whole);
        let mut jobs = flow::Jobs::default();
        for lane in flow::with_hand_overs(recording) {
            match lane.id.kind {
                LaneKind::Task => self.task(&lane),
                LaneKind::Thread | LaneKind::Process => self.lane(&lane, &mut jobs),
            }
        }
        self.flows(jobs);
        for level in recording.all_levels() {
            let name = format!("{}: {}", self.variant, level.name);
            for (at, level) in level.samples {
                let ts = self.microseconds(at);
                let value = json!({
                    "ph": "C", "name": name, "pid": self.own, "tid": self.first_thread, "ts": ts,
                    "args": { "level": level },
                });
                self.events.push(value);
            }
        }
    }

    /// A thread's or a process's spans as slices, and where each job has its slices.
    fn lane(&mut self, lane: &Lane, jobs: &mut flow::Jobs) {
        for (index, spans) in tracks(&lane.spans, self.zero).into_iter().enumerate() {
            let place = self.place(lane.id, index as u64);
            if lane.id.kind == LaneKind::Process && index == 0 {
                self.name_process(place.process, &lane.name, 1);
            }
            let name = match index {
                0 => format!("{}: {}", self.variant, lane.name),
                _ => format!("{}: {} ({})", self.variant, lane.name, index + 1),
            };
            self.name_thread(place, &name);
            for span in spans {
                self.slice(place, &span.name, span);
                if let Some(job) = span.job {
                    jobs.add(job, place, span.start.max(self.zero));
                }
            }
        }
    }

    fn place(&self, id: LaneId, track: u64) -> Place {
        let track = track.min(TRACKS_PER_LANE - 1);
        let lane = id.number % (THREADS_PER_VARIANT / TRACKS_PER_LANE - 1);
        match id.kind {
            LaneKind::Process => Place {
                process: u32::try_from(id.number).unwrap_or(self.own),
                thread: self.first_thread + track,
            },
            _ => Place {
                process: self.own,
                thread: self.first_thread + TRACKS_PER_LANE * (1 + lane) + track,
            },
        }
    }

    /// A task's spans, each within the one around it.
    fn task(&mut self, lane: &Lane) {
        for (index, spans) in tracks(&lane.spans, self.zero).into_iter().enumerate() {
            let id = format!("{}/{}/{index}", self.first_thread, lane.id.number);
            let mut open: Vec<&Span> = Vec::new();
            for span in spans {
                while let Some(inner) = open.pop_if(|inner| inner.end <= span.start) {
                    self.task_event("e", &id, lane, inner, inner.end);
                }
                self.task_event("b", &id, lane, span, span.start);
                if span.depth == 0 {
                    for (start, _) in &span.polls {
                        self.poll(&id, (*start).clamp(span.start, span.end));
                    }
                }
                open.push(span);
            }
            while let Some(inner) = open.pop() {
                self.task_event("e", &id, lane, inner, inner.end);
            }
        }
    }

    fn task_event(&mut self, phase: &str, id: &str, lane: &Lane, span: &Span, at: Moment) {
        let name = if span.depth == 0 {
            format!("{}: {}", self.variant, lane.name)
        } else {
            span.name.clone().into_owned()
        };
        self.events.push(json!({
            "ph": phase, "cat": "task", "id": id, "name": told(&name, span), "pid": self.own,
            "tid": self.first_thread, "ts": self.microseconds(at), "args": about(span),
        }));
    }

    fn poll(&mut self, id: &str, at: Moment) {
        self.events.push(json!({
            "ph": "n", "cat": "task", "id": id, "name": "polled", "pid": self.own,
            "tid": self.first_thread, "ts": self.microseconds(at), "args": {},
        }));
    }

    fn slice(&mut self, place: Place, name: &str, span: &Span) {
        let start = span.start.max(self.zero);
        self.events.push(json!({
            "ph": "X", "cat": "span", "name": told(name, span), "pid": place.process, "tid": place.thread,
            "ts": self.microseconds(start), "dur": (span.end - start).as_nanos() as f64 / 1e3,
            "args": about(span),
        }));
    }

    fn flows(&mut self, jobs: flow::Jobs) {
        for (job, stops) in jobs.arrows() {
            let last = stops.len() - 1;
            for (index, (place, at)) in stops.into_iter().enumerate() {
                let phase = match index {
                    0 => "s",
                    _ if index == last => "f",
                    _ => "t",
                };
                // Bound to the slice that it lies in, not to the next one.
                self.events.push(json!({
                    "ph": phase, "bp": "e", "cat": "job", "name": "job",
                    "id": format!("{}/{job}", self.first_thread),
                    "pid": place.process, "tid": place.thread, "ts": self.microseconds(at),
                }));
            }
        }
    }

    fn name_process(&mut self, process: u32, name: &str, order: u32) {
        self.events.extend([
            json!({ "ph": "M", "name": "process_name", "pid": process, "args": { "name": name } }),
            json!({ "ph": "M", "name": "process_sort_index", "pid": process, "args": { "sort_index": order } }),
        ]);
    }

    fn name_thread(&mut self, place: Place, name: &str) {
        let Place { process, thread } = place;
        self.events.extend([
            json!({ "ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": { "name": name } }),
            json!({ "ph": "M", "name": "thread_sort_index", "pid": process, "tid": thread, "args": { "sort_index": thread } }),
        ]);
    }

    fn microseconds(&self, moment: Moment) -> f64 {
        (moment - self.zero).as_nanos() as f64 / 1e3
    }
}

fn told(name: &str, span: &Span) -> String {
    let mark = if span.cut { " (cut off)" } else { "" };
    format!("{name}{mark}")
}

fn about(span: &Span) -> Value {
    json!({
        "busy_s": span.busy.as_secs_f64(), "wait": span.wait, "cut": span.cut, "job": span.job,
        "file": span.file, "line": span.line,
    })
}
