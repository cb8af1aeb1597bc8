//! Tags as `html5gum` reads them, handed to what builds `html5ever`'s trees.
//!
//! A tree costs a tokenizer and a builder. `html5ever` has both, and its tokenizer took more than half
//! of the time; `html5gum`'s makes the same tokens in a fraction of it. The tests compare the trees.

mod emitter;

use html5ever::{
    Attribute, LocalName, QualName, ns,
    tendril::{ByteTendril, StrTendril},
    tokenizer::{
        Doctype, Tag, TagKind, Token, TokenSink,
        TokenSinkResult::{self, Plaintext, RawData},
        states::RawKind,
    },
};
use html5gum::State;
use std::{borrow::Cow, mem};

/// How many tags lie between two looks at what is built.
const TAGS_IN_STRETCH: usize = 100;

/// So many tags more are built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch;

/// `html5ever` keeps lines for errors, of which nobody reads any.
const LINE: u64 = 1;

/// What the tokenizer calls: it puts pieces together to tokens and hands these to the builder.
#[derive(Debug)]
pub(crate) struct Tokens<'a, B> {
    builder: &'a B,
    text: ByteTendril,
    tag: OpenTag,
    last_start_tag: Vec<u8>,
    comment: Vec<u8>,
    doctype: OpenDoctype,
    /// Tags since the last look.
    tags: usize,
}

/// The tag that is being read.
#[derive(Debug, Default)]
struct OpenTag {
    is_end: bool,
    is_self_closing: bool,
    has_duplicates: bool,
    name: Vec<u8>,
    attributes: Vec<Attribute>,
    /// The attribute that is being read.
    is_in_attribute: bool,
    attribute_name: Vec<u8>,
    attribute_value: Vec<u8>,
}

#[derive(Debug, Default)]
struct OpenDoctype {
    force_quirks: bool,
    name: Vec<u8>,
    public_id: Option<Vec<u8>>,
    system_id: Option<Vec<u8>>,
}

impl<'a, B: TokenSink> Tokens<'a, B> {
    pub(crate) fn for_builder(builder: &'a B) -> Self {
        Self {
            builder,
            text: ByteTendril::new(),
            tag: OpenTag::default(),
            last_start_tag: Vec::new(),
            comment: Vec::new(),
            doctype: OpenDoctype::default(),
            tags: 0,
        }
    }

    fn hand_over(&mut self, token: Token) -> TokenSinkResult<B::Handle> {
        self.hand_over_text();
        self.builder.process_token(token, LINE)
    }

    fn hand_over_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = mem::take(&mut self.text);
        let text = text.try_reinterpret().unwrap_or_else(|text| tendril(&text));
        // A builder has nothing to say about text.
        let _ = self
            .builder
            .process_token(Token::CharacterTokens(text), LINE);
    }

    fn tag(&mut self) -> Option<State> {
        self.tag.end_attribute();
        self.tags += 1;
        let token = Token::TagToken(self.tag.take());
        if !self.tag.is_end {
            mem::swap(&mut self.last_start_tag, &mut self.tag.name);
        }
        match self.hand_over(token) {
            Plaintext => Some(State::PlainText),
            RawData(RawKind::Rcdata) => Some(State::RcData),
            RawData(RawKind::Rawtext) => Some(State::RawText),
            RawData(_) => Some(State::ScriptData),
            _ => None,
        }
    }

    fn doctype(&mut self) {
        let doctype = mem::take(&mut self.doctype);
        let name = Some(doctype.name).filter(|name| !name.is_empty());
        let _ = self.hand_over(Token::DoctypeToken(Doctype {
            name: name.as_deref().map(tendril),
            public_id: doctype.public_id.as_deref().map(tendril),
            system_id: doctype.system_id.as_deref().map(tendril),
            force_quirks: doctype.force_quirks,
        }));
    }
}

impl OpenTag {
    fn begin(&mut self, is_end: bool) {
        (self.is_end, self.is_self_closing) = (is_end, false);
        self.has_duplicates = false;
        self.is_in_attribute = false;
        self.name.clear();
    }

