//! Timelines as text: a row per lane, a column per moment.

mod row;
mod scale;

use super::{BOLD, DIM, OnAxis, axis_of, format, wrap};
use crate::Variant;
use row::{CUT, EDGE, PARTLY, RUNNING, STARTING, Scale, UNTOLD, WAITING};
use std::{fmt::Write, time::Duration};
use timeline::{CAUSES, Lane, LaneKind, Level, Moment, Recording, START_UP, Span};

/// Rows drawn per variant; where there are more, the last say how many and what they do.
const ROWS: usize = 12;
/// Rows of levels.
const LEVELS: usize = 4;
const NAME_WIDTH: usize = 18;

/// What is drawn: a recording and what it is called.
struct Drawn<'a> {
    name: &'a str,
    recording: &'a Recording,
    same_work: bool,
}

/// The timelines of all variants, on one axis where they are of comparable length.
pub(super) fn timelines(variants: &[Variant], width: usize) -> String {
    let drawn: Vec<Drawn<'_>> = variants
        .iter()
        .filter(|variant| variant.recording.jobs().next().is_some())
        .map(|variant| Drawn {
            name: &variant.name,
            recording: &variant.recording,
            same_work: variant.speedup.is_some(),
        })
        .collect();
    let mut text = pictures(&drawn, width);
    if let Some(line) = recorded(&drawn) {
        let _ = writeln!(text, "{DIM}{}{DIM:#}", wrap(&line, width, 0));
    }
    text
}

/// A recording by itself.
pub(super) fn alone(recording: &Recording, width: usize) -> String {
    let name = "timeline";
    let drawn = Drawn {
        name,
        recording,
        same_work: true,
    };
    pictures(&[drawn], width)
}

fn pictures(drawn: &[Drawn<'_>], width: usize) -> String {
    let walls = drawn.iter().map(|drawn| drawn.recording.wall);
    let Some(longest) = walls.max() else {
        return String::new();
    };
    let legend = legend(drawn, width);
    let mut text = format!("{DIM}{legend}{DIM:#}\n");
    let all: Vec<_> = drawn.iter().map(Drawn::on_axis).collect();
    for drawn in drawn {
        let axis = Duration::from_secs_f64(axis_of(drawn.on_axis(), &all)).min(longest);
        let enlarged = (axis < longest).then(|| ratio(longest, axis)).flatten();
        drawn.picture(axis, enlarged, width, &mut text);
    }
    text
}

/// The marks that occur, each beside what it means.
fn legend(drawn: &[Drawn<'_>], width: usize) -> String {
    let spans = || {
        let lanes = drawn.iter().flat_map(|drawn| &drawn.recording.lanes);
        lanes.flat_map(|lane| &lane.spans)
    };
    let mut marks = vec![
        (RUNNING, "running"),
        (PARTLY, "partly"),
        (WAITING, "waiting or without a CPU"),
        (EDGE, "next begins"),
    ];
    if spans().any(|span| span.name == START_UP) {
        marks.push((STARTING, "starts up"));
    }
    for cause in CAUSES {
        if let Some((mark, _)) = cause.marks
            && spans().any(|span| span.wait.as_deref() == Some(cause.wait))
        {
            marks.push((mark, cause.words));
        }
    }
    let folds = |drawn: &Drawn<'_>| {
        drawn.recording.lanes.len() > ROWS || !drawn.recording.levels.is_empty()
    };
    if drawn.iter().any(folds) {
        marks.push((scale::MOST, "the most, in figures beside it"));
    }
    if spans().any(|span| span.cut) {
        marks.push((UNTOLD, "nobody told how it ran"));
        marks.push((CUT, "cut off"));
    }
    let mut lines = vec![String::new()];
    for (mark, words) in marks {
        let item = format!("{mark} {words}");
        let length = |text: &str| text.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = item,
            Some(line) if length(line) + 2 + length(&item) <= width => {
                let _ = write!(line, "  {item}");
            }
            _ => lines.push(item),
        }
    }
    lines.join("\n")
}

/// What recording took, of the variant where that is most, and what was left out.
fn recorded(drawn: &[Drawn<'_>]) -> Option<String> {
    let share = |drawn: &Drawn<'_>| {
        let cost = drawn.recording.toll.cost();
        ratio(cost, drawn.recording.wall).unwrap_or(0.0)
    };
    let most = drawn.iter().max_by(|a, b| share(a).total_cmp(&share(b)))?;
    let toll = &most.recording.toll;
    let percent = 100.0 * share(most);
    let mut line = format!(
        "recording: {} of a variant's time ({}: {} spans took {})",
        if percent < 0.01 {
            "less than 0.01 %".into()
        } else {
            format!("at most {percent:.2} %")
        },
        most.name,
        format::count(toll.spans),
        format::seconds(toll.cost()),
    );
    for drawn in drawn {
        let toll = &drawn.recording.toll;
        if toll.thinned > 0 {
            let _ = write!(
                line,
                "\n{}: recorded {} spans, drew {}: the others, too short to see, are part of their neighbours",
                drawn.name,
                format::count(toll.spans),
                format::count(drawn.recording.spans() as u64),
            );
        }
        if toll.mended > 0 {
            let _ = write!(
                line,
                "\n{}: {} spans had impossible times, as after a jump of a clock, and were cut to what can be",
                drawn.name,
                format::count(toll.mended),
            );
        }
    }
    (toll.spans > 0).then_some(line)
}

