//! The curves of a sweep: its points with the range of their rounds, its bound, its knee.

use super::tables;
use crate::{Curve, CurveLine, CurvePoint, Scale, format};
use maud::{Markup, html};
use std::fmt::Write;

/// The plot within its picture: left, top, width, height.
const PLOT: (f64, f64, f64, f64) = (74.0, 12.0, 620.0, 236.0);

/// Both axes, logarithmic: sweeps double or grow by tens.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn of(curve: &Curve) -> Option<Self> {
        let points = || curve.lines.iter().flat_map(|line| &line.points);
        let bounds = points().filter_map(|point| point.bound);
        let all = points().flat_map(|point| [point.y, point.low, point.high]);
        let (low, high) = range(all.chain(bounds))?;
        // A little room at both ends.
        let room = (high / low).powf(0.08).max(1.05);
        Some(Self {
            x: range(points().map(|point| point.x))?,
            y: (low / room, high * room),
        })
    }

    fn left(&self, x: f64) -> f64 {
        PLOT.0 + part(x, self.x) * PLOT.2
    }

    fn top(&self, y: f64) -> f64 {
        PLOT.1 + (1.0 - part(y, self.y)) * PLOT.3
    }

    fn through(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (x, y) in points.filter(|(_, y)| *y > 0.0) {
            let step = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{step}{:.1} {:.1}", self.left(x), self.top(y));
        }
        path
    }
}

/// The least and the greatest of what a logarithmic axis can show.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let shown = values.filter(|value| value.is_finite() && *value > 0.0);
    shown.fold(None, |range: Option<(f64, f64)>, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

fn part(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low {
        ((value / low).ln() / (high / low).ln()).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// One sweep: a line for each way, its rounds' range, its bound, its knee.
pub(super) fn of(curve: &Curve) -> Markup {
    let Some(axes) = Axes::of(curve) else {
        return Markup::default();
    };
    let words = |value| shown(curve.scale, value);
    let text = |class: &str, (x, y): (f64, f64), text: &str| {
        html! { text.(class) x=(round(x)) y=(round(y)) { (text) } }
    };
    html! {
        figure.chart {
            figcaption { (curve.title) }
            (legend(curve))
            svg role="img" aria-label={ (curve.title) ": the figures are below" } viewBox="0 0 720 300" {
                @for level in levels(axes.y) {
                    path.grid d={ "M" (PLOT.0) " " (round(axes.top(level))) "h" (PLOT.2) } {}
                    (text("y", (PLOT.0 - 6.0, axes.top(level) + 4.0), &words(level)))
                }
                @for x in places(curve) {
                    (text("x", (axes.left(x), PLOT.1 + PLOT.3 + 18.0), &format::plain(x)))
                }
                (text("x", (PLOT.0 + PLOT.2 / 2.0, PLOT.1 + PLOT.3 + 38.0), &curve.axis))
                @for (number, line) in curve.lines.iter().enumerate() { (drawn(line, number, &axes)) }
            }
        }
        details { summary { "Figures of this chart" } (figures(curve)) }
    }
}

fn round(value: f64) -> String {
    format!("{value:.1}")
}

/// Every place on the axis that has a point.
fn places(curve: &Curve) -> Vec<f64> {
    let points = curve.lines.iter().flat_map(|line| &line.points);
    let mut places: Vec<f64> = points.map(|point| point.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    places
}

fn drawn(line: &CurveLine, number: usize, axes: &Axes) -> Markup {
    let points = || line.points.iter();
    let bound = axes.through(points().filter_map(|point| Some((point.x, point.bound?))));
    // A logarithmic axis has no place for nothing.
    let dots = points().filter(|point| point.y > 0.0);
    html! {
        g class={ "n" (number % 4) } {
            @if !bound.is_empty() { path.bound d=(bound) {} }
            path.line d=(axes.through(points().map(|point| (point.x, point.y)))) {}
            @for point in dots {
                @let (x, y) = (axes.left(point.x), axes.top(point.y));
                path.line d={ "M" (round(x)) " " (round(axes.top(point.low))) "V" (round(axes.top(point.high))) } {}
                (dot(number, x, y))
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

fn legend(curve: &Curve) -> Markup {
    let swatch = |class: &str, dot: &Markup, words: &str| {
        html! { svg viewBox="0 0 24 16" width="24" height="16" aria-hidden="true" { path class=(class) d="M0 8h24" {} (dot) } (words) }
    };
    html! {
        ul.legend {
            @for (number, one) in curve.lines.iter().enumerate() {
                li class={ "n" (number % 4) } { (swatch("line", &dot(number, 12.0, 8.0), &one.name)) }
            }
            @if let Some(reason) = &curve.bound_reason {
                li { (swatch("bound", &html! {}, &format!("bound: {reason}"))) }
            }
        }
    }
}

/// The levels of a logarithmic axis at which it has a line.
fn levels((low, high): (f64, f64)) -> Vec<f64> {
    let steps: &[f64] = match high / low {
        300.0.. => &[1.0],
        10.0.. => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
    };
    let first = low.log10().floor() as i32;
    let all = (first..=high.log10().ceil() as i32)
        .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
    all.filter(|level| (low..=high).contains(level)).collect()
}

/// The curve in figures, for those who do not see it or want to read it off.
fn figures(curve: &Curve) -> Markup {
    let bounded = curve.bound_reason.is_some();
    let mut names = vec![&*curve.axis];
    for line in &curve.lines {
        names.extend([&*line.name, "least–greatest"]);
        names.extend(bounded.then_some("bound"));
    }
    let show = |value: Option<f64>| value.map_or("–".into(), |value| shown(curve.scale, value));
    let cells = |point: Option<&CurvePoint>| {
        let of = |figure: fn(&CurvePoint) -> Option<f64>| show(point.and_then(figure));
        html! {
            td { (of(|point| Some(point.y))) }
            td { (of(|point| Some(point.low))) "–" (of(|point| Some(point.high))) }
            @if bounded { td { (of(|point| point.bound)) } }
        }
    };
    let at = |line: &CurveLine, x| cells(line.points.iter().find(|point| point.x == x));
    let row = |x| html! { tr { th scope="row" { (format::plain(x)) } @for line in &curve.lines { (at(line, x)) } } };
    let rows: Vec<Markup> = places(curve).into_iter().map(row).collect();
    tables::table(&curve.title, &names, &[], &rows)
}

fn shown(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Seconds => format::seconds_f64(value),
        Scale::Bytes => format::bytes(value),
        Scale::Times => format!("{}×", format::plain(value)),
    }
}
