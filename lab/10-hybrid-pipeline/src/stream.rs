//! Title and links from tags as they go by: nothing is built, nothing can be asked later.

mod emitter;

use crate::{
    content::{Content, Texts},
    place::{Place, StartTag},
};
use html5gum::{State, Tokenizer};
use std::mem;

/// Takes title and links out of the stream of a page's tags.
///
/// Equal to [`read_tree`](crate::tree::read_tree) where every link is closed before the block around
/// it ends. A tree repeats a link that is left open in every block after it; here it counts once.
pub fn read_stream(text: &str) -> Content {
    let mut found = Found::default();
    let finished = Tokenizer::new_with_emitter(text, Reader::new(&mut found)).finish();
    finished.unwrap_or_else(|never| match never {});
    Content {
        // Made of text, entities and `�`.
        title: String::from_utf8_lossy(&found.title).into_owned(),
        hrefs: found.hrefs,
        bases: found.bases,
    }
}

#[derive(Debug, Default)]
struct Found {
    title: Vec<u8>,
    hrefs: Texts,
    bases: Texts,
}

/// Where the reader stands to the page's first title.
#[derive(Debug, PartialEq, Eq)]
enum Title {
    Ahead,
    Open,
    Over,
}

/// What is kept of the tag that is being read.
#[derive(Debug, Default)]
struct Tag {
    name: Vec<u8>,
    is_end: bool,
    is_self_closing: bool,
    is_styled: bool,
    /// The first attribute of that name counts.
    has_href: bool,
    href: Vec<u8>,
}

/// The attribute that is being read.
#[derive(Debug, Default)]
struct Attribute {
    is_open: bool,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// What the tokenizer calls: it keeps what [`Content`] is made of and lets the rest go by.
#[derive(Debug)]
struct Reader<'a> {
    found: &'a mut Found,
    title: Title,
    place: Place,
    tag: Tag,
    attribute: Attribute,
    last_start_tag: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(found: &'a mut Found) -> Self {
        Self {
            found,
            title: Title::Ahead,
            place: Place::default(),
            tag: Tag::default(),
            attribute: Attribute::default(),
            last_start_tag: Vec::new(),
        }
    }

    fn begin_tag(&mut self, is_end: bool) {
        let (mut name, mut href) = (mem::take(&mut self.tag.name), mem::take(&mut self.tag.href));
        name.clear();
        href.clear();
        self.tag = Tag {
            name,
            href,
            is_end,
            ..Tag::default()
        };
    }

    /// Whether an attribute of this tag can matter.
    fn is_wanted(&self) -> bool {
        !self.tag.is_end
            && match self.tag.name.as_slice() {
                b"a" | b"base" => true,
                b"font" => !self.place.is_html(),
                _ => false,
            }
    }

    fn end_attribute(&mut self) {
        let Attribute { name, value, .. } = &mut self.attribute;
        match name.as_slice() {
            b"href" if !self.tag.has_href => {
                self.tag.has_href = true;
                mem::swap(&mut self.tag.href, value);
            }
            b"color" | b"face" | b"size" => self.tag.is_styled = true,
            _ => {}
        }
        self.attribute.is_open = false;
    }

    fn start(&mut self) -> Option<State> {
        let tag = &self.tag;
        let is_html = self.place.start(StartTag {
            name: &tag.name,
            is_self_closing: tag.is_self_closing,
            is_styled: tag.is_styled,
        });
        if tag.has_href && matches!(tag.name.as_slice(), b"a" | b"base") {
            let href = String::from_utf8_lossy(&tag.href);
            let is_link = tag.name == b"a";
            let texts = if is_link {
                &mut self.found.hrefs
            } else {
                &mut self.found.bases
            };
            texts.push(&href);
        }
        if is_html && tag.name == b"title" && self.title == Title::Ahead {
            self.title = Title::Open;
        }
        mem::swap(&mut self.last_start_tag, &mut self.tag.name);
        is_html.then(|| text_state(&self.last_start_tag)).flatten()
    }

    fn end(&mut self) {
        if self.tag.name == b"title" && self.title == Title::Open {
            self.title = Title::Over;
        }
        self.place.end(&self.tag.name);
    }
}

