//! Title and links from a tree: everything can be asked of it, and everything is built for it.

use crate::parse::Found;
use html5ever::{
    ParseOpts, driver,
    tendril::{ByteTendril, TendrilSink},
};
use measure::Moment;
use scraper::{Html, HtmlTreeSink, Selector};
use std::{sync::LazyLock, time::Duration};

/// A drawing inside the page may have titles and links too; they are not the page's.
pub(crate) const HTML: &str = "http://www.w3.org/1999/xhtml";

pub(crate) fn read_tree(page: &str) -> Result<Found, String> {
    static KEPT: LazyLock<Selector> = LazyLock::new(|| {
        Selector::parse("title, base[href], a[href]").expect("a selector that the tests use")
    });
    let (html, within) = parse_document(page);
    let mut found = Found::default();
    for element in html.root_element().select(&KEPT) {
        // What stands in a template is no part of the document.
        let is_hidden = element.ancestors().any(|node| node.value().is_fragment());
        let name = &element.value().name;
        let href = || element.attr("href").map(str::to_owned);
        match (&*name.ns, &*name.local) {
            _ if is_hidden => {}
            (HTML, "title") if found.title.is_none() => {
                found.title = Some(element.text().collect());
            }
            (HTML, "base") if found.base.is_none() => found.base = href(),
            (HTML, "a") => found.take(href())?,
            _ => {}
        }
    }
    within.map(|()| found)
}

/// The bounds of a page: a page of some kilobytes can be made to take gigabytes, or minutes.
///
/// Elements inside each other: what a new one costs grows with those that are open. Nodes: at most
/// one for each byte and a thousand, in any page. Time: attributes of one tag are compared with each other.
const DEPTH: usize = 5_000;
const NODES: usize = 1_000_000;
const TIME: Duration = Duration::from_secs(10);

/// [`Html::parse_document`] for readers without scripts, as far as it is within bounds; links have theirs first.
fn parse_document(page: &str) -> (Html, Result<(), String>) {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let parser = driver::parse_document(HtmlTreeSink::new(Html::new_document()), options);
    let mut parser = parser.from_utf8();
    let (most, in_time) = (NODES.min(page.len() + 1_000), time_limit());
    let within = page.as_bytes().chunks(256).try_for_each(|piece| {
        parser.process(ByteTendril::from_slice(piece));
        in_time()?;
        let html = parser.inner_sink.tokenizer.sink.sink.0.borrow();
        let mut nodes = html.tree.nodes();
        if nodes.len() > most {
            return Err(format!("its tree has more than {most} nodes"));
        }
        let depth = nodes.next_back().map(|last| last.ancestors().count());
        match depth <= Some(DEPTH) {
            true => Ok(()),
            false => Err(format!("more than {DEPTH} elements are inside each other")),
        }
    });
    (parser.finish(), within)
}

/// An error from ten seconds after this call on.
pub(crate) fn time_limit() -> impl Fn() -> Result<(), String> {
    let end = Moment::now().plus(TIME);
    move || match Moment::now() < end {
        true => Ok(()),
        false => Err(format!("it takes more than {} s", TIME.as_secs())),
    }
}
