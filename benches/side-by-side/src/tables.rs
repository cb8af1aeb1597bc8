//! The table of a group: on a terminal, and in Markdown.

use crate::{
    figures::{Spread, in_words, place, ratio, scale, significant, speed_against},
    group::Unit,
    record::{Measured, MeasuredRow},
    row::Side,
};
use common::format;
use report::table;
use std::fmt::Write;

const UNKNOWN: &str = "–";

/// What the columns that compare with ours are called.
const LETTERS: [char; 3] = ['A', 'B', 'C'];

/// Headings and cells; the first column is text, the others are figures.
pub(crate) struct Cells {
    pub(crate) headings: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Cells {
    pub(crate) fn of(measured: &Measured) -> Self {
        let ours = letters(measured);
        let has_memory = measured.rows.iter().any(|row| !row.peak_bytes.is_empty());
        let mut headings = vec![String::new()];
        headings.extend(measured.axis.clone());
        headings.push(match &measured.unit {
            Unit::PerSecond(things) => format!("{things}/s"),
            Unit::Time => "time".into(),
        });
        headings.extend(["range".into(), measured.floor_heading().into()]);
        if has_memory {
            headings.push("peak".into());
        }
        let letters = LETTERS.iter().take(ours.len());
        headings.extend(letters.map(|letter| format!("{letter}÷it")));
        let row = |row| cells(row, measured, &ours, has_memory);
        let rows = measured.rows.iter().map(row).collect();
        Self { headings, rows }
    }

    /// How many columns of a terminal the table takes, two between its own.
    fn width(&self) -> usize {
        let lines = || self.rows.iter().chain([&self.headings]);
        let widest = |column| lines().map(|line| chars(line, column)).max().unwrap_or(0);
        let columns: usize = (0..self.headings.len()).map(widest).sum();
        columns + 2 * self.headings.len().saturating_sub(1)
    }

    /// Drops the last column if it is one that compares with ours.
    fn drop_comparison(&mut self) -> bool {
        let is_comparison = self
            .headings
            .last()
            .is_some_and(|name| name.ends_with("÷it"));
        if is_comparison {
            self.headings.pop();
            for row in &mut self.rows {
                row.pop();
            }
        }
        is_comparison
    }
}

fn chars(line: &[String], column: usize) -> usize {
    line.get(column).map_or(0, |cell| cell.chars().count())
}

/// The names of ours that others are compared with: none where that would be too many.
fn letters(measured: &Measured) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in measured.rows.iter().filter(|row| row.side == Side::Ours) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let has_peers = measured.rows.iter().any(|row| row.side == Side::Peer);
    if !has_peers || names.len() > LETTERS.len() {
        names.clear();
    }
    names
}

fn cells(row: &MeasuredRow, measured: &Measured, ours: &[&str], has_memory: bool) -> Vec<String> {
    let letter = (row.side == Side::Ours)
        .then(|| ours.iter().position(|name| *name == row.name))
        .flatten();
    let mut cells = vec![match (row.side, letter) {
        (Side::Floor, _) => format!("– floor, {}", row.name),
        (Side::Ours, Some(letter)) => format!("{} ours, {}", LETTERS[letter], row.name),
        (Side::Ours, None) => format!("  ours, {}", row.name),
        (Side::Peer, _) => format!("  {}", row.name),
    }];
    if measured.axis.is_some() {
        cells.push(row.at.map_or_else(|| UNKNOWN.into(), place));
    }
    let unknown = || UNKNOWN.to_owned();
    let figures = measured.in_unit(row);
    cells.push(figures.map_or_else(unknown, |figures| in_words(figures.middle, &measured.unit)));
    cells.push(figures.map_or_else(unknown, |figures| range(figures, &measured.unit)));
    let of_floor = Spread::of(measured.of_floor(row).into_iter());
    cells.push(of_floor.map_or_else(unknown, |figures| ratio(figures.middle)));
    if has_memory {
        let peak = Spread::of(row.peak_bytes.iter().map(|bytes| *bytes as f64));
        cells.push(peak.map_or_else(unknown, |peak| format::bytes(peak.middle)));
    }
    cells.extend(ours.iter().enumerate().map(|(at, name)| {
        let own = |own: &&MeasuredRow| own.name == *name && own.side == Side::Ours;
        let own = measured.rows.iter().filter(own);
        let own = own.clone().find(|own| own.at == row.at);
        let speed = own.and_then(|own| speed_against(own, row));
        let speed = speed.filter(|_| letter != Some(at));
        speed.map_or_else(unknown, ratio)
    }));
    cells
}

