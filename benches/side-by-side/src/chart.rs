//! The figures of a table as a picture: SVG that needs nothing else.

use crate::{
    figures::{Spread, in_words, place, round},
    record::{Measured, MeasuredRow},
    row::Side,
};
use std::fmt::Write;

const WIDTH: f64 = 760.0;
/// Room for the names of rows or of curves.
const NAMES: f64 = 230.0;
const ROW: f64 = 24.0;
const HEIGHT: f64 = 300.0;
const EDGE: f64 = 28.0;
/// How many the style sheet has for curves.
const COLOURS: usize = 8;
/// The height of a line of text.
const LABEL: f64 = 14.0;

/// A logarithmic scale from figures to places on the picture.
struct Axis {
    least: f64,
    greatest: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(figures: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let spread = Spread::of(figures.filter(|figure| *figure > 0.0 && figure.is_finite()))?;
        let room = (spread.greatest / spread.least).powf(0.04).max(1.05);
        let (least, greatest) = (spread.least / room, spread.greatest * room);
        Some(Self {
            least,
            greatest,
            from,
            to,
        })
    }

    fn place(&self, figure: f64) -> f64 {
        let share = (figure / self.least).ln() / (self.greatest / self.least).ln();
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round figures within the scale: every power of ten, with 2 and 5 where there are few.
    fn ticks(&self) -> Vec<f64> {
        let decades = (self.greatest / self.least).log10();
        let steps: &[f64] = match decades {
            ..0.7 => &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
            ..3.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let decades = (self.least.log10().floor() as i32)..=(self.greatest.log10().ceil() as i32);
        let ticks = decades.flat_map(|decade| steps.iter().map(move |s| s * 10_f64.powi(decade)));
        ticks
            .filter(|tick| (self.least..=self.greatest).contains(tick))
            .collect()
    }
}

/// A picture of the table; nothing where there is nothing to draw.
pub(crate) fn of(measured: &Measured) -> Option<String> {
    let mut places: Vec<f64> = measured.rows.iter().filter_map(|row| row.at).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    match &measured.axis {
        Some(axis) if places.len() > 1 => curves(measured, axis, &places),
        _ => dots(measured),
    }
}

fn in_unit(measured: &Measured) -> Vec<(&MeasuredRow, Spread)> {
    let rows = measured.rows.iter();
    rows.filter_map(|row| Some((row, measured.in_unit(row)?)))
        .collect()
}

fn ends(rows: &[(&MeasuredRow, Spread)]) -> impl Iterator<Item = f64> {
    rows.iter()
        .flat_map(|(_, figures)| [figures.least, figures.greatest])
}

/// One row below the other: the median as a dot, the range as a line.
fn dots(measured: &Measured) -> Option<String> {
    let rows = in_unit(measured);
    let axis = Axis::of(ends(&rows), NAMES, WIDTH - EDGE)?;
    let height = EDGE + ROW * rows.len() as f64;
    let mut svg = open(measured, height);
    let bottom = height - EDGE;
    for tick in thinned(axis.ticks(), |tick| axis.place(tick), 70.0) {
        let (x, words) = (axis.place(tick), round(tick, &measured.unit));
        let _ = writeln!(svg, "<path class=grid d='M{x:.1} 0V{bottom:.1}'/>");
        let _ = writeln!(
            svg,
            "<text x='{x:.1}' y='{:.1}' text-anchor=middle>{words}</text>",
            height - 8.0
        );
    }
    for (number, (row, figures)) in rows.iter().enumerate() {
        let y = ROW * (number as f64 + 0.5);
        let x = [figures.least, figures.middle, figures.greatest].map(|f| axis.place(f));
        let name = escape(&row.name);
        let class = class_of(row.side);
        let words = said(row, *figures, measured);
        let _ = writeln!(
            svg,
            "<g class={class}><title>{words}</title><text x='{:.0}' y='{:.1}' text-anchor=end>{name}</text>\
             <path d='M{:.1} {y:.1}H{:.1}'/><circle cx='{:.1}' cy='{y:.1}' r=4 /></g>",
            NAMES - 12.0,
            y + 4.0,
            x[0],
            x[2],
            x[1]
        );
    }
    svg += "</svg>";
    Some(svg)
}

/// A curve for the rows of each name, along the axis.
fn curves(measured: &Measured, axis: &str, places: &[f64]) -> Option<String> {
    let rows = in_unit(measured);
    let left = 70.0;
    let along = Axis::of(places.iter().copied(), left, WIDTH - NAMES)?;
    let up = Axis::of(ends(&rows), HEIGHT - EDGE - 16.0, 8.0)?;
    let mut svg = open(measured, HEIGHT);
    for tick in thinned(up.ticks(), |tick| up.place(tick), 18.0) {
        let (y, words) = (up.place(tick), round(tick, &measured.unit));
        let right = WIDTH - NAMES;
        let _ = writeln!(svg, "<path class=grid d='M{left} {y:.1}H{right}'/>");
        let _ = writeln!(
            svg,
            "<text x='{}' y='{:.1}' text-anchor=end>{words}</text>",
            left - 6.0,
            y + 4.0
        );
    }
    for &at in places {
        let (x, words) = (along.place(at), place(at));
        let _ = writeln!(
            svg,
            "<text x='{x:.1}' y='{}' text-anchor=middle>{words}</text>",
            HEIGHT - EDGE
        );
    }
    let middle = (left + WIDTH - NAMES) / 2.0;
    let _ = writeln!(
        svg,
        "<text x='{middle}' y='{}' text-anchor=middle>{}</text>",
        HEIGHT - 8.0,
        escape(axis)
    );
    let mut labels = Vec::new();
    for (number, name) in names(&rows).into_iter().enumerate() {
        let points: Vec<_> = rows
            .iter()
            .filter(|(row, _)| row.name == name && row.at.is_some())
            .collect();
        let Some((row, _)) = points.first() else {
            continue;
        };
        let _ = writeln!(
            svg,
            "<g class='{} n{}'>",
            class_of(row.side),
            number % COLOURS
        );
        let mut line = String::new();
        for (number, (row, figures)) in points.iter().enumerate() {
            let x = along.place(row.at.unwrap_or_default());
            let y = [figures.least, figures.middle, figures.greatest].map(|f| up.place(f));
            let _ = write!(
                line,
                "{}{x:.1} {:.1}",
                if number == 0 { 'M' } else { 'L' },
                y[1]
            );
            let words = said(row, *figures, measured);
            let _ = writeln!(
                svg,
                "<g><title>{words}</title><path d='M{x:.1} {:.1}V{:.1}'/><circle cx='{x:.1}' cy='{:.1}' r=4 /></g>",
                y[0], y[2], y[1]
            );
        }
        let _ = writeln!(svg, "<path class=curve d='{line}'/></g>");
        let end = points
            .last()
            .map_or(0.0, |(_, figures)| up.place(figures.middle));
        labels.push((end, number, name, row.side));
    }
    svg += &labels_of(labels);
    svg += "</svg>";
    Some(svg)
}

/// The names of the curves beside their ends, moved apart where they would overlap.
fn labels_of(mut labels: Vec<(f64, usize, &str, Side)>) -> String {
    labels.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = 0.0_f64;
    for (y, ..) in &mut labels {
        *y = y.max(free);
        free = *y + LABEL;
    }
    // Those that were pushed over the edge push back.
    let mut free = HEIGHT - LABEL;
    for (y, ..) in labels.iter_mut().rev() {
        *y = y.min(free);
        free = *y - LABEL;
    }
    let mut text = String::new();
    for (y, number, name, side) in labels {
        let (x, class) = (WIDTH - NAMES + 12.0, class_of(side));
        let _ = writeln!(
            text,
            "<text class='{class} n{}' x='{x}' y='{:.1}'>{}</text>",
            number % COLOURS,
            y + 4.0,
            escape(name)
        );
    }
    text
}

fn names<'a>(rows: &[(&'a MeasuredRow, Spread)]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (row, _) in rows {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    names
}

