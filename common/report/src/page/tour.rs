//! The page of several runs: cards beside a list that stays in sight.

use super::{step, tables};
use crate::{ClaimReport, Document, TableReport, Verdict};
use maud::{Markup, html};

/// `failures` are what a reader is to know of steps that have no document.
pub(super) fn page(
    documents: &[Document],
    failures: &[String],
    table: Option<&TableReport>,
    limit: usize,
) -> Markup {
    let all: usize = documents.iter().map(|one| one.claims.len()).sum();
    let shown: usize = documents.iter().map(held).sum();
    html! {
        div.tour {
            nav aria-label="Steps" {
                ol { @for run in documents { li {
                    a href={ "#" (run.step) } { (run.step) }
                    " " span.tick.(if held(run) == run.claims.len() { "shown" } else { "open" }) {
                        (held(run)) "/" (run.claims.len())
                    }
                } } }
            }
            main #content {
                h1 { "Concurrency Lab: the path" }
                p { (documents.len()) " steps ran; " (shown) " of " (all) " checks hold on this machine, now." }
                @if !failures.is_empty() { ul.error { @for failure in failures { li { (failure) } } } }
                div.cards { @for (run, document) in documents.iter().enumerate() { (step::card(document, run, limit)) } }
                @if let Some(table) = table { h2 { "Your own job" } (tables::of(table)) }
            }
        }
    }
}

fn held(document: &Document) -> usize {
    let is_shown = |claim: &&ClaimReport| claim.verdict == Verdict::Shown;
    document.claims.iter().filter(is_shown).count()
}
