//! What a step notes for its claims.

use super::Lab;
use crate::claim::{Count, Figure, Seconds, Unit};
use std::time::Duration;

impl Lab {
    /// Notes a number of things for claims; see [`note`](Self::note).
    ///
    /// # Panics
    /// If the variant did not run.
    pub fn count<'a>(
        &mut self,
        variant: impl Into<Option<&'a str>>,
        name: &str,
        value: usize,
    ) -> Figure<Count> {
        self.note(variant, name, value as f64)
    }

    /// Notes a time for claims; see [`note`](Self::note).
    ///
    /// # Panics
    /// If the variant did not run.
    pub fn duration<'a>(
        &mut self,
        variant: impl Into<Option<&'a str>>,
        name: &str,
        value: Duration,
    ) -> Figure<Seconds> {
        self.note(variant, name, value.as_secs_f64())
    }

    /// Notes a value for claims: of a variant's latest round, or of the whole run.
    ///
    /// # Panics
    /// If the variant did not run.
    pub fn note<'a, U: Unit>(
        &mut self,
        variant: impl Into<Option<&'a str>>,
        name: &str,
        value: f64,
    ) -> Figure<U> {
        let (mut state, variant) = (self.state(), variant.into());
        let figures = match variant {
            Some(variant) => &mut state.runs_of(variant).figures,
            None => &mut state.document.figures,
        };
        figures.entry(name.into()).or_default().push(value);
        Figure::noted(variant, name)
    }
}
