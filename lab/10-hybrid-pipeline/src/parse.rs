//! What is done with a page: HTML to title and links, in a plain function.

use crate::{
    checksum::Checksum,
    nesting::TooDeep,
    stream::read_stream,
    tree::read_tree,
    words::{REASON_CHARS, TITLE_CHARS, harmless},
};
use serde::{Deserialize, Serialize};
use std::{process, time::Duration};
use web::{FetchError, Page, Url};

/// What a page is parsed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// `scraper`: the page becomes a tree that can be asked for anything
    Scraper,
    /// `html5gum`: the tags go by once; title and links are kept, nothing is built
    Stream,
}

/// What a parser is given; it crosses to worker processes as bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageInput {
    /// Where the page came from; its links are relative to that.
    pub url: Url,
    /// The server's word on what it is.
    pub content_type: Option<String>,
    /// The page.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Whether the links' targets are wanted, not only their number.
    pub follow: bool,
    /// What to parse with.
    pub reading: Reading,
}

/// What a parser makes of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// The text of the first title, in one line, fit for a terminal and cut to [`TITLE_CHARS`].
    pub title: String,
    /// How many `a` elements have an `href`.
    pub links: u32,
    /// The pages they lead to on the same host, each once, without fragments.
    pub found: Vec<String>,
    /// What is wrong with the page's text, if something is.
    pub note: Option<String>,
    /// A number made of the whole title and of every link as it stands.
    pub fingerprint: u64,
    /// The process that parsed it.
    pub pid: u32,
}

/// Parses one page.
///
/// # Errors
/// [`TooDeep`]: it is nested so deeply that parsing it would take for ever.
pub fn parse_page(input: PageInput) -> Result<Parsed, TooDeep> {
    let page = Page {
        url: input.url,
        status: 200,
        body: input.body,
        content_type: input.content_type,
        elapsed: Duration::ZERO,
    };
    let (text, note) = match page.text() {
        Ok(text) => (text, None),
        Err(error) => (page.text_lossy(), Some(explain(&error))),
    };
    let content = match input.reading {
        Reading::Scraper => read_tree(&text)?,
        Reading::Stream => read_stream(&text),
    };
    let title = content.title_line();
    let mut checksum = Checksum::default();
    for piece in std::iter::once(title.as_str()).chain(content.hrefs.iter()) {
        checksum.add(piece.as_bytes());
    }
    Ok(Parsed {
        title: harmless(&title, TITLE_CHARS),
        links: u32::try_from(content.hrefs.len()).unwrap_or(u32::MAX),
        found: if input.follow {
            content.targets(&page.url)
        } else {
            Vec::new()
        },
        note,
        fingerprint: checksum.finish(),
        pid: process::id(),
    })
}

fn explain(error: &FetchError) -> String {
    match error {
        FetchError::NotText { charset, at, .. } => {
            let charset = harmless(charset, REASON_CHARS);
            format!("not `{charset}` at byte {at}; what is no text reads as \u{fffd}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is on a page, whatever it is parsed with.
    fn parsed(content_type: &str, body: &[u8]) -> Parsed {
        let parse = |reading| {
            let input = PageInput {
                url: Url::parse("http://127.0.0.1:1/a/b.html").expect("a URL"),
                content_type: Some(content_type.into()),
                body: body.to_vec(),
                follow: true,
                reading,
            };
            parse_page(input).expect("it is not nested deeply")
        };
        let parsed = parse(Reading::Scraper);
        assert_eq!(parsed, parse(Reading::Stream));
        parsed
    }

    fn html(body: &str) -> Parsed {
        parsed("text/html", body.as_bytes())
    }

    #[test]
    fn a_title_is_one_line_of_plain_text() {
        for (page, title) in [
            ("<title>\n Tom &amp;\t Jerry&#33;\n</title>", "Tom & Jerry!"),
            ("<title>first</title><title>second</title>", "first"),
            ("<body><svg><title>a drawing</title></svg>", "(no title)"),
            ("<title> </title>", "(no title)"),
            ("", "(no title)"),
            ("{\"title\": \"JSON\"}", "(no title)"),
        ] {
            assert_eq!(html(page).title, title, "{page}");
        }
    }

    #[test]
    fn links_are_counted_as_they_stand_and_followed_once_on_the_same_host() {
        let page = html(
            "<a href='c.html#x'>1</a> <a href=/d?q=1>2</a> <a href='c.html'>3</a> <a name=n>no</a>
             <a href='http://127.0.0.1:2/'>4</a> <a href='https://127.0.0.1:1/'>5</a>
             <a href='mailto:a@b'>6</a> <a href='http://['>7</a> <link href=e.css>",
        );
        assert_eq!(page.links, 7);
        let found = ["http://127.0.0.1:1/a/c.html", "http://127.0.0.1:1/d?q=1"];
        assert_eq!(page.found, found);
        let based = html("<base href='/x/'><a href=y>1</a>");
        assert_eq!(based.found, ["http://127.0.0.1:1/x/y"]);
    }

    #[test]
    fn a_charset_is_honoured_and_bytes_that_are_no_text_are_told() {
        let latin = parsed("text/html; charset=latin1", b"<title>caf\xe9</title>");
        assert_eq!((latin.title.as_str(), latin.note), ("caf\u{e9}", None));
        let bad = parsed("text/html", b"<title>caf\xe9</title>");
        assert_eq!(bad.title, "caf\u{fffd}");
        let note = bad.note.expect("it is told");
        assert!(
            note.contains("`utf-8`") && note.contains("byte 10"),
            "{note}"
        );
    }
}
