//! Charts: every variant's wall time against its bound, and the curves of a sweep.

use super::{attribute, escape, timeline::round_step};
use crate::{
    experiment::{Curve, CurveLine, Scale, Variant},
    report::format,
};
use std::fmt::Write;

/// A row of bars: its height, where its bar begins, how long the bars are at most.
const ROW: f64 = 34.0;
const LEFT: f64 = 8.0;
const LENGTH: f64 = 520.0;

/// The wall time of each variant as a bar with its range, and its bound as a mark.
pub(super) fn bounds(variants: &[Variant]) -> String {
    let longest = variants
        .iter()
        .map(|variant| variant.wall_max_s)
        .fold(0.0, f64::max);
    if longest <= 0.0 || variants.iter().all(|variant| variant.bound_s.is_none()) {
        return String::new();
    }
    let height = ROW * variants.len() as f64;
    let words: Vec<String> = variants.iter().map(in_words).collect();
    let mut text = format!(
        "<figure class=chart><figcaption>Wall time of each variant (bar; the thin line is its least to \
         greatest round) and the shortest attainable (the upright mark)</figcaption>\n\
         <svg role=img aria-label=\"{}\" viewBox='0 0 720 {height}'>\n",
        attribute(&words.join("; "))
    );
    for (row, variant) in variants.iter().enumerate() {
        bound_row(&mut text, variant, ROW * row as f64, longest);
    }
    text + "</svg></figure>\n"
}

fn bound_row(text: &mut String, variant: &Variant, top: f64, longest: f64) {
    let at = |seconds: f64| LEFT + seconds / longest * LENGTH;
    let bar = top + 17.0;
    let length = variant.wall_s / longest * LENGTH;
    let _ = write!(
        text,
        "<text x={LEFT} y={:.0}>{}</text><rect class=wall x={LEFT} y={bar:.0} width={length:.1} height=9 />",
        top + 13.0,
        escape(&variant.name)
    );
    if variant.runs > 1 {
        let (least, most) = (at(variant.wall_min_s), at(variant.wall_max_s));
        let _ = write!(
            text,
            "<path class=range d='M{least:.1} {y:.1}H{most:.1}'/>",
            y = bar + 4.5
        );
    }
    if let Some(bound) = variant.bound_s {
        let _ = write!(
            text,
            "<path class=bound d='M{:.1} {:.1}v15'/>",
            at(bound),
            bar - 3.0
        );
    }
    let end = at(variant.wall_s.max(if variant.runs > 1 {
        variant.wall_max_s
    } else {
        0.0
    })) + 8.0;
    let _ = writeln!(
        text,
        "<text class=figure x={end:.0} y={:.0}>{}</text>",
        bar + 9.0,
        escape(&figures(variant))
    );
}

fn figures(variant: &Variant) -> String {
    let mut text = format::seconds_f64(variant.wall_s);
    if let Some(efficiency) = variant.efficiency {
        let _ = write!(text, " · {} of bound", format::percent(efficiency));
    }
    text
}

fn in_words(variant: &Variant) -> String {
    let mut text = format!("{}: {}", variant.name, format::seconds_f64(variant.wall_s));
    if let Some(bound) = variant.bound_s {
        let _ = write!(text, ", bound {}", format::seconds_f64(bound));
    }
    text
}

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
pub(super) fn curve(curve: &Curve) -> String {
    let Some(axes) = Axes::of(curve) else {
        return String::new();
    };
    let bottom = PLOT.top + PLOT.height;
    let mut text = format!(
        "<figure class='chart curve'><figcaption>{}</figcaption>\n<ul class=legend>{}</ul>\n\
         <svg role=img aria-label=\"{}\" viewBox='0 0 720 300'>\n",
        escape(&curve.title),
        curve_legend(curve),
        attribute(&curve_in_words(curve))
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
    let mut ticks: Vec<f64> = curve
        .lines
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.x)
        .collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    for x in ticks {
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
    text + "</svg></figure>\n" + &curve_table(curve)
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
    for point in &line.points {
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

fn curve_in_words(curve: &Curve) -> String {
    let mut text = curve.title.clone();
    for line in &curve.lines {
        let points = line.points.iter().map(|point| {
            format!(
                "{} at {}",
                told(curve.scale, point.y),
                format::plain(point.x)
            )
        });
        let _ = write!(
            text,
            ". {}: {}",
            line.name,
            points.collect::<Vec<_>>().join(", ")
        );
        if let Some(knee) = line.knee {
            let _ = write!(text, "; knee at {}", format::plain(knee));
        }
    }
    text
}

/// The same in figures, for those who want to read them off.
fn curve_table(curve: &Curve) -> String {
    let mut text = format!(
        "<details><summary>Figures of this chart</summary><div class=wide><table>\n<thead><tr><th scope=col>{}",
        escape(&curve.axis)
    );
    for line in &curve.lines {
        let _ = write!(
            text,
            "<th scope=col>{}<th scope=col>least–greatest<th scope=col>bound",
            escape(&line.name)
        );
    }
    text += "\n<tbody>\n";
    let mut xs: Vec<f64> = curve
        .lines
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.x)
        .collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    for x in xs {
        let _ = write!(text, "<tr><th scope=row>{}", format::plain(x));
        for line in &curve.lines {
            let point = line.points.iter().find(|point| point.x == x);
            let cells = point.map_or(["–".into(), "–".into(), "–".into()], |point| {
                [
                    told(curve.scale, point.y),
                    format!(
                        "{}–{}",
                        told(curve.scale, point.low),
                        told(curve.scale, point.high)
                    ),
                    point
                        .bound
                        .map_or("–".into(), |bound| told(curve.scale, bound)),
                ]
            });
            cells.iter().for_each(|cell| {
                let _ = write!(text, "<td>{}", escape(cell));
            });
        }
        text.push('\n');
    }
    text + "</table></div></details>\n"
}
