//! What a run leaves: the one document that the terminal, `--json` and the tests all read.

use crate::{
    detail::{Curve, TableReport},
    picture::Drawn,
};
use measure::host::Host;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};
use timeline::{LaneKind, Moment, Recording};

/// The version of the document's shape; raised when a name or a meaning changes.
pub const SCHEMA: u32 = 2;

/// Lanes written per variant; the rest is counted in `folded`.
const LANES_WRITTEN: usize = 1000;

/// Spans written per variant, about: past that, short ones are joined to their neighbours.
const SPANS_WRITTEN: usize = 10_000;

/// A run of one step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The package.
    pub step: String,
    /// The question that it answers.
    pub question: String,
    /// The scripts that it mirrors.
    pub mirrors: Vec<String>,
    /// The mechanism behind the figures, in general terms.
    pub why: String,
    /// What to remember of it, true whatever this run shows.
    pub remember: String,
    /// A question about a variation, and the command that answers it.
    pub predict: Pointer,
    /// The next step of the path; `None` after the last.
    pub next: Option<Pointer>,
    /// The files of the lesson's mechanism.
    pub sources: Vec<Source>,
    /// The command that runs it again as it ran.
    pub command: String,
    /// The machine as it was at the start.
    pub host: Host,
    /// Every flag's value as used.
    pub params: Value,
    /// What was measured, in the order of the story.
    pub variants: Vec<Variant>,
    /// What the step noted of the run as a whole.
    pub figures: BTreeMap<String, Vec<f64>>,
    /// What follows from it.
    pub claims: Vec<ClaimReport>,
    /// What its sweeps measured.
    #[serde(default)]
    pub curves: Vec<Curve>,
    /// The tables that the step tells beside those of its variants.
    #[serde(default)]
    pub tables: Vec<TableReport>,
    /// The questions that were asked, or could have been, before a variant answered them.
    #[serde(default)]
    pub questions: Vec<QuestionReport>,
    /// Why the run failed, if it did.
    pub error: Option<String>,
}

/// A question, and where its answer is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// A command, or a package of the path.
    pub to: String,
    /// What is asked there.
    pub question: String,
}

impl Pointer {
    /// Points to a command or a package, for what is asked there.
    pub fn to(to: &str, question: &str) -> Self {
        Self {
            to: to.into(),
            question: question.into(),
        }
    }
}

/// A file of the lesson's mechanism.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its path from the top of the repository, as spans report it.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A question that a figure of this run answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionReport {
    /// What is asked.
    pub question: String,
    /// The answers to choose from, in order: A, B, …
    pub options: Vec<String>,
    /// The index of the one that the figure makes right; `None` where the run has no such figure.
    pub answer: Option<usize>,
    /// The figure, in words.
    pub figure: String,
    /// How many chose each; empty where nobody was asked.
    pub guesses: Vec<u64>,
}

impl QuestionReport {
    /// What was guessed, and what the run says; `None` where nobody guessed.
    pub(crate) fn told(&self) -> Option<String> {
        let letter = |at: usize| char::from(b'A' + at as u8);
        let all: u64 = self.guesses.iter().sum();
        let chosen =
            (self.guesses.iter().zip(&self.options).enumerate()).filter(|(_, it)| *it.0 > 0);
        let said = chosen.map(|(at, (hands, option))| match all {
            1 => format!("{} ({option})", letter(at)),
            _ => format!("{} {hands} of {all}", letter(at)),
        });
        let said = said.collect::<Vec<_>>().join(", ");
        (all > 0).then(|| match self.answer {
            Some(at) => format!("{said}. It is {}: {}.", letter(at), self.figure),
            None => format!("{said}. This run does not answer it."),
        })
    }
}

/// One way of doing the work, as measured.
///
/// After several runs everything but the fields said otherwise is that of the run with the median
/// wall time (the lower of the two middle ones when the number is even).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// How many times it ran.
    pub runs: usize,
    /// Wall time.
    pub wall_s: f64,
    /// The shortest wall time of all runs.
    pub wall_min_s: f64,
    /// The longest wall time of all runs.
    pub wall_max_s: f64,
    /// The wall time of every run, by round.
    pub walls_s: Vec<f64>,
    /// Tasks that ended in an error, by round.
    pub failed_by_round: Vec<u64>,
    /// CPU time in user mode, worker processes included.
    pub cpu_user_s: f64,
    /// CPU time in the kernel, worker processes included.
    pub cpu_system_s: f64,
    /// How long its jobs took from their starts to their ends, all lanes together.
    pub open_s: f64,
    /// How long its jobs really ran, all lanes together: CPU time of threads, polls of tasks.
    pub busy_s: f64,
    /// The shortest wall time that was attainable.
    pub bound_s: Option<f64>,
    /// Why not shorter.
    pub bound_reason: Option<String>,
    /// The first variant's `wall_s` over this one's; `None` where its work is not that of the first.
    pub speedup: Option<f64>,
    /// `bound_s` over `wall_s`, 0–1.
    pub efficiency: Option<f64>,
    /// Whether it ran under the limit it was to run under, so that it may be compared.
    pub comparable: bool,
    /// What it used.
    pub ledger: Ledger,
    /// Who did what when, in short.
    #[serde(flatten)]
    pub recorded: RecordingReport,
    /// What the step noted for its claims, each by round.
    pub figures: BTreeMap<String, Vec<f64>>,
    /// What the step says of it beside its time, such as a result in short.
    #[serde(default)]
    pub note: Option<String>,
    /// What disturbed one of its runs from outside, such as a stop; its times prove nothing then.
    #[serde(default)]
    pub disturbed: Option<String>,
    /// What the step computed.
    pub results: Value,
    /// The recording in full, for pictures and traces.
    #[serde(skip)]
    pub recording: Recording,
}

