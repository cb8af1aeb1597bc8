//! What a run leaves: the one document that the terminal, `--json` and the tests all read.

use crate::{format, recording::RecordingReport};
use measure::host::Host;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};
use timeline::Recording;

/// The version of the document's shape; raised when a name or a meaning changes.
pub const SCHEMA: u32 = 2;

/// A run of one step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The package.
    pub step: String,
    /// The question that it answers.
    pub question: String,
    /// What the names of its variants mean, where they do not say it.
    pub legend: String,
    /// The scripts that it mirrors.
    pub mirrors: Vec<String>,
    /// The same, and in brackets the Python tools that they use.
    pub scripts: String,
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
    /// The variants that the reader skipped.
    pub skipped: Vec<String>,
    /// What the step noted of the run as a whole.
    pub figures: BTreeMap<String, Vec<f64>>,
    /// What follows from it.
    pub claims: Vec<ClaimReport>,
    /// The tables that the step tells beside those of its variants.
    pub tables: Vec<TableReport>,
    /// The questions that were asked, or could have been, before a variant answered them.
    pub questions: Vec<QuestionReport>,
    /// Why the run failed, if it did.
    pub error: Option<String>,
}

/// A tenth: less than this is not called a difference.
pub const MARGIN: f64 = 1.1;
/// Two rounds that agree may do so by chance.
pub const LEAST_ROUNDS: usize = 3;

impl Document {
    /// How a variant's time compares with the first one's, in words.
    ///
    /// Undecided where a claim on both is; without one, nothing of few rounds, undecided if they disagree.
    pub(crate) fn compared(&self, one: &Variant) -> Option<String> {
        let speedup = one.speedup.filter(|speedup| *speedup != 1.0)?;
        let first = &self.variants[0];
        let walls = [first, one].map(|one| format!("[{}].wall", one.name));
        let is_on_both = |claim: &&ClaimReport| walls.iter().all(|wall| claim.is_on(wall));
        let claims = self.claims.iter().filter(is_on_both);
        let claims: Vec<Verdict> = claims.map(ClaimReport::seen).collect();
        let margin = self.margin([first, one]);
        let rounds = first.walls_s.iter().zip(&one.walls_s);
        let ratios = rounds.map(|(first, one)| first / one);
        let sides: BTreeSet<_> = ratios.map(|it| (it > margin, it < 1.0 / margin)).collect();
        let is_busy = margin > MARGIN && sides.contains(&(false, false));
        let is_open = match claims[..] {
            [] if one.walls_s.len() < LEAST_ROUNDS => return None,
            [] => is_busy || sides.len() > 1,
            _ => claims.contains(&Verdict::Inconclusive),
        };
        let told = format::compared(speedup);
        Some(if is_open { "undecided".into() } else { told })
    }

    /// By how much the times of two variants must differ to be called different.
    pub(crate) fn margin(&self, both: [&Variant; 2]) -> f64 {
        let computes = both.into_iter().any(Variant::computes);
        MARGIN * if computes { self.luck() } else { 1.0 }
    }

    /// How many times as fast what computes can seem only because its neighbours left it more CPUs.
    pub fn luck(&self) -> f64 {
        let luck = self.host.cpus as f64 / self.host.parallelism;
        if luck > MARGIN { luck } else { 1.0 }
    }

    /// What a reader is to know before the figures: what disturbed the run, and whether the machine was busy.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let disturbed = self.variants.iter().filter_map(|one| {
            let why = one.disturbed.as_ref()?;
            Some(format!("`{}`: {why}; its times prove nothing.", one.name))
        });
        let is_lucky = self.luck() > 1.0 && self.variants.iter().any(Variant::computes);
        let is_busy = is_lucky || self.claims.iter().any(|claim| claim.needs_quiet);
        let busy = is_busy.then(|| match (self.host.cpus, self.host.parallelism) {
            (1, _) => "This program may use one CPU: no two threads work at once; all else holds.".into(),
            (cpus, free) => format!("Only {free:.1} of {cpus} CPUs were free: times of CPU work are rough; all else holds."),
        });
        disturbed.chain(busy).collect()
    }
}

impl ClaimReport {
    /// The verdict as a reader sees it: with too few CPUs free there is none.
    pub(crate) fn seen(&self) -> Verdict {
        let hidden = self.needs_quiet.then_some(Verdict::Inconclusive);
        hidden.unwrap_or(self.verdict)
    }

    /// Whether it compares a figure whose expression has this part.
    pub(crate) fn is_on(&self, figure: &str) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|check| check.left.contains(figure) || check.right.contains(figure))
    }
}

/// A table that a step tells beside those of its variants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableReport {
    /// What it is about.
    pub title: String,
    /// What stands above its columns.
    pub headings: Vec<String>,
    /// Its rows, as shown.
    pub rows: Vec<Vec<String>>,
    /// The columns that are text; the others are figures.
    pub text_columns: Vec<usize>,
    /// Sentences to stand under it.
    pub notes: Vec<String>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(default)]
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
    pub note: Option<String>,
    /// What disturbed one of its runs from outside, such as a stop; its times prove nothing then.
    pub disturbed: Option<String>,
    /// What the step computed.
    pub results: Value,
    /// The recording in full, for pictures and traces.
    #[serde(skip)]
    pub recording: Recording,
}

impl Variant {
    /// Whether it kept a CPU busy and did not just wait.
    pub fn computes(&self) -> bool {
        // Among many neighbours what computes all the time gets no more than this of a CPU.
        self.cpu_user_s + self.cpu_system_s > 0.15 * self.wall_s
    }
}

/// The variants whose times are to be compared, and so have a bar: with the first one's, with the shortest
/// possible, or beside a note.
pub(crate) fn with_bars(variants: &[Variant]) -> Vec<&Variant> {
    let has_bar = |one: &&Variant| one.speedup.or(one.bound_s).is_some() || one.note.is_some();
    let all: Vec<_> = variants.iter().filter(has_bar).collect();
    let is_alone = all.len() < 2.min(variants.len());
    if is_alone { Vec::new() } else { all }
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
        Self::of_checked(&vec![(); count], |()| true)
    }

    /// The tally of results that are done if they are right and failed otherwise.
    pub fn of_checked<T>(results: &[T], is_right: impl Fn(&T) -> bool) -> Self {
        let done = results.iter().filter(|result| is_right(result)).count() as u64;
        Self {
            submitted: results.len() as u64,
            done,
            failed: results.len() as u64 - done,
            ..Self::default()
        }
    }

    /// The tally of a list of results.
    pub fn of<T, E>(results: &[Result<T, E>]) -> Self {
        Self::of_checked(results, Result::is_ok)
    }
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

/// Whether a run shows a claim; of several comparisons the last in this order decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Shown,
    /// The figures do not decide.
    Inconclusive,
    /// The figures say otherwise.
    NotShown,
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
    /// How many it takes to decide.
    pub least_rounds: usize,
}
