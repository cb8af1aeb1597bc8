//! The command that runs a step again, for a reader to type.

use std::{env, mem};

/// The command that a reader types to run the step again; where results go is the reader's own choice.
pub(crate) fn command(package: &str, flags: impl Iterator<Item = String>) -> String {
    const PLACES: [&str; 3] = ["--trace", "--report", "--cast"];
    let mut words = ["cargo", "run", "-p", package].map(String::from).to_vec();
    let mut is_place = false;
    let kept = flags.filter(|flag| {
        let is_name = PLACES.contains(&flag.split('=').next().unwrap_or_default());
        let is_left_out = mem::replace(&mut is_place, is_name && !flag.contains('='));
        !is_left_out && !is_name && flag != "--json"
    });
    let kept: Vec<String> = kept.collect();
    if !kept.is_empty() {
        words.push("--".into());
        words.extend(kept);
    }
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

/// The arguments of this process; what is no UTF-8 is shown as �.
pub(crate) fn given() -> impl Iterator<Item = String> {
    let arguments = env::args_os().skip(1);
    arguments.map(|argument| argument.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn a_command_leaves_out_where_its_results_went() {
        let words = [
            "--json",
            "--work",
            "2 CPUs",
            "--report",
            "a.html",
            "--trace=b",
        ];
        let flags = words.into_iter().map(String::from);
        assert_eq!(
            command("lab-07-locks", flags),
            "cargo run -p lab-07-locks -- --work '2 CPUs'"
        );
        assert_eq!(
            command("lab-07-locks", [].into_iter()),
            "cargo run -p lab-07-locks"
        );
    }
}
