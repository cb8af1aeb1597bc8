//! Everything that the closing screen leaves out.

use crate::{
    BAD, BOLD, ClaimReport, DIM, Document, GOOD, UNSURE, Variant, Verdict, lane, picture::Picture,
    tables, wrap,
};
use std::{fmt::Write, slice};

/// Lines drawn per variant at most.
const ROWS: usize = 40;

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
    let _ = writeln!(text, "{}", tables::text(&document.variants, width));
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
    let all: Vec<&Variant> = variants.iter().collect();
    let longest = lane::longest(variants);
    let mut text = String::new();
    for one in variants {
        let axis_s = lane::axis_of(one, &all);
        let enlarged = (axis_s < longest).then_some(longest / axis_s);
        let picture = Picture::of(slice::from_ref(one), axis_s, width);
        let lines = picture.lanes(&[one.drawn()], &[], ROWS, enlarged);
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{}", lines.join("\n"));
        }
    }
    text
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
