//! The fields of spans and events that mean something here.

use crate::cause::interned;
use std::{
    borrow::Cow,
    fmt::{self, Write},
};
use tracing::field::{Field, Visit};

/// A lane's name is cut to about this many bytes: a field may hold a whole document.
const LABEL_BYTES: usize = 40;

/// What a span or an event says.
#[derive(Clone, Default)]
pub(super) struct Fields {
    pub(super) task: Option<String>,
    pub(super) wait: Option<Cow<'static, str>>,
    pub(super) job: Option<u64>,
    /// Where in the code it is, if not at the span itself.
    pub(super) file: Option<Cow<'static, str>>,
    pub(super) line: Option<u32>,
    pub(super) queue: Option<String>,
    pub(super) depth: Option<f64>,
    /// All other fields, `user 70`, where they are wanted.
    pub(super) label: Option<String>,
}

impl Fields {
    /// Takes over what is recorded later.
    pub(super) fn update(&mut self, later: Self) {
        self.wait = later.wait.or(self.wait.take());
        self.job = later.job.or(self.job);
        if let Some((label, later)) = self.label.as_mut().zip(later.label) {
            label.push_str(&later);
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "task" => self.task = Some(value.to_owned()),
            "wait" => self.wait = Some(interned(value)),
            "code.file" => self.file = Some(interned(value)),
            "queue" => self.queue = Some(value.to_owned()),
            "message" => {}
            name => {
                if let Some(label) = &mut self.label {
                    let _ = write!(label, " {name} {value}");
                    label.truncate(label.floor_char_boundary(LABEL_BYTES));
                }
            }
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "job" => self.job = Some(value),
            "code.line" => self.line = Some(value as u32),
            "depth" => self.depth = Some(value as f64),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Where no label is wanted, most fields are not even written out.
        if self.label.is_some() || ["task", "wait"].contains(&field.name()) {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}
