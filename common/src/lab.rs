//! Runs the variants of a step, collects what they took, and judges its claims.
//!
//! A lesson's `main.rs` names its [`Step`] and gives a demonstration, a function that runs the
//! variants in the order of the story. To interleave repeats, it calls [`Lab::variant`]
//! again with the same name in a plain loop: each call adds a run.

use crate::{
    bound::Bound,
    claim::{Claim, Figure, Unit},
    cli::CommonArgs,
    question::Question,
    step::ResultFiles,
};
use report::{Document, Screen, TableReport, Tally, Variant, Watched};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use timeline::{Recording, Timeline};

/// Variants that take less say nothing when they end.
const WORTH_A_LINE: Duration = Duration::from_millis(50);

mod pause;
mod runs;
#[cfg(test)]
mod tests;

pub(crate) use pause::Quit;
pub use runs::Observer;
use runs::{Runs, measure};

/// Everything a step has measured so far, and the way to measure more.
#[derive(Clone, Debug)]
pub struct Lab {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) screen: Screen,
    pub(crate) timeline: Timeline,
    pub(crate) args: CommonArgs,
}

/// What is known of the run, where Ctrl-C finds it too.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) document: Document,
    pub(crate) runs: Vec<Runs>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) questions: Vec<Question>,
    pub(crate) failures: Vec<String>,
    /// Whether the reader skips the variant that comes next.
    pub(crate) skip_next: bool,
    pub(crate) results: ResultFiles,
    pub(crate) finished: bool,
}

impl Lab {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The seed of everything random in this run.
    pub fn seed(&self) -> u64 {
        self.args.seed
    }

    /// The screen of this step, for callbacks that print while a variant runs.
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// Prints one line on standard output, at once; nothing under `--json`.
    pub fn say(&self, line: impl AsRef<str>) {
        self.screen.say(line);
    }

    /// Gives a table of the step's own and its note; a column with a cell that begins with a letter is text.
    pub fn table(&self, title: &str, headings: &[&str], rows: Vec<Vec<String>>, note: &str) {
        let is_word = |row: &Vec<String>, at: usize| row[at].starts_with(char::is_alphabetic);
        let is_text = |at: &usize| rows.iter().any(|row| is_word(row, *at));
        self.state().document.tables.push(TableReport {
            title: title.into(),
            headings: headings.iter().map(ToString::to_string).collect(),
            text_columns: (0..headings.len()).filter(is_text).collect(),
            rows,
            notes: note.lines().map(String::from).collect(),
        });
    }

    /// Says what the names of the variants mean, under the question; for names that do not say it.
    pub fn legend(&mut self, text: impl Into<String>) {
        self.state().document.legend = text.into();
    }

    /// Adds a parameter that the demonstration itself settled, such as a scale.
    pub fn param(&mut self, name: &str, value: impl Serialize) {
        self.state().document.params[name] = json!(value);
    }

    /// Prepares a run of the variant `name`; the first variant is what others are compared with.
    pub fn variant(&mut self, name: &str) -> Measure<'_> {
        Measure {
            lab: self,
            runs: Runs {
                name: name.into(),
                ..Runs::default()
            },
            observer: None,
        }
    }

    /// Something of the variant's middle run so far, which the report will show; `None` where it did not run.
    pub fn middle<T>(&self, variant: &str, of: impl FnOnce(&Variant) -> T) -> Option<T> {
        self.state().find(variant)?.median().map(of)
    }

    pub(crate) fn walls(&self, variant: &str) -> Vec<f64> {
        self.state()
            .find(variant)
            .map_or_else(Vec::new, Runs::walls)
    }

    /// What was recorded in the latest run of the variant; nothing where it was skipped.
    ///
    /// # Panics
    /// If the variant did not run.
    pub fn recording(&self, variant: &str) -> Recording {
        let mut state = self.state();
        let last = state.runs_of(variant).runs.last();
        last.map_or_else(Recording::default, |run| run.recording.clone())
    }

    /// Says something short of the variant's latest run, such as its result: the screen has it beside the
    /// time where it shows that run.
    ///
    /// # Panics
    /// If the variant did not run.
    pub fn note_beside(&self, variant: &str, text: impl Into<String>) {
        if let Some(run) = self.state().runs_of(variant).runs.last_mut() {
            run.note = Some(text.into());
        }
    }

    /// Notes a number for claims: of a variant's latest round, or of the whole run.
    ///
    /// # Panics
    /// If the variant did not run, or the figure is no number.
    pub fn note<'a, U: Unit>(
        &mut self,
        variant: impl Into<Option<&'a str>>,
        name: &str,
        number: impl Into<Figure<U>>,
    ) -> Figure<U> {
        let (mut state, variant) = (self.state(), variant.into());
        let figures = match variant {
            Some(variant) => &mut state.runs_of(variant).figures,
            None => &mut state.document.figures,
        };
        let value = number.into().0.number().expect("no figure of the document");
        figures.entry(name.into()).or_default().push(value);
        Figure::noted(variant, name)
    }

    /// Adds a claim; it is judged when the run is over, by the figures of the document.
    ///
    /// # Panics
    /// If it names a variant that did not run.
    pub fn claim(&mut self, claim: Claim) {
        let mut state = self.state();
        for variant in claim.variants() {
            state.runs_of(variant);
        }
        state.claims.push(claim);
    }

    /// Notes that something failed without ending the run; the exit code will be 1.
    pub fn fail(&mut self, failure: impl Into<String>) {
        self.state().failures.push(failure.into());
    }
}

/// A variant about to run.
pub struct Measure<'a> {
    lab: &'a mut Lab,
    runs: Runs,
    observer: Option<&'a dyn Observer>,
}

