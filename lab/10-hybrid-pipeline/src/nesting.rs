//! A bound on parsing: what a tag costs grows with the number of elements that are open.

use crate::tokens::{Stretch, Tokens};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use html5gum::Tokenizer;
use scraper::{Html, HtmlTreeSink};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most elements that may lie within each other; pages for readers have some 30.
pub const MOST_NESTED: usize = 2_000;

/// The page has more than [`MOST_NESTED`] elements within each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooDeep;

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = common::format::count(MOST_NESTED as u64);
        write!(f, "nested too deeply (more than {most} elements)")
    }
}

/// Parses a page, and gives up as soon as it turns out to be nested too deeply.
///
/// The depth is that of the tree made so far. Counting tags in the text would be fooled by end tags
/// that may be left out, and by pages that are out to fool it.
///
/// # Errors
/// [`TooDeep`].
pub fn parse_bounded(text: &str) -> Result<Html, TooDeep> {
    let sink = HtmlTreeSink::new(Html::new_document());
    let builder = TreeBuilder::new(sink, TreeBuilderOpts::default());
    // A mark of the encoding is no text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut seen = 0;
    for Ok(Stretch) in Tokenizer::new_with_emitter(text, Tokens::for_builder(&builder)) {
        let html = builder.sink.0.borrow();
        if is_too_deep(&html, seen) {
            return Err(TooDeep);
        }
        seen = html.tree.nodes().len();
    }
    let html = builder.sink.finish();
    if is_too_deep(&html, seen) {
        return Err(TooDeep);
    }
    Ok(html)
}

/// Whether one of the nodes after the first `seen` lies too deep.
fn is_too_deep(html: &Html, seen: usize) -> bool {
    let nodes = html.tree.nodes();
    // From the back: to skip the others would be to walk past them.
    let new = nodes.len() - seen;
    let new = nodes.rev().take(new);
    // What lies deepest has nothing in it: only that is worth the climb to the top.
    new.filter(|node| !node.has_children()).any(|leaf| {
        let inside = leaf.ancestors().filter(|outer| outer.value().is_element());
        inside.count() + usize::from(leaf.value().is_element()) > MOST_NESTED
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(tag: &str, count: usize) -> String {
        format!(
            "{}x{}",
            tag.repeat(count),
            tag.replace('<', "</").repeat(count)
        )
    }

    #[test]
    fn the_last_element_that_is_not_too_many_is_parsed() {
        // `html` and `body` are there as well.
        assert!(parse_bounded(&nested("<div>", MOST_NESTED - 2)).is_ok());
        assert_eq!(
            parse_bounded(&nested("<div>", MOST_NESTED - 1)).err(),
            Some(TooDeep)
        );
    }

    #[test]
    fn whatever_is_nested_ends_at_once() {
        for tag in ["<div>", "<b>", "<x-y>", "<svg>", "<rt>", "<table><td>"] {
            let page = tag.repeat(100_000);
            assert_eq!(parse_bounded(&page).err(), Some(TooDeep), "{tag}");
        }
        // Set before the table, where it is not the last thing in the page.
        let fostered = format!("<table>{}", "<div>".repeat(100_000));
        assert_eq!(parse_bounded(&fostered).err(), Some(TooDeep));
    }

    #[test]
    fn long_pages_without_end_tags_are_not_deep() {
        for piece in [
            "<p>text",
            "<ul><li>one<li>two</ul>",
            "<a name=x>",
            "<br/>",
            "<!--<div>-->",
        ] {
            let page = piece.repeat(20_000);
            assert_eq!(
                parse_bounded(&page),
                Ok(Html::parse_document(&page)),
                "{piece}"
            );
        }
        let script = format!("<script>{}</script>", "'<div>'".repeat(20_000));
        assert!(parse_bounded(&script).is_ok());
    }
}
