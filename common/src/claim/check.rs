//! Comparisons that claims rest on, and the evidence that they give.

use crate::{
    figure::{Expression, Figure, Unit},
    rounds::{align, span_of},
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
    Differs,
}

/// A comparison that a claim rests on.
#[derive(Clone, Debug)]
pub struct Check {
    pub(super) left: Expression,
    relation: Relation,
    pub(super) right: Expression,
    pub(super) show: fn(f64) -> String,
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

    pub(super) fn judge(&self, document: &Value) -> (CheckReport, Verdict, String) {
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
