//! Comparisons that claims rest on, and the evidence that they give.

use crate::{
    comparison::LEAST_ROUNDS,
    figure::{Expression, Figure, Unit, by_round},
};
use report::{CheckReport, Verdict, format};
use serde_json::Value;

/// How two figures are to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equals,
}

/// A comparison that a claim rests on.
#[derive(Clone, Debug)]
pub struct Check {
    pub(super) left: Expression,
    relation: Relation,
    pub(super) right: Expression,
    pub(super) show: fn(f64) -> String,
    words: Option<String>,
    /// Fewer rounds than this decide nothing.
    least_rounds: usize,
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

    fn compare(self, relation: Relation, right: Self) -> Check {
        Check {
            left: self.of,
            relation,
            right: right.of,
            show: U::show,
            words: None,
            least_rounds: 1,
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
        }
    }

    /// Its symbol, and in words what holds with it and without it.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Below => ("<", "less than", "at least"),
            Self::AtMost => ("≤", "no more than", "more than"),
            Self::Above => (">", "more than", "no more than"),
            Self::AtLeast => ("≥", "at least", "less than"),
            Self::Equals => ("=", "exactly", "not"),
        }
    }
}

impl Check {
    /// Gives the evidence its own sentence, with `{left}` and `{right}` where the values go.
    ///
    /// It must be true whatever the verdict is: a statement of the two values, not of the claim.
    #[must_use]
    pub fn in_words(mut self, sentence: impl Into<String>) -> Self {
        self.words = Some(sentence.into());
        self
    }

    /// Leaves it undecided in fewer than three rounds: two that agree may do so by chance.
    #[must_use]
    pub fn in_rounds(mut self) -> Self {
        self.least_rounds = LEAST_ROUNDS;
        self
    }

    /// The variants that it names.
    pub(super) fn variants(&self) -> impl Iterator<Item = &str> {
        self.left.variants().chain(self.right.variants())
    }

    pub(super) fn judge(&self, document: &Value) -> (CheckReport, Verdict, String) {
        let pairs = by_round(&self.left.values(document), &self.right.values(document));
        let known: Vec<(f64, f64)> = (pairs.iter().copied())
            .filter_map(|(left, right)| left.zip(right))
            .collect();
        let rounds = pairs.len();
        let holds = |pair: &&(f64, f64)| self.relation.holds(pair.0, pair.1);
        let holds = known.iter().filter(holds).count();
        let verdict = match holds {
            _ if rounds < self.least_rounds || known.len() < rounds => Verdict::Inconclusive,
            0 => Verdict::NotShown,
            _ if holds == rounds => Verdict::Shown,
            _ => Verdict::Inconclusive,
        };
        let unknown = self.left.unknown(document);
        let unknown = unknown.or_else(|| self.right.unknown(document));
        let evidence = match unknown {
            Some(unknown) => unknown,
            None if rounds < self.least_rounds => {
                format!("it needs {} rounds and had {rounds}", self.least_rounds)
            }
            None => self.evidence(document, &known, verdict) + &in_rounds(verdict, holds, rounds),
        };
        let (left_values, right_values) = pairs.into_iter().unzip();
        let report = CheckReport {
            left: self.left.written(),
            left_values,
            relation: self.relation.words().0.into(),
            right: self.right.written(),
            right_values,
            holds,
            rounds,
            least_rounds: self.least_rounds,
        };
        (report, verdict, evidence)
    }

    /// A sentence with both values.
    fn evidence(&self, document: &Value, pairs: &[(f64, f64)], verdict: Verdict) -> String {
        let from = self.span(pairs.iter().map(|pair| pair.0));
        let to = self.span(pairs.iter().map(|pair| pair.1));
        let (_, needed, otherwise) = self.relation.words();
        let is_shown = verdict == Verdict::Shown;
        let sentence = match &self.words {
            Some(words) => {
                let sentence = words.replace("{left}", &from).replace("{right}", &to);
                // Words that suit both verdicts do not say what was missing.
                let needed = format!(" (needed: {needed} {to})");
                sentence + if is_shown { "" } else { &needed }
            }
            // A count that is what it was to be needs no second figure.
            None if is_shown && self.relation == Relation::Equals && self.right.is_number() => {
                self.left.subject(&from)
            }
            None => {
                let found = match verdict {
                    Verdict::NotShown => otherwise,
                    _ => needed,
                };
                let whole = self.right.unscaled().values(document);
                let to = self.span(whole.into_iter().flatten());
                let to = self.right.object(&self.left, &to);
                format!("{}, {found} {to}", self.left.subject(&from))
            }
        };
        sentence + &self.apart(pairs)
    }

    /// One value, or the least and the greatest of several, with their unit.
    fn span(&self, values: impl Iterator<Item = f64>) -> String {
        let (least, most) = range(values);
        match [least, most].map(self.show) {
            [least, most] if least == most => least,
            [least, most] => format!("{least}–{most}"),
        }
    }

    /// How far the sides lie apart, round by round, where their ranges overlap or look alike.
    fn apart(&self, pairs: &[(f64, f64)]) -> String {
        let left = range(pairs.iter().map(|pair| pair.0));
        let right = range(pairs.iter().map(|pair| pair.1));
        let overlap = pairs.len() > 1 && left.0 <= right.1 && right.0 <= left.1;
        let alike = (self.show)(left.1) == (self.show)(right.1);
        let percents = pairs
            .iter()
            .map(|(left, right)| (left / right - 1.0).abs() * 100.0);
        let (low, high) = range(percents);
        if self.relation == Relation::Equals
            || !(overlap || alike)
            || high == 0.0
            || !high.is_finite()
        {
            return String::new();
        }
        match [low, high].map(|percent| format::plain((percent * 10.0).round() / 10.0)) {
            [low, high] if low == high => format!(", {low} % apart"),
            [low, high] => format!(", {low} to {high} % apart"),
        }
    }
}

fn in_rounds(verdict: Verdict, holds: usize, rounds: usize) -> String {
    match verdict {
        _ if rounds < 2 => String::new(),
        Verdict::Inconclusive => format!(", in {holds} of {rounds} rounds"),
        _ => ", in every round".into(),
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    )
}
