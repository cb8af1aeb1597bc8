//! Title and links from tags as they go by: nothing is built, nothing can be asked later.

use crate::page::{Found, HTML, read_tree, time_limit};
use lol_html::{
    HandlerResult, HtmlRewriter, Settings, element, end_tag, html_content::Element, text,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

#[derive(Default)]
struct Tags {
    found: RefCell<Found>,
    /// How many templates are open.
    templates: Rc<Cell<usize>>,
    /// Whether the title at hand is that of a drawing.
    is_drawing: Cell<bool>,
    /// The element whose text counts, and that text.
    open: Cell<&'static str>,
    text: RefCell<String>,
}

pub(crate) fn read_stream(page: &str) -> Result<Found, String> {
    let (tags, in_time) = (Tags::default(), time_limit());
    let is_drawing = |is_drawing| {
        tags.is_drawing.set(is_drawing);
        Ok(())
    };
    let html_in_drawings = "svg foreignObject title, svg desc title, svg title title";
    let kept = "a[href], base[href], noscript, template, title";
    let handlers = [
        // The title of a drawing is none of the page, unless it stands where HTML goes on within.
        element!("svg title", |_| is_drawing(true)),
        element!(html_in_drawings, |_| is_drawing(false)),
        element!(kept, |element| tags.begin(element)),
        text!("noscript, title", |text| {
            tags.text.borrow_mut().push_str(text.as_str());
            if text.last_in_text_node() {
                tags.end_text()
            } else {
                Ok(())
            }
        }),
    ];
    let settings = handlers.into_iter().fold(
        Settings::new().with_strict(false),
        Settings::append_element_content_handler,
    );
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    for piece in page.as_bytes().chunks(65_536) {
        in_time()?;
        rewriter.write(piece).map_err(|error| error.to_string())?;
    }
    rewriter.end().map_err(|error| error.to_string())?;
    Ok(tags.found.into_inner())
}

impl Tags {
    fn begin(&self, element: &mut Element<'_, '_>) -> HandlerResult {
        let (name, mut found) = (element.tag_name(), self.found.borrow_mut());
        self.open.set("");
        let is_html = !self.is_drawing.take() && element.namespace_uri() == HTML;
        match name.as_str() {
            _ if !is_html => {}
            "template" => {
                let templates = Rc::clone(&self.templates);
                templates.update(|open| open + 1);
                element.on_end_tag(end_tag!(move |_| {
                    templates.update(|open| open - 1);
                    Ok(())
                }))?;
            }
            _ if self.templates.get() > 0 => {}
            "title" if found.title.is_some() => {}
            "title" => self.open.set("title"),
            "noscript" => self.open.set("noscript"),
            "a" => found.hrefs.extend(href_of(element)?),
            _ if found.base.is_none() => found.base = href_of(element)?,
            _ => {}
        }
        Ok(())
    }

    /// What stands in a title, or in a `noscript`, which the stream takes for text: a tree reads it.
    fn end_text(&self) -> HandlerResult {
        let (text, found) = (self.text.take(), &mut *self.found.borrow_mut());
        let within = match self.open.take() {
            "title" => read_tree(&format!("<title>{text}</title>"))?,
            "noscript" => read_tree(&text)?,
            _ => return Ok(()),
        };
        found.title = found.title.take().or(within.title);
        found.base = found.base.take().or(within.base);
        found.hrefs.extend(within.hrefs);
        Ok(())
    }
}

/// The stream leaves a value as it stands, `&amp;` and all: a tree reads it.
fn href_of(element: &Element<'_, '_>) -> Result<Option<String>, String> {
    let raw = element.get_attribute("href").unwrap_or_default();
    if !raw.contains(['&', '\0', '\r']) {
        return Ok(Some(raw));
    }
    let link = format!("<a href=\"{}\">", raw.replace('"', "&quot;"));
    Ok(read_tree(&link)?.hrefs.pop())
}
