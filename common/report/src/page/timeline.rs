//! Timelines as SVG: the variants of a step above each other, a row per lane, on one axis.

use super::{
    attribute, axis,
    bars::{self, Paths, UNITS},
    counter, escape,
    look::{self, LOOKS, ROW},
    spans,
};
use crate::format;
use crate::{LaneReport, Variant};
use std::fmt::Write;
use timeline::LaneKind;

/// Rows drawn per variant; where there are more, the last says how many.
const ROWS: usize = 40;

/// How much is drawn of each variant, so that a page of the whole path stays small.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Bars.
    pub(super) bars: usize,
    /// Spans that tell of themselves when pointed at.
    pub(super) spans: usize,
}

/// The timelines of all variants that recorded anything, with their legend; empty without any.
pub(super) fn of(variants: &[Variant], budget: Budget) -> String {
    let drawn: Vec<&Variant> = variants
        .iter()
        .filter(|one| lanes_in_view(one).next().is_some())
        .collect();
    let longest = drawn
        .iter()
        .map(|variant| variant.wall_s)
        .fold(0.0, f64::max);
    if longest <= 0.0 {
        return String::new();
    }
    let mut seen = [false; LOOKS.len()];
    let (mut partly, mut cut) = (false, false);
    let mut rows = String::new();
    let all: Vec<_> = drawn.iter().map(|variant| on_axis(variant)).collect();
    for variant in &drawn {
        let axis_s = crate::axis_of(on_axis(variant), &all);
        let picture = Picture::of(variant, axis_s, budget);
        (0..LOOKS.len()).for_each(|index| seen[index] |= picture.paths.seen()[index]);
        partly |= picture.paths.partly;
        cut |= !picture.cuts.is_empty();
        rows += &picture.html(variant, longest);
    }
    format!(
        "<div class=timelines data-longest={longest}>\n{}{rows}{}<p class=told aria-live=polite></p>\n</div>\n",
        look::legend(&seen, partly, cut),
        axis::of(longest, "shared"),
    )
}

/// The lanes of which any part falls into the measured stretch.
fn lanes_in_view(variant: &Variant) -> impl Iterator<Item = &LaneReport> {
    let wall = variant.wall_s;
    let in_view = move |lane: &&LaneReport| {
        lane.spans
            .iter()
            .any(|span| span.end_s > 0.0 && span.start_s < wall)
    };
    variant.lanes.iter().filter(in_view)
}

/// What decides over the axis of a variant.
fn on_axis(variant: &Variant) -> crate::OnAxis {
    crate::OnAxis {
        wall_s: variant.wall_s,
        same_work: variant.speedup.is_some(),
    }
}

/// One variant, drawn.
struct Picture<'a> {
    lanes: Vec<&'a LaneReport>,
    /// Lanes that are not drawn.
    more: usize,
    axis_s: f64,
    height: usize,
    paths: Paths,
    edges: String,
    cuts: String,
    budget: Budget,
}

impl<'a> Picture<'a> {
    fn of(variant: &'a Variant, axis_s: f64, budget: Budget) -> Self {
        let mut lanes: Vec<&LaneReport> = lanes_in_view(variant).collect();
        let all = lanes.len() + variant.folded;
        if all > ROWS {
            lanes.truncate(ROWS - 1);
        }
        let mut picture = Self {
            more: all - lanes.len(),
            axis_s,
            height: lanes.len() * ROW,
            lanes,
            paths: Paths::default(),
            edges: String::new(),
            cuts: String::new(),
            budget,
        };
        picture.draw();
        picture
    }

    fn draw(&mut self) {
        let limit = (self.budget.bars / self.lanes.len().max(1)).max(50);
        for (row, lane) in self.lanes.iter().enumerate() {
            let bars = bars::of(lane, self.axis_s, limit);
            self.paths.add(&bars, row * ROW);
            draw_edges(&mut self.edges, lane, self.axis_s, row * ROW, limit);
            let cut = lane.spans.iter().filter(|span| span.cut).take(limit);
            for (_, end) in
                cut.filter_map(|span| bars::place(span.start_s, span.end_s, self.axis_s))
            {
                look::draw_mark(&mut self.cuts, end, row * ROW);
            }
        }
    }

    fn html(&self, variant: &Variant, longest: f64) -> String {
        let axis_s = self.axis_s;
        let enlarged = axis_s < longest;
        let mut text = format!(
            "<div class=variant data-axis={axis_s} data-wall={}>\n<h4>{} <small>{}</small></h4>\n",
            variant.wall_s,
            escape(&variant.name),
            escape(&summary(variant))
        );
        if enlarged {
            let times = longest / axis_s;
            let times = format::plain(if times < 10.0 { times } else { times.round() });
            let _ = writeln!(
                text,
                "<p class=enlarged>Enlarged {times} × against the others; <span class=to-scale></span></p>"
            );
        }
        text += "<div class=rows><ol class=lanes>\n";
        for lane in &self.lanes {
            let _ = writeln!(text, "<li>{}", escape(&lane.name));
        }
        text += "</ol>\n";
        text += &self.svg(variant);
        text += "</div>\n";
        if self.more > 0 {
            let kind = kind(self.lanes.last().map(|lane| lane.kind));
            let more = format::count(self.more as u64);
            let _ = writeln!(text, "<p class=more>+ {more} more {kind}</p>");
        }
        for counter in &variant.counters {
            text += &counter::of(counter, axis_s, self.budget.bars);
        }
        if enlarged {
            text += &axis::of(axis_s, "own");
        }
        text += &spans::script(&self.lanes, axis_s, self.budget.spans);
        text += &recorder(variant);
        text + "</div>\n"
    }

