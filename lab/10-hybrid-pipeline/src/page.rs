//! What is done with a page: HTML to title and links, in a plain function.

use crate::tags::read_stream;
use html5ever::{
    ParseOpts,
    driver::{self, Parser},
    interface::TokenizerResult,
    tendril::TendrilSink,
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
    let (mut html, mut found) = (parse_document(page)?, Found::default());
    // What stands in a template is no part of the document.
    let nodes = html.tree.nodes().filter(|node| node.value().is_fragment());
    for id in nodes.map(|node| node.id()).collect::<Vec<_>>() {
        html.tree.get_mut(id).expect("it is there").detach();
    }
    for element in html.root_element().descendent_elements() {
        let (name, href) = (&element.value().name, element.attr("href"));
        match &*name.local {
            _ if &*name.ns != HTML => {}
            "title" if found.title.is_none() => found.title = Some(element.text().collect()),
            "base" if found.base.is_none() => found.base = href.map(Into::into),
            "a" => found.hrefs.extend(href.map(Into::into)),
            _ => {}
        }
    }
    Ok(found)
}

/// The bounds of a page: one of some kilobytes can be made to take gigabytes, or minutes.
///
/// A tree has at most a node for each byte and a thousand, and so many in any page; it takes at most so long.
const NODES: usize = 1_000_000;
const TIME: Duration = Duration::from_secs(10);
/// The most bytes of all addresses that it links to: its base may be long, and stands before each.
const ADDRESSES_BYTES: usize = 32 << 20;

/// [`Html::parse_document`] for readers without scripts, piece by piece to keep it within bounds.
fn parse_document(page: &str) -> Result<Html, String> {
    let (most, start) = (NODES.min(page.len() + 1_000), Moment::now());
    let (mut parser, mut rest) = (new_parser(), page);
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.ceil_char_boundary(256));
        parser.process(piece.into());
        rest = later;
        if parser.tokenizer.sink.sink.0.borrow().tree.nodes().len() > most {
            return Err(format!("its tree has more than {most} nodes"));
        }
        if Moment::now() - start > TIME {
            return Err(format!("it takes more than {} s", TIME.as_secs()));
        }
    }
    Ok(parser.finish())
}

fn new_parser() -> Parser<HtmlTreeSink> {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    driver::parse_document(HtmlTreeSink::new(Html::new_document()), options)
}

/// Title, number of links, and the pages that they lead to on the host of this one, each once.
///
/// Links are relative to the first `base`; one that is no address, or no place, counts for none.
fn kept(url: &Url, found: Found) -> Result<Parsed, String> {
    let base = found.base.and_then(|base| url.join(&base).ok());
    let base = base.filter(|base| !matches!(base.scheme(), "data" | "javascript"));
    let base = base.as_ref().unwrap_or(url);
    let (mut seen, mut targets, mut size_bytes) = (HashSet::new(), Vec::new(), 0);
    for mut target in found.hrefs.iter().filter_map(|href| base.join(href).ok()) {
        target.set_fragment(None);
        size_bytes += target.as_str().len();
        if size_bytes > ADDRESSES_BYTES {
            let most = format!("more than {ADDRESSES_BYTES} bytes");
            return Err(format!("the addresses of its links have {most}"));
        }
        let leads_there = target.origin() == url.origin() && !has_user_info(&target);
        if leads_there && seen.insert(target.clone()) {
            targets.push(target);
        }
    }
    let title = in_one_line(&found.title.unwrap_or_default());
    Ok((title, found.hrefs.len(), targets))
}

/// What a stranger wrote must not steer the terminal.
fn in_one_line(title: &str) -> String {
    let steers = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || c.is_control()
    };
    match &*title.split_ascii_whitespace().collect::<Vec<_>>().join(" ") {
        "" => "(no title)".into(),
        title => title.replace(steers, "\u{fffd}"),
    }
}

/// The encoding that a page names itself in its first 1024 bytes: in a `meta`, else as XML does.
pub(crate) fn declared_encoding(page: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&page[..page.len().min(1024)]);
    let parser = new_parser();
    parser.input_buffer.push_back((&*start).into());
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