impl<'a> Measure<'a> {
    /// Says what the best attainable is.
    #[must_use]
    pub fn bound(mut self, bound: Bound) -> Self {
        self.runs.bound = Some(bound);
        self
    }

    /// Says how many tasks are to be in flight at once; a run that had another number at its peak
    /// is marked as not comparable. Takes effect where an observer counts.
    #[must_use]
    pub fn limit(mut self, at_once: usize) -> Self {
        self.runs.limit = Some(at_once as u64);
        self
    }

    /// Says that the work is not that of the first variant, so that no speed-up is told.
    #[must_use]
    pub fn other_work(mut self) -> Self {
        self.runs.other_work = true;
        self
    }

    /// Has `observer` count requests during the run.
    #[must_use]
    pub fn observed_by(mut self, observer: &'a dyn Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Runs work over many tasks that can fail as a whole; `tally` counts them afterwards.
    ///
    /// With `--pause` its reader may have it run again, of which the last run counts, or skip it: `None`.
    ///
    /// # Errors
    /// What `work` returned, in which case the run is not recorded; the observer cannot be reached.
    pub fn run_counted<T: Serialize>(
        self,
        mut work: impl FnMut() -> anyhow::Result<T>,
        tally: impl Fn(&T) -> Tally,
    ) -> anyhow::Result<Option<T>> {
        let Some(is_first) = self.lab.begin(&self.runs.name)? else {
            return Ok(None);
        };
        let mut is_again = false;
        loop {
            let result = self.once(&mut work, &tally, is_again)?;
            let prompt = "Enter goes on, r runs it again, s skips the next, q quits";
            is_again = is_first && self.lab.pause(prompt)? == 'r';
            if !is_again {
                return Ok(Some(result));
            }
        }
    }

    fn once<T: Serialize>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T>,
        tally: impl FnOnce(&T) -> Tally,
        is_again: bool,
    ) -> anyhow::Result<T> {
        let lab = &*self.lab;
        if let Some(observer) = self.observer {
            observer.begin()?;
        }
        let watched = Watched {
            tasks: match self.runs.bound {
                Some(Bound::Waits { count, .. }) => Some(count),
                _ => None,
            },
            before: lab.walls_s(),
            name: self.runs.name.clone(),
        };
        let watch = lab.screen.watch(&lab.timeline, watched);
        let measured = measure(&lab.timeline, work, tally);
        drop(watch);
        let counts = self.observer.map(Observer::counts).transpose();
        let (result, mut run) = measured?;
        // What was measured is kept even where the observer has gone silent since.
        if let Ok(Some(counts)) = &counts {
            run.ledger.peak_in_flight = counts.peak_in_flight;
            run.ledger.connections = counts.connections;
        }
        run.results = serde_json::to_value(&result)?;
        lab.record(&self.runs, run, is_again);
        counts.map(|_| result)
    }
}

impl Lab {
    /// How long one task of a process pool may take before its worker counts as lost, stopped for good
    /// perhaps: ten seconds beyond four times the longest variant so far.
    pub fn patience(&self) -> Duration {
        let walls_s = self.walls_s().into_iter().map(|(_, wall_s)| wall_s);
        Duration::from_secs(10 + (4.0 * walls_s.fold(0.0, f64::max)) as u64)
    }

    /// The wall time of each variant so far.
    fn walls_s(&self) -> Vec<(String, f64)> {
        let state = self.state();
        let runs = state.runs.iter();
        let wall_s = |runs: &Runs| Some((runs.name.clone(), runs.median()?.wall_s));
        runs.filter_map(wall_s).collect()
    }

    fn record(&self, new: &Runs, run: Variant, is_again: bool) {
        let mut state = self.state();
        let place = state.runs.iter().position(|runs| runs.name == new.name);
        // What was over in a moment stands among the bars, and nobody waited for it.
        let is_worth_it = self.args.pause || run.recording.wall >= WORTH_A_LINE;
        if is_again || place.is_none() && is_worth_it {
            self.say(report::finished(&new.name, run.recording.wall));
        }
        let place = place.unwrap_or_else(|| {
            state.runs.push(new.clone());
            state.runs.len() - 1
        });
        let runs = &mut state.runs[place].runs;
        runs.truncate(runs.len() - usize::from(is_again));
        runs.push(run);
    }
}

impl State {
    fn find(&self, variant: &str) -> Option<&Runs> {
        self.runs.iter().find(|runs| runs.name == variant)
    }

    /// The runs of a variant; none where its reader skipped it.
    fn runs_of(&mut self, variant: &str) -> &mut Runs {
        let found = self.runs.iter_mut().find(|runs| runs.name == variant);
        found.unwrap_or_else(|| panic!("the variant `{variant}` did not run"))
    }

    /// Turns what was measured into the document, claims judged.
    pub(crate) fn conclude(&mut self, error: Option<String>) -> &Document {
        let runs = || self.runs.iter();
        let first_s = runs().find_map(|runs| Some(runs.median()?.wall_s));
        let cpus = self.document.host.cpus;
        let variants = runs().filter_map(|runs| runs.report(first_s?, cpus));
        self.document.variants = variants.collect();
        let skipped = runs().filter(|runs| runs.runs.is_empty());
        self.document.skipped = skipped.map(|runs| runs.name.clone()).collect();
        self.document.error = error;
        let figures = serde_json::to_value(&self.document).unwrap_or(Value::Null);
        let claims = mem::take(&mut self.claims);
        self.document.claims = claims.iter().map(|claim| claim.judge(&figures)).collect();
        let questions = self.questions.iter();
        let told = questions.map(|one| one.report(&figures));
        self.document.questions = told.filter(|one| one.answer.is_some()).collect();
        self.finished = true;
        &self.document
    }
}
