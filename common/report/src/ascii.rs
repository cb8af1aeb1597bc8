//! The report where only plain ASCII can be shown.

use std::{
    env,
    io::{self, IsTerminal},
};

/// Whether everything that this process prints for people is to be plain ASCII: when asked, on a dumb
/// terminal, and where the locale is set to one that has nothing else.
pub(crate) fn is_wanted(asked: bool) -> bool {
    let terminal = io::stdout().is_terminal() || io::stderr().is_terminal();
    asked || terminal && is_needed(|name| env::var(name).ok())
}

fn is_needed(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let is_utf8 = |locale: String| locale.to_lowercase().replace('-', "").contains("utf8");
    // Where nothing is set, as in most containers, nothing is known either.
    set("TERM").is_some_and(|term| term == "dumb") || locale.is_some_and(|it| !is_utf8(it))
}

/// What is drawn, and what stands for it; the marks that are `'` are less than half of a cell.
const DRAWN: &str = "█▉▊▋▌▐▒░▏▎▍▁▂▃▄▅▆▇─–—−│├┤┐┘┄└┴✓×✗·…µ→≥≤←²“”‘’";
const PLAIN: &str = "######+.'''0235689----|||||_+++xx:.u>><<2\"\"''";

/// The text, in plain ASCII if that is wanted; every character keeps its column.
pub(crate) fn settled(text: &str, ascii: bool) -> String {
    if !ascii {
        return text.into();
    }
    let plain = |c: char| match DRAWN.chars().zip(PLAIN.chars()).find(|pair| pair.0 == c) {
        Some((_, mark)) => mark,
        None if c.is_ascii() => c,
        None => '?',
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_terminal_and_a_locale_without_utf8_need_it() {
        let needed = |set: &[(&str, &str)]| {
            is_needed(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(!needed(&[]));
        assert!(needed(&[("TERM", "dumb"), ("LANG", "C.UTF-8")]));
        assert!(needed(&[("LANG", "C")]));
        assert!(needed(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")]));
        assert!(!needed(&[("LC_ALL", ""), ("LANG", "de_DE.utf8")]));
        assert!(!needed(&[("LC_CTYPE", "C.UTF-8"), ("LANG", "C")]));
    }
}
