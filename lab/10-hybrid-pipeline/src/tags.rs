//! Title and links from tags as they go by: nothing is built, nothing can be asked later.

use crate::page::{Found, HTML, read_tree};
use lol_html::{
    HtmlRewriter, Settings, element,
    html_content::{Element, TextChunk},
    text,
};
use std::cell::{Cell, RefCell};

pub(crate) fn read_stream(page: &str) -> Result<Found, String> {
    let (found, is_title) = (RefCell::new(Found::default()), Cell::new(false));
    let begin = |element: &mut Element<'_, '_>| {
        let (name, mut found) = (element.tag_name(), found.borrow_mut());
        is_title.set(name == "title" && found.title.is_none());
        match name.as_str() {
            _ if element.namespace_uri() != HTML => {}
            "a" => found.hrefs.extend(href_of(element)?),
            "base" if found.base.is_none() => found.base = href_of(element)?,
            _ => {}
        }
        Ok(())
    };
    let read = |text: &mut TextChunk<'_>| {
        if is_title.get() {
            let title = &mut found.borrow_mut().title;
            title.get_or_insert_default().push_str(text.as_str());
        }
        Ok(())
    };
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("a[href], base[href], title", begin))
        .append_element_content_handler(text!("title", read));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let written = rewriter.write(page.as_bytes());
    let ended = written.and_then(|()| rewriter.end());
    ended.map_err(|error| error.to_string())?;
    let mut found = found.into_inner();
    if let Some(title) = &found.title {
        found.title = read_tree(&format!("<title>{title}</title>"))?.title;
    }
    Ok(found)
}

/// The stream leaves text as it stands, `&amp;` and all: a tree reads it.
fn href_of(element: &Element<'_, '_>) -> Result<Option<String>, String> {
    let raw = element.get_attribute("href").unwrap_or_default();
    if !raw.contains(['&', '\0', '\r']) {
        return Ok(Some(raw));
    }
    let link = format!("<a href=\"{}\">", raw.replace('"', "&quot;"));
    Ok(read_tree(&link)?.hrefs.pop())
}