/// Least and greatest, in the unit of the middle.
fn range(figures: Spread, unit: &Unit) -> String {
    let (factor, _) = scale(figures.middle, unit);
    let [least, greatest] =
        [figures.least, figures.greatest].map(|figure| significant(figure * factor));
    format!("{least}–{greatest}")
}

/// Title, table and notes, for a terminal of so many columns.
pub(crate) fn terminal(measured: &Measured, width: usize) -> String {
    let mut text = report::wrap(&measured.title, width, 0);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if !measured.rows.is_empty() {
        let mut cells = Cells::of(measured);
        // How ours compares is the last thing to see on a narrow terminal; the page has all.
        while cells.width() > width && cells.drop_comparison() {}
        let headings: Vec<&str> = cells.headings.iter().map(String::as_str).collect();
        text += &table(&headings, cells.rows, &[0], width);
    }
    for note in &measured.notes {
        let note = report::wrap(&format!("· {note}"), width, 2);
        let _ = writeln!(text, "{}", note.trim_end());
    }
    text
}

/// The table and its notes as Markdown.
pub(crate) fn markdown(measured: &Measured) -> String {
    let mut text = String::new();
    if !measured.rows.is_empty() {
        let cells = Cells::of(measured);
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace("|  |", "| |"));
        text += &line(&cells.headings);
        text += &format!("|---|{}\n", "--:|".repeat(cells.headings.len() - 1));
        for row in &cells.rows {
            let plain = |cell: &String| cell.trim().replace('|', "\\|");
            let row: Vec<String> = row.iter().map(plain).collect();
            text += &line(&row);
        }
    }
    for (number, note) in measured.notes.iter().enumerate() {
        let gap = if number == 0 && !text.is_empty() {
            "\n"
        } else {
            ""
        };
        let _ = writeln!(text, "{gap}- {note}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::{measured, row};

    fn hand_overs() -> Measured {
        let mut table = measured(
            Unit::per_second("tasks"),
            vec![
                row("pipe", Side::Floor, None, &[1e-6, 2e-6, 1e-6]),
                row("map", Side::Ours, None, &[2e-6, 4e-6, 2e-6]),
                row("Pool.map", Side::Peer, None, &[1e-5, 2e-5, 1e-5]),
            ],
        );
        table.notes = vec!["left out: Go is not installed".into()];
        table
    }

    #[test]
    fn a_table_says_figure_range_share_of_the_floor_and_how_ours_compares() {
        let text = anstream::adapter::strip_str(&terminal(&hand_overs(), 80)).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "Hand-overs",
                "               tasks/s      range  of floor  A÷it",
                "– floor, pipe   1.00 M  0.50–1.00      1.00  0.50",
                "A ours, map      500 k    250–500      0.50     –",
                "  Pool.map       100 k   50.0–100      0.10  5.00",
                "  · left out: Go is not installed",
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_goes_without_the_comparison_before_it_breaks_a_line() {
        let text = anstream::adapter::strip_str(&terminal(&hand_overs(), 46)).to_string();
        assert!(!text.contains("A÷it"), "{text}");
        let row = "A ours, map      500 k    250–500      0.50";
        assert!(text.lines().any(|line| line == row), "{text}");
    }

    #[test]
    fn markdown_has_the_same_cells() {
        assert_eq!(
            markdown(&hand_overs()),
            "|  | tasks/s | range | of floor | A÷it |\n\
             |---|--:|--:|--:|--:|\n\
             | – floor, pipe | 1.00 M | 0.50–1.00 | 1.00 | 0.50 |\n\
             | A ours, map | 500 k | 250–500 | 0.50 | – |\n\
             | Pool.map | 100 k | 50.0–100 | 0.10 | 5.00 |\n\n\
             - left out: Go is not installed\n"
        );
    }

    #[test]
    fn on_an_axis_ours_is_compared_at_the_same_place() {
        let mut table = measured(
            Unit::Time,
            vec![
                row("sockets", Side::Floor, Some(100.0), &[1.0]),
                row("client", Side::Ours, Some(100.0), &[1.1]),
                row("client", Side::Ours, Some(1000.0), &[1.5]),
                row("Node", Side::Peer, Some(1000.0), &[3.0]),
            ],
        );
        table.axis = Some("in flight".into());
        table.rows[1].peak_bytes = vec![3_000_000];
        let cells = Cells::of(&table);
        assert_eq!(
            cells.headings[1..].join(" "),
            "in flight time range × floor peak A÷it"
        );
        assert_eq!(cells.rows[1][1..4].join(" "), "100 1.10 s 1.10–1.10");
        assert_eq!(cells.rows[3].last().map(String::as_str), Some("2.00"));
        assert_eq!(cells.rows[3][4], UNKNOWN, "no floor at its place");
    }
}
