//! Claims whose verdict is computed from the figures of the document that carries them.

pub use crate::figure::{
    Bytes, Count, Figure, Ratio, Seconds, Unit, busy, bytes, cancelled, connections, count,
    cpu_system, cpu_user, cpus, done, efficiency, failed, in_flight, middle_wall, open,
    peak_memory, processes, retried, seconds, submitted, threads, times, waits, wall,
};

use crate::figure::{Expression, align, find, span_of};
use report::{CheckReport, ClaimReport, Verdict, format};
use serde_json::Value;

/// How two figures are to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equals,
    Differs,
}

/// A comparison that a claim rests on.
#[derive(Clone, Debug)]
pub struct Check {
    left: Expression,
    relation: Relation,
    right: Expression,
    show: fn(f64) -> String,
    words: Option<&'static str>,
}

impl<U: Unit> Figure<U> {
    /// Holds when this is less than `other`.
    pub fn below(self, other: Self) -> Check {
        self.compare(Relation::Below, other)
    }

    /// Holds when this is not more than `other`.
    pub fn at_most(self, other: Self) -> Check {
        self.compare(Relation::AtMost, other)
    }

    /// Holds when this is more than `other`.
    pub fn above(self, other: Self) -> Check {
        self.compare(Relation::Above, other)
    }

    /// Holds when this is not less than `other`.
    pub fn at_least(self, other: Self) -> Check {
        self.compare(Relation::AtLeast, other)
    }

    /// Holds when both are the same; for counts.
    pub fn equals(self, other: Self) -> Check {
        self.compare(Relation::Equals, other)
    }

    /// Holds when they are not the same; for counts.
    pub fn differs_from(self, other: Self) -> Check {
        self.compare(Relation::Differs, other)
    }

    fn compare(self, relation: Relation, right: Self) -> Check {
        Check {
            left: self.of,
            relation,
            right: right.of,
            show: U::show,
            words: None,
        }
    }
}

impl Relation {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Equals => left == right,
            Self::Differs => left != right,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "≤",
            Self::Above => ">",
            Self::AtLeast => "≥",
            Self::Equals => "=",
            Self::Differs => "≠",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Below => "less than",
            Self::AtMost => "no more than",
            Self::Above => "more than",
            Self::AtLeast => "at least",
            Self::Equals => "exactly",
            Self::Differs => "not",
        }
    }

    /// The relation that holds where this one does not.
    fn opposite(self) -> Self {
        match self {
            Self::Below => Self::AtLeast,
            Self::AtMost => Self::Above,
            Self::Above => Self::AtMost,
            Self::AtLeast => Self::Below,
            Self::Equals => Self::Differs,
            Self::Differs => Self::Equals,
        }
    }
}

impl Check {
    /// Gives the evidence its own sentence, with `{left}` and `{right}` where the values go.
    ///
    /// It must be true whatever the verdict is: a statement of the two values, not of the claim.
    #[must_use]
    pub fn in_words(mut self, sentence: &'static str) -> Self {
        self.words = Some(sentence);
        self
    }

