//! The curves of a sweep: its points with the range of their rounds, its bound, its knee.

mod words;

use super::{attribute, axis::round_step, escape};
use crate::format;
use crate::{Curve, CurveLine, Scale};
use std::fmt::Write;

/// The plot of a curve within its picture.
const PLOT: Plot = Plot {
    left: 74.0,
    top: 12.0,
    width: 620.0,
    height: 236.0,
};

struct Plot {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Both axes, logarithmic: sweeps double or grow by tens.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn of(curve: &Curve) -> Option<Self> {
        let points = || curve.lines.iter().flat_map(|line| &line.points);
        let all = points().flat_map(|point| {
            [
                Some(point.y),
                Some(point.low),
                Some(point.high),
                point.bound,
            ]
        });
        Some(Self {
            x: range(points().map(|point| point.x))?,
            y: widened(range(all.flatten())?),
        })
    }

    fn left(&self, x: f64) -> f64 {
        PLOT.left + part(x, self.x) * PLOT.width
    }

    fn top(&self, y: f64) -> f64 {
        PLOT.top + (1.0 - part(y, self.y)) * PLOT.height
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

/// With a little room at both ends, and never no room at all.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    let room = (high / low).powf(0.08).max(1.05);
    (low / room, high * room)
}

fn part(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low {
        ((value / low).ln() / (high / low).ln()).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// One sweep: a line for each way, its rounds' range, its bound, its knee.
pub(super) fn of(curve: &Curve) -> String {
    let Some(axes) = Axes::of(curve) else {
        return String::new();
    };
    let bottom = PLOT.top + PLOT.height;
    let mut text = format!(
        "<figure class='chart curve'><figcaption>{}</figcaption>\n<ul class=legend>{}</ul>\n\
         <svg role=img aria-label=\"{}\" viewBox='0 0 720 300'>\n",
        escape(&curve.title),
        curve_legend(curve),
        attribute(&words::of(curve))
    );
    for level in levels(axes.y) {
        let _ = writeln!(
            text,
            "<path class=grid d='M{} {:.1}h{}'/><text class=y x={} y={:.1}>{}</text>",
            PLOT.left,
            axes.top(level),
            PLOT.width,
            PLOT.left - 6.0,
            axes.top(level) + 4.0,
            escape(&told(curve.scale, level))
        );
    }
    for x in places(curve) {
        let _ = writeln!(
            text,
            "<text class=x x={:.1} y={}>{}</text>",
            axes.left(x),
            bottom + 18.0,
            format::plain(x)
        );
    }
    let _ = writeln!(
        text,
        "<text class=x x={} y={}>{}</text>",
        PLOT.left + PLOT.width / 2.0,
        bottom + 38.0,
        escape(&curve.axis)
    );
    for (number, line) in curve.lines.iter().enumerate() {
        draw_line(&mut text, line, number, &axes);
    }
    text + "</svg></figure>\n" + &words::table(curve)
}

/// Every place on the axis that has a point.
fn places(curve: &Curve) -> Vec<f64> {
    let points = curve.lines.iter().flat_map(|line| &line.points);
    let mut places: Vec<f64> = points.map(|point| point.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    places
}

fn draw_line(text: &mut String, line: &CurveLine, number: usize, axes: &Axes) {
    let through = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut path = String::new();
        for (x, y) in points.filter(|(_, y)| *y > 0.0) {
            let step = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{step}{:.1} {:.1}", axes.left(x), axes.top(y));
        }
        path
    };
    let bound = through(
        &mut line
            .points
            .iter()
            .filter_map(|point| Some((point.x, point.bound?))),
    );
    let own = through(&mut line.points.iter().map(|point| (point.x, point.y)));
    let _ = writeln!(text, "<g class=n{}>", number % 4);
    if !bound.is_empty() {
        let _ = writeln!(text, "<path class=bound d='{bound}'/>");
    }
    let _ = writeln!(text, "<path class=line d='{own}'/>");
    // A logarithmic axis has no place for nothing.
    for point in line.points.iter().filter(|point| point.y > 0.0) {
        let (x, y) = (axes.left(point.x), axes.top(point.y));
        let _ = writeln!(
            text,
            "<path class=range d='M{x:.1} {:.1}V{:.1}'/>{}",
            axes.top(point.low),
            axes.top(point.high),
            dot(number, x, y)
        );
        if line.knee == Some(point.x) {
            let _ = writeln!(
                text,
                "<circle class=knee cx={x:.1} cy={y:.1} r=11 /><text x={:.1} y={:.1}>knee</text>",
                x + 13.0,
                y - 9.0
            );
        }
    }
    *text += "</g>\n";
}

/// Lines are told apart by their dots as well as by colour.
fn dot(number: usize, x: f64, y: f64) -> String {
    match number % 4 {
        0 => format!("<circle class=dot cx={x:.1} cy={y:.1} r=4.5 />"),
        1 => format!(
            "<path class=dot d='M{:.1} {:.1}h8v8h-8z'/>",
            x - 4.0,
            y - 4.0
        ),
        2 => format!("<path class=dot d='M{x:.1} {:.1}l5 9h-10z'/>", y - 5.0),
        _ => format!(
            "<path class=dot d='M{x:.1} {:.1}l5 5l-5 5l-5 -5z'/>",
            y - 5.0
        ),
    }
}

fn curve_legend(curve: &Curve) -> String {
    let mut text = String::new();
    for (number, line) in curve.lines.iter().enumerate() {
        let _ = write!(
            text,
            "<li class=n{}><svg viewBox='0 0 28 20' width=28 height=20 aria-hidden=true><path class=line d='M1 10h26'/>{}</svg> {}",
            number % 4,
            dot(number, 14.0, 10.0),
            escape(&line.name)
        );
    }
    if let Some(reason) = &curve.bound_reason {
        let _ = write!(
            text,
            "<li><svg viewBox='0 0 28 20' width=28 height=20 aria-hidden=true><path class=bound d='M1 10h26'/></svg> bound: {}",
            escape(reason)
        );
    }
    text
}

/// The levels of a logarithmic axis at which it has a line.
fn levels((low, high): (f64, f64)) -> Vec<f64> {
    let decades = (high / low).log10();
    let steps: &[f64] = if decades > 2.5 {
        &[1.0]
    } else if decades > 1.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]
    };
    let first = low.log10().floor() as i32;
    let all = (first..=high.log10().ceil() as i32)
        .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
    let found: Vec<f64> = all.filter(|level| (low..=high).contains(level)).collect();
    if found.len() > 1 {
        found
    } else {
        vec![low + round_step((high - low) / 2.0)]
    }
}

fn told(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Seconds => format::seconds_f64(value),
        Scale::Bytes => format::bytes(value),
        Scale::Times => format!("{}×", format::plain(value)),
    }
}
