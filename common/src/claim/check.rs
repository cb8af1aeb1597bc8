//! Comparisons that claims rest on, and the evidence that they give.

use crate::figure::{Expression, Figure, Unit, by_round};
use report::{CheckReport, LEAST_ROUNDS, Verdict, format};
use serde_json::Value;

/// How two figures are to compare: its symbol, what holds with it and without it, and whether it does.
type Relation = (
    &'static str,
    &'static str,
    &'static str,
    fn(&f64, &f64) -> bool,
);

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
        self.compare(("<", "less than", "at least", f64::lt), other)
    }

    /// Holds when this is not more than `other`.
    pub fn at_most(self, other: Self) -> Check {
        self.compare(("≤", "no more than", "more than", f64::le), other)
    }

    /// Holds when this is more than `other`.
    pub fn above(self, other: Self) -> Check {
        self.compare((">", "more than", "no more than", f64::gt), other)
    }

    /// Holds when this is not less than `other`.
    pub fn at_least(self, other: Self) -> Check {
        self.compare(("≥", "at least", "less than", f64::ge), other)
    }

    /// Holds when both are the same; for counts.
    pub fn equals(self, other: Self) -> Check {
        self.compare(("=", "exactly", "not", f64::eq), other)
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
        let holds = known
            .iter()
            .filter(|[left, right]| self.relation.3(left, right));
        let holds = holds.count();
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
        let (from, to, is_shown) = (side(0), side(1), verdict == Verdict::Shown);
        let (symbol, needed, otherwise, _) = self.relation;
        let words = self.words.as_ref();
        let sentence = match words.map(|it| it.replace("{left}", &from).replace("{right}", &to)) {
            Some(sentence) if is_shown => sentence,
            // Words that suit both verdicts do not say what was missing.
            Some(sentence) => format!("{sentence} (needed: {needed} {to})"),
            // A count that is what it was to be needs no second figure.
            None if is_shown && symbol == "=" && self.right.is_number() => self.left.subject(&from),
            None => {
                let is_missed = verdict == Verdict::NotShown;
                let found = if is_missed { otherwise } else { needed };
                let whole = self.right.unscaled().values(document).into_iter();
                let to = span(whole.flatten(), "–", self.show);
                let to = self.right.object(&self.left, &to);
                format!("{}, {found} {to}", self.left.subject(&from))
            }
        };
        sentence + &self.apart(pairs)
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