    /// The variants that it names.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &str> {
        let fields = [self.left.fields(), self.right.fields()].concat();
        fields
            .into_iter()
            .filter_map(|field| field.variant.as_deref())
    }

    fn judge(&self, document: &Value) -> (CheckReport, Verdict, String) {
        let (left, right) = align(self.left.values(document), self.right.values(document));
        let pairs: Vec<Option<bool>> = left
            .iter()
            .zip(&right)
            .map(|(left, right)| Some(self.relation.holds((*left)?, (*right)?)))
            .collect();
        let rounds = pairs.len();
        let holds = pairs.iter().filter(|pair| **pair == Some(true)).count();
        let verdict = if rounds == 0 || pairs.contains(&None) {
            Verdict::Inconclusive
        } else if holds == rounds {
            Verdict::Shown
        } else if holds == 0 {
            Verdict::NotShown
        } else {
            Verdict::Inconclusive
        };
        let evidence = self.evidence(document, &left, &right, verdict);
        let report = CheckReport {
            left: self.left.written(),
            left_values: left,
            relation: self.relation.symbol().into(),
            right: self.right.written(),
            right_values: right,
            holds,
            rounds,
        };
        (
            report,
            verdict,
            format!("{evidence}{}", report_rounds(verdict, holds, rounds)),
        )
    }

    /// A sentence with both values.
    fn evidence(
        &self,
        document: &Value,
        left: &[Option<f64>],
        right: &[Option<f64>],
        verdict: Verdict,
    ) -> String {
        for (values, side) in [(left, &self.left), (right, &self.right)] {
            if values.contains(&None) || values.is_empty() {
                return format!("{} ({})", side.subject("–"), side.absence());
            }
        }
        let (from, to) = (span_of(self.show, left), span_of(self.show, right));
        let sentence = match self.words {
            Some(words) => {
                let sentence = words.replace("{left}", &from).replace("{right}", &to);
                match verdict {
                    Verdict::Shown => sentence,
                    // Words that suit both verdicts do not say what was missing.
                    _ => format!("{sentence} (needed: {} {to})", self.relation.words()),
                }
            }
            // A count that is what it was to be needs no second figure.
            None if verdict == Verdict::Shown && self.is_number() => self.left.subject(&from),
            None => {
                let relation = match verdict {
                    Verdict::NotShown => self.relation.opposite(),
                    Verdict::Shown | Verdict::Inconclusive => self.relation,
                };
                let whole = span_of(self.show, &self.right.unscaled().values(document));
                let to = self.right.object(&self.left, &to, &whole);
                format!("{}, {} {to}", self.left.subject(&from), relation.words())
            }
        };
        match self.apart(left, right) {
            Some(apart) => format!("{sentence}, {apart}"),
            None => sentence,
        }
    }

    /// Whether it asks for one certain number.
    fn is_number(&self) -> bool {
        self.relation == Relation::Equals && matches!(self.right, Expression::Number(_))
    }

    /// How far the sides lie apart, round by round, where their ranges overlap or look alike.
    fn apart(&self, left: &[Option<f64>], right: &[Option<f64>]) -> Option<String> {
        let known = |values: &[Option<f64>]| values.iter().flatten().copied().collect::<Vec<_>>();
        let (left, right) = (known(left), known(right));
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let overlap = least(&left) <= most(&right) && least(&right) <= most(&left);
        let alike = (self.show)(most(&left)) == (self.show)(most(&right));
        let is_order = !matches!(self.relation, Relation::Equals | Relation::Differs);
        let is_even = left.iter().zip(&right).all(|(left, right)| left == right);
        let has_zero = right.contains(&0.0);
        if !is_order || is_even || has_zero || !(overlap && left.len() > 1 || alike) {
            return None;
        }
        let percents: Vec<f64> = (left.iter().zip(&right))
            .map(|(left, right)| 100.0 * (left - right).abs() / right.abs())
            .collect();
        let (low, high) = (percent(least(&percents)), percent(most(&percents)));
        Some(if low == high {
            format!("{low} % apart")
        } else {
            format!("{low} to {high} % apart")
        })
    }
}

/// The middle one of the rounds, the lower of two.
fn middle(values: &[Option<f64>]) -> Option<f64> {
    let mut known: Vec<f64> = values.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    known.get(known.len().checked_sub(1)? / 2).copied()
}

fn percent(value: f64) -> String {
    if value < 9.95 {
        format!("{value:.1}")
    } else {
        format::plain(value.round())
    }
}

fn report_rounds(verdict: Verdict, holds: usize, rounds: usize) -> String {
    match verdict {
        _ if rounds < 2 => String::new(),
        Verdict::Inconclusive => format!(", in {holds} of {rounds} rounds"),
        Verdict::Shown | Verdict::NotShown => ", in every round".into(),
    }
}