impl Drawn<'_> {
    fn on_axis(&self) -> OnAxis {
        OnAxis {
            wall_s: self.recording.wall.as_secs_f64(),
            same_work: self.same_work,
        }
    }

    /// Over `axis`; `enlarged` is how many times longer the axis of the others is.
    fn picture(&self, axis: Duration, enlarged: Option<f64>, width: usize, text: &mut String) {
        let recording = self.recording;
        let scale = Scale {
            zero: recording.start,
            axis,
            cells: width.saturating_sub(NAME_WIDTH + 3).max(10),
        };
        let _ = writeln!(text, "{BOLD}{}{BOLD:#} {}", self.name, shares(recording));
        let lanes: Vec<&Lane> = recording
            .lanes
            .iter()
            .filter(|lane| in_view(lane, recording))
            .collect();
        let shown = if lanes.len() > ROWS {
            ROWS - 2
        } else {
            lanes.len()
        };
        for lane in &lanes[..shown] {
            let name: String = lane.name.chars().take(NAME_WIDTH).collect();
            let row = row::text(&row::row(lane, scale));
            let _ = writeln!(text, "{name:<NAME_WIDTH$} │{row}");
        }
        let mut levels = recording.all_levels();
        // Nothing is known of what came after it.
        let end = scale.cells_until(recording.start.plus(recording.wall));
        if shown < lanes.len() {
            fold(&lanes[shown..], scale, end, text);
        } else {
            levels.retain(|level| recording.levels.iter().any(|told| told.name == level.name));
        }
        for level in levels.iter().take(LEVELS) {
            level_row(&level.name, level, scale, end, text);
        }
        let line = scale::axis(axis, enlarged, scale.cells);
        let _ = writeln!(text, "{DIM}{:NAME_WIDTH$} └{line}{DIM:#}", "");
    }
}

/// Lanes without rows of their own: how many, how they look, and how many of them are open when.
fn fold(lanes: &[&Lane], scale: Scale, end: usize, text: &mut String) {
    let kind = match lanes[0].id.kind {
        LaneKind::Thread => "threads",
        LaneKind::Task => "tasks",
        LaneKind::Process => "processes",
    };
    let outermost = || {
        let spans = lanes.iter().flat_map(|lane| &lane.spans);
        spans.filter(|span| span.depth == 0)
    };
    let open: Duration = outermost().map(Span::duration).sum();
    let busy: Duration = outermost().map(|span| span.busy).sum();
    let ran = ratio(busy, open).unwrap_or(0.0).min(1.0);
    let count = format::count(lanes.len() as u64);
    let _ = writeln!(
        text,
        "+ {count} more {kind}, {} running, {} waiting; of them open at once:",
        format::percent(ran),
        format::percent(1.0 - ran),
    );
    let mut steps: Vec<(Moment, f64)> = outermost()
        .flat_map(|span| [(span.start, 1.0), (span.end, -1.0)])
        .collect();
    steps.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut now = 0.0;
    for (_, level) in &mut steps {
        now += *level;
        *level = now;
    }
    let level = Level {
        name: kind.into(),
        samples: steps,
    };
    level_row(kind, &level, scale, end, text);
}

/// A level as a row: its name, its peak, and its heights.
fn level_row(name: &str, level: &Level, scale: Scale, end: usize, text: &mut String) {
    let peak = format!(" {}", format::plain(level.peak()));
    let room = NAME_WIDTH.saturating_sub(peak.chars().count());
    let name: String = name.chars().take(room).collect();
    let heights = scale::heights(level, scale.zero, scale.axis, scale.cells);
    let heights: String = heights.chars().take(end).collect();
    let _ = writeln!(text, "{name:<room$}{peak} │{heights}");
}

/// Whether any part of the lane falls into the measured stretch.
fn in_view(lane: &Lane, recording: &Recording) -> bool {
    let end = recording.start.plus(recording.wall);
    lane.spans
        .iter()
        .any(|span| span.end > recording.start && span.start < end)
}

/// How the time of all lanes was spent, in words.
fn shares(recording: &Recording) -> String {
    let open: Duration = recording.jobs().map(Span::duration).sum();
    let busy: Duration = recording.jobs().map(|span| span.busy).sum();
    let Some(ran) = ratio(busy, open) else {
        return String::new();
    };
    let lanes = recording.lanes.len();
    let noun = if lanes == 1 { "lane" } else { "lanes" };
    format!(
        "{DIM}{} · {lanes} {noun} · in its spans {} running, {} waiting{DIM:#}",
        format::seconds(recording.wall),
        format::percent(ran.min(1.0)),
        format::percent(1.0 - ran.min(1.0)),
    )
}

fn ratio(part: Duration, whole: Duration) -> Option<f64> {
    (!whole.is_zero()).then(|| part.as_secs_f64() / whole.as_secs_f64())
}
