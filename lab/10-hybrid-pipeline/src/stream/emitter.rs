//! What the tokenizer calls for each piece of a page.

use super::{Reader, Title};
use html5gum::{Emitter, Error, State};
use std::convert::Infallible;

impl Emitter for Reader<'_> {
    type Token = Infallible;

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.last_start_tag.clear();
        self.last_start_tag.extend(name.unwrap_or_default());
    }
    fn pop_token(&mut self) -> Option<Infallible> {
        None
    }
    fn should_emit_errors(&mut self) -> bool {
        false
    }
    fn emit_string(&mut self, text: &[u8]) {
        if self.title == Title::Open {
            self.found.title.extend(text);
        }
    }
    fn init_start_tag(&mut self) {
        self.begin_tag(false);
    }
    fn init_end_tag(&mut self) {
        self.begin_tag(true);
    }
    fn push_tag_name(&mut self, part: &[u8]) {
        self.tag.name.extend(part);
    }
    fn set_self_closing(&mut self) {
        self.tag.is_self_closing = true;
    }
    fn init_attribute(&mut self) {
        if self.attribute.is_open {
            self.end_attribute();
        }
        self.attribute.name.clear();
        self.attribute.value.clear();
        self.attribute.is_open = self.is_wanted();
    }
    fn push_attribute_name(&mut self, part: &[u8]) {
        if self.attribute.is_open {
            self.attribute.name.extend(part);
        }
    }
    fn push_attribute_value(&mut self, part: &[u8]) {
        if self.attribute.is_open {
            self.attribute.value.extend(part);
        }
    }
    fn emit_current_tag(&mut self) -> Option<State> {
        if self.attribute.is_open {
            self.end_attribute();
        }
        if self.tag.is_end {
            self.end();
            return None;
        }
        self.start()
    }
    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.is_end && !self.last_start_tag.is_empty() && self.tag.name == self.last_start_tag
    }
    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        !self.place.is_html()
    }
    // Comments, doctypes and errors go by.
    fn emit_eof(&mut self) {}
    fn emit_error(&mut self, _: Error) {}
    fn init_comment(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn emit_current_comment(&mut self) {}
    fn init_doctype(&mut self) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn set_force_quirks(&mut self) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn emit_current_doctype(&mut self) {}
}
