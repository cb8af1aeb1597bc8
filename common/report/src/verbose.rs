//! Everything that the closing screen leaves out.

use crate::{BOLD, DIM, Document, picture::Picture, styled, summary::claims::marked, tables, wrap};

/// Lines drawn per variant at most.
const ROWS: usize = 40;

/// The machine and every flag, all timelines, tables in full, every claim with its evidence, and why.
pub fn verbose(document: &Document, width: usize) -> String {
    let (host, variants) = (&document.host, &document.variants);
    let dim = |text: &str, indent| styled(DIM, text, width, indent);
    let scripts = format!("mirrors {}", document.scripts);
    let flags = crate::parameters(&document.params);
    let mut lines = vec![dim(&host.one_line(), 0), dim(&scripts, 0), dim(&flags, 0)];
    lines.push(String::new());
    lines.extend(Picture::of(document, width).lanes(variants, ROWS * variants.len()));
    for table in document.tables.iter().chain(&tables::of(variants)) {
        let text = tables::text(table, width, usize::MAX);
        lines.push(format!("\n{}\n{text}", dim(&table.title, 0)));
    }
    lines.push(String::new());
    for claim in &document.claims {
        lines.push(marked(claim.seen(), &claim.text, width, usize::MAX));
        lines.push(dim(&claim.evidence, 4));
        let reason = claim.reason.as_ref();
        let reason = reason.filter(|it| !claim.evidence.contains(it.as_str()));
        lines.extend(reason.map(|reason| dim(&format!("because {reason}"), 4)));
    }
    if !document.why.is_empty() {
        let why = wrap(&document.why, width, 2);
        lines.push(format!("\n{BOLD}Why{BOLD:#}\n{why}"));
    }
    lines.join("\n") + "\n"
}
