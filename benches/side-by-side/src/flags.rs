//! The flags of `cargo bench`, and those that cargo and libtest pass.

use crate::bench::Table;
use clap::Parser;
use common::cli::{Usage, up_to};
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

/// Time the lab's own functions beside what the machine allows and what people would use instead
#[derive(Debug, Parser)]
#[command(name = "cargo bench --", bin_name = "cargo bench --")]
pub(crate) struct Args {
    /// Run only these groups, as `cpu` or `process-pool/map`; any part of a name does
    pub(crate) groups: Vec<String>,

    /// Say which groups there are
    #[arg(long)]
    pub(crate) list: bool,

    /// Run every row this often, taking turns [default: 5]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = up_to::<100>)]
    rounds: Option<NonZeroUsize>,

    /// A Python to compare with, instead of the PATH's python3; may be given more than once
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Vec<PathBuf>,

    /// The folder for bench.json and bench.md; otherwise target/tmp
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,

    /// Figures to compare with; otherwise those of the build before, in the same folder
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,

    /// Run everything once and small, and keep nothing
    #[arg(long, conflicts_with = "out")]
    test: bool,

    /// Take the names of groups as they are, not as parts of names
    #[arg(long)]
    pub(crate) exact: bool,

    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,

    /// How to list, as libtest and cargo-nextest ask for it
    #[arg(long, hide = true)]
    pub(crate) format: Option<String>,

    /// No group is left out of a run, so none is ignored
    #[arg(long, hide = true)]
    pub(crate) ignored: bool,

    #[command(flatten)]
    of_libtest: OfLibtest,
}

/// What people pass to all their tests at once; it has no meaning here.
#[derive(Debug, clap::Args)]
struct OfLibtest {
    #[arg(long, visible_alias = "no-capture", hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(long, hide = true)]
    include_ignored: bool,
    #[arg(long, short, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    test_threads: Option<usize>,
    #[arg(long, hide = true)]
    color: Option<String>,
}

impl Args {
    /// Without cargo's own word for it nothing is measured: `cargo test --benches` wants to know
    /// whether everything runs, and not to spend minutes.
    pub(crate) fn is_test(&self) -> bool {
        let asks = self.rounds.is_some() || self.out.is_some() || self.against.is_some();
        self.test || !(self.bench || asks)
    }

    pub(crate) fn rounds(&self) -> NonZeroUsize {
        self.rounds.unwrap_or(ROUNDS)
    }
}

const ROUNDS: NonZeroUsize = NonZeroUsize::new(5).expect("it is not zero");

/// The tables whose name is a pattern's, or begins with it, or at least contains it.
pub(crate) fn choose(tables: &[Table], args: &Args) -> anyhow::Result<Vec<Table>> {
    let mut chosen = Vec::new();
    for pattern in &args.groups {
        let named = |is: &dyn Fn(&str) -> bool| -> Vec<&str> {
            let names = tables.iter().map(|table| table.0);
            names.filter(|name| is(name)).collect()
        };
        let whole = named(&|name| name == pattern);
        let group = named(&|name| name == pattern || name.starts_with(&format!("{pattern}/")));
        let part = named(&|name| name.contains(pattern.as_str()));
        let found = match args.exact {
            true => whole,
            false if group.is_empty() => part,
            false => group,
        };
        if found.is_empty() {
            let problem = format!("no group is called `{pattern}`; --list says which there are");
            return Err(Usage(problem).into());
        }
        chosen.extend(found);
    }
    let wanted = |table: &&Table| args.groups.is_empty() || chosen.contains(&table.0);
    Ok(tables.iter().filter(wanted).copied().collect())
}

/// What measures the same again.
pub(crate) fn command_of(args: &Args) -> String {
    let mut words = args.groups.clone();
    if args.rounds() != ROUNDS {
        words.push(format!("--rounds {}", args.rounds()));
    }
    let pythons = args
        .python
        .iter()
        .map(|path| format!("--python {}", shown(path)));
    words.extend(pythons);
    if words.is_empty() {
        return "cargo bench".into();
    }
    format!("cargo bench -- {}", words.join(" "))
}

fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) {
        return format!("'{text}'");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;
    use crate::{Group, bench::Setting};

    const TABLES: [Table; 4] = [
        ("cpu", none),
        ("pool/map", none),
        ("pool/ready", none),
        ("cpu-map", none),
    ];

    fn none(_: &Setting) -> anyhow::Result<Group> {
        Ok(Group::new("", Unit::Time, Vec::new()))
    }

    fn chosen(patterns: &[&str]) -> anyhow::Result<Vec<&'static str>> {
        let args = Args::try_parse_from([""].iter().chain(patterns)).expect("all are known");
        let tables = choose(&TABLES, &args)?;
        Ok(tables.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn a_group_is_chosen_by_its_name_or_else_by_a_part_of_it() {
        let names = |patterns: &[&str]| chosen(patterns).expect("it is there");
        assert_eq!(names(&[]).len(), 4);
        assert_eq!(names(&["cpu"]), ["cpu"]);
        assert_eq!(names(&["pool"]), ["pool/map", "pool/ready"]);
        assert_eq!(names(&["map"]), ["pool/map", "cpu-map"]);
        assert_eq!(names(&["ready", "cpu"]), ["cpu", "pool/ready"]);
        assert_eq!(names(&["cpu", "--exact"]), ["cpu"]);
        for patterns in [&["nothing"][..], &["pool", "--exact"]] {
            let error = chosen(patterns).expect_err("no such group");
            assert!(error.is::<Usage>());
        }
    }

    #[test]
    fn nothing_is_measured_unless_cargo_bench_or_a_flag_asks_for_it() {
        let is_test = |args: &[&str]| {
            let args = Args::try_parse_from([""].iter().chain(args));
            args.expect("libtest's flags are taken").is_test()
        };
        let of_libtest = [
            "-q",
            "--nocapture",
            "--test-threads",
            "1",
            "--include-ignored",
        ];
        for test in [&[][..], &["cpu"], &["--bench", "--test"], &of_libtest] {
            assert!(is_test(test), "{test:?}");
        }
        for measured in [&["--bench"][..], &["cpu", "--rounds", "5"]] {
            assert!(!is_test(measured), "{measured:?}");
        }
    }

    #[test]
    fn the_command_repeats_what_was_asked_for() {
        let args = [
            "",
            "cpu",
            "--rounds",
            "9",
            "--python",
            "/opt/my python",
            "--bench",
        ];
        let args = Args::try_parse_from(args).expect("all are known");
        let command = "cargo bench -- cpu --rounds 9 --python '/opt/my python'";
        assert_eq!(command_of(&args), command);
        let args = Args::try_parse_from(["", "--bench"]).expect("all are known");
        assert_eq!(command_of(&args), "cargo bench");
    }
}
