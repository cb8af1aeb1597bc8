//! Whether a tag stands in HTML or in a drawing or formula inside it, without a tree.
//!
//! A parser that builds a tree knows; one that only sees tags go by keeps the few elements that
//! change the answer. On pages whose end tags are missing or crossed the two can differ.

/// A start tag, as far as it matters here; names are in lower case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartTag<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) is_self_closing: bool,
    /// `color`, `face` or `size` is there.
    pub(crate) is_styled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Html,
    Svg,
    Math,
}

/// The elements that lead from HTML to a drawing or a formula, and back into HTML.
#[derive(Debug, Default)]
pub(crate) struct Place {
    open: Vec<(Kind, Ending)>,
}

/// The name of an element that changes the place, by which it ends.
type Ending = &'static [u8];

impl Place {
    fn kind(&self) -> Kind {
        self.open.last().map_or(Kind::Html, |(kind, _)| *kind)
    }

    /// Whether what comes next is in HTML.
    pub(crate) fn is_html(&self) -> bool {
        self.kind() == Kind::Html
    }

    /// Takes note of a start tag; whether its element is one of HTML.
    pub(crate) fn start(&mut self, tag: StartTag<'_>) -> bool {
        if !self.is_html() && breaks_out(tag) {
            self.leave();
        }
        let kind = self.kind();
        if let Some(opened) = opened_by(tag, kind).filter(|_| !tag.is_self_closing) {
            self.open.push(opened);
        }
        kind == Kind::Html
    }

    /// Takes note of an end tag.
    pub(crate) fn end(&mut self, name: &[u8]) {
        if !self.is_html() && matches!(name, b"p" | b"br") {
            self.leave();
        } else if self.open.last().is_some_and(|(_, ending)| *ending == name) {
            self.open.pop();
        }
    }

    /// Leaves the drawing or formula, with all those around it up to the next HTML.
    fn leave(&mut self) {
        while !self.is_html() {
            self.open.pop();
        }
    }
}

fn opened_by(tag: StartTag<'_>, kind: Kind) -> Option<(Kind, Ending)> {
    Some(match (kind, tag.name) {
        (Kind::Html | Kind::Svg, b"svg") => (Kind::Svg, b"svg"),
        (Kind::Html | Kind::Math, b"math") => (Kind::Math, b"math"),
        (Kind::Svg, b"desc") => (Kind::Html, b"desc"),
        (Kind::Svg, b"foreignobject") => (Kind::Html, b"foreignobject"),
        (Kind::Svg, b"title") => (Kind::Html, b"title"),
        // HTML in an `annotation-xml` is read as part of the formula, as `scraper` does.
        (Kind::Math, b"mi") => (Kind::Html, b"mi"),
        (Kind::Math, b"mn") => (Kind::Html, b"mn"),
        (Kind::Math, b"mo") => (Kind::Html, b"mo"),
        (Kind::Math, b"ms") => (Kind::Html, b"ms"),
        (Kind::Math, b"mtext") => (Kind::Html, b"mtext"),
        _ => return None,
    })
}

/// Whether it can only be a tag of HTML: the drawing or formula around it was left open.
fn breaks_out(tag: StartTag<'_>) -> bool {
    let name = str::from_utf8(tag.name).unwrap_or_default();
    match name {
        "b" | "big" | "blockquote" | "body" | "br" | "center" | "code" | "dd" | "div" | "dl"
        | "dt" | "em" | "embed" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "head" | "hr" | "i"
        | "img" | "li" | "listing" | "menu" | "meta" | "nobr" | "ol" | "p" | "pre" | "ruby"
        | "s" | "small" | "span" | "strong" | "strike" | "sub" | "sup" | "table" | "tt" | "u"
        | "ul" | "var" => true,
        "font" => tag.is_styled,
        _ => false,
    }
}
