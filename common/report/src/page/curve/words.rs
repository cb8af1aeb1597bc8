//! A curve in words and in figures, for those who do not see it or want to read it off.

use super::{places, told};
use crate::format;
use crate::page::escape;
use crate::{Curve, CurvePoint};
use std::fmt::Write;

pub(super) fn of(curve: &Curve) -> String {
    let mut text = curve.title.clone();
    for line in &curve.lines {
        let points = line.points.iter().map(|point| {
            let (y, x) = (told(curve.scale, point.y), format::plain(point.x));
            format!("{y} at {x}")
        });
        let points: Vec<String> = points.collect();
        let _ = write!(text, ". {}: {}", line.name, points.join(", "));
        if let Some(knee) = line.knee {
            let _ = write!(text, "; knee at {}", format::plain(knee));
        }
    }
    text
}

pub(super) fn table(curve: &Curve) -> String {
    let bounded = curve.bound_reason.is_some();
    let mut text = format!(
        "<details><summary>Figures of this chart</summary><div class=wide><table>\n\
         <thead><tr><th scope=col>{}",
        escape(&curve.axis)
    );
    for line in &curve.lines {
        let name = escape(&line.name);
        let _ = write!(text, "<th scope=col>{name}<th scope=col>least–greatest");
        text += if bounded { "<th scope=col>bound" } else { "" };
    }
    text += "\n<tbody>\n";
    for x in places(curve) {
        let _ = write!(text, "<tr><th scope=row>{}", format::plain(x));
        for line in &curve.lines {
            let point = line.points.iter().find(|point| point.x == x);
            let cells = cells(curve, point);
            for cell in &cells[..if bounded { 3 } else { 2 }] {
                let _ = write!(text, "<td>{}", escape(cell));
            }
        }
        text.push('\n');
    }
    text + "</table></div></details>\n"
}

/// The middle, the range and the bound of a point, if there is one.
fn cells(curve: &Curve, point: Option<&CurvePoint>) -> [String; 3] {
    let told = |value| told(curve.scale, value);
    let unknown = || "–".to_owned();
    match point {
        Some(point) => [
            told(point.y),
            format!("{}–{}", told(point.low), told(point.high)),
            point.bound.map_or_else(unknown, told),
        ],
        None => [unknown(), unknown(), unknown()],
    }
}
