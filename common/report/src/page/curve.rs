//! The curves of a sweep: its points with the range of their rounds, its knee.

use crate::{Curve, CurveLine, CurvePoint, format};
use maud::{Markup, html};

/// The plot within its picture: left, top, width, height.
const PLOT: (f64, f64, f64, f64) = (74.0, 12.0, 620.0, 236.0);

/// A logarithmic axis, from the least to the greatest that it shows: sweeps double or grow by tens.
struct Axis(f64, f64);

impl Axis {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let shown = values.filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = shown.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        Self(low, high)
    }

    /// Where a value lies, 0–1.
    fn part(&self, value: f64) -> f64 {
        let part = (value / self.0).ln() / (self.1 / self.0).ln();
        if part.is_finite() {
            part.clamp(0.0, 1.0)
        } else {
            0.5
        }
    }

    /// The levels at which it has a line.
    fn levels(&self) -> Vec<f64> {
        let steps: &[f64] = match self.1 / self.0 {
            300.0.. => &[1.0],
            10.0.. => &[1.0, 2.0, 5.0],
            _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
        };
        let all = (self.0.log10().floor() as i32..=self.1.log10().ceil() as i32)
            .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        all.filter(|level| (self.0..=self.1).contains(level))
            .collect()
    }
}

/// One sweep: a line for each way, its rounds' range, its knee.
pub(super) fn of(curve: &Curve) -> Markup {
    let points = || curve.lines.iter().flat_map(|line| &line.points);
    let mut places: Vec<f64> = points().map(|point| point.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let across = Axis::of(places.iter().copied());
    let Axis(low, high) = Axis::of(points().flat_map(|point| [point.low, point.high]));
    if high == 0.0 {
        return Markup::default();
    }
    // A little room at both ends.
    let room = (high / low).powf(0.08).max(1.05);
    let up = Axis(low / room, high * room);
    let left = |x| PLOT.0 + across.part(x) * PLOT.2;
    let top = |y| PLOT.1 + (1.0 - up.part(y)) * PLOT.3;
    let text = |class: &str, x: f64, y: f64, text: &str| {
        html! { text.(class) x=(round(x)) y=(round(y)) { (text) } }
    };
    html! {
        figure.chart {
            figcaption { (curve.title) }
            ul.legend { @for (number, line) in curve.lines.iter().enumerate() {
                li class={ "n" (number % 4) } {
                    svg viewBox="0 0 24 16" width="24" height="16" aria-hidden="true" {
                        path.line d="M0 8h24" {} (dot(number, 12.0, 8.0))
                    }
                    (line.name)
                }
            } }
            svg role="img" aria-label=(curve.title) viewBox="0 0 720 300" {
                @for level in up.levels() {
                    path.grid d={ "M" (PLOT.0) " " (round(top(level))) "h" (PLOT.2) } {}
                    (text("y", PLOT.0 - 6.0, top(level) + 4.0, &format::seconds_f64(level)))
                }
                @for &x in &places { (text("x", left(x), PLOT.1 + PLOT.3 + 18.0, &format::plain(x))) }
                (text("x", PLOT.0 + PLOT.2 / 2.0, PLOT.1 + PLOT.3 + 38.0, &curve.axis))
                @for (number, line) in curve.lines.iter().enumerate() {
                    (drawn(line, number, |point| [left(point.x), top(point.y), top(point.low), top(point.high)]))
                }
            }
        }
    }
}

fn round(value: f64) -> String {
    format!("{value:.1}")
}

/// A line through places: from the left, and the middle, least and greatest from the top.
fn drawn(line: &CurveLine, number: usize, place: impl Fn(&CurvePoint) -> [f64; 4]) -> Markup {
    let time = format::seconds_f64;
    // A logarithmic axis has no place for nothing.
    let points = line.points.iter().filter(|point| point.y > 0.0);
    let points: Vec<_> = points.map(|point| (point, place(point))).collect();
    let path: Vec<String> = points
        .iter()
        .map(|(_, at)| format!("{:.1} {:.1}", at[0], at[1]))
        .collect();
    html! {
        g class={ "n" (number % 4) } {
            path.line d={ "M" (path.join("L")) } {}
            @for (point, [x, y, low, high]) in points {
                path.line d={ "M" (round(x)) " " (round(low)) "V" (round(high)) } {}
                g {
                    title { (line.name) ", " (format::plain(point.x)) ": " (time(point.y)) " (" (time(point.low)) "–" (time(point.high)) ")" }
                    (dot(number, x, y))
                }
                @if line.knee == Some(point.x) {
                    circle.line cx=(round(x)) cy=(round(y)) r="11" {}
                    text x=(round(x + 13.0)) y=(round(y - 9.0)) { "knee" }
                }
            }
        }
    }
}

/// Lines are told apart by their dots as well as by colour.
fn dot(number: usize, x: f64, y: f64) -> Markup {
    let (from, shape) = match number % 4 {
        0 => ((-4.5, 0.0), "a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z"),
        1 => ((-4.0, -4.0), "h8v8h-8z"),
        2 => ((0.0, -5.0), "l5 9h-10z"),
        _ => ((0.0, -5.0), "l5 5l-5 5l-5-5z"),
    };
    html! { path.dot d={ "M" (round(x + from.0)) " " (round(y + from.1)) (shape) } {} }
}
