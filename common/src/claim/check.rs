//! Comparisons that claims rest on, and the evidence that they give.

use crate::figure::{Expression, Figure, Unit, by_round};
use report::{CheckReport, LEAST_ROUNDS, Verdict, format};
use serde_json::Value;

/// How two figures are to compare: its symbol, in words, and whether they do.
type Relation = (&'static str, &'static str, fn(&f64, &f64) -> bool);

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
    pub fn below(self, other: impl Into<Self>) -> Check {
        self.compare(("<", "less than", f64::lt), other.into())
    }

    /// Holds when this is not more than `other`.
    pub fn at_most(self, other: impl Into<Self>) -> Check {
        self.compare(("≤", "no more than", f64::le), other.into())
    }

    /// Holds when this is more than `other`.
    pub fn above(self, other: impl Into<Self>) -> Check {
        self.compare((">", "more than", f64::gt), other.into())
    }

    /// Holds when this is not less than `other`.
    pub fn at_least(self, other: impl Into<Self>) -> Check {
        self.compare(("≥", "at least", f64::ge), other.into())
    }

    /// Holds when both are the same; for counts.
    pub fn equals(self, other: impl Into<Self>) -> Check {
        self.compare(("=", "exactly", f64::eq), other.into())
    }

    fn compare(self, relation: Relation, right: Self) -> Check {
        Check {
            left: self.0,
            relation,
            right: right.0,
            show: U::show,
            words: None,
            least_rounds: 1,
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
        let known = pairs.iter().filter_map(|pair| Some([pair.0?, pair.1?]));
        let known: Vec<[f64; 2]> = known.collect();
        let rounds = pairs.len();
        let holds = |[left, right]: &&[f64; 2]| self.relation.2(left, right);
        let holds = known.iter().filter(holds).count();
        let verdict = match holds {
            _ if rounds < self.least_rounds || known.len() < rounds => Verdict::Inconclusive,
            0 => Verdict::NotShown,
            _ if holds == rounds => Verdict::Shown,
            _ => Verdict::Inconclusive,
        };
        let unknown = self.left.unknown(document);
        let evidence = match unknown.or_else(|| self.right.unknown(document)) {
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
            relation: self.relation.0.into(),
            right: self.right.written(),
            right_values,
            least_rounds: self.least_rounds,
        };
        (report, verdict, evidence)
    }

    /// A sentence with both values.
    fn evidence(&self, document: &Value, pairs: &[[f64; 2]], verdict: Verdict) -> String {
        let side = |side: usize| span(pairs.iter().map(|pair| pair[side]), "–", self.show);
        let (left, right) = (side(0), side(1));
        let (symbol, relation, _) = self.relation;
        let sentence = match &self.words {
            Some(words) => words.replace("{left}", &left).replace("{right}", &right),
            None => self.left.subject(&left),
        };
        // A count that is what it was to be needs no second figure.
        let is_enough = self.words.is_some() || symbol == "=" && self.right.number().is_some();
        let unscaled = span(self.right.unscaled(document), "–", self.show);
        let needed = self.right.object(&self.left, &unscaled);
        let needed = match verdict {
            Verdict::Shown if is_enough => String::new(),
            Verdict::Shown => format!(", {relation} {needed}"),
            _ => format!(" (needed: {relation} {needed})"),
        };
        sentence + &needed + &self.apart(pairs)
    }

    /// How far the sides lie apart, round by round, where their ranges overlap or look alike.
    fn apart(&self, pairs: &[[f64; 2]]) -> String {
        let [left, right] = [0, 1].map(|side| range(pairs.iter().map(|pair| pair[side])));
        let overlap = pairs.len() > 1 && left.0 <= right.1 && right.0 <= left.1;
        let alike = (self.show)(left.1) == (self.show)(right.1);
        let percent = |[left, right]: &[f64; 2]| (left / right - 1.0).abs() * 100.0;
        let (_, most) = range(pairs.iter().map(percent));
        if self.relation.0 == "=" || !(overlap || alike) || most == 0.0 || !most.is_finite() {
            return String::new();
        }
        let show = |percent: f64| format::plain((percent * 10.0).round() / 10.0);
        let percents = span(pairs.iter().map(percent), " to ", show);
        format!(", {percents} % apart")
    }
}

fn in_rounds(verdict: Verdict, holds: usize, rounds: usize) -> String {
    match verdict {
        _ if rounds < 2 => String::new(),
        Verdict::Inconclusive => format!(", in {holds} of {rounds} rounds"),
        _ => ", in every round".into(),
    }
}

/// One value, or the least and the greatest of several, as they are shown.
fn span(values: impl Iterator<Item = f64>, to: &str, show: impl Fn(f64) -> String) -> String {
    let (least, most) = range(values);
    match [least, most].map(show) {
        [least, most] if least == most => least,
        [least, most] => least + to + &most,
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    values.fold(none, |(least, most), value| {
        (least.min(value), most.max(value))
    })
}
