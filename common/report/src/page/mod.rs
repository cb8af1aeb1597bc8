//! One run or the whole path as one HTML file: no network, no script needed to read it.
//!
//! All that is shown is made here, from [`Document`]s, so that it can be read, printed and sent without
//! a script, and a page of JSON that was read again is the same page. `page.js` adds what paper cannot
//! do: zoom, pointing at spans and their lines, slow motion.

mod bars;
mod glance;
mod look;
mod picture;
mod step;
mod tables;
#[cfg(test)]
mod tests;
mod tour;

use crate::{Document, SpanReport, TableReport, Variant, figures_with_units};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Bars of all pictures together, about; a page of the whole path has about 3 MB where all of them are used.
const BARS: usize = 40_000;

/// The page of these runs; several are cards with a list.
///
/// `failures` are what a reader is to know of steps that have no document; `table` stands below the cards.
pub fn of(documents: &[Document], failures: &[String], table: Option<&TableReport>) -> String {
    let variants = documents.iter().map(|document| document.variants.len());
    let limit = (BARS / variants.sum::<usize>().max(1)).min(BARS / 4);
    let (title, body) = match documents {
        [one] if failures.is_empty() => (
            format!("{} · {}", one.step, one.question),
            step::page(one, limit),
        ),
        _ => {
            let title = "Concurrency Lab: the path".to_owned();
            (title, tour::page(documents, failures, table, limit))
        }
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (body)
                script type="application/json" #runs { (PreEscaped(runs(documents, limit / 4))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string().chars().map(visible).collect()
}

/// Nothing that a page was asked to show may turn its text around or hide in it.
fn visible(c: char) -> char {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if turns || (c.is_control() && c != '\n') {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

/// A figure with the field that it shows and its raw value, as the JSON of the run has it.
fn figure(field: &str, value: f64, shown: &str) -> Markup {
    html! { span data-field=(field) data-value=(value) { (shown) } }
}

/// Text in which names stand between backticks.
fn ticked(text: &str) -> Markup {
    html! {
        @for (index, part) in figures_with_units(text).split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The runs as the script and other programs read them: what is drawn of each, without what is long.
fn runs(documents: &[Document], limit: usize) -> String {
    let mut documents = documents.to_vec();
    for document in &mut documents {
        document.sources.clear();
        document
            .variants
            .iter_mut()
            .for_each(|one| shorten(one, limit));
    }
    let text = serde_json::to_string(&documents).expect("every field of a document is plain data");
    // So that nothing in it ends the element that it stands in.
    text.replace('<', "\\u003c")
}

/// Keeps the lanes that are drawn, and the longest spans of them where there are more than `limit`.
fn shorten(variant: &mut Variant, limit: usize) {
    let length = |span: &SpanReport| span.end_s - span.start_s;
    let mut lanes: Vec<_> = picture::lanes(variant).into_iter().cloned().collect();
    let spans = lanes.iter().flat_map(|lane| &lane.spans);
    let mut lengths: Vec<f64> = spans.map(length).collect();
    lengths.sort_by(|one, other| other.total_cmp(one));
    let least = lengths.get(limit).copied().unwrap_or(f64::NEG_INFINITY);
    for lane in &mut lanes {
        lane.spans.retain(|span| length(span) > least);
    }
    variant.recorded.folded += variant.recorded.lanes.len() - lanes.len();
    variant.recorded.lanes = lanes;
    variant.recorded.counters.clear();
    variant.results = Value::Null;
}
