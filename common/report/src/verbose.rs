//! Everything that the closing screen leaves out.

use crate::{
    BAD, BOLD, ClaimReport, DIM, Document, GOOD, UNSURE, Variant, Verdict, format,
    picture::Picture, tables, wrap,
};
use std::fmt::Write;

/// Rows drawn per variant.
const ROWS: usize = 12;
/// A variant keeps to the axis of the longest unless it would be less than this part of it.
const SMALLEST_PART: f64 = 16.0;

/// The machine and every flag, all timelines, times against bounds, what was used, every claim with its
/// evidence, and why.
pub fn verbose(document: &Document, width: usize) -> String {
    let mut text = String::new();
    let facts = [
        document.host.one_line(),
        format!("mirrors {}", document.mirrors.join(", ")),
        crate::parameters(&document.params),
    ];
    for fact in facts {
        let _ = writeln!(text, "{DIM}{}{DIM:#}", wrap(&fact, width, 0));
    }
    text.push_str(&timelines(&document.variants, width));
    let _ = writeln!(text, "\n{}", tables::times(&document.variants, width));
    let _ = writeln!(text, "{}", tables::ledgers(&document.variants, width));
    for claim in &document.claims {
        text.push_str(&claim_lines(claim, width));
    }
    if !document.why.is_empty() {
        let why = wrap(&document.why, width, 2);
        let _ = writeln!(text, "\n{BOLD}Why{BOLD:#}\n{why}");
    }
    text
}

fn timelines(variants: &[Variant], width: usize) -> String {
    let longest = variants.iter().map(|one| one.wall_s).fold(0.0, f64::max);
    let mut text = String::new();
    for variant in variants {
        if variant.recording.jobs().next().is_none() {
            continue;
        }
        let is_short = variant.wall_s * SMALLEST_PART < longest;
        let axis_s = if is_short { variant.wall_s } else { longest };
        let picture = Picture::on_axis(std::slice::from_ref(variant), axis_s, width);
        let lines = picture.alone(ROWS, longest);
        let _ = writeln!(text, "\n{}", lines.join("\n"));
    }
    if let Some(line) = recorded(variants) {
        let _ = writeln!(text, "{DIM}{}{DIM:#}", wrap(&line, width, 0));
    }
    text
}

/// What recording took, of the variant where that is most, and what was left out.
fn recorded(variants: &[Variant]) -> Option<String> {
    let share = |variant: &Variant| {
        variant.recording.toll.cost().as_secs_f64() / variant.wall_s.max(f64::MIN_POSITIVE)
    };
    let most = variants
        .iter()
        .max_by(|a, b| share(a).total_cmp(&share(b)))?;
    let toll = &most.recording.toll;
    let mut line = format!(
        "recording took at most {:.2} % of a variant's time ({}: {} spans, {})",
        100.0 * share(most),
        most.name,
        format::count(toll.spans),
        format::seconds(toll.cost()),
    );
    for variant in variants {
        let (name, toll) = (&variant.name, &variant.recording.toll);
        let counts = [
            (
                toll.thinned,
                "spans too short to see, joined to their neighbours",
            ),
            (
                toll.mended,
                "spans with impossible times, cut to what can be",
            ),
        ];
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            let _ = write!(line, "\n{name}: {} {what}", format::count(count));
        }
    }
    (toll.spans > 0).then_some(line)
}

fn claim_lines(claim: &ClaimReport, width: usize) -> String {
    let (style, mark, word) = match claim.verdict {
        Verdict::Shown => (GOOD, "✓", "shown"),
        Verdict::NotShown => (BAD, "✗", "not shown here"),
        Verdict::Inconclusive => (UNSURE, "–", "could not tell"),
    };
    let mut text = String::new();
    let lead = format!("{mark} {word}:");
    let body = wrap(&format!("{lead} {}", claim.text), width - 2, 0).replace('\n', "\n  ");
    let body = body.strip_prefix(&lead).unwrap_or(&body);
    let _ = writeln!(text, "{style}{lead}{style:#}{body}");
    let _ = writeln!(text, "{DIM}{}{DIM:#}", wrap(&claim.evidence, width, 4));
    let reason = claim.reason.as_ref();
    if let Some(reason) = reason.filter(|it| !claim.evidence.contains(it.as_str())) {
        let because = wrap(&format!("because {reason}"), width, 4);
        let _ = writeln!(text, "{DIM}{because}{DIM:#}");
    }
    text
}
