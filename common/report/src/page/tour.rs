//! The page of several runs: cards by chapter beside a list that stays in sight.

use super::{step, tables};
use crate::{Document, TableReport, Verdict};
use maud::{Markup, html};

const CHAPTERS: [&str; 3] = ["Basics", "Lab", "Advanced"];

/// `failures` are what a reader is to know of steps that have no document.
pub(super) fn page(
    documents: &[Document],
    failures: &[String],
    table: Option<&TableReport>,
    limit: usize,
) -> Markup {
    let runs: Vec<_> = documents.iter().enumerate().collect();
    let chapters: Vec<_> = runs
        .chunk_by(|one, other| chapter(one.1) == chapter(other.1))
        .collect();
    let all: usize = documents.iter().map(|one| one.claims.len()).sum();
    let shown: usize = documents.iter().map(held).sum();
    html! {
        div.tour {
            nav aria-label="Steps" {
                @for runs in &chapters {
                    p { (CHAPTERS[chapter(runs[0].1)]) }
                    ol { @for (_, run) in *runs { li {
                        a href={ "#" (run.step) } { (run.step) }
                        " " span.tick.(if held(run) == run.claims.len() { "shown" } else { "open" }) {
                            (held(run)) "/" (run.claims.len())
                        }
                    } } }
                }
            }
            main #content {
                h1 { "Concurrency Lab: the path" }
                p { (documents.len()) " steps ran; " (shown) " of " (all) " checks hold on this machine, now." }
                @if !failures.is_empty() { ul.error { @for failure in failures { li { (failure) } } } }
                @for runs in &chapters {
                    h2 { (CHAPTERS[chapter(runs[0].1)]) }
                    div.cards { @for (run, document) in *runs { (step::card(document, *run, limit)) } }
                }
                @if let Some(table) = table { h2 { "Your own job" } (tables::of(table, &[])) }
            }
        }
    }
}

/// The place in [`CHAPTERS`] of a step, by its name: `lab-11` and up take the ideas of the others apart.
fn chapter(document: &Document) -> usize {
    usize::from(&*document.step >= "lab-01") + usize::from(&*document.step >= "lab-11")
}

fn held(document: &Document) -> usize {
    let claims = document.claims.iter();
    claims
        .filter(|claim| claim.verdict == Verdict::Shown)
        .count()
}
