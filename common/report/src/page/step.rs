//! The section of one step.

use super::{
    bounds, curve, escape, moved, tables,
    timeline::{self, Budget},
};
use crate::{ClaimReport, Document, Verdict};
use serde_json::Value;
use std::fmt::Write;

/// Everything that one run told, in the order in which a reader asks for it.
pub(super) fn section(document: &Document, budget: Budget) -> String {
    let id = escape(&document.step);
    let mut text = format!(
        "<section class=step id='{id}' data-step='{id}'>\n<h2>{id}</h2>\n<p class=question>{}</p>\n\
         <p class=soft>Mirrors {}</p>\n",
        escape(&document.question),
        escape(&document.mirrors.join(", "))
    );
    if let Some(error) = &document.error {
        let _ = writeln!(
            text,
            "<p class=error><strong>The run did not end well:</strong> {}</p>",
            escape(error)
        );
    }
    text += &pictures(document, budget);
    if !document.claims.is_empty() {
        text += "<h3>What this run shows</h3>\n<ul class=claims>\n";
        document
            .claims
            .iter()
            .for_each(|claim| text += &self::claim(claim));
        text += "</ul>\n";
    }
    text += &figures(document);
    text += &after(document);
    text + "</section>\n"
}

fn claim(claim: &ClaimReport) -> String {
    let (class, mark, word) = match claim.verdict {
        Verdict::Shown => ("shown", "✓", "shown"),
        Verdict::NotShown => ("missed", "✗", "not shown here"),
        Verdict::Inconclusive => ("open", "–", "could not tell"),
    };
    let mut text = format!(
        "<li class={class}><strong>{mark} {word}:</strong> {}<br><span class=evidence>{}</span>",
        escape(&claim.text),
        escape(&claim.evidence)
    );
    if let Some(reason) = claim
        .reason
        .as_ref()
        .filter(|reason| !claim.evidence.contains(reason.as_str()))
    {
        let _ = write!(
            text,
            "<br><span class=evidence>because {}</span>",
            escape(reason)
        );
    }
    text + "\n"
}

fn pictures(document: &Document, budget: Budget) -> String {
    let timelines = timeline::of(&document.variants, budget);
    let moved = moved::sentences(&document.variants);
    if timelines.is_empty() && moved.is_empty() {
        return String::new();
    }
    let mut text = format!("<h3>Timeline</h3>\n{timelines}");
    if !moved.is_empty() {
        let first = document
            .variants
            .first()
            .map_or("", |variant| &variant.name);
        let _ = writeln!(
            text,
            "<p class=moved>What moved, against {}:</p>\n<ul class=moved>",
            escape(first)
        );
        for sentence in moved {
            let _ = writeln!(text, "<li>{}", escape(&sentence));
        }
        text += "</ul>\n";
    }
    text
}

fn figures(document: &Document) -> String {
    let mut text = String::new();
    if !document.variants.is_empty() {
        text += "<h3>Times and what was used</h3>\n";
        text += &tables::times(&document.variants);
        text += &bounds::of(&document.variants);
        text += &tables::ledgers(&document.variants);
    }
    if !document.curves.is_empty() || !document.tables.is_empty() {
        text += "<h3>In detail</h3>\n";
        document
            .curves
            .iter()
            .for_each(|curve| text += &curve::of(curve));
        document
            .tables
            .iter()
            .for_each(|table| text += &tables::of_step(table));
    }
    text
}

/// The mechanism, what to do next, and by what all this was measured.
fn after(document: &Document) -> String {
    let mut text = String::new();
    if !document.why.is_empty() {
        let _ = writeln!(text, "<h3>Why</h3>\n<p>{}</p>", escape(&document.why));
    }
    let predict = &document.predict;
    let _ = writeln!(
        text,
        "<h3>Remember</h3>\n<p>{}</p>\n<h3>Predict</h3>\n<p>{} <code>{}</code></p>",
        escape(&document.remember),
        escape(&predict.question),
        escape(&predict.to),
    );
    if let Some(next) = &document.next {
        let (to, question) = (escape(&next.to), escape(&next.question));
        let _ = writeln!(text, "<h3>Next</h3>\n<p><code>{to}</code>: {question}</p>");
    }
    let commit = document.host.commit.as_deref().unwrap_or("unknown");
    let _ = writeln!(
        text,
        "<footer><p>{} · commit {}</p>\n<p>{}</p>\n<p>Again: <code>{}</code></p></footer>",
        escape(&document.host.one_line()),
        escape(commit),
        escape(&crate::parameters(&settings(&document.params))),
        escape(&document.command)
    );
    text
}

/// The parameters without what a step measured into them, which its tables and curves tell.
fn settings(params: &Value) -> Value {
    let mut params = params.clone();
    if let Value::Object(params) = &mut params {
        params.retain(|_, value| !value.is_object());
    }
    params
}
