//! What a reader decides, with `--pause`: when to go on, and what to run again or to skip.

use super::{Lab, runs::Runs};
use std::mem;

/// The reader leaves a run before its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("left by its reader")]
pub(crate) struct Quit;

impl Lab {
    /// Whether a variant runs for the first time; `None` where its reader skips it.
    pub(super) fn begin(&self, variant: &str) -> Result<Option<bool>, Quit> {
        let state = self.state();
        let has_begun = !state.runs.is_empty();
        let ran = state.find(variant).map(|runs| !runs.runs.is_empty());
        let mut runs = state.runs.iter();
        let first = runs.find(|runs| !runs.runs.is_empty());
        let is_second_round = |first: &Runs| first.name == variant && first.runs.len() == 1;
        // A reader would wonder that nothing waits any more.
        if self.args.pause && first.is_some_and(is_second_round) {
            self.say("the same again in turns, without a pause …");
        }
        drop(state);
        if let Some(ran) = ran {
            return Ok(ran.then_some(false));
        }
        if !has_begun {
            self.pause(&format!("Enter runs `{variant}`, s skips it, q quits"))?;
        }
        if mem::take(&mut self.state().skip_next) {
            self.say(format!("  skipped: {variant}"));
            self.state().runs.push(Runs {
                name: variant.into(),
                ..Runs::default()
            });
            return Ok(None);
        }
        self.ask(variant);
        self.screen.mark(variant);
        Ok(Some(true))
    }

    /// Waits for the reader, with `--pause`, and returns the key.
    pub(crate) fn pause(&self, prompt: &str) -> Result<char, Quit> {
        if !self.args.pause {
            return Ok('\n');
        }
        let key = self.screen.pause(prompt);
        self.state().skip_next = key == 's';
        if key == 'q' { Err(Quit) } else { Ok(key) }
    }
}
