//! Title and links from a tree: everything can be asked of it, and everything is built for it.

use crate::{
    content::Content,
    nesting::{TooDeep, parse_bounded},
};
use scraper::Selector;
use std::sync::LazyLock;

static WANTED: LazyLock<Selector> = LazyLock::new(|| {
    Selector::parse("title, a[href], base[href]").expect("a constant selector that the tests use")
});

/// Parses a page into a tree and asks that.
///
/// # Errors
/// [`TooDeep`]: it is nested so deeply that building the tree would take for ever.
pub fn read_tree(text: &str) -> Result<Content, TooDeep> {
    let html = parse_bounded(text)?;
    let mut content = Content::default();
    let mut has_title = false;
    // One walk for all three.
    for element in html.select(&WANTED) {
        let name = &element.value().name;
        let href = || element.value().attr("href").unwrap_or_default();
        match &*name.local {
            "a" => content.hrefs.push(href()),
            "base" => content.bases.push(href()),
            // A drawing inside the page may have a title too; it is not the page's.
            _ if has_title || &*name.ns != "http://www.w3.org/1999/xhtml" => {}
            _ => {
                has_title = true;
                content.title.extend(element.text());
            }
        }
    }
    Ok(content)
}
