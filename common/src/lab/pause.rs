//! What a reader decides, with `--pause`: when to go on, and what to run again or to skip.

use super::{Lab, State};
use report::Key;

/// The reader leaves a run before its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("left by its reader")]
pub(crate) struct Quit;

impl Lab {
    /// Whether this is where a reader would wonder that nothing waits any more.
    pub(super) fn is_second_round(&self, variant: &str) -> bool {
        let first = self
            .state()
            .runs
            .first()
            .map(|runs| (runs.name == variant, runs.runs.len()));
        self.pause && first == Some((true, 1))
    }

    /// Whether a variant runs for the first time, or its reader skips it.
    pub(super) fn begin(&self, variant: &str) -> anyhow::Result<bool> {
        let has_begun =
            |state: &State| !state.runs.is_empty() || !state.document.skipped.is_empty();
        if !has_begun(&self.state()) {
            self.pause(&format!("Enter runs `{variant}`, s skips it, q quits"))?;
        }
        let is_skipped = self.skip_next.take();
        if is_skipped {
            self.say(format!("  skipped: {variant}"));
            self.state().document.skipped.push(variant.into());
        } else {
            self.ask(variant);
            self.screen.mark(variant);
        }
        Ok(!is_skipped)
    }

    /// Waits for the reader, with `--pause`.
    pub(crate) fn pause(&self, prompt: &str) -> Result<Key, Quit> {
        if !self.pause {
            return Ok(Key::Go);
        }
        let key = self.screen.pause(prompt);
        self.skip_next.set(key == Key::Skip);
        if key == Key::Quit { Err(Quit) } else { Ok(key) }
    }

    /// Whether the reader wants what has just run to run again.
    pub(super) fn is_wanted_again(&self) -> Result<bool, Quit> {
        let key = self.pause("Enter goes on, r runs it again, s skips the next, q quits")?;
        Ok(key == Key::Again)
    }
}
