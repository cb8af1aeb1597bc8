//! Figures of the document, as claims name them.

use report::format;
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

/// The parts of a document that need no mention: what they hold says what it is.
const PARTS: [&str; 5] = ["results", "by_round", "ledger", "params", "host"];

const MISSING: &str = "this run or this platform does not tell";

impl Figure {
    /// This figure multiplied by `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self::Times(Box::new(self), factor)
    }

    /// The variant that it is a figure of, the first of several.
    pub(super) fn variant(&self) -> Option<&str> {
        match self {
            Self::Number(_) => None,
            Self::Of { variant, .. } => variant.as_deref(),
            Self::Times(figure, _) => figure.variant(),
            Self::Ratio(above, below) => above.variant().or_else(|| below.variant()),
        }
    }

    /// The values in the document: several where a list of rounds is named, `None` for a null.
    pub(super) fn values(&self, document: &Value) -> Vec<Option<f64>> {
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

    /// A bare number in the unit of this figure, beside which it stands.
    pub(super) fn show_beside(&self, number: f64) -> String {
        match self {
            Self::Times(figure, _) => figure.show_beside(number),
            Self::Of { .. } => self.show(Some(number)),
            Self::Number(_) | Self::Ratio(..) => format::plain(number),
        }
    }

    /// The expression as the document writes it, and as a test can read it back.
    pub(super) fn expression(&self) -> String {
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
    pub(super) fn words(&self) -> String {
        match self {
            Self::Number(value) => format::plain(*value),
            Self::Times(figure, factor) => {
                format!("{} × {}", format::plain(*factor), figure.words())
            }
            Self::Ratio(above, below) => format!("{} / {}", above.words(), below.words()),
            Self::Of { variant, path } => {
                let name = name_of(path);
                match variant {
                    Some(variant) => format!("{variant}: {name}"),
                    None => name,
                }
            }
        }
    }

    /// Why it has no value.
    pub(super) fn absence(&self) -> &'static str {
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

/// A path in words: without the part of the document and the unit, indices in brackets.
fn name_of(path: &str) -> String {
    let unit = ["_bytes", "_s"]
        .iter()
        .find_map(|unit| path.strip_suffix(unit));
    let parts: Vec<&str> = unit.unwrap_or(path).split('.').collect();
    let named = match parts.as_slice() {
        [first, more @ ..] if !more.is_empty() && PARTS.contains(first) => more,
        all => all,
    };
    let mut name = String::new();
    for part in named {
        if part.parse::<usize>().is_ok() {
            name.push_str(&format!("[{part}]"));
        } else {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(&part.replace('_', " "));
        }
    }
    if name == "walls" { "wall".into() } else { name }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        value => value.as_f64(),
    }
}

pub(super) fn find<'a>(
    document: &'a Value,
    variant: Option<&str>,
    path: &str,
) -> Option<&'a Value> {
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
pub(super) fn align(
    left: Vec<Option<f64>>,
    right: Vec<Option<f64>>,
) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
    let (fewer, more) = (left.len().min(right.len()), left.len().max(right.len()));
    let rounds = if fewer == 1 { more } else { fewer };
    let stretch = |values: Vec<Option<f64>>| match values.as_slice() {
        [one] => vec![*one; rounds],
        many => many[..rounds].to_vec(),
    };
    (stretch(left), stretch(right))
}

/// One value, or the least and the greatest of several.
pub(super) fn span_of(figure: &Figure, values: &[Option<f64>]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_value_stands_beside_every_round_and_none_beside_no_round() {
        let rounds = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        let aligned = |left: &[f64], right: &[f64]| align(rounds(left), rounds(right));
        assert_eq!(aligned(&[1.0, 2.0], &[9.0]).1, rounds(&[9.0, 9.0]));
        assert_eq!(
            aligned(&[1.0, 2.0, 3.0], &[8.0, 9.0]).0,
            rounds(&[1.0, 2.0])
        );
        assert_eq!(aligned(&[], &[9.0]), (vec![], vec![]));
    }

    #[test]
    fn a_path_is_told_without_its_part_and_its_unit() {
        assert_eq!(name_of("ledger.peak_in_flight"), "peak in flight");
        assert_eq!(name_of("results.counter.failing"), "counter failing");
        assert_eq!(name_of("params.sweep.2.wall_s"), "sweep[2] wall");
        assert_eq!(name_of("walls_s"), "wall");
    }
}
