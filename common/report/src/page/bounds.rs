//! Every variant's wall time against its bound, as bars.

use super::{attribute, escape};
use crate::Variant;
use crate::format;
use std::fmt::Write;

/// A row of bars: its height, where its bar begins, how long the bars are at most.
const ROW: f64 = 34.0;
const LEFT: f64 = 8.0;
const LENGTH: f64 = 520.0;

/// The wall time of each variant as a bar with its range, and its bound as a mark.
pub(super) fn of(variants: &[Variant]) -> String {
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
