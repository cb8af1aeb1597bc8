//! `cargo bench` from its arguments to its files.

use crate::{
    change,
    flags::{Args, choose, command_of},
    group::Group,
    python::Python,
    record::{Document, Environment, Measured, Recorded, replace},
    rounds::Plan,
    row::Row,
    tables,
};
use anyhow::Context;
use common::cli::{Usage, parse_alone, print_error};
use report::Screen;
use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// How to read the tables.
const LEGEND: &str = "of floor: the row's share of the floor's speed; × floor: how many times its time; \
A÷it: the speed of ours against the row's. Ratios are medians of the rounds' ratios.";

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
        for (name, make) in &self.chosen {
            let start = Instant::now();
            let group = make(&self.setting).with_context(|| format!("the group `{name}`"))?;
            let measured = group.take_turns(self.setting.plan)?;
            let mut recorded = Recorded {
                name: (*name).to_owned(),
                environment: self.environment.clone(),
                measured,
                before: Vec::new(),
            };
            let took = start.elapsed();
            // After each, so that a run that is stopped keeps what it has measured. Another run may have
            // written meanwhile.
            let mut document = self.stored()?;
            if let Some(earlier) = document.table(name) {
                recorded.follows(earlier);
            }
            document.put(recorded.clone(), &order);
            self.write(&document)?;
            self.tell(&recorded, took)?;
        }
        let path = self.folder.join("bench.md");
        match self.setting.plan.is_test {
            true => say(format_args!(
                "\neach row shown ran once, and its answers were right"
            )),
            false => say(format_args!("\nall tables: {}", path.display())),
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

    /// What changed since the runs before.
    fn changes_of(&self, recorded: &Recorded) -> Vec<String> {
        let earlier = self.earlier.table(&recorded.name);
        let earlier = earlier.filter(|earlier| !earlier.measured.rows.is_empty());
        earlier.map_or_else(Vec::new, |earlier| change::since(earlier, recorded))
    }

    fn tell(&self, recorded: &Recorded, took: Duration) -> anyhow::Result<()> {
        let text = tables::terminal(&recorded.measured, Screen::default().width());
        let (name, rounds) = (&recorded.name, in_rounds(&recorded.measured));
        let (text, took) = (text.trim_end(), took.as_secs_f64());
        say(format_args!("\n{name}{rounds}, {took:.0} s\n{text}"))?;
        let changes = self.changes_of(recorded);
        changes
            .iter()
            .try_for_each(|line| say_wrapped(&format!("~ {line}")))
    }

    fn write(&self, document: &Document) -> anyhow::Result<()> {
        let file = |name: &str| self.folder.join(name);
        let json = serde_json::to_string_pretty(document).context("figures are plain data")?;
        replace(&file("bench.json"), &(json + "\n"))?;
        replace(&file("bench.md"), &document.to_markdown())
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
