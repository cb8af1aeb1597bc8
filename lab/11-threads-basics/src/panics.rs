//! A panic as a value: what was said, and nothing on the terminal.

use std::{any::Any, cell::Cell, panic, sync::Once};

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Keeps this thread's panics off the terminal; those of others are told there as ever.
pub(crate) fn keep_off_the_terminal() {
    IS_QUIET.set(true);
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                others(info);
            }
        }));
    });
}

/// What a panic said, from the value that join returns for it.
pub(crate) fn message(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload
            .downcast_ref::<&str>()
            .map_or_else(|| "a value that is not text".into(), ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn text_of_either_kind_is_told_and_other_values_are_named() {
        assert_eq!(message(Box::new("plain")), "plain");
        assert_eq!(message(Box::new(String::from("made"))), "made");
        assert_eq!(message(Box::new(7)), "a value that is not text");
    }
}