impl Variant {
    /// What pictures show of it.
    pub(crate) fn drawn(&self) -> Drawn<'_> {
        (&self.name, self.wall_s, &self.recorded)
    }
}

/// What a variant was asked to do and what it used; `None` where the platform does not tell.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Tasks handed in.
    pub submitted: u64,
    /// Tasks finished well.
    pub done: u64,
    /// Tasks that ended in an error.
    pub failed: u64,
    /// Tasks cancelled.
    pub cancelled: u64,
    /// Extra attempts.
    pub retried: u64,
    /// The most requests at once, as the server counted.
    pub peak_in_flight: Option<u64>,
    /// The most threads of this process at once, the lab's own housekeeping left out.
    pub threads: Option<u64>,
    /// Processes that took part, this one included, the server left out.
    pub processes: u64,
    /// Connections, as the server counted.
    pub connections: Option<u64>,
    /// Times a thread gave up its CPU to wait.
    pub voluntary_switches: Option<u64>,
    /// Times a thread lost its CPU to another.
    pub involuntary_switches: Option<u64>,
    /// Most memory resident at once, worker processes added.
    pub peak_rss_bytes: Option<u64>,
}

/// A [`Ledger`] of which only the counts of tasks are known, as a lesson gives it.
pub type Tally = Ledger;

impl Ledger {
    /// The tally of `count` tasks that all went well.
    pub fn all_done(count: usize) -> Self {
        Self {
            submitted: count as u64,
            done: count as u64,
            ..Self::default()
        }
    }

    /// The tally of results that are done if they are right and failed otherwise.
    pub fn of_checked<T>(results: &[T], is_right: impl Fn(&T) -> bool) -> Self {
        let done = results.iter().filter(|result| is_right(result)).count() as u64;
        let submitted = results.len() as u64;
        Self {
            submitted,
            done,
            failed: submitted - done,
            ..Self::default()
        }
    }

    /// The tally of a list of results.
    pub fn of<T, E>(results: &[Result<T, E>]) -> Self {
        Self::of_checked(results, Result::is_ok)
    }
}

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
    /// Spans with impossible times, as after a jump of a clock, which were cut to what can be.
    #[serde(default)]
    pub mended: u64,
    /// What all of them cost: their number times what one costs, measured in this process.
    pub cost_s: f64,
}

/// A claim with its verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimReport {
    /// By what programs find it.
    pub name: String,
    /// Whether it is one of those that the step is about.
    pub headline: bool,
    /// What is claimed.
    pub text: String,
    /// The same in one line with the figures of this run; true where the claim is shown.
    pub line: String,
    /// Whether this run shows it.
    pub verdict: Verdict,
    /// The figures that decide.
    pub evidence: String,
    /// Why it was not shown; `None` when it was.
    pub reason: Option<String>,
    /// Whether it was not shown because the machine was too busy, so that a quiet one may show it.
    pub needs_quiet: bool,
    /// Each comparison that the verdict rests on.
    pub checks: Vec<CheckReport>,
}

/// Whether a run shows a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Shown,
    /// The figures say otherwise.
    NotShown,
    /// The figures do not decide.
    Inconclusive,
}

/// One comparison of two figures of this document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckReport {
    /// Where the left figure stands, as an expression over this document.
    pub left: String,
    /// Its values; several when compared round by round.
    pub left_values: Vec<Option<f64>>,
    /// How they are to compare.
    pub relation: Cow<'static, str>,
    /// Where the right figure stands.
    pub right: String,
    /// Its values.
    pub right_values: Vec<Option<f64>>,
    /// In how many of the rounds it holds.
    pub holds: usize,
    /// In how many it was compared.
    pub rounds: usize,
    /// How many it takes to decide.
    pub least_rounds: usize,
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
        let lanes = lanes.iter().map(|lane| LaneReport {
            id: lane.id.number,
            name: lane.name.clone(),
            kind: lane.id.kind,
            spans: (lane.spans.iter())
                .map(|span| SpanReport::of(span, seconds))
                .collect(),
        });
        let toll = &recording.toll;
        let counters = recording.all_levels().into_iter();
        let counters = counters.map(|level| CounterReport {
            name: level.name.into_owned(),
            samples: (level.samples.iter())
                .map(|(at, level)| (seconds(*at), *level))
                .collect(),
        });
        Self {
            lanes: lanes.collect(),
            folded,
            counters: counters.collect(),
            recorder: RecorderReport {
                spans: toll.spans,
                thinned: toll.thinned + left_out,
                mended: toll.mended,
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

    /// Whether the lesson told it; the other is counted from spans.
    pub(crate) fn is_told(&self) -> bool {
        self.name != "in flight"
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
