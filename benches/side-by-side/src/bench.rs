//! `cargo bench` from its arguments to its files.

use crate::{
    change,
    group::Group,
    page,
    python::Python,
    record::{Document, Environment, Measured, Recorded, replace},
    rounds::Plan,
    row::Row,
    tables,
};
use anyhow::Context;
use clap::Parser;
use common::cli::{Usage, parse_alone, print_error, up_to};
use report::Screen;
use std::{
    fmt, fs,
    io::{self, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// How to read the tables.
const LEGEND: &str = "of floor: the row's share of the floor's speed; × floor: how many times its time; \
A÷it: the speed of ours against the row's. Ratios are medians of the rounds' ratios.";

/// Time the lab's own functions beside what the machine allows and what people would use instead
#[derive(Debug, Parser)]
#[command(name = "cargo bench --", bin_name = "cargo bench --")]
struct Args {
    /// Run only these groups, as `cpu` or `process-pool/map`; any part of a name does
    groups: Vec<String>,

    /// Say which groups there are
    #[arg(long)]
    list: bool,

    /// Run every row this often, taking turns [default: 5]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = up_to::<100>)]
    rounds: Option<NonZeroUsize>,

    /// A Python to compare with, instead of the PATH's python3; may be given more than once
    #[arg(long, value_name = "PATH")]
    python: Vec<PathBuf>,

    /// The folder for bench.json, bench.html and bench.md; otherwise target/tmp
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    /// Figures to compare with; otherwise those of the run before, in the same folder
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// Run everything once and small, and keep nothing
    #[arg(long, conflicts_with = "out")]
    test: bool,

    /// Take the names of groups as they are, not as parts of names
    #[arg(long)]
    exact: bool,

    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,

    /// How to list, as libtest and cargo-nextest ask for it
    #[arg(long, hide = true)]
    format: Option<String>,

    /// No group is left out of a run, so none is ignored
    #[arg(long, hide = true)]
    ignored: bool,

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
    fn is_test(&self) -> bool {
        let asks = self.rounds.is_some() || self.out.is_some() || self.against.is_some();
        self.test || !(self.bench || asks)
    }

    fn rounds(&self) -> NonZeroUsize {
        self.rounds.unwrap_or(ROUNDS)
    }
}

const ROUNDS: NonZeroUsize = NonZeroUsize::new(5).expect("it is not zero");

/// What a group is made for.
pub struct Setting {
    /// How often, and whether only to see that it runs.
    pub plan: Plan,
    /// The Pythons to compare with.
    pub pythons: Vec<Python>,
}

impl Setting {
    /// A row of a script in `benches/peers` for each Python, or why there is none.
    pub fn python(&self, what: &str, script: &str, args: &[&str]) -> Vec<Result<Row, String>> {
        let pythons = self.pythons.iter();
        pythons
            .map(|python| python.row(what, script, args))
            .collect()
    }
}

/// A table: what the command line calls it, and what makes its rows.
pub type Table = (&'static str, fn(&Setting) -> anyhow::Result<Group>);

/// Standard output was closed, as by `| head -1`.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads on")]
struct NobodyReads;

fn say(text: fmt::Arguments<'_>) -> anyhow::Result<()> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(NobodyReads.into()),
        written => written.context("cannot write to standard output"),
    }
}

fn say_wrapped(text: &str) -> anyhow::Result<()> {
    let text = report::wrap(text, Screen::default().width(), 0);
    say(format_args!("{}", text.trim_end()))
}

/// Does what the command line asks for; `folder` is where the figures of the run before are.
pub fn run(tables: &[Table], folder: &str) -> ExitCode {
    let args = match parse_alone::<Args>() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let done = match args.list {
        true => list(tables, &args),
        false => Bench::of(&args, tables, folder).and_then(Bench::run),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<NobodyReads>() => ExitCode::SUCCESS,
        Err(error) => {
            print_error(format_args!("{error:#}"));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

fn list(tables: &[Table], args: &Args) -> anyhow::Result<()> {
    let kind = args.format.as_ref().map_or("", |_| ": benchmark");
    let chosen = choose(tables, args)?;
    let listed = chosen.iter().filter(|_| !args.ignored);
    listed
        .map(|(name, _)| name)
        .try_for_each(|name| say(format_args!("{name}{kind}")))
}

struct Bench<'a> {
    tables: &'a [Table],
    chosen: Vec<Table>,
    setting: Setting,
    environment: Environment,
    folder: PathBuf,
    /// What is compared with.
    earlier: Document,
    /// Where a test writes; gone with it.
    _scratch: Option<tempfile::TempDir>,
}

impl<'a> Bench<'a> {
    fn of(args: &Args, tables: &'a [Table], folder: &str) -> anyhow::Result<Self> {
        let plan = match args.is_test() {
            true => Plan::once(),
            false => Plan::of(args.rounds()),
        };
        let chosen = choose(tables, args)?;
        let pythons = Python::find(&args.python)?;
        let known = pythons.iter().map(Python::describe).collect();
        // Below the folder of the figures: broken off, it would stay, and there it is in nobody's way.
        let scratch = || {
            fs::create_dir_all(folder)?;
            tempfile::tempdir_in(folder)
        };
        let scratch = args.is_test().then(scratch).transpose();
        let scratch = scratch.context("no temporary folder")?;
        let folder = match (&args.out, &scratch) {
            (Some(folder), _) => folder.clone(),
            (None, Some(scratch)) => scratch.path().to_owned(),
            (None, None) => PathBuf::from(folder),
        };
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        // Tried before the run, so that minutes are not spent in vain.
        tempfile::tempfile_in(&folder)
            .with_context(|| format!("cannot write into `{}`", folder.display()))?;
        let stored = stored_in(&folder)?;
        let earlier = match &args.against {
            Some(path) => Document::read(path).map_err(|e| Usage(format!("--against: {e:#}")))?,
            None => stored,
        };
        Ok(Self {
            tables,
            chosen,
            setting: Setting { plan, pythons },
            environment: Environment::inspect(plan, known, command_of(args)),
            folder,
            earlier,
            _scratch: scratch,
        })
    }

    fn run(self) -> anyhow::Result<()> {
        self.introduce()?;
        let order: Vec<&str> = self.tables.iter().map(|(name, _)| *name).collect();
        let mut changes = Vec::new();
        for (name, make) in &self.chosen {
            let start = Instant::now();
            let group = make(&self.setting).with_context(|| format!("the group `{name}`"))?;
            let measured = group.take_turns(self.setting.plan)?;
            let recorded = Recorded {
                name: (*name).to_owned(),
                environment: self.environment.clone(),
                measured,
            };
            let took = start.elapsed();
            let lines = self.changes_of(&recorded);
            changes.push((recorded.name.clone(), lines.clone()));
            // After each, and before it is told: whoever stops the run keeps what it has measured. Another
            // run may have written meanwhile.
            let mut document = self.stored()?;
            document.put(recorded.clone(), &order);
            self.write(&document, &changes)?;
            self.tell(&recorded, &lines, took)?;
        }
        let path = self.folder.join("bench.html");
        match self.setting.plan.is_test {
            true => say(format_args!(
                "\neach row shown ran once, and its answers were right"
            )),
            false => say(format_args!("\nthe page: {}", path.display())),
        }
    }

    fn introduce(&self) -> anyhow::Result<()> {
        say_wrapped(&self.environment.one_line())?;
        let pythons = match &self.environment.pythons[..] {
            [] => "no `python3` on the PATH: its rows are left out".to_owned(),
            pythons => pythons.join(" · "),
        };
        say(format_args!("python: {pythons}"))?;
        if self.setting.plan.is_test {
            say(format_args!(
                "each once and small: the figures mean nothing"
            ))?;
        } else {
            say(format_args!("medians of all rounds, and their range"))?;
        }
        say_wrapped(LEGEND)
    }

    /// What is in the folder: tables that are not measured now stay.
    fn stored(&self) -> anyhow::Result<Document> {
        stored_in(&self.folder)
    }

    /// What changed since the run before.
    fn changes_of(&self, recorded: &Recorded) -> Vec<String> {
        let earlier = self.earlier.table(&recorded.name);
        let earlier = earlier.filter(|earlier| !earlier.measured.rows.is_empty());
        earlier.map_or_else(Vec::new, |earlier| change::since(earlier, recorded))
    }

    fn tell(&self, recorded: &Recorded, changes: &[String], took: Duration) -> anyhow::Result<()> {
        let text = tables::terminal(&recorded.measured, Screen::default().width());
        let (name, rounds) = (&recorded.name, in_rounds(&recorded.measured));
        let (text, took) = (text.trim_end(), took.as_secs_f64());
        say(format_args!("\n{name}{rounds}, {took:.0} s\n{text}"))?;
        changes
            .iter()
            .try_for_each(|line| say_wrapped(&format!("~ {line}")))
    }

    fn write(&self, document: &Document, changes: &[(String, Vec<String>)]) -> anyhow::Result<()> {
        let file = |name: &str| self.folder.join(name);
        let json = serde_json::to_string_pretty(document).context("figures are plain data")?;
        replace(&file("bench.json"), &(json + "\n"))?;
        replace(&file("bench.md"), &document.to_markdown())?;
        replace(&file("bench.html"), &page::of(document, changes))
    }
}

fn stored_in(folder: &Path) -> anyhow::Result<Document> {
    let path = folder.join("bench.json");
    match path.exists() {
        true => Document::read(&path),
        false => Ok(Document::default()),
    }
}

impl Document {
    /// All tables as Markdown, each under its name.
    pub fn to_markdown(&self) -> String {
        let tables = self.tables.iter().map(Recorded::to_markdown);
        tables.collect::<Vec<_>>().join("\n")
    }
}

impl Recorded {
    /// The table as Markdown: its title, the figures, the notes.
    pub fn to_markdown(&self) -> String {
        let (name, title) = (&self.name, &self.measured.title);
        let (rounds, table) = (in_rounds(&self.measured), tables::markdown(&self.measured));
        format!("**{name}**{rounds}: {title}\n\n{table}")
    }
}

/// How many rounds there were, in words.
fn in_rounds(measured: &Measured) -> String {
    match measured.rounds() {
        0 => String::new(),
        1 => ", 1 round".into(),
        rounds => format!(", {rounds} rounds"),
    }
}

/// The tables whose name is a pattern's, or begins with it, or at least contains it.
fn choose(tables: &[Table], args: &Args) -> anyhow::Result<Vec<Table>> {
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
fn command_of(args: &Args) -> String {
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