/// The ticks that have room.
fn thinned(ticks: Vec<f64>, place: impl Fn(f64) -> f64, room: f64) -> Vec<f64> {
    let mut kept: Vec<f64> = Vec::new();
    for tick in ticks {
        if kept
            .last()
            .is_none_or(|last| (place(*last) - place(tick)).abs() >= room)
        {
            kept.push(tick);
        }
    }
    kept
}

fn open(measured: &Measured, height: f64) -> String {
    let label = escape(&measured.title);
    format!(
        "<svg role=img aria-label='{label}: the table above as a picture' viewBox='0 0 {WIDTH} {height}'>\n"
    )
}

fn said(row: &MeasuredRow, figures: Spread, measured: &Measured) -> String {
    let [middle, least, greatest] = [figures.middle, figures.least, figures.greatest]
        .map(|figure| in_words(figure, &measured.unit));
    let at = row
        .at
        .map_or_else(String::new, |at| format!(" at {}", place(at)));
    format!(
        "{}{at}: {middle} ({least} to {greatest})",
        escape(&row.name)
    )
}

fn class_of(side: Side) -> &'static str {
    match side {
        Side::Floor => "floor",
        Side::Ours => "ours",
        Side::Peer => "peer",
    }
}

/// Text that is to stand in HTML, in an attribute too.
pub(crate) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('\'', "&#39;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Unit,
        figures::tests::{measured, row},
    };

    #[test]
    fn every_row_is_drawn_with_its_figures_as_text() {
        let rows = vec![
            row("pipe <&>", Side::Floor, None, &[0.001, 0.002, 0.004]),
            row("map", Side::Ours, None, &[0.1]),
        ];
        let svg = of(&measured(Unit::Time, rows)).expect("two rows");
        assert!(
            svg.contains("pipe &lt;&amp;>: 2.00 ms (1.00 ms to 4.00 ms)"),
            "{svg}"
        );
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("<g class").count(), svg.matches("</g>").count());
    }

    #[test]
    fn rows_of_one_name_are_one_curve() {
        let at = |name, at, each| row(name, Side::Ours, Some(at), &[each]);
        let rows = vec![
            at("lock", 1.0, 1e-8),
            at("lock", 2.0, 9e-8),
            at("atomic", 1.0, 5e-9),
        ];
        let mut table = measured(Unit::Time, rows);
        table.axis = Some("threads".into());
        let svg = of(&table).expect("three rows");
        assert_eq!(svg.matches("class=curve").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains(">threads<"));
    }

    #[test]
    fn names_that_meet_are_moved_apart_and_stay_on_the_picture() {
        let labels = (0..12).map(|number| (HEIGHT - 40.0, number, "name", Side::Ours));
        let text = labels_of(labels.collect());
        let place = |line: &str| line.split("y='").nth(1)?.split('\'').next()?.parse().ok();
        let places: Vec<f64> = text.lines().filter_map(place).collect();
        assert_eq!(places.len(), 12);
        assert!(places.windows(2).all(|two| two[1] - two[0] >= LABEL - 0.1));
        assert!(places[0] > 0.0 && places[11] < HEIGHT, "{places:?}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(of(&measured(Unit::Time, Vec::new())), None);
        let broken = row("zero", Side::Ours, None, &[0.0]);
        assert_eq!(of(&measured(Unit::Time, vec![broken.clone()])), None);
        let endless = measured(Unit::per_second("tasks"), vec![broken]);
        assert_eq!(of(&endless), None, "an infinite scale has no end of ticks");
    }

    #[test]
    fn a_figure_lies_between_the_ends_of_its_axis() {
        let axis = Axis::of([1e-9, 1.0].into_iter(), 100.0, 200.0).expect("figures");
        for figure in [1e-9, 1e-5, 1.0] {
            assert!((100.0..=200.0).contains(&axis.place(figure)));
        }
        assert!(axis.place(1e-9) < axis.place(1e-8));
        assert!(!axis.ticks().is_empty());
    }
}
