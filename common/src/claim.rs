//! Claims whose verdict is computed from the figures of the document that carries them.

pub use crate::figure::{Figure, number, of, ratio, top};

use crate::figure::{align, find, span_of};
use report::{CheckReport, ClaimReport, Verdict};
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
    left: Figure,
    relation: Relation,
    right: Figure,
}

impl Figure {
    /// Holds when this is less than `other`.
    pub fn below(self, other: Figure) -> Check {
        self.compare(Relation::Below, other)
    }

    /// Holds when this is not more than `other`.
    pub fn at_most(self, other: Figure) -> Check {
        self.compare(Relation::AtMost, other)
    }

    /// Holds when this is more than `other`.
    pub fn above(self, other: Figure) -> Check {
        self.compare(Relation::Above, other)
    }

    /// Holds when this is not less than `other`.
    pub fn at_least(self, other: Figure) -> Check {
        self.compare(Relation::AtLeast, other)
    }

    /// Holds when both are the same; for counts.
    pub fn equals(self, other: Figure) -> Check {
        self.compare(Relation::Equals, other)
    }

    /// Holds when they are not the same; for counts.
    pub fn differs_from(self, other: Figure) -> Check {
        self.compare(Relation::Differs, other)
    }

    fn compare(self, relation: Relation, right: Figure) -> Check {
        Check {
            left: self,
            relation,
            right,
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

    fn negated(self) -> &'static str {
        match self {
            Self::Below => "≥",
            Self::AtMost => ">",
            Self::Above => "≤",
            Self::AtLeast => "<",
            Self::Equals => "≠",
            Self::Differs => "=",
        }
    }
}

impl Check {
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
        let evidence = self.evidence(&left, &right, holds, verdict);
        let report = CheckReport {
            left: self.left.expression(),
            left_values: left,
            relation: self.relation.symbol().into(),
            right: self.right.expression(),
            right_values: right,
            holds,
            rounds,
        };
        (report, verdict, evidence)
    }

    fn evidence(
        &self,
        left: &[Option<f64>],
        right: &[Option<f64>],
        holds: usize,
        verdict: Verdict,
    ) -> String {
        let side = |figure: &Figure, values: &[Option<f64>], other: &Figure| match figure {
            Figure::Number(value) => other.show_beside(*value),
            Figure::Times(..) | Figure::Ratio(..) => {
                format!("{} ({})", span_of(figure, values), figure.words())
            }
            Figure::Of { .. } => format!("{} {}", figure.words(), span_of(figure, values)),
        };
        let symbol = match verdict {
            Verdict::NotShown => self.relation.negated(),
            Verdict::Shown | Verdict::Inconclusive => self.relation.symbol(),
        };
        let sides = format!(
            "{} {symbol} {}",
            side(&self.left, left, &self.right),
            side(&self.right, right, &self.left)
        );
        let sides = match self.hidden_difference(left, right) {
            Some(apart) => format!("{sides}, {apart} apart"),
            None => sides,
        };
        let rounds = left.len();
        match verdict {
            _ if left.contains(&None) => format!("{sides} ({})", self.left.absence()),
            _ if right.contains(&None) => format!("{sides} ({})", self.right.absence()),
            Verdict::Inconclusive => format!("{sides} in {holds} of {rounds} rounds"),
            Verdict::Shown if rounds > 1 => format!("{sides} in all {rounds} rounds"),
            Verdict::NotShown if rounds > 1 => format!("{sides} in all {rounds} rounds"),
            Verdict::Shown | Verdict::NotShown => sides,
        }
    }

    /// How far the sides lie apart, where rounding makes them look alike.
    fn hidden_difference(&self, left: &[Option<f64>], right: &[Option<f64>]) -> Option<String> {
        let unit = match &self.left {
            Figure::Number(_) => &self.right,
            figure => figure,
        };
        let apart: Vec<Option<f64>> = (left.iter().zip(right))
            .map(|(left, right)| Some((left.as_ref()? - right.as_ref()?).abs()))
            .collect();
        let differ = apart.iter().flatten().any(|apart| *apart > 0.0);
        (differ && span_of(unit, left) == span_of(unit, right)).then(|| match unit {
            Figure::Ratio(..) => span_of(&Figure::Number(0.0), &apart),
            unit => span_of(unit, &apart),
        })
    }
}

/// Something that a run is to show, with the comparisons that decide whether it did.
///
/// Comparisons name figures of the document ([`of`], [`top`]), so the evidence printed beside a
/// claim *is* what the document says. A comparison of lists of rounds is made round by round: it
/// holds when it holds in all of them, fails when it holds in none, and decides nothing in between.
#[derive(Clone, Debug)]
pub struct Claim {
    text: String,
    checks: Vec<Check>,
    needs_cpus: bool,
    reason: Option<String>,
}

impl Claim {
    /// Claims `text`, on the strength of checks yet to be added.
    pub fn that(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
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

    /// Says that this can show only where CPUs work in parallel; if it does not, that is told.
    #[must_use]
    pub fn needs_cpus(mut self) -> Self {
        self.needs_cpus = true;
        self
    }

    /// Gives the reason for the case that it does not show; computed from this run.
    #[must_use]
    pub fn otherwise(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Judges the claim by the figures of `document`.
    pub(super) fn judge(&self, document: &Value) -> ClaimReport {
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
        let evidence: Vec<&str> = judged
            .iter()
            .map(|(_, _, evidence)| evidence.as_str())
            .collect();
        let decisive = judged.iter().filter(|(_, each, _)| *each == verdict);
        let decisive: Vec<&str> = decisive.map(|(_, _, evidence)| evidence.as_str()).collect();
        ClaimReport {
            text: self.text.clone(),
            verdict,
            evidence: evidence.join("; "),
            reason: (verdict != Verdict::Shown).then(|| self.explain(&decisive, document)),
            checks: judged.into_iter().map(|(report, _, _)| report).collect(),
        }
    }

    /// How few CPUs worked at once, where it was fewer than the machine has or a single one.
    fn lack_of_cpus(&self, document: &Value) -> Option<String> {
        let host = |name: &str| document["host"][name].as_f64();
        let (parallelism, cpus) = (host("parallelism")?, host("cpus")?);
        let lacking = parallelism < 0.9 * cpus || parallelism < 1.5;
        let before = format!("just before, {parallelism:.1} of {cpus} CPUs worked at once here");
        lacking.then(|| match self.cpus_used(document) {
            Some(used) => format!("{before}; {used}"),
            None => before,
        })
    }

    /// How many CPUs the variant that the claim is about kept busy while it ran.
    fn cpus_used(&self, document: &Value) -> Option<String> {
        let name = self.checks.iter().find_map(|check| check.left.variant())?;
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
