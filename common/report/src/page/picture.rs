//! Timelines as SVG: variants above each other on one axis, a row per lane, with the code beside them.

use super::{
    bars::{self, UNITS},
    glance::times,
    look::{self, Paths, ROW, Seen},
};
use crate::{CounterReport, Document, LaneReport, OnAxis, Source, Variant, axis_of, format};
use maud::{Markup, html};
use std::fmt::Write;

/// Rows drawn per variant; where there are more, the last says how many.
const ROWS: usize = 40;

/// The height of a level's row.
const HEIGHT: f64 = 30.0;

/// The lanes of a variant that are drawn: those of which any part falls into the measured stretch.
pub(super) fn lanes(variant: &Variant) -> Vec<&LaneReport> {
    let wall = variant.wall_s;
    let in_view = |lane: &&LaneReport| {
        let mut spans = lane.spans.iter();
        spans.any(|span| span.end_s > 0.0 && span.start_s < wall)
    };
    let mut lanes: Vec<_> = variant.lanes.iter().filter(in_view).collect();
    if lanes.len() + variant.folded > ROWS {
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
    let on_axis = |variant: &Variant| OnAxis {
        wall_s: variant.wall_s,
        same_work: variant.speedup.is_some(),
    };
    let all: Vec<_> = variants.iter().map(|(_, one, _)| on_axis(one)).collect();
    let longest = all.iter().map(|one| one.wall_s).fold(0.0, f64::max);
    let mut seen = Vec::new();
    let rows: Vec<Markup> = variants
        .iter()
        .map(|(index, variant, lanes)| {
            let axis_s = axis_of(on_axis(variant), &all);
            let (picture, looks) = one(variant, lanes, axis_s, limit);
            seen.push(looks);
            html! {
                div.variant data-index=(index) data-axis=(axis_s) {
                    (name(variant, lanes.len(), longest / axis_s))
                    (picture)
                    @if axis_s < longest { (axis(axis_s, "own")) }
                }
            }
        })
        .collect();
    (longest > 0.0).then(|| {
        html! {
            div.timelines data-run=(run) data-longest=(longest) {
                div.stage {
                    (look::legend(&seen))
                    @for row in rows { (row) }
                    (axis(longest, "shared"))
                }
                (code(&document.sources))
            }
        }
    })
}

/// A variant's name, its time, and what is not drawn as it was.
fn name(variant: &Variant, drawn: usize, enlarged: f64) -> Markup {
    let left = variant.lanes.len() + variant.folded - drawn;
    html! {
        p.name {
            b { (variant.name) } " " (format::seconds_f64(variant.wall_s))
            @if left > 0 { " · " (format::count(left as u64)) " more lanes like these" }
            @if enlarged > 1.0 { " · enlarged " (times(enlarged)) " × against the others" }
        }
    }
}

fn one(variant: &Variant, lanes: &[&LaneReport], axis_s: f64, limit: usize) -> (Markup, Seen) {
    let height = lanes.len() * ROW;
    let mut paths = Paths::default();
    for (row, lane) in lanes.iter().enumerate() {
        bars::draw(&mut paths, lane, axis_s, limit / lanes.len(), row * ROW);
    }
    let end = variant.wall_s / axis_s * UNITS;
    let words = format!(
        "Timeline of {}: {} lanes over {}",
        variant.name,
        lanes.len(),
        format::seconds_f64(variant.wall_s)
    );
    let picture = html! {
        div.rows {
            ol.lanes { @for lane in lanes { li { (lane.name) } } }
            svg.picture role="img" aria-label=(words) viewBox={ "0 0 " (UNITS) " " (height) } preserveAspectRatio="none" height=(height) {
                (paths.svg())
                path.end d={ "M" (format!("{end:.0}")) " 0v" (height) } {}
            }
        }
        @for counter in &variant.counters { (level(counter, axis_s, limit)) }
    };
    (picture, paths.seen())
}

/// A level over time as steps, such as the depth of a queue.
fn level(counter: &CounterReport, axis_s: f64, limit: usize) -> Markup {
    let peak = counter.samples.iter().map(|sample| sample.1);
    let peak = peak.fold(0.0, f64::max);
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
fn axis(end_s: f64, class: &str) -> Markup {
    let step = round_step(end_s / 6.0);
    let ticks = (0..).map(|number| step * f64::from(number));
    let ticks = ticks.take_while(|at| *at <= end_s * 1.000_001);
    html! {
        div.axis.(class) aria-hidden="true" {
            @for at in ticks {
                // The words of the last would not fit behind it.
                @let left = at / end_s * 100.0;
                span.last[left > 93.0] style={ "left:" (format!("{left:.2}")) "%" } { (format::seconds_f64(at)) }
            }
        }
    }
}

/// The next of 1, 2, 5 × 10ⁿ.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-12).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let found = steps.iter().find(|step| *step * power >= least * 0.999);
    found.unwrap_or(&10.0) * power
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(round_step(0.17), 0.2);
        assert_eq!(round_step(1.0), 1.0);
        assert!((round_step(0.003) - 0.005).abs() < 1e-12);
    }
}
