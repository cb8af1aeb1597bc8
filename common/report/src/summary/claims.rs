//! What a run shows, in words: headlines a line each, the rest in one, what did not show with its reason.

use crate::{BAD, ClaimReport, DIM, Document, GOOD, UNSURE, Verdict, wrap};

/// The claims of a run; the tighter, the less is said of those that did not show.
pub(super) fn lines(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut folded = 0;
    for claim in &document.claims {
        match claim.verdict {
            Verdict::Shown if claim.headline => {
                let line = wrap(&claim.line, width - 2, 0).replace('\n', "\n  ");
                let line = format!("{GOOD}✓{GOOD:#} {line}");
                lines.extend(line.lines().map(str::to_owned));
            }
            Verdict::Shown => folded += 1,
            _ => {}
        }
    }
    let open = document.claims.iter();
    let mut open: Vec<&ClaimReport> = open.filter(|one| one.verdict != Verdict::Shown).collect();
    open.sort_by_key(|claim| !claim.headline);
    for claim in open {
        lines.extend(not_shown(claim, width, tight));
    }
    if folded > 0 {
        let text = match folded {
            1 => "one more claim holds".to_owned(),
            _ => format!("{folded} more claims hold"),
        };
        lines.push(format!("  {DIM}{text}: --verbose{DIM:#}"));
    }
    lines
}

fn not_shown(claim: &ClaimReport, width: usize, tight: usize) -> Vec<String> {
    let (style, lead) = match claim.verdict {
        Verdict::NotShown => (BAD, "✗ not shown:"),
        _ => (UNSURE, "– undecided:"),
    };
    let reason = claim.reason.as_deref().unwrap_or("it gave no figures");
    let reason = if tight > 0 {
        reason.split("; ").next().unwrap_or_default()
    } else {
        reason
    };
    let quiet = if claim.needs_quiet {
        "; with CPUs free it shows"
    } else {
        ""
    };
    let most = if tight > 1 { 1 } else { 2 };
    let text = format!("{lead} {}", claim.text);
    let text = at_most(&wrap(&text, width - 2, 0), most);
    let text = text
        .strip_prefix(lead)
        .unwrap_or(&text)
        .replace('\n', "\n  ");
    let mut lines = format!("{style}{lead}{style:#}{text}");
    if tight < 3 {
        let reason = wrap(&format!("because {reason}{quiet}"), width, 2);
        lines += &format!("\n{DIM}{}{DIM:#}", at_most(&reason, most));
    }
    lines.lines().map(str::to_owned).collect()
}

/// The first lines of a text, with a mark where there were more.
fn at_most(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= most {
        return text.to_owned();
    }
    let mut kept = lines[..most].join("\n");
    // The last word gives its place to the mark, so that the line keeps its width.
    let last = kept.rfind(' ').unwrap_or(kept.len());
    kept.truncate(last);
    kept + " …"
}

/// The variants that the headline claims are about, as their figures name them in brackets.
pub(super) fn subjects(document: &Document) -> Vec<String> {
    let claims = document.claims.iter().filter(|claim| claim.headline);
    let checks = claims.flat_map(|claim| &claim.checks);
    let sides = checks.flat_map(|check| [&check.left, &check.right]);
    let named = sides.flat_map(|side| side.split('[').skip(1));
    named
        .filter_map(|part| Some(part.split_once(']')?.0.to_owned()))
        .collect()
}
