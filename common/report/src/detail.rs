//! What a step tells beside its variants: curves of its sweeps and tables of its own.

use serde::{Deserialize, Serialize};

/// Times over sizes, as a sweep measured them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What was swept.
    pub title: String,
    /// What the points count: `threads in the pool`.
    pub axis: String,
    /// A line for each way of doing it.
    pub lines: Vec<CurveLine>,
}

/// One line of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurveLine {
    /// What it stands for.
    pub name: String,
    /// In the order of the axis.
    pub points: Vec<CurvePoint>,
    /// Where going on stops paying, as the step's own claims have it.
    pub knee: Option<f64>,
}

/// One point of a line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Its place on the axis.
    pub x: f64,
    /// The time of the middle round, in seconds.
    pub y: f64,
    /// The least of the rounds.
    pub low: f64,
    /// The greatest of the rounds.
    pub high: f64,
}

impl CurvePoint {
    /// The point of several rounds: the middle one, the lower of two, with the range of all.
    ///
    /// `None` without rounds.
    pub fn of(x: f64, rounds: &[f64]) -> Option<Self> {
        let mut sorted = rounds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        Some(Self {
            x,
            y: sorted[(sorted.len() - 1) / 2],
            low,
            high,
        })
    }
}

/// A table that a step tells beside those of its variants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableReport {
    /// What it is about.
    pub title: String,
    /// What stands above its columns.
    pub headings: Vec<String>,
    /// Its rows, as shown.
    pub rows: Vec<Vec<String>>,
    /// The columns that are text; the others are figures.
    pub text_columns: Vec<usize>,
    /// Sentences to stand under it.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_the_middle_round_with_the_range_of_all() {
        let point = CurvePoint::of(4.0, &[3.0, 1.0, 2.0, 9.0]);
        let point = point.map(|point| (point.y, point.low, point.high));
        assert_eq!(point, Some((2.0, 1.0, 9.0)));
        assert_eq!(CurvePoint::of(4.0, &[]), None);
    }
}
