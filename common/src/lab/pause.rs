//! What a reader decides, with `--pause`: when to go on, and what to run again or to skip.

use super::{Lab, runs::Runs};

/// The reader leaves a run before its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("left by its reader")]
pub(crate) struct Quit;

impl Lab {
    /// Whether a variant runs for the first time; `None` where its reader skips it.
    pub(super) fn begin(&self, variant: &str) -> Result<Option<bool>, Quit> {
        let state = self.state();
        let (has_run, is_skipped) = (state.find(variant).is_some(), state.is_skipped(variant));
        let has_begun = !state.runs.is_empty() || !state.document.skipped.is_empty();
        let is_second_round =
            |first: &Runs| self.args.pause && first.name == variant && first.runs.len() == 1;
        // A reader would wonder that nothing waits any more.
        if state.runs.first().is_some_and(is_second_round) {
            self.say("the same again in turns, without a pause …");
        }
        drop(state);
        if has_run || is_skipped {
            return Ok((!is_skipped).then_some(false));
        }
        if !has_begun {
            self.pause(&format!("Enter runs `{variant}`, s skips it, q quits"))?;
        }
        if self.skip_next.take() {
            self.say(format!("  skipped: {variant}"));
            self.state().document.skipped.push(variant.into());
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
        self.skip_next.set(key == 's');
        if key == 'q' { Err(Quit) } else { Ok(key) }
    }
}
