//! What is printed of the pages, and which of them fail the run.

use common::{Lab, format};
use lab_10_hybrid_pipeline::frontier::{Outcome, PageReport};

/// Pages printed.
const PAGES_PRINTED: usize = 5;

/// Fails the run if a page that was asked for did not come; a dead link on the way is a finding.
pub(crate) fn fail_for_missing(lab: &mut Lab, name: &str, pages: &[PageReport], nothing: bool) {
    let named = pages.iter().filter(|page| !page.is_found);
    let missing = named.filter_map(|page| match &page.outcome {
        Outcome::Failed(error) => Some(error.clone()),
        Outcome::Skipped(reason) if nothing => Some(format!("`{}` is {reason}", page.url)),
        Outcome::Parsed { .. } | Outcome::Skipped(_) => None,
    });
    let missing: Vec<String> = missing.collect();
    if let [reason, ..] = &missing[..] {
        let (some, all) = (missing.len(), pages.len());
        lab.fail(format!(
            "{name}: {some} of {all} pages failed: {}",
            harmless(reason)
        ));
    }
}

/// Prints the first pages, those that have no title because something was wrong, and the sums.
pub(crate) fn print_pages(lab: &Lab, pages: &[PageReport]) {
    let line = |page: &PageReport| match &page.outcome {
        Outcome::Parsed { parsed, .. } => {
            format!("{:>5} links  {}", parsed.links, harmless(&parsed.title))
        }
        Outcome::Skipped(reason) => format!("    skipped  `{}`: {}", page.url, harmless(reason)),
        Outcome::Failed(error) => format!("     failed  {}", harmless(error)),
    };
    let (start, rest) = pages.split_at(pages.len().min(PAGES_PRINTED));
    let odd = rest
        .iter()
        .filter(|page| !matches!(page.outcome, Outcome::Parsed { .. }));
    for page in start.iter().chain(odd.take(PAGES_PRINTED)) {
        lab.say(line(page));
    }
    let parsed = |page: &PageReport| match &page.outcome {
        Outcome::Parsed { parsed, .. } => Some(parsed.links),
        Outcome::Skipped(_) | Outcome::Failed(_) => None,
    };
    let links: Vec<usize> = pages.iter().filter_map(parsed).collect();
    let (all, well) = (pages.len(), links.len());
    let links = format::count(links.iter().sum::<usize>() as u64);
    lab.say(format!("  {well} of {all} pages parsed, {links} links"));
}

/// A text from elsewhere, cut to a line, without what could steer a terminal.
fn harmless(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .take(200)
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect()
}
