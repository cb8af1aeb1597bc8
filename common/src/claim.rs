//! Claims whose verdict is computed from the figures of the document that carries them.

pub(crate) use crate::figure::free_cpus;
pub use crate::figure::{
    Bytes, Count, Figure, Ratio, Seconds, Unit, busy, cancelled, cpu_system, cpu_user, cpus, done,
    efficiency, failed, in_flight, middle_wall, open, peak_memory, processes, retried, submitted,
    threads, wall,
};

mod check;

pub use check::Check;

use crate::figure::find;
use measure::host::Host;
use report::{ClaimReport, Verdict};
use serde_json::Value;
use std::time::Duration;

/// The middle one of the rounds, the lower of two.
pub(crate) fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Something that a run is to show, with the comparisons that decide whether it did.
///
/// Comparisons are between figures of the document, so the evidence printed beside a claim *is* what
/// the document says. Rounds are compared round by round: a comparison holds when it holds in all of
/// them, fails when it holds in none, and decides nothing in between.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    name: &'static str,
    text: String,
    headline: bool,
    line: Option<String>,
    checks: Vec<Check>,
    needs_cpus: bool,
    reason: Option<String>,
}

impl Claim {
    /// Claims `text`, on the strength of checks yet to be added.
    ///
    /// By its `name`, such as `waits_overlap`, programs find it.
    pub fn that(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            text: text.into(),
            ..Self::default()
        }
    }

    /// Adds a comparison; all must hold.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Marks what the step is about; a step has two to four of them.
    #[must_use]
    pub fn headline(mut self) -> Self {
        self.headline = true;
        self
    }

    /// Says it in one line with figures: `{left}` and `{right}` of the first comparison stand for those of the
    /// middle round, `{left2}` and `{right2}` for those of the second, and so on.
    ///
    /// A factor in front of a figure is left out: of `wall("a") * 0.5` the line has the wall itself.
    #[must_use]
    pub fn in_a_line(mut self, line: impl Into<String>) -> Self {
        self.line = Some(line.into());
        self
    }

    /// Says that this can show only where CPUs work in parallel; if it does not, the reason says so.
    #[must_use]
    pub fn needs_cpus(mut self) -> Self {
        self.needs_cpus = true;
        self
    }

    /// Gives the reason, if this run has one, for the case that it does not show.
    #[must_use]
    pub fn otherwise(mut self, reason: Option<impl Into<String>>) -> Self {
        self.reason = reason.map(Into::into);
        self
    }

    /// The variants that its checks name.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().flat_map(Check::variants)
    }

    /// Judges the claim by the figures of `document`.
    pub(crate) fn judge(&self, document: &Value) -> ClaimReport {
        let judged = self.checks.iter().map(|check| check.judge(document));
        let judged: Vec<_> = judged.collect();
        let worst = judged.iter().map(|(_, verdict, _)| *verdict).max();
        let verdict = worst.unwrap_or(Verdict::Inconclusive);
        // Under a claim that did not show, comparisons that held would only mislead.
        let decisive = judged.iter().filter(|(_, each, _)| *each == verdict);
        let mut decisive: Vec<&str> = decisive.map(|(_, _, evidence)| &**evidence).collect();
        // Two limits of one figure: once is enough to say what it was.
        decisive.dedup_by_key(|evidence| evidence.split(" (needed: ").next());
        let evidence = decisive.join("; ");
        // Where the run has a reason of its own, more CPUs would not help.
        let needs_cpus = self.needs_cpus && self.reason.is_none();
        let lack = self.lack_of_cpus(document).filter(|_| needs_cpus);
        let needs_quiet = verdict != Verdict::Shown && lack.is_some();
        let disturbed = |it| find(document, Some(it), "disturbed").is_some_and(Value::is_string);
        let known = self.reason.clone().or(lack);
        let known = known.filter(|_| !self.variants().any(disturbed));
        let reason = known.unwrap_or_else(|| evidence.clone());
        ClaimReport {
            name: self.name.into(),
            headline: self.headline,
            text: self.text.clone(),
            line: self.in_figures(document),
            verdict,
            evidence,
            reason: (verdict != Verdict::Shown).then_some(reason),
            needs_quiet,
            checks: judged.into_iter().map(|(report, _, _)| report).collect(),
        }
    }

    /// The claim in one line, figures filled in.
    fn in_figures(&self, document: &Value) -> String {
        let mut line = self.line.as_ref().unwrap_or(&self.text).clone();
        for (place, check) in (1..).zip(&self.checks) {
            for (side, name) in [(&check.left, "left"), (&check.right, "right")] {
                let value = middle(side.unscaled(document)).map_or("–".into(), check.show);
                let number = if place == 1 { "" } else { &place.to_string() };
                line = line.replace(&format!("{{{name}{number}}}"), &value);
            }
        }
        line
    }

    /// How few CPUs were to be had, and how many of them the variant kept busy that the claim is about.
    fn lack_of_cpus(&self, document: &Value) -> Option<String> {
        let before = few_cpus(document)?;
        let name = self.variants().next().unwrap_or_default();
        let [user, system, wall] = ["cpu_user_s", "cpu_system_s", "wall_s"]
            .map(|path| find(document, Some(name), path).and_then(Value::as_f64));
        let used = wall.filter(|wall| *wall > 0.0);
        let used = used.and_then(|wall| Some((user? + system?) / wall));
        let used = used.map(|used| format!("; `{name}` kept {used:.1} busy"));
        Some(before + &used.unwrap_or_default())
    }
}

/// How few CPUs were to be had, where it was fewer than the machine has or a single one.
pub(crate) fn few_cpus(document: &Value) -> Option<String> {
    let host: Host = serde_json::from_value(document["host"].clone()).ok()?;
    let is_few = host.parallelism < 0.9 * host.cpus as f64 || host.parallelism < 1.5;
    is_few.then(|| format!("this run had {}", host.cpus_in_words()))
}

/// Every request was in flight at the same time, counted by the server.
pub fn all_in_flight(variant: &str) -> Check {
    in_flight(variant)
        .equals(submitted(variant))
        .in_words("{left} of {right} requests in flight at once, counted by the server")
}

/// What timers and thread starts take: a shorter time shows nothing.
pub const A_TICK: Duration = Duration::from_millis(1);

/// No task of the variant failed, in any round.
pub fn none_failed(variant: &str) -> Check {
    failed(variant).equals(0)
}
