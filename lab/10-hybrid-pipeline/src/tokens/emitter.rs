//! What the tokenizer calls for each piece of a page.

use super::{OpenDoctype, Stretch, TAGS_IN_STRETCH, Tokens, tendril};
use html5ever::tokenizer::{Token, TokenSink};
use html5gum::{Emitter, Error, State};
use std::mem;

impl<B: TokenSink> Emitter for Tokens<'_, B> {
    type Token = Stretch;

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.last_start_tag.clear();
        self.last_start_tag.extend(name.unwrap_or_default());
    }
    fn pop_token(&mut self) -> Option<Stretch> {
        if self.tags < TAGS_IN_STRETCH {
            return None;
        }
        self.tags = 0;
        Some(Stretch)
    }
    fn should_emit_errors(&mut self) -> bool {
        false
    }
    fn emit_error(&mut self, _: Error) {}
    fn emit_eof(&mut self) {
        let _ = self.hand_over(Token::EOFToken);
        self.builder.end();
    }
    fn emit_string(&mut self, text: &[u8]) {
        // Nulls are tokens of their own.
        for (number, piece) in text.split(|&byte| byte == 0).enumerate() {
            if number > 0 {
                let _ = self.hand_over(Token::NullCharacterToken);
            }
            self.text.push_slice(piece);
        }
    }

    fn init_start_tag(&mut self) {
        self.tag.begin(false);
    }
    fn init_end_tag(&mut self) {
        self.tag.begin(true);
    }
    fn push_tag_name(&mut self, part: &[u8]) {
        self.tag.name.extend(part);
    }
    fn set_self_closing(&mut self) {
        self.tag.is_self_closing = true;
    }
    fn init_attribute(&mut self) {
        self.tag.begin_attribute();
    }
    fn push_attribute_name(&mut self, part: &[u8]) {
        self.tag.attribute_name.extend(part);
    }
    fn push_attribute_value(&mut self, part: &[u8]) {
        self.tag.attribute_value.extend(part);
    }
    fn emit_current_tag(&mut self) -> Option<State> {
        self.tag()
    }
    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.is_end && !self.last_start_tag.is_empty() && self.tag.name == self.last_start_tag
    }
    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }

    fn init_comment(&mut self) {
        self.comment.clear();
    }
    fn push_comment(&mut self, part: &[u8]) {
        self.comment.extend(part);
    }
    fn emit_current_comment(&mut self) {
        let comment = mem::take(&mut self.comment);
        let _ = self.hand_over(Token::CommentToken(tendril(&comment)));
    }

    fn init_doctype(&mut self) {
        self.doctype = OpenDoctype::default();
    }
    fn push_doctype_name(&mut self, part: &[u8]) {
        self.doctype.name.extend(part);
    }
    fn set_force_quirks(&mut self) {
        self.doctype.force_quirks = true;
    }
    fn set_doctype_public_identifier(&mut self, start: &[u8]) {
        self.doctype.public_id = Some(start.to_vec());
    }
    fn set_doctype_system_identifier(&mut self, start: &[u8]) {
        self.doctype.system_id = Some(start.to_vec());
    }
    fn push_doctype_public_identifier(&mut self, part: &[u8]) {
        self.doctype.public_id.get_or_insert_default().extend(part);
    }
    fn push_doctype_system_identifier(&mut self, part: &[u8]) {
        self.doctype.system_id.get_or_insert_default().extend(part);
    }
    fn emit_current_doctype(&mut self) {
        self.doctype();
    }
}
