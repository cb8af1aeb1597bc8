//! What is done with a page: HTML to title and links, in a plain function.

use crate::tags::read_stream;
use html5ever::{
    ParseOpts,
    driver::{self, Parser},
    interface::TokenizerResult,
    tendril::{StrTendril, TendrilSink},
};
use measure::Moment;
use process_pool::Worker;
use scraper::{Html, HtmlTreeSink};
use std::{collections::HashSet, iter, time::Duration};
use web::{Encoding, Url, has_user_info};

/// What a parser is given: the address of a page, and its text.
pub type Input = (Url, String);
/// What it makes of that: the title in one line, how many `a` elements have an `href`, and the pages
/// they lead to on the same host, each once, without fragments.
pub type Parsed = (String, usize, Vec<Url>);

/// A function that makes one of the other, here or in a worker process.
///
/// Its error names the limit that a page met which was made to cost more than any reader's page does.
pub type Parse = Worker<Input, Result<Parsed, String>>;

/// `scraper`: the page becomes a tree that can be asked for anything.
pub static TREE: Parse = Worker::new("parse", |(url, page)| kept(&url, read_tree(&page)?));
/// `lol_html`: the tags go by once; title and links are kept, nothing is built.
pub static STREAM: Parse = Worker::new("parse-stream", |(url, page)| {
    kept(&url, read_stream(&page)?)
});

/// What is kept of a page, as it stands there.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) title: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) hrefs: Vec<String>,
}

/// A drawing inside the page may have titles and links too; they are not the page's.
pub(crate) const HTML: &str = "http://www.w3.org/1999/xhtml";

pub(crate) fn read_tree(page: &str) -> Result<Found, String> {
    let (html, within) = parse_document(page);
    let mut found = Found::default();
    for element in html.root_element().descendent_elements() {
        // What stands in a template is no part of the document.
        let is_hidden = || element.ancestors().any(|node| node.value().is_fragment());
        let name = &element.value().name;
        match &*name.local {
            _ if &*name.ns != HTML => {}
            "title" | "base" | "a" if is_hidden() => {}
            "title" if found.title.is_none() => found.title = Some(element.text().collect()),
            "base" if found.base.is_none() => found.base = element.attr("href").map(Into::into),
            "a" => found.hrefs.extend(element.attr("href").map(Into::into)),
            _ => {}
        }
    }
    // Too many links are named first, by `kept`.
    match within {
        Err(limit) if found.hrefs.len() <= LINKS => Err(limit),
        _ => Ok(found),
    }
}

fn kept(url: &Url, found: Found) -> Result<Parsed, String> {
    if found.hrefs.len() > LINKS {
        return Err(format!("it has more than {LINKS} links"));
    }
    let title = in_one_line(found.title.unwrap_or_default())?;
    let targets = targets(url, found.base.as_deref(), &found.hrefs)?;
    Ok((title, found.hrefs.len(), targets))
}

/// The bounds of a page: one of some kilobytes can be made to take gigabytes, or minutes.
///
/// Elements inside each other: what a new one costs grows with those that are open. Nodes: at most
/// one for each byte and a thousand, in any page. Time: attributes of one tag are compared with each other.
const DEPTH: usize = 5_000;
const NODES: usize = 1_000_000;
const TIME: Duration = Duration::from_secs(10);
/// The most links, the most bytes of all their addresses, and of its title.
const LINKS: usize = 100_000;
const ADDRESSES_BYTES: usize = 32 << 20;
const TITLE_BYTES: usize = 10_000;

/// Fails once a page has taken too long.
pub(crate) fn time_limit() -> impl Fn() -> Result<(), String> {
    let start = Moment::now();
    move || match Moment::now() > start.plus(TIME) {
        true => Err(format!("it takes more than {} s", TIME.as_secs())),
        false => Ok(()),
    }
}

