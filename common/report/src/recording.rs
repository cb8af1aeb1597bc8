//! What a document holds of a recording.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use timeline::{LaneKind, Moment, Recording};

/// Lanes written per variant; the rest is counted in `folded`.
const LANES_WRITTEN: usize = 1000;

/// Spans written per variant, about: past that, short ones are joined to their neighbours.
const SPANS_WRITTEN: usize = 10_000;

/// A lane as the document shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LaneReport {
    /// Unique within its kind.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Thread, task or process.
    pub kind: LaneKind,
    /// Its spans.
    pub spans: Vec<SpanReport>,
}

/// A span as the document shows it; times from the start of the variant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpanReport {
    /// What was done.
    pub name: Cow<'static, str>,
    /// When it began; negative for what began before the variant.
    pub start_s: f64,
    /// When it ended.
    pub end_s: f64,
    /// How long it really ran.
    pub busy_s: f64,
    /// What it waited for otherwise.
    pub wait: Option<String>,
    /// How deep it lies in other spans of its lane.
    pub depth: u16,
    /// Whether its end was never told, as when its process died: `end_s` is then when that was noticed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// From when to when it ran, where that is known exactly; few, neighbours merged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub polls_s: Vec<(f64, f64)>,
    /// The source file of the span, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Cow<'static, str>>,
    /// The line in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// A level over time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CounterReport {
    /// What is counted.
    pub name: String,
    /// Moments from the start of the variant, each with the level from then on.
    pub samples: Vec<(f64, f64)>,
}

/// What a recording took.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RecorderReport {
    /// Spans that were recorded, those left out included.
    pub spans: u64,
    /// Spans that were joined to a neighbour or left out of `lanes`, because they were too many; those
    /// of folded lanes are not counted here.
    pub thinned: u64,
    /// What all of them cost: their number times what one costs, measured in this process.
    pub cost_s: f64,
}

/// What is written of a recording.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RecordingReport {
    /// Who did what when.
    pub lanes: Vec<LaneReport>,
    /// Lanes left out of `lanes`.
    pub folded: usize,
    /// Levels over time, such as the depth of a queue.
    pub counters: Vec<CounterReport>,
    /// What the recording itself took.
    pub recorder: RecorderReport,
}

impl RecordingReport {
    /// Shortens a recording to what a document holds.
    pub fn of(recording: &Recording) -> Self {
        let folded = recording.lanes.len().saturating_sub(LANES_WRITTEN);
        let lanes = &recording.lanes[..recording.lanes.len() - folded];
        let (lanes, left_out) = timeline::thinned(lanes, SPANS_WRITTEN);
        // Of two moments the earlier less the later is nothing.
        let start = recording.start;
        let seconds = |at: Moment| (at - start).as_secs_f64() - (start - at).as_secs_f64();
        let lanes = lanes.iter().map(|lane| {
            let spans = lane.spans.iter().map(|span| SpanReport::of(span, seconds));
            LaneReport {
                id: lane.id.number,
                name: lane.name.clone(),
                kind: lane.id.kind,
                spans: spans.collect(),
            }
        });
        let counters = recording.all_levels().into_iter().map(|level| {
            let samples = level
                .samples
                .iter()
                .map(|(at, level)| (seconds(*at), *level));
            CounterReport {
                samples: samples.collect(),
                name: level.name.into_owned(),
            }
        });
        let toll = &recording.toll;
        Self {
            lanes: lanes.collect(),
            folded,
            counters: counters.collect(),
            recorder: RecorderReport {
                spans: toll.spans,
                thinned: toll.thinned + left_out,
                cost_s: toll.cost().as_secs_f64(),
            },
        }
    }
}

impl CounterReport {
    /// The greatest level.
    pub(crate) fn peak(&self) -> f64 {
        let levels = self.samples.iter().map(|sample| sample.1);
        levels.fold(0.0, f64::max)
    }
}

impl SpanReport {
    fn of(span: &timeline::Span, seconds: impl Fn(Moment) -> f64) -> Self {
        Self {
            name: span.name.clone(),
            start_s: seconds(span.start),
            end_s: seconds(span.end),
            busy_s: span.busy.as_secs_f64(),
            wait: span.wait.clone().map(Cow::into_owned),
            depth: span.depth,
            cut: span.cut,
            polls_s: (span.polls.iter())
                .map(|(start, end)| (seconds(*start), seconds(*end)))
                .collect(),
            file: span.file.clone(),
            line: span.line,
        }
    }
}
