//! `lol_html` for the title and the links alone: the tags go by once, and nothing is built.

use lab_10_hybrid_pipeline::page::{Input, PARSE, Parse, Parsed};
use lol_html::{HtmlRewriter, Settings, element, text};
use std::cell::{Cell, RefCell};

/// Right for these pages: it counts no links in a `noscript`, and those of templates and drawings.
pub(crate) static STREAM: Parse = Parse::new("parse-stream", read);

fn read((url, page): Input) -> Result<Parsed, String> {
    let (links, titles, title) = (Cell::new(0), Cell::new(0), RefCell::new(String::new()));
    let count = |seen: &Cell<usize>| {
        seen.update(|seen| seen + 1);
        Ok(())
    };
    let handlers = [
        element!("a[href]", |_| count(&links)),
        element!("title", |_| count(&titles)),
        text!("title", |text| {
            if titles.get() == 1 {
                title.borrow_mut().push_str(text.as_str());
            }
            Ok(())
        }),
    ];
    let settings = handlers.into_iter().fold(
        Settings::new().with_strict(false),
        Settings::append_element_content_handler,
    );
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let written = rewriter.write(page.as_bytes());
    let ended = written.and_then(|()| rewriter.end());
    ended.map_err(|error| error.to_string())?;
    // The stream leaves the title as it stands, `&amp;` and all: a tree reads it.
    let title = format!("<title>{}</title>", title.take());
    let (title, ..) = PARSE.run_here((url, title))?;
    Ok((title, links.get(), Vec::new()))
}
