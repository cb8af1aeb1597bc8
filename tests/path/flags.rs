//! What every step refuses before it runs: values that its own help rules out, files that cannot be written.

use crate::each::every_step;
use std::path::Path;
use testing::run;

/// A flag with a value, as the help shows it: name, kind of value and first line of the text.
struct Flag {
    name: String,
    kind: String,
    text: String,
}

/// The flags of a step that take a value.
fn flags(binary: &Path) -> Vec<Flag> {
    let help = run(binary, &["--help"]).well().stdout;
    let lines: Vec<&str> = help.lines().map(str::trim).collect();
    let flag = |pair: &[&str]| {
        let (name, rest) = pair[0].split_once(['[', '<'])?;
        let name = name.split(", ").last()?.trim();
        // Its text begins beside it or below, as the whole help is long or short.
        let (kind, beside) = rest.trim_start_matches('<').split_once(['>', ']'])?;
        Some(Flag {
            name: name.starts_with("--").then(|| name.to_owned())?,
            kind: kind.to_owned(),
            text: match pair[1].starts_with('-') {
                true => beside.to_owned(),
                false => format!("{beside} {}", pair[1]),
            },
        })
    };
    lines.windows(2).filter_map(flag).collect()
}

impl Flag {
    /// Values that the flag must refuse.
    fn wrong_values(&self) -> Vec<String> {
        if self.kind == "FILE" {
            return Vec::new();
        }
        let mut values = vec!["no such value".to_owned()];
        let is_count = ["N", "F", "MS", "KIB"].contains(&&*self.kind) && self.name != "--seed";
        if is_count || ["BYTES", "COLUMNS", "K", "S", "SECONDS"].contains(&&*self.kind) {
            values.extend(["-1", "NaN", "inf", "9e99", ""].map(str::to_owned));
            // A list has commas of its own.
            values.extend((self.name != "--sweep").then(|| "1,5".to_owned()));
        }
        if is_count || self.name == "--timeout" {
            values.push("0".into());
        }
        // "1 to 10,000" in its text: the numbers on both sides of that.
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let number = |word: &str| -> Option<u64> {
            let digits = word.trim_end_matches([',', ';', ':']).replace(',', "");
            digits.parse().ok()
        };
        for range in words.windows(3).filter(|words| words[1] == "to") {
            if let (Some(least), Some(most)) = (number(range[0]), number(range[2])) {
                let below = least.checked_sub(1).filter(|_| !self.text.contains("; 0 "));
                values.extend(below.into_iter().chain([most + 1]).map(|it| it.to_string()));
            }
        }
        values
    }
}

#[test]
fn every_flag_refuses_what_its_help_rules_out() {
    every_step(|stop, binary| {
        let flags = flags(binary);
        assert!(flags.len() >= 7, "{}", stop.package);
        for flag in flags {
            for value in flag.wrong_values() {
                let words = [&*flag.name, &*format!("`{value}`")];
                let _ = run(binary, &[&flag.name, &value]).refused(2, &words);
            }
        }
    });
}

#[test]
fn every_step_refuses_a_file_that_cannot_be_written_before_it_runs() {
    every_step(|_, binary| {
        for flag in ["--trace", "--report", "--cast"] {
            let finished = run(binary, &[flag, "/nowhere/file"]);
            assert_eq!(finished.stdout, "", "it has not run");
            let _ = finished.refused(1, &["/nowhere/file", flag]);
        }
    });
}
