//! Timelines as SVG: variants above each other on one axis, a row per lane, with the code beside them.

use super::{
    bars::{self, UNITS},
    look::{self, Paths, ROW},
};
use crate::{CounterReport, Document, LaneReport, Source, Variant, format, lane};
use maud::{Markup, html};
use std::fmt::Write;

/// Rows drawn per variant; where there are more, the last says how many.
const ROWS: usize = 40;

/// The height of a level's row.
const HEIGHT: f64 = 30.0;

/// The lanes of a variant that are drawn.
pub(super) fn lanes(variant: &Variant) -> Vec<&LaneReport> {
    let recorded = &variant.recorded;
    let mut lanes: Vec<_> = lane::in_view(&recorded.lanes, variant.wall_s).collect();
    if lanes.len() + recorded.folded > ROWS {
        lanes.truncate(ROWS - 1);
    }
    lanes
}

/// The timelines of all variants that recorded anything, and the code; empty without any.
///
/// `run` is the place of the document on the page; of each variant about `limit` bars are drawn.
pub(super) fn of(document: &Document, run: usize, limit: usize) -> Option<Markup> {
    let variants = document.variants.iter().enumerate();
    let variants = variants.map(|(index, variant)| (index, variant, lanes(variant)));
    let variants: Vec<_> = variants.filter(|(.., lanes)| !lanes.is_empty()).collect();
    let longest = lane::longest(variants.iter().map(|(_, one, _)| *one));
    let mut seen = Vec::new();
    let rows = html! {
        @for (index, variant, lanes) in &variants {
            div.variant data-index=(index) {
                @let left = variant.recorded.lanes.len() + variant.recorded.folded - lanes.len();
                p.name {
                    b { (variant.name) } " " (format::seconds_f64(variant.wall_s))
                    @if left > 0 { " · " (format::count(left as u64)) " more lanes like these" }
                }
                @let (picture, paths) = one(variant, lanes, longest, limit);
                ({ seen.push(paths); picture })
            }
        }
    };
    (longest > 0.0).then(|| {
        html! {
            div.timelines data-run=(run) data-longest=(longest) {
                div.stage { (look::legend(&seen)) (rows) (axis(longest)) }
                (code(&document.sources))
            }
        }
    })
}

fn one(variant: &Variant, lanes: &[&LaneReport], axis_s: f64, limit: usize) -> (Markup, Paths) {
    let height = lanes.len() * ROW;
    let mut paths = Paths::default();
    for (row, lane) in lanes.iter().enumerate() {
        bars::draw(&mut paths, lane, axis_s, limit / lanes.len(), row * ROW);
    }
    let end = variant.wall_s / axis_s * UNITS;
    let words = format!("Timeline of {}: {} lanes", variant.name, lanes.len());
    let picture = html! {
        div.rows {
            ol.lanes { @for lane in lanes { li { (lane.name) } } }
            svg.picture role="img" aria-label=(words) viewBox={ "0 0 " (UNITS) " " (height) } preserveAspectRatio="none" height=(height) {
                (paths.svg())
                path.end d={ "M" (format!("{end:.0}")) " 0v" (height) } {}
            }
        }
        @for counter in &variant.recorded.counters { (level(counter, axis_s, limit)) }
    };
    (picture, paths)
}

/// A level over time as steps, such as the depth of a queue.
fn level(counter: &CounterReport, axis_s: f64, limit: usize) -> Markup {
    let peak = counter.peak();
    let mut path = format!("M0 {HEIGHT}");
    // Where there are too many, the highest of each few stands for them.
    let few = counter.samples.len().div_ceil(limit.max(1)).max(1);
    for few in counter.samples.chunks(few) {
        let level = few.iter().map(|sample| sample.1).fold(0.0, f64::max);
        let at = (few[0].0 / axis_s).clamp(0.0, 1.0) * UNITS;
        let top = HEIGHT - (HEIGHT - 3.0) * level / peak.max(1e-9);
        let _ = write!(path, "H{at:.0}V{top:.1}");
    }
    let (name, most) = (&counter.name, format::plain(peak));
    html! {
        div.rows.counter {
            span.lanes { (name) " ≤ " (most) }
            svg.level role="img" aria-label={ (name) ": at most " (most) } viewBox={ "0 0 " (UNITS) " " (HEIGHT) } preserveAspectRatio="none" height=(HEIGHT) {
                path d={ (path) "H" (UNITS) "V" (HEIGHT) "z" } {}
            }
        }
    }
}

/// Ticks in round numbers; the script draws them again when the view changes.
fn axis(end_s: f64) -> Markup {
    let step = format::round_step(end_s / 6.0);
    let ticks = (0..).map(|number| step * f64::from(number));
    let ticks = ticks.take_while(|at| *at <= end_s * 1.000_001);
    html! {
        div.axis.shared aria-hidden="true" {
            @for at in ticks {
                // The words of the last would not fit behind it.
                @let left = at / end_s * 100.0;
                span.last[left > 93.0] style={ "left:" (format!("{left:.2}")) "%" } { (format::seconds_f64(at)) }
            }
        }
    }
}

/// The mechanism's files, without their tests; the script marks the lines that spans name.
fn code(sources: &[Source]) -> Markup {
    html! {
        @if !sources.is_empty() {
            div.code tabindex="0" role="region" aria-label="The code" {
                @for source in sources {
                    p { (source.file) }
                    ol data-file=(source.file) {
                        @for line in source.text.split("\n#[cfg(test)]").next().unwrap_or_default().lines() {
                            li.comment[line.trim_start().starts_with("//")] { (line) }
                        }
                    }
                }
            }
        }
    }
}
