//! Figures of rounds, and the table of a group.

use crate::rounds::{Measured, MeasuredRow, Side, Unit};
use common::report::table;

pub(crate) const UNKNOWN: &str = "–";

/// What the columns that compare with ours are called.
const LETTERS: [char; 3] = ['A', 'B', 'C'];

/// The middle, the least and the greatest of some figures.
pub(crate) struct Spread {
    pub(crate) middle: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

fn spread(figures: impl Iterator<Item = f64>) -> Spread {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    Spread {
        middle: f64::midpoint(low, high),
        least: sorted[0],
        greatest: sorted[sorted.len() - 1],
    }
}

/// A row's figures in the unit of its group.
pub(crate) fn in_unit(row: &MeasuredRow, unit: Unit) -> Spread {
    spread(row.each_s.iter().map(|each| match unit {
        Unit::Tasks | Unit::Payload => 1.0 / each,
        Unit::Time | Unit::Bound(_) => *each,
    }))
}

/// How many times as fast as `other` the row was, round by round.
pub(crate) fn speed_against(row: &MeasuredRow, other: &MeasuredRow) -> Spread {
    let rounds = row.each_s.iter().zip(&other.each_s);
    spread(rounds.map(|(each, other)| other / each))
}

pub(crate) fn table_of(measured: &Measured, width: usize) -> String {
    let (unit, against) = match measured.unit {
        Unit::Tasks => ("tasks/s", "×floor"),
        Unit::Payload => ("MiB/s", "×floor"),
        Unit::Time => ("ms", "×floor"),
        Unit::Bound(_) => ("ms", "×bound"),
    };
    let ours: Vec<&MeasuredRow> = measured.of(Side::Ours).collect();
    let letters = LETTERS.iter().take(ours.len());
    let letters: Vec<String> = letters.map(|letter| format!("{letter}÷it")).collect();
    let names = ["", unit, "range", against];
    let names: Vec<&str> = names
        .into_iter()
        .chain(letters.iter().map(String::as_str))
        .collect();
    let rows = measured.rows.iter().map(|row| cells(row, measured, &ours));
    table(&names, rows.collect(), &[0], width)
}

fn cells(row: &MeasuredRow, measured: &Measured, ours: &[&MeasuredRow]) -> Vec<String> {
    let unit = measured.unit;
    let place = ours.iter().position(|own| own.name == row.name);
    let name = match (row.side, place) {
        (Side::Ours, Some(place)) => format!("{} ours, {}", LETTERS[place], row.name),
        (Side::Floor, _) => format!("– floor, {}", row.name),
        _ => format!("  {}", row.name),
    };
    let figures = in_unit(row, unit);
    let (scale, letter) = scale(figures.middle, unit);
    let [middle, least, greatest] =
        [figures.middle, figures.least, figures.greatest].map(|figure| significant(figure * scale));
    let against = match (unit, measured.of(Side::Floor).next()) {
        (Unit::Bound(bound), _) => figures.middle / bound.as_secs_f64(),
        (_, Some(floor)) => speed_against(row, floor).middle,
        (_, None) => f64::NAN,
    };
    let mut cells = vec![
        name,
        format!("{middle}{letter}"),
        format!("{least}–{greatest}"),
        significant(against),
    ];
    cells.extend(ours.iter().enumerate().map(|(at, own)| {
        if place == Some(at) {
            UNKNOWN.into()
        } else {
            significant(speed_against(own, row).middle)
        }
    }));
    cells
}

/// In thousands or millions where it is so large, with the letter that says so.
fn scale(value: f64, unit: Unit) -> (f64, &'static str) {
    match unit {
        Unit::Time | Unit::Bound(_) => (1e3, ""),
        Unit::Payload => (1.0, ""),
        Unit::Tasks if value >= 1e6 => (1e-6, " M"),
        Unit::Tasks => (1e-3, " k"),
    }
}

/// Three digits, more where they stand before the point.
fn significant(value: f64) -> String {
    let digits = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}
