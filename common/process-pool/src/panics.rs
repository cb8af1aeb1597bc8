//! Panics that are meant: a result here, and nothing on the terminal.

use std::{
    any::Any,
    panic::{self, PanicHookInfo},
};

/// Keeps off the terminal the panics that `is_meant` knows; all others are printed there as ever.
///
/// Each call asks before those that came earlier.
pub fn keep_quiet(is_meant: impl Fn(&PanicHookInfo<'_>) -> bool + Send + Sync + 'static) {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !is_meant(info) {
            others(info);
        }
    }));
}

/// What a panic said, from the value that catching or joining returns for it.
pub fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not text")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_either_kind_is_told_and_other_values_are_named() {
        assert_eq!(message(&"plain"), "plain");
        assert_eq!(message(&String::from("made")), "made");
        assert_eq!(message(&7), "a value that is not text");
    }
}
