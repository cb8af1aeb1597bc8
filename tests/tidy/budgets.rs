//! Numbers that may only fall: `tests/budgets.toml` holds those that are still above their budget.
//!
//! `RATCHET=write cargo test --test tidy --test path` lowers them to today's; to raise one, edit the file.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf, sync::Mutex};

/// A number by the name of what has it.
pub(crate) type Numbers = BTreeMap<String, usize>;

/// The tests of one program run at the same time, and each writes its own section.
static WRITING: Mutex<()> = Mutex::new(());

fn place() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/budgets.toml")
}

fn read() -> BTreeMap<String, Numbers> {
    let text = fs::read_to_string(place()).unwrap_or_default();
    let mut sections = BTreeMap::<_, Numbers>::new();
    let mut section = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_matches(['"', ']']).to_owned();
        } else if let Some((name, number)) = line.split_once(" = ") {
            let number = number.replace('_', "").parse();
            let number = number.unwrap_or_else(|error| panic!("{line}: {error}"));
            let numbers = sections.entry(section.clone()).or_default();
            numbers.insert(name.trim_matches('"').to_owned(), number);
        }
    }
    sections
}

fn write(sections: &BTreeMap<String, Numbers>) {
    let mut text = String::from(
        "# Still above their budget; these numbers may only fall (tests/tidy/budgets.rs).\n",
    );
    for (section, numbers) in sections {
        let _ = writeln!(text, "\n[\"{section}\"]");
        for (name, number) in numbers {
            let _ = writeln!(text, "\"{name}\" = {number}");
        }
    }
    fs::write(place(), text).expect("writable");
}

/// Asserts that no number of a section is above its entry in the file or, without one, above its budget.
///
/// `room` is what a number may vary from run to run, in percent.
pub(crate) fn hold(section: &str, now: &Numbers, room: usize, budget: impl Fn(&str) -> usize) {
    let _writing = WRITING.lock();
    let mut sections = read();
    let above = now.iter().filter(|(name, number)| **number > budget(name));
    let above: Numbers = above
        .map(|(name, number)| (name.clone(), number * (100 + room) / 100))
        .collect();
    if env::var_os("RATCHET").is_some_and(|value| value == "write") {
        let mut lowered = above.clone();
        if let Some(entries) = sections.remove(section) {
            lowered.retain(|name, _| entries.contains_key(name));
            for (name, number) in &mut lowered {
                *number = entries[name].min(*number);
            }
        }
        sections.insert(section.to_owned(), lowered);
        sections.retain(|_, numbers| !numbers.is_empty());
        write(&sections);
    }
    let entries = sections.remove(section).unwrap_or_default();
    let mut faults = Vec::new();
    for (name, number) in now {
        let limit = entries.get(name).copied().unwrap_or(0).max(budget(name));
        if *number > limit {
            faults.push(format!(
                "{name}: {number} {section}, and {limit} are the limit"
            ));
        }
    }
    for (name, entry) in &entries {
        let number = above.get(name).copied().unwrap_or(0);
        // Without a Python, say, a step prints less.
        if number * 100 < entry * (80 - 2 * room) {
            faults.push(format!(
                "{name}: fewer {section} now than tests/budgets.toml says; RATCHET=write lowers it"
            ));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