/// [`Html::parse_document`] for readers without scripts, as far as it is within bounds.
fn parse_document(page: &str) -> (Html, Result<(), String>) {
    let (most, in_time) = (NODES.min(page.len() + 1_000), time_limit());
    let (mut parser, mut rest, mut within) = (new_parser(), page, Ok(()));
    while !rest.is_empty() && within.is_ok() {
        let (piece, later) = rest.split_at(rest.ceil_char_boundary(256));
        parser.process(StrTendril::from(piece));
        rest = later;
        let html = parser.tokenizer.sink.sink.0.borrow();
        let mut nodes = html.tree.nodes();
        let size = nodes.len();
        let depth = nodes.next_back().map_or(0, |last| last.ancestors().count());
        within = if size > most {
            Err(format!("its tree has more than {most} nodes"))
        } else if depth > DEPTH {
            Err(format!("more than {DEPTH} elements are inside each other"))
        } else {
            in_time()
        };
    }
    (parser.finish(), within)
}

fn new_parser() -> Parser<HtmlTreeSink> {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    driver::parse_document(HtmlTreeSink::new(Html::new_document()), options)
}

fn in_one_line(title: String) -> Result<String, String> {
    if title.len() > TITLE_BYTES {
        return Err(format!("its title has more than {TITLE_BYTES} bytes"));
    }
    let title = title.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    // What a stranger wrote must not steer the terminal.
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{115f}' | '\u{1160}' | '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    Ok(match title.as_str() {
        "" => "(no title)".into(),
        title => title.replace(steers, "\u{fffd}"),
    })
}

/// The pages that the links of a page at `url` lead to on its host, each once.
///
/// They are relative to the first `base`; one that is no address, or no place, counts for none.
fn targets(url: &Url, base: Option<&str>, hrefs: &[String]) -> Result<Vec<Url>, String> {
    let base = base.and_then(|base| url.join(base).ok());
    let base = base.filter(|base| !matches!(base.scheme(), "data" | "javascript"));
    let base = base.as_ref().unwrap_or(url);
    // A base may be as long as a page, and stand before each link.
    if base.as_str().len() * hrefs.len() > ADDRESSES_BYTES {
        let most = format!("more than {ADDRESSES_BYTES} bytes");
        return Err(format!("the addresses of its links have {most}"));
    }
    let (mut seen, mut targets) = (HashSet::new(), Vec::new());
    for mut target in hrefs.iter().filter_map(|href| base.join(href).ok()) {
        target.set_fragment(None);
        let leads_there = target.origin() == url.origin() && !has_user_info(&target);
        if leads_there && seen.insert(target.clone()) {
            targets.push(target);
        }
    }
    Ok(targets)
}

/// The encoding that a page names itself in its first 1024 bytes: in a `meta`, else as XML does.
pub(crate) fn declared_encoding(page: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&page[..page.len().min(1024)]);
    let parser = new_parser();
    parser.input_buffer.push_back(StrTendril::from(&*start));
    let fed = iter::repeat_with(|| parser.tokenizer.feed(&parser.input_buffer));
    let fed = fed.take_while(|found| !matches!(found, TokenizerResult::Done));
    let mut in_metas = fed.filter_map(|found| match found {
        TokenizerResult::EncodingIndicator(label) => Encoding::for_label(label.as_bytes()),
        _ => None,
    });
    let in_xml = || {
        let declaration = start.strip_prefix("<?xml")?.split('>').next()?;
        let label = declaration.split_once("encoding")?.1;
        Encoding::for_label(label.split(['"', '\'']).nth(1)?.as_bytes())
    };
    let encoding = in_metas.next().or_else(in_xml)?;
    // A page whose own word could be read as ASCII is not in UTF-16.
    Some(match encoding.name() {
        "UTF-16LE" | "UTF-16BE" => web::UTF_8,
        "x-user-defined" => web::WINDOWS_1252,
        _ => encoding,
    })
}

#[cfg(test)]
mod tests;