/// How the text inside an element is read, where it is not as usual; a tokenizer cannot know.
fn text_state(name: &[u8]) -> Option<State> {
    match name {
        b"title" | b"textarea" => Some(State::RcData),
        b"script" => Some(State::ScriptData),
        // As in a browser that runs scripts, which is how `scraper` reads a page as well.
        b"noscript" | b"style" | b"iframe" | b"xmp" | b"noembed" | b"noframes" => {
            Some(State::RawText)
        }
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::read_tree;

    fn alike(page: &str) -> Content {
        let content = read_stream(page);
        assert_eq!(Ok(&content), read_tree(page).as_ref(), "{page}");
        content
    }

    fn hrefs(content: &Content) -> Vec<&str> {
        content.hrefs.iter().collect()
    }

    #[test]
    fn what_looks_like_a_link_and_is_none_is_none_for_both() {
        for (before, after) in [
            ("<script>'", "'</script>"),
            ("<script><!--<script>", "</script>--></script>"),
            ("<style>", "</style>"),
            ("<!-- ", " -->"),
            ("<![CDATA[", "]]>"),
            ("<noscript>", "</noscript>"),
            ("<head><noscript>", "</noscript></head>"),
            ("<textarea>", "</textarea>"),
            ("<title>", "</title>"),
            ("<iframe>", "</iframe>"),
            ("<xmp>", "</xmp>"),
            ("<noembed>", "</noembed>"),
            ("<noframes>", "</noframes>"),
            ("<p title='", "'>"),
            ("<svg><![CDATA[", "]]></svg>"),
        ] {
            let page = format!("<a href=1>x</a>{before}<a href=2>y</a>{after}<a href=3>z</a>");
            let found = alike(&page);
            let found = hrefs(&found);
            assert!(
                found.len() == 2 && found[1] == "3" || before == "<![CDATA[",
                "{page}: {found:?}"
            );
        }
        assert_eq!(hrefs(&alike("<plaintext><a href=1>x</a>")), [""; 0]);
    }

    #[test]
    fn links_are_found_wherever_they_stand() {
        for (page, count) in [
            ("<template><a href=1>x</a></template>", 1),
            ("<svg><a href=1></a></svg><math><a href=2></a></math>", 2),
            ("<svg><style><a href=1>x</a></style></svg>", 1),
            (
                "<svg><desc><style><a href=1></style></desc></svg><a href=2>x</a>",
                1,
            ),
            (
                "<svg><foreignObject><script>'<a href=1>'</script></foreignObject></svg>",
                0,
            ),
            ("<svg/><script>'<a href=1>'</script>", 0),
            ("<svg><g><div><script>'<a href=1>'</script>", 0),
            ("<svg><font><style><a href=1>x</a></style></svg>", 1),
            ("<svg><font color=red><style><a href=1>x</style></svg>", 0),
            (
                "<math><mi><style><a href=1></style></mi><style><a href=2></style></math>",
                1,
            ),
            (
                "<math><annotation-xml encoding=Text/HTML><style><a href=1></style>",
                1,
            ),
            ("<math><annotation-xml><style><a href=1></a></style>", 1),
            ("<A HREF=1>x</A><a  href = '2' >y</a><a/href=3>z</a>", 3),
            ("<a name=1>x</a><a href>y</a><a href=''>z</a></a href=4>", 2),
            ("<a hrefs=1 xhref=2 href3=4>x</a><a href=1 href=2>y</a>", 1),
            ("<a href=1", 0),
        ] {
            assert_eq!(alike(page).hrefs.len(), count, "{page}");
        }
    }

    #[test]
    fn entities_line_ends_and_nulls_come_out_alike() {
        let page = "<title>a&amp;b &lt;i> &copy &#x41;&#0; \0 &notit; x\r\ny</title>\
                    <a href='?a=1&amp;b=2&copy=3&lt;&#233;\r\n\0'>x</a><a href=\"&quot;\">y</a>";
        let content = alike(page);
        assert!(
            content.title.starts_with("a&b <i> \u{a9} A\u{fffd}"),
            "{content:?}"
        );
        assert!(
            hrefs(&content)[0].starts_with("?a=1&b=2&copy=3<\u{e9}\n"),
            "{content:?}"
        );
    }

    #[test]
    fn the_title_is_the_first_of_the_page_and_not_a_drawing_s() {
        for (page, title) in [
            ("<title>1</title><title>2</title>", "1"),
            ("<svg><title>1</title></svg><title>2</title>", "2"),
            ("<svg><desc><title>1</title></desc></svg>", "1"),
            ("<body><p><title>1<b>2</title>", "1<b>2"),
            ("<title>1", "1"),
            ("<title></title><title>2</title>", ""),
            ("<template><title>1</title></template>", "1"),
            ("<script><title>1</title></script>", ""),
        ] {
            assert_eq!(alike(page).title, title, "{page}");
        }
    }

    #[test]
    fn a_base_is_found_and_text_that_is_no_html_has_nothing() {
        let content = alike("<base target=x><base href='/b/'><a href=c>x</a>");
        assert_eq!(content.bases.iter().collect::<Vec<_>>(), ["/b/"]);
        for page in [
            "",
            "{\"title\": \"<\"}",
            "\u{0}\u{1}",
            "<",
            "</",
            "<!",
            "<a",
        ] {
            assert_eq!(alike(page), Content::default(), "{page:?}");
        }
    }

    #[test]
    fn a_link_left_open_counts_once_here_and_in_every_block_of_the_tree() {
        let page = "<p><a href=1>x<p>y<p>z";
        assert_eq!(read_stream(page).hrefs.len(), 1);
        assert_eq!(read_tree(page).expect("it is flat").hrefs.len(), 3);
    }
}
