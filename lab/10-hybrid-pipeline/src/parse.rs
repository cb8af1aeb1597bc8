//! What is done with a page: HTML to title and links, in a plain function.

use crate::{stream::read_stream, tree::read_tree};
use process_pool::Worker;
use scraper::{Html, Selector};
use std::{collections::HashSet, sync::LazyLock};
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

/// The most links of a page, the most bytes of all their addresses, and the longest title.
const LINKS: usize = 100_000;
const ADDRESSES_BYTES: usize = 32 << 20;
const TITLE_BYTES: usize = 10_000;

impl Found {
    /// Takes the next links, as long as the page has no more of them than any reader's page.
    pub(crate) fn take(&mut self, hrefs: impl IntoIterator<Item = String>) -> Result<(), String> {
        self.hrefs.extend(hrefs);
        match self.hrefs.len() <= LINKS {
            true => Ok(()),
            false => Err(format!("it has more than {LINKS} links")),
        }
    }
}

fn kept(url: &Url, found: Found) -> Result<Parsed, String> {
    let title = found.title.unwrap_or_default();
    if title.len() > TITLE_BYTES {
        return Err(format!("its title has more than {TITLE_BYTES} bytes"));
    }
    let title = title.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    // What a stranger wrote must not steer the terminal.
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{115f}' | '\u{1160}' | '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let title = match title.as_str() {
        "" => "(no title)".into(),
        title => title.replace(steers, "\u{fffd}"),
    };
    let targets = targets(url, found.base.as_deref(), &found.hrefs)?;
    Ok((title, found.hrefs.len(), targets))
}

/// The pages that the links of a page at `url` lead to on its host, each once.
///
/// They are relative to the first `base`; one that is no address, or no place, counts for none.
fn targets(url: &Url, base: Option<&str>, hrefs: &[String]) -> Result<Vec<Url>, String> {
    let base = base.and_then(|base| url.join(base).ok());
    let base = base.filter(|base| !matches!(base.scheme(), "data" | "javascript"));
    let base = base.as_ref().unwrap_or(url);
    let (mut seen, mut targets, mut room) = (HashSet::new(), Vec::new(), ADDRESSES_BYTES);
    for mut target in hrefs.iter().filter_map(|href| base.join(href).ok()) {
        // A base may be as long as a page, and stand before each link.
        let left = room.checked_sub(target.as_str().len());
        room = left.ok_or_else(|| {
            format!("the addresses of its links have more than {ADDRESSES_BYTES} bytes")
        })?;
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
    static META: LazyLock<Selector> = LazyLock::new(|| {
        let metas = "meta[charset], meta[http-equiv=content-type i][content]";
        Selector::parse(metas).expect("a selector that the tests use")
    });
    let start = String::from_utf8_lossy(&page[..page.len().min(1024)]).to_ascii_lowercase();
    let html = Html::parse_document(&start);
    let in_meta = html.select(&META).find_map(|meta| {
        let in_content = || value_after(meta.attr("content")?, "charset");
        let label = meta.attr("charset").or_else(in_content)?;
        Encoding::for_label(label.as_bytes())
    });
    let in_xml = || {
        let declaration = start.strip_prefix("<?xml")?.split('>').next()?;
        Encoding::for_label(value_after(declaration, "encoding")?.as_bytes())
    };
    let encoding = in_meta.or_else(in_xml)?;
    // A page whose own word could be read as ASCII is not in UTF-16.
    Some(match encoding.name() {
        "UTF-16LE" | "UTF-16BE" => web::UTF_8,
        "x-user-defined" => web::WINDOWS_1252,
        _ => encoding,
    })
}

/// What stands after a name and an equals sign, in quotes or up to a space or semicolon.
fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.split_once(name)?.1.trim_start();
    let Some(value) = rest.strip_prefix('=').map(str::trim_start) else {
        return value_after(rest, name);
    };
    match value.chars().next()? {
        quote @ ('"' | '\'') => Some(value[1..].split_once(quote)?.0),
        _ => value.split([' ', '\t', '\n', '\r', '\u{c}', ';']).next(),
    }
}

#[cfg(test)]
mod tests;
