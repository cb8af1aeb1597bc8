//! Everything that the closing screen leaves out.

use crate::{
    BOLD, DIM, Document, lane, picture::Picture, styled, summary::claims::marked, tables, wrap,
};

/// Lines drawn per variant at most.
const ROWS: usize = 40;

/// The machine and every flag, all timelines, times against bounds, what was used, every claim with its
/// evidence, and why.
pub fn verbose(document: &Document, width: usize) -> String {
    let dim = |text: &str, indent| styled(DIM, text, width, indent);
    let mut lines = dim(&document.host.one_line(), 0);
    lines.extend(dim(&format!("mirrors {}", document.mirrors.join(", ")), 0));
    lines.extend(dim(&crate::parameters(&document.params), 0));
    let variants = &document.variants;
    let picture = Picture::of(variants, lane::longest(variants), width);
    lines.push(String::new());
    lines.extend(picture.lanes(variants, |_| true, ROWS * variants.len()));
    lines.push(String::new());
    lines.extend(tables::text(variants, width));
    lines.push(String::new());
    for claim in &document.claims {
        lines.push(marked(claim.verdict, &claim.text, width, usize::MAX));
        lines.extend(dim(&claim.evidence, 4));
        let reason = claim.reason.as_ref();
        if let Some(reason) = reason.filter(|it| !claim.evidence.contains(it.as_str())) {
            lines.extend(dim(&format!("because {reason}"), 4));
        }
    }
    if !document.why.is_empty() {
        lines.push(format!(
            "\n{BOLD}Why{BOLD:#}\n{}",
            wrap(&document.why, width, 2)
        ));
    }
    lines.join("\n") + "\n"
}