/// Something that a run is to show, with the comparisons that decide whether it did.
///
/// Comparisons are between figures of the document, so the evidence printed beside a claim *is* what
/// the document says. Rounds are compared round by round: a comparison holds when it holds in all of
/// them, fails when it holds in none, and decides nothing in between.
#[derive(Clone, Debug)]
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
            headline: false,
            line: None,
            checks: Vec::new(),
            needs_cpus: false,
            reason: None,
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

    /// The variants that its checks name.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().flat_map(Check::variants)
    }

    /// Gives the reason for the case that it does not show; computed from this run.
    #[must_use]
    pub fn otherwise(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Judges the claim by the figures of `document`.
    pub(crate) fn judge(&self, document: &Value) -> ClaimReport {
        let judged: Vec<_> = self
            .checks
            .iter()
            .map(|check| check.judge(document))
            .collect();
        let verdict = if judged
            .iter()
            .any(|(_, verdict, _)| *verdict == Verdict::NotShown)
        {
            Verdict::NotShown
        } else if judged.is_empty()
            || judged
                .iter()
                .any(|(_, verdict, _)| *verdict == Verdict::Inconclusive)
        {
            Verdict::Inconclusive
        } else {
            Verdict::Shown
        };
        // Under a claim that did not show, comparisons that held would only mislead.
        let decisive = judged.iter().filter(|(_, each, _)| *each == verdict);
        let decisive: Vec<&str> = decisive.map(|(_, _, evidence)| evidence.as_str()).collect();
        ClaimReport {
            name: self.name.into(),
            headline: self.headline,
            text: self.text.clone(),
            line: self.in_figures(document),
            verdict,
            evidence: decisive.join("; "),
            reason: (verdict != Verdict::Shown).then(|| self.explain(&decisive, document)),
            needs_quiet: verdict != Verdict::Shown
                && self.needs_cpus
                && self.lack_of_cpus(document).is_some(),
            checks: judged.into_iter().map(|(report, _, _)| report).collect(),
        }
    }

    /// The claim in one line, figures filled in.
    fn in_figures(&self, document: &Value) -> String {
        let mut line = self.line.as_ref().unwrap_or(&self.text).clone();
        for (place, check) in self.checks.iter().enumerate() {
            let number = match place {
                0 => String::new(),
                _ => (place + 1).to_string(),
            };
            for (side, name) in [(&check.left, "left"), (&check.right, "right")] {
                let values = side.unscaled().values(document);
                let value = middle(&values).map_or("–".into(), check.show);
                line = line.replace(&format!("{{{name}{number}}}"), &value);
            }
        }
        line
    }

    /// How few CPUs worked at once, where it was fewer than the machine has or a single one.
    fn lack_of_cpus(&self, document: &Value) -> Option<String> {
        let host = |name: &str| document["host"][name].as_f64();
        let (parallelism, cpus) = (host("parallelism")?, host("cpus")?);
        let lacking = parallelism < 0.9 * cpus || parallelism < 1.5;
        let before = match cpus {
            1.0 => "this process may use one CPU only".to_owned(),
            _ => format!("just before, {parallelism:.1} of {cpus} CPUs worked at once here"),
        };
        lacking.then(|| match self.cpus_used(document) {
            Some(used) => format!("{before}; {used}"),
            None => before,
        })
    }

    /// How many CPUs the variant that the claim is about kept busy while it ran.
    fn cpus_used(&self, document: &Value) -> Option<String> {
        let name = self.variants().next()?;
        let seconds = |path: &str| find(document, Some(name), path)?.as_f64();
        let cpu = seconds("cpu_user_s")? + seconds("cpu_system_s")?;
        let used = cpu / seconds("wall_s").filter(|wall| *wall > 0.0)?;
        Some(format!("`{name}` kept {used:.1} busy"))
    }

    fn explain(&self, decisive: &[&str], document: &Value) -> String {
        let mut reasons: Vec<String> = Vec::new();
        if let Some(reason) = &self.reason {
            reasons.push(reason.clone());
        }
        if self.needs_cpus {
            reasons.extend(self.lack_of_cpus(document));
        }
        if reasons.is_empty() {
            reasons.push(decisive.join("; "));
        }
        reasons.join("; ")
    }
}

/// Every request was in flight at the same time, counted by the server.
pub fn all_in_flight(variant: &str) -> Check {
    in_flight(variant)
        .equals(submitted(variant))
        .in_words("{left} of {right} requests in flight at once, counted by the server")
}

/// What timers and thread starts take: a shorter time shows nothing.
pub fn a_tick() -> Figure<Seconds> {
    seconds(0.001)
}

/// No task of the variant failed, in any round.
pub fn none_failed(variant: &str) -> Check {
    failed(variant).equals(count(0))
}
