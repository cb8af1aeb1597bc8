//! Title and links from a tree: everything can be asked of it, and everything is built for it.

use crate::{
    content::Content,
    nesting::{TooDeep, parse_bounded},
};
use scraper::Selector;
use std::sync::LazyLock;

static TITLE: LazyLock<Selector> = LazyLock::new(|| selector("title"));
static LINK: LazyLock<Selector> = LazyLock::new(|| selector("a[href]"));
static BASE: LazyLock<Selector> = LazyLock::new(|| selector("base[href]"));

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a constant selector that the tests use")
}

/// Parses a page into a tree and asks that.
///
/// # Errors
/// [`TooDeep`]: it is nested so deeply that building the tree would take for ever.
pub fn read_tree(text: &str) -> Result<Content, TooDeep> {
    let html = parse_bounded(text)?;
    let mut content = Content::default();
    // A drawing inside the page may have a title too; it is not the page's.
    let is_html = |ns: &str| ns == "http://www.w3.org/1999/xhtml";
    let mut titles = html.select(&TITLE);
    if let Some(title) = titles.find(|title| is_html(&title.value().name.ns)) {
        content.title.extend(title.text());
    }
    for (selector, texts) in [(&LINK, &mut content.hrefs), (&BASE, &mut content.bases)] {
        for element in html.select(selector) {
            texts.push(element.value().attr("href").unwrap_or_default());
        }
    }
    Ok(content)
}