    fn begin_attribute(&mut self) {
        self.end_attribute();
        self.is_in_attribute = true;
        self.attribute_name.clear();
        self.attribute_value.clear();
    }

    /// The first attribute of a name counts; an end tag has none.
    fn end_attribute(&mut self) {
        if !mem::take(&mut self.is_in_attribute) || self.is_end {
            return;
        }
        let name = local_name(&self.attribute_name);
        if self.attributes.iter().any(|other| other.name.local == name) {
            self.has_duplicates = true;
            return;
        }
        self.attributes.push(Attribute {
            name: QualName::new(None, ns!(), name),
            value: tendril(&self.attribute_value),
        });
    }

    fn take(&mut self) -> Tag {
        let kind = if self.is_end {
            TagKind::EndTag
        } else {
            TagKind::StartTag
        };
        Tag {
            kind,
            name: local_name(&self.name),
            self_closing: self.is_self_closing,
            attrs: mem::take(&mut self.attributes),
            had_duplicate_attributes: self.has_duplicates,
        }
    }
}

fn tendril(bytes: &[u8]) -> StrTendril {
    StrTendril::from_slice(&text(bytes))
}

fn local_name(bytes: &[u8]) -> LocalName {
    LocalName::from(&*text(bytes))
}

/// Cut out of text at the ends of characters, so it is text: looking for that alone is faster.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use crate::nesting::parse_bounded;
    use scraper::Html;

    fn assert_same_tree(page: &str) {
        assert_eq!(
            parse_bounded(page),
            Ok(Html::parse_document(page)),
            "{page:?}"
        );
    }

    #[test]
    fn odd_pieces_make_the_tree_that_html5ever_s_own_tokens_make() {
        for page in [
            "",
            "\u{feff}<title>x</title>",
            "\0<p>a\0b</p><svg>\0</svg><textarea>\n\0</textarea><pre>\r\nx</pre>",
            "<a\0b \0c='\0' d=\0>&#0;&#128;&notit;&not&amp&#x110000;</a\0b>",
            "<DIV ID=1 id=2 Class='a&amp;b\r\n'></div x=1><p/></br y></p z>",
            "<!doctype HTML PUBLIC '-//W3C//DTD HTML 4.01//EN' \"x\">",
            "<!DOCTYPE><p><table>",
            "<!doctype html SYSTEM 'e\u{301}\0'x><!-- a --!><!--><?php ?></ b><![CDATA[c]]>",
            "<svg><![CDATA[<p>]]></svg><math><mi><p>x</math><annotation-xml><![CDATA[d",
            "<table>x<td>y<b><tr>z</table><select><option>1<option>2<p></select>",
            "<b><p>x</b>y<p>z<a href=1><p>u<a href=2>v</p></a>",
            "<script><!--<script>\u{e9}</script>--></script><style>\u{20ac}</styl></style>",
            "<noscript><p></noscript><iframe><p></iframe><xmp></XMP><title>&lt;<p></title\n>",
            "<template><td>x</template><frameset><noframes><p></noframes></frameset>y",
            "x<body a=1><html b=2><body a=2 c=3></body>z<plaintext></plaintext>\0",
            "<p title='\u{1f600}",
            "</",
            "<!-",
            "&am",
        ] {
            assert_same_tree(page);
        }
    }

    #[test]
    fn a_character_stays_whole_wherever_a_piece_ends() {
        let unit = "<p title='a>b'>\u{e9}\u{20ac}\u{1f600}&amp;&#x41;\r\n<!-- c --><b>d</p>";
        for shift in 0..unit.len() {
            assert_same_tree(&format!("{}{}", "x".repeat(shift), unit.repeat(200)));
        }
        let script = "<script>\u{e9}<\u{20ac}</\u{1f600}</s\u{e9}</script\u{e9}></script>";
        assert_same_tree(&script.repeat(3));
    }
}
