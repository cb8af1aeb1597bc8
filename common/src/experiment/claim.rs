//! Claims whose verdict is computed from the figures of the document that carries them.

use super::document::{CheckReport, ClaimReport, Verdict};
use crate::report::format;
use serde_json::Value;

/// A figure of the document, or an expression over such figures.
#[derive(Clone, Debug)]
pub enum Figure {
    /// A number that the claim itself names.
    Number(f64),
    /// A field, by its path: `variant` and then names joined by dots.
    Of {
        /// The variant; `None` for the top of the document.
        variant: Option<String>,
        /// Names and indices joined by dots: `ledger.peak_in_flight`, `results.0.lost`.
        path: String,
    },
    /// A figure multiplied by a number.
    Times(Box<Figure>, f64),
    /// One figure divided by another.
    Ratio(Box<Figure>, Box<Figure>),
}

/// The figure at `path` (dots between names) of the variant `variant`.
pub fn of(variant: impl Into<String>, path: impl Into<String>) -> Figure {
    Figure::Of {
        variant: Some(variant.into()),
        path: path.into(),
    }
}

/// The figure at `path` from the top of the document: `host.parallelism`, `params.requests`.
pub fn top(path: impl Into<String>) -> Figure {
    Figure::Of {
        variant: None,
        path: path.into(),
    }
}

/// A number that the claim itself names.
pub fn number(value: impl Into<f64>) -> Figure {
    Figure::Number(value.into())
}

/// One figure divided by another.
pub fn ratio(above: Figure, below: Figure) -> Figure {
    Figure::Ratio(Box::new(above), Box::new(below))
}

const MISSING: &str = "this run or this platform does not tell";

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
    /// This figure multiplied by `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self::Times(Box::new(self), factor)
    }

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

    /// The variant that it is a figure of, the first of several.
    fn variant(&self) -> Option<&str> {
        match self {
            Self::Number(_) => None,
            Self::Of { variant, .. } => variant.as_deref(),
            Self::Times(figure, _) => figure.variant(),
            Self::Ratio(above, below) => above.variant().or_else(|| below.variant()),
        }
    }

    /// The values in the document: several where a list of rounds is named, `None` for a null.
    fn values(&self, document: &Value) -> Vec<Option<f64>> {
        match self {
            Self::Number(value) => vec![Some(*value)],
            Self::Times(figure, factor) => {
                let values = figure.values(document).into_iter();
                values.map(|value| Some(value? * factor)).collect()
            }
            Self::Ratio(above, below) => {
                let (above, below) = align(above.values(document), below.values(document));
                let pairs = above.into_iter().zip(below);
                pairs
                    .map(|(a, b)| Some(a? / b?).filter(|ratio| ratio.is_finite()))
                    .collect()
            }
            Self::Of { variant, path } => match find(document, variant.as_deref(), path) {
                Some(Value::Array(items)) => items.iter().map(as_number).collect(),
                Some(value) => vec![as_number(value)],
                None => vec![None],
            },
        }
    }

    /// The expression as the document writes it, and as a test can read it back.
    fn expression(&self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Times(figure, factor) => format!("{factor} * {}", figure.expression()),
            Self::Ratio(above, below) => format!("{} / {}", above.expression(), below.expression()),
            Self::Of {
                variant: None,
                path,
            } => path.clone(),
            Self::Of {
                variant: Some(variant),
                path,
            } => format!("[{variant}].{path}"),
        }
    }

    /// The figure in words, without its value.
    fn words(&self) -> String {
        match self {
            Self::Number(value) => format::plain(*value),
            Self::Times(figure, factor) => {
                format!("{} × {}", format::plain(*factor), figure.words())
            }
            Self::Ratio(above, below) => format!("{} / {}", above.words(), below.words()),
            Self::Of { variant, path } => {
                let unit = ["_bytes", "_s"]
                    .iter()
                    .find_map(|unit| path.strip_suffix(unit));
                let name = unit.unwrap_or(path);
                let name = name.rsplit('.').find(|part| part.parse::<usize>().is_err());
                let name = name.unwrap_or(path).replace('_', " ");
                let name = if name == "walls" { "wall".into() } else { name };
                match variant {
                    Some(variant) => format!("{variant}: {name}"),
                    None => name,
                }
            }
        }
    }

    /// Why it has no value.
    fn absence(&self) -> &'static str {
        let counted_by_server =
            |path: &str| ["ledger.peak_in_flight", "ledger.connections"].contains(&path);
        match self {
            Self::Of { path, .. } if counted_by_server(path) => {
                "only the lab's own server counts that"
            }
            Self::Times(figure, _) => figure.absence(),
            Self::Ratio(above, below) => match above.absence() {
                MISSING => below.absence(),
                told => told,
            },
            Self::Number(_) | Self::Of { .. } => MISSING,
        }
    }

    /// A value of this figure with its unit.
    fn show(&self, value: Option<f64>) -> String {
        let Some(value) = value else {
            return "–".into();
        };
        match self {
            Self::Number(_) => format::plain(value),
            Self::Times(figure, _) => figure.show(Some(value)),
            Self::Ratio(..) => format!("{value:.2}"),
            Self::Of { path, .. } if path.ends_with("_s") => format::seconds_f64(value),
            Self::Of { path, .. } if path.ends_with("_bytes") => format::bytes(value),
            Self::Of { path, .. } if path.ends_with("speedup") => format!("{value:.2}×"),
            Self::Of { .. } => format::plain(value),
        }
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        value => value.as_f64(),
    }
}

fn find<'a>(document: &'a Value, variant: Option<&str>, path: &str) -> Option<&'a Value> {
    let root = match variant {
        None => document,
        Some(name) => {
            let variants = document.get("variants")?.as_array()?;
            variants
                .iter()
                .find(|v| v.get("name").and_then(Value::as_str) == Some(name))?
        }
    };
    path.split('.').try_fold(root, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

/// Repeats a single value so that both lists have a value per round.
fn align(left: Vec<Option<f64>>, right: Vec<Option<f64>>) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
    let rounds = if left.len() == 1 || right.len() == 1 {
        left.len().max(right.len())
    } else {
        left.len().min(right.len())
    };
    let stretch = |values: Vec<Option<f64>>| match values.as_slice() {
        [one] => vec![*one; rounds],
        many => many[..rounds].to_vec(),
    };
    (stretch(left), stretch(right))
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
            relation: self.relation.symbol(),
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
        let side = |figure: &Figure, values: &[Option<f64>]| match figure {
            Figure::Number(value) => format::plain(*value),
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
            side(&self.left, left),
            side(&self.right, right)
        );
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
}

/// One value, or the least and the greatest of several.
fn span_of(figure: &Figure, values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied();
    let least = known().fold(f64::INFINITY, f64::min);
    let most = known().fold(f64::NEG_INFINITY, f64::max);
    if values.contains(&None) || values.is_empty() {
        "–".into()
    } else if figure.show(Some(least)) == figure.show(Some(most)) {
        figure.show(Some(least))
    } else {
        format!("{}–{}", figure.show(Some(least)), figure.show(Some(most)))
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
        let host = |name: &str| document["host"][name].as_f64();
        if let (true, Some(parallelism), Some(cpus)) =
            (self.needs_cpus, host("parallelism"), host("cpus"))
        {
            let before =
                format!("just before, {parallelism:.1} of {cpus} CPUs worked at once here");
            reasons.push(match self.cpus_used(document) {
                Some(used) => format!("{before}; {used}"),
                None => before,
            });
        }
        if reasons.is_empty() {
            reasons.push(decisive.join("; "));
        }
        reasons.join("; ")
    }
}
