//! Why nothing came of a page at the parser.

use crate::{
    nesting::TooDeep,
    outcome::Outcome,
    words::{REASON_CHARS, harmless},
};
use process_pool::TaskError;
use web::Url;

/// Why nothing came of a page at the parser.
#[derive(Debug)]
pub enum ParseError {
    /// The page is at fault, and all ways of parsing say so.
    TooDeep(TooDeep),
    /// A thread of this process panicked over it.
    Panicked,
    /// A worker process has no result.
    Lost(TaskError),
}

impl From<TooDeep> for ParseError {
    fn from(error: TooDeep) -> Self {
        Self::TooDeep(error)
    }
}

impl ParseError {
    /// What became of the page at `url`; one that is at fault itself is skipped.
    pub(crate) fn outcome(self, url: &Url) -> Outcome {
        let (kind, reason) = match self {
            Self::TooDeep(error) => return Outcome::skipped("nested", error.to_string()),
            Self::Panicked => ("panic", "the parser panicked".to_owned()),
            Self::Lost(error) => {
                let kind = match &error {
                    TaskError::Panicked { .. } => "panic",
                    TaskError::WorkerLost { .. } => "worker lost",
                    TaskError::TimedOut { .. } => "parse timeout",
                    _ => "pool",
                };
                (kind, harmless(&error.to_string(), REASON_CHARS))
            }
        };
        Outcome::failed(kind, format!("cannot parse `{url}`: {reason}"))
    }
}
