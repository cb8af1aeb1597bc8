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