    fn svg(&self, variant: &Variant) -> String {
        let height = self.height;
        let mut text = format!(
            "<svg class=picture role=img aria-label=\"{}\" viewBox='0 0 {UNITS} {height}' \
             preserveAspectRatio=none height={height}>\n",
            attribute(&in_words(variant, self.lanes.len(), self.more))
        );
        let wall = variant.wall_s / self.axis_s * f64::from(UNITS);
        let _ = writeln!(text, "<path class=end d='M{wall:.0} 0v{height}'/>");
        for (look, path) in LOOKS
            .iter()
            .zip(&self.paths.by_look)
            .rev()
            .filter(|(_, path)| !path.is_empty())
        {
            let _ = writeln!(text, "<path class='{}' d='{path}'/>", look.class);
        }
        for (class, path) in [("edge", &self.edges), ("cut", &self.cuts)] {
            if !path.is_empty() {
                let _ = writeln!(text, "<path class={class} d='{path}'/>");
            }
        }
        text + "</svg>\n"
    }
}

/// A line where a span follows another without a gap.
fn draw_edges(path: &mut String, lane: &LaneReport, axis_s: f64, top: usize, limit: usize) {
    let mut ended = None;
    let mut room = limit;
    for span in lane.spans.iter().filter(|span| span.depth == 0) {
        let follows =
            ended.is_some_and(|end: f64| (0.0..axis_s / 500.0).contains(&(span.start_s - end)));
        let wide = span.end_s - span.start_s > axis_s / 300.0;
        if follows && wide && room > 0 {
            room -= 1;
            if let Some((start, _)) = bars::place(span.start_s, span.end_s, axis_s) {
                look::draw_mark(path, start, top);
            }
        }
        ended = Some(ended.unwrap_or(f64::MIN).max(span.end_s));
    }
}

fn kind(kind: Option<LaneKind>) -> &'static str {
    match kind {
        Some(LaneKind::Task) => "tasks",
        Some(LaneKind::Process) => "processes",
        _ => "threads",
    }
}

/// What stands beside a variant's name.
fn summary(variant: &Variant) -> String {
    let lanes = variant.lanes.len() + variant.folded;
    let noun = if lanes == 1 { "lane" } else { "lanes" };
    let mut text = format!(
        "{} · {} {noun}",
        format::seconds_f64(variant.wall_s),
        format::count(lanes as u64)
    );
    if variant.open_s > 0.0 {
        let ran = (variant.busy_s / variant.open_s).min(1.0);
        text += &format!(" · in its spans {} running", format::percent(ran));
    }
    text
}

/// What a picture shows, for those who do not see it.
fn in_words(variant: &Variant, drawn: usize, more: usize) -> String {
    let mut text = format!(
        "Timeline of {}: {} over {}",
        variant.name,
        summary(variant)
            .split(" · ")
            .skip(1)
            .collect::<Vec<_>>()
            .join(", "),
        format::seconds_f64(variant.wall_s)
    );
    text += &format!("; {drawn} drawn, {more} more.");
    let first = variant.lanes.iter().filter_map(|lane| {
        let spans = lane.spans.iter().filter(|span| span.depth == 0);
        let (count, from, to) = spans
            .fold((0, f64::INFINITY, 0.0_f64), |(count, from, to), span| {
                (count + 1, from.min(span.start_s), to.max(span.end_s))
            });
        (count > 0).then_some((lane, count, from, to))
    });
    for (lane, count, from, to) in first.take(5) {
        let noun = if count == 1 { "span" } else { "spans" };
        text += &format!(
            " {}: {count} {noun} from {} to {}.",
            lane.name,
            format::seconds_f64(from),
            format::seconds_f64(to)
        );
    }
    text
}

/// What the recording itself took and left out.
fn recorder(variant: &Variant) -> String {
    let told = &variant.recorder;
    if told.spans == 0 {
        return String::new();
    }
    let share = match told.cost_s / variant.wall_s * 100.0 {
        little if little < 0.005 => "less than 0.01".to_owned(),
        share => format!("{share:.2}"),
    };
    let mut text = format!(
        "<p class=recorder>Recorded {} span{}; that took {}, {share} % of the wall time",
        format::count(told.spans),
        if told.spans == 1 { "" } else { "s" },
        format::seconds_f64(told.cost_s)
    );
    for (count, what) in [
        (
            told.thinned,
            "were joined to neighbours or left out, because they were too many",
        ),
        (
            told.mended,
            "had impossible times, as after a jump of a clock, and were cut to what can be",
        ),
    ] {
        if count > 0 {
            let _ = write!(text, "; {} of them {what}", format::count(count));
        }
    }
    text + ".</p>\n"
}
