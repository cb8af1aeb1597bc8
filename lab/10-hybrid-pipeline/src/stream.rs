//! Title and links from tags as they go by: nothing is built, nothing can be asked later.

use crate::parse::{Found, HTML, check_time};
use lol_html::{HtmlRewriter, Settings, element, end_tag, html_content::Element, text};
use scraper::Html;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

pub(crate) fn read_stream(page: &str, start: Instant) -> Result<Found, String> {
    let found = RefCell::default();
    stream_into(&found, page, start)?;
    Ok(found.into_inner())
}

fn stream_into(found: &RefCell<Found>, page: &str, start: Instant) -> Result<(), String> {
    let templates = Rc::new(Cell::new(0));
    let [is_open, is_drawing, is_hidden] = [const { Cell::new(false) }; 3];
    let without_scripts = RefCell::new(String::new());
    let is_kept = |it: &Element<'_, '_>| it.namespace_uri() == HTML && templates.get() == 0;
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("template", |template| {
            if template.namespace_uri() == HTML {
                templates.set(templates.get() + 1);
                let templates = Rc::clone(&templates);
                template.on_end_tag(end_tag!(move |_| {
                    templates.set(templates.get() - 1);
                    Ok(())
                }))?;
            }
            Ok(())
        }))
        .append_element_content_handler(element!("a[href], base[href]", |element| {
            let href = element.get_attribute("href").filter(|_| is_kept(element));
            let href = href.map(|href| attribute(&href));
            let mut found = found.borrow_mut();
            match element.tag_name().as_str() {
                "a" => found.hrefs.extend(href),
                _ => found.base = found.base.take().or(href),
            }
            Ok(())
        }))
        // The title of a drawing is none of the page, unless it stands where HTML goes on within.
        .append_element_content_handler(element!("svg title", |_| {
            is_drawing.set(true);
            Ok(())
        }))
        .append_element_content_handler(element!(
            "svg foreignObject title, svg desc title, svg title title",
            |_| {
                is_drawing.set(false);
                Ok(())
            }
        ))
        .append_element_content_handler(element!("title", |title| {
            let is_first = found.borrow().title.is_none();
            is_open.set(!is_drawing.take() && is_kept(title) && is_first);
            Ok(())
        }))
        .append_element_content_handler(text!("title", |text| {
            if is_open.get() {
                let title = &mut found.borrow_mut().title;
                let raw = title.get_or_insert_default();
                raw.push_str(text.as_str());
                if text.last_in_text_node() {
                    let html = Html::parse_fragment(&format!("<title>{raw}</title>"));
                    *title = Some(html.root_element().text().collect());
                }
            }
            Ok(())
        }))
        .append_element_content_handler(element!("noscript", |noscript| {
            is_hidden.set(is_kept(noscript));
            Ok(())
        }))
        .append_element_content_handler(text!("noscript", |text| {
            // The stream takes the reader for one with scripts, who sees none of it.
            if is_hidden.get() {
                without_scripts.borrow_mut().push_str(text.as_str());
                if text.last_in_text_node() {
                    stream_into(found, &without_scripts.take(), start)?;
                }
            }
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    for piece in page.as_bytes().chunks(65_536) {
        check_time(start)?;
        rewriter.write(piece).map_err(|error| error.to_string())?;
    }
    rewriter.end().map_err(|error| error.to_string())
}

/// The value of an attribute, which the stream leaves as it stands.
fn attribute(raw: &str) -> String {
    if !raw.contains(['&', '\0', '\r']) {
        return raw.to_owned();
    }
    let html = Html::parse_fragment(&format!("<a href=\"{}\">", raw.replace('"', "&quot;")));
    let mut elements = html
        .tree
        .nodes()
        .filter_map(|node| node.value().as_element());
    let href = elements.find_map(|element| element.attr("href"));
    href.unwrap_or_default().to_owned()
}
