//! Figures of rounds, and how they are written.

use crate::{
    group::Unit,
    record::{Measured, MeasuredRow},
    row::Side,
};

/// The middle, the least and the greatest of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) middle: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let (least, greatest) = (*sorted.first()?, *sorted.last()?);
        let low = sorted[(sorted.len() - 1) / 2];
        let high = sorted[sorted.len() / 2];
        let middle = f64::midpoint(low, high);
        Some(Self {
            middle,
            least,
            greatest,
        })
    }
}

impl Measured {
    /// What this row is measured by: the floor at its place, or the one without a place.
    pub(crate) fn floor_of(&self, row: &MeasuredRow) -> Option<&MeasuredRow> {
        let floors = || self.rows.iter().filter(|row| row.side == Side::Floor);
        let same = floors().find(|floor| floor.at == row.at);
        same.or_else(|| floors().find(|floor| floor.at.is_none()))
    }

    /// A row's figures in the unit of its group, in seconds where that is time.
    pub(crate) fn in_unit(&self, row: &MeasuredRow) -> Option<Spread> {
        Spread::of(row.each_s.iter().map(|each| match self.unit {
            Unit::PerSecond(_) => 1.0 / each,
            Unit::Time => *each,
        }))
    }

    /// The row's share of its floor's speed, or how many times its floor's time; round by round.
    pub(crate) fn of_floor(&self, row: &MeasuredRow) -> Vec<f64> {
        let Some(floor) = self.floor_of(row) else {
            return Vec::new();
        };
        let rounds = row.each_s.iter().zip(&floor.each_s);
        let ratio = |(each, floor): (&f64, &f64)| match self.unit {
            Unit::PerSecond(_) => floor / each,
            Unit::Time => each / floor,
        };
        rounds.map(ratio).collect()
    }

    /// What the column beside the floor is called.
    pub(crate) fn floor_heading(&self) -> &'static str {
        match self.unit {
            Unit::PerSecond(_) => "of floor",
            Unit::Time => "× floor",
        }
    }
}

/// How many times as fast as `other` the row was; the median of the rounds.
pub(crate) fn speed_against(row: &MeasuredRow, other: &MeasuredRow) -> Option<f64> {
    let rounds = row.each_s.iter().zip(&other.each_s);
    let speeds = Spread::of(rounds.map(|(each, other)| other / each));
    speeds.map(|speeds| speeds.middle)
}

/// A factor and the letters that say so, for figures about as large as `value`.
pub(crate) fn scale(value: f64, unit: &Unit) -> (f64, &'static str) {
    match unit {
        Unit::Time if value < 1e-6 => (1e9, " ns"),
        Unit::Time if value < 1e-3 => (1e6, " µs"),
        Unit::Time if value < 1.0 => (1e3, " ms"),
        Unit::Time => (1.0, " s"),
        Unit::PerSecond(_) if value >= 1e6 => (1e-6, " M"),
        Unit::PerSecond(_) if value >= 1e4 => (1e-3, " k"),
        Unit::PerSecond(_) => (1.0, ""),
    }
}

/// A figure with its unit's letters.
pub(crate) fn in_words(value: f64, unit: &Unit) -> String {
    let (factor, letters) = scale(value, unit);
    format!("{}{letters}", significant(value * factor))
}

/// Three digits, more where they stand before the point and fewer where zeros stand behind it.
pub(crate) fn significant(value: f64) -> String {
    let digits = match value.abs() {
        99.95.. => 0,
        9.995.. => 1,
        0.0995.. | 0.0 => 2,
        0.00995.. => 3,
        _ => 4,
    };
    format!("{value:.digits$}")
}

/// A ratio: three digits, in thousands or millions where it is so large.
pub(crate) fn ratio(value: f64) -> String {
    match value {
        1e6.. => format!("{} M", significant(value * 1e-6)),
        1e4.. => format!("{} k", significant(value * 1e-3)),
        _ => significant(value),
    }
}

/// A place on an axis: `2`, `1,000`, `0.5`.
pub(crate) fn place(at: f64) -> String {
    if at.fract() == 0.0 && at >= 0.0 {
        return common::format::count(at as u64);
    }
    at.to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(name: &str, side: Side, at: Option<f64>, each_s: &[f64]) -> MeasuredRow {
        MeasuredRow {
            name: name.into(),
            side,
            at,
            count: 1,
            each_s: each_s.into(),
            peak_bytes: Vec::new(),
        }
    }

    pub(crate) fn measured(unit: Unit, rows: Vec<MeasuredRow>) -> Measured {
        Measured {
            title: "Hand-overs".into(),
            unit,
            axis: None,
            rows,
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0].into_iter()).expect("four");
        assert_eq!(
            (spread.middle, spread.least, spread.greatest),
            (2.5, 1.0, 4.0)
        );
        assert_eq!(Spread::of([].into_iter()), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // Twice as slow in each round, on a machine that halves its speed between them.
        let floor = row("floor", Side::Floor, None, &[1.0, 2.0]);
        let ours = row("ours", Side::Ours, None, &[2.0, 4.0]);
        let time = measured(Unit::Time, vec![floor.clone(), ours.clone()]);
        assert_eq!(time.of_floor(&ours), [2.0, 2.0]);
        let rate = measured(Unit::per_second("tasks"), vec![floor.clone(), ours.clone()]);
        assert_eq!(rate.of_floor(&ours), [0.5, 0.5]);
        assert_eq!(speed_against(&floor, &ours), Some(2.0));
    }

    #[test]
    fn a_row_is_measured_by_the_floor_at_its_own_place() {
        let rows = vec![
            row("floor", Side::Floor, Some(1.0), &[1.0]),
            row("floor", Side::Floor, Some(2.0), &[0.5]),
            row("ours", Side::Ours, Some(2.0), &[0.6]),
        ];
        let table = measured(Unit::Time, rows);
        assert_eq!(table.of_floor(&table.rows[2]), [1.2]);
        let nowhere = row("ours", Side::Ours, Some(3.0), &[0.6]);
        assert!(table.of_floor(&nowhere).is_empty());
    }

    #[test]
    fn figures_have_three_digits_and_a_fitting_unit() {
        let tasks = Unit::per_second("tasks");
        let written = [
            in_words(0.000_000_012_34, &Unit::Time),
            in_words(0.012_34, &Unit::Time),
            in_words(12.34, &Unit::Time),
            in_words(12_340_000.0, &tasks),
            in_words(123_400.0, &tasks),
            in_words(434.4, &tasks),
            significant(0.012_34),
            significant(0.001_234),
            ratio(9_999.0),
            ratio(102_345.0),
            ratio(3_280_000.0),
        ];
        assert_eq!(
            written,
            [
                "12.3 ns", "12.3 ms", "12.3 s", "12.3 M", "123 k", "434", "0.012", "0.0012",
                "9999", "102 k", "3.28 M"
            ]
        );
    }
}
