//! What was measured, as it is stored and read again.

use crate::{
    group::Unit,
    rounds::Plan,
    row::{Row, Side, Turn},
};
use anyhow::{Context, ensure};
use measure::host::Host;
use report::file;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    hash::{DefaultHasher, Hasher},
    path::Path,
    time::{Duration, SystemTime},
};

/// The shape of [`Document`].
const SCHEMA: u32 = 1;

/// How many runs are kept besides the latest.
const KEPT_RUNS: usize = 9;

/// What the rows of a group took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What all rows do.
    pub title: String,
    /// What the figures are called.
    pub unit: Unit,
    /// What the places of the rows count.
    pub axis: Option<String>,
    /// In the order in which they are shown.
    pub rows: Vec<MeasuredRow>,
    /// Sentences to stand under the table.
    pub notes: Vec<String>,
}

impl Measured {
    /// How many rounds its rows had; long ones may have had fewer than were asked for.
    pub(crate) fn rounds(&self) -> usize {
        let rounds = self.rows.iter().map(|row| row.each_s.len());
        rounds.max().unwrap_or(0)
    }
}

/// What one row took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredRow {
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub side: Side,
    /// Its place on the group's axis.
    pub at: Option<f64>,
    /// How many of its tasks one turn had.
    pub count: u64,
    /// Of one task, in seconds; one figure for each round.
    pub each_s: Vec<f64>,
    /// The most memory that its process held, for each round; empty where it was not asked for.
    pub peak_bytes: Vec<u64>,
}

impl MeasuredRow {
    pub(crate) fn of(row: &Row, count: u64) -> Self {
        Self {
            name: row.name.clone(),
            side: row.side,
            at: row.at,
            count,
            each_s: Vec::new(),
            peak_bytes: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, turn: Turn) {
        // A clock may be too coarse to see anything; nothing at all would be infinitely fast.
        let took = turn.took.max(Duration::from_nanos(1));
        self.each_s.push(took.as_secs_f64() / self.count as f64);
        self.peak_bytes.extend(turn.peak_bytes);
    }
}

/// Where, when and by what a table was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The machine and the build.
    pub host: Host,
    /// The processor's own name, where the system tells.
    pub processor: Option<String>,
    /// The kernel's release, where the system tells.
    pub kernel: Option<String>,
    /// The Pythons whose rows stand beside ours.
    pub pythons: Vec<String>,
    /// How often, at most.
    pub plan: Plan,
    /// The command that measures the same again.
    pub command: String,
    /// When, as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub date: String,
    /// A number of the executable's bytes: another build has another one.
    #[serde(default)]
    pub program: Option<u64>,
}

impl Environment {
    pub(crate) fn inspect(plan: Plan, pythons: Vec<String>, command: String) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let processor = model.and_then(|line| line.split_once(": "));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
        Self {
            host: Host::inspect(),
            processor: processor.map(|(_, name)| name.trim().to_owned()),
            kernel: kernel.map(|text| text.trim().to_owned()),
            pythons,
            plan,
            command,
            date: httpdate::fmt_http_date(SystemTime::now()),
            program: program(),
        }
    }

    /// The same as a list in Markdown.
    pub fn to_markdown(&self) -> String {
        let known = |what: &Option<String>| what.clone().unwrap_or_else(|| "unknown".into());
        let pythons = match &self.pythons[..] {
            [] => "none found".to_owned(),
            pythons => pythons.join("; "),
        };
        format!(
            "- Machine: {}, {}, kernel {}\n- Commit: {}, {}\n- Python: {pythons}\n\
             - Command: `{}`\n",
            known(&self.processor),
            self.host.one_line(),
            known(&self.kernel),
            known(&self.host.commit),
            self.date,
            self.command,
        )
    }

    /// Machine, build and day in one line.
    pub fn one_line(&self) -> String {
        let processor = self.processor.as_deref();
        let processor = processor.map_or_else(String::new, |name| format!("{name} · "));
        let commit = self.host.commit.as_deref();
        let commit = commit.map_or_else(String::new, |commit| format!(" · commit {commit}"));
        format!(
            "{processor}{}{commit} · {}",
            self.host.one_line(),
            self.date
        )
    }
}

fn program() -> Option<u64> {
    let bytes = fs::read(std::env::current_exe().ok()?).ok()?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Some(hasher.finish())
}

/// One table with its circumstances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// What the command line calls it, as `process-pool/map`.
    pub name: String,
    /// Where, when and by what.
    pub environment: Environment,
    /// The figures.
    pub measured: Measured,
    /// The runs before this one, the oldest first, without runs of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Self>,
}

impl Recorded {
    /// All its runs, the oldest first.
    pub(crate) fn runs(&self) -> impl DoubleEndedIterator<Item = &Self> {
        self.before.iter().chain([self])
    }

    /// Keeps the latest runs of `earlier` as those before this one.
    pub(crate) fn follows(&mut self, earlier: &Self) {
        let runs = earlier.runs().rev().take(KEPT_RUNS).cloned();
        self.before = runs.collect();
        self.before.reverse();
        self.before.iter_mut().for_each(|run| run.before.clear());
    }
}

/// Everything measured last: a run of one group replaces that group's tables only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The shape of the rest.
    pub schema: u32,
    /// In the order in which they are shown.
    pub tables: Vec<Recorded>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            tables: Vec::new(),
        }
    }
}

impl Document {
    /// Reads one.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
        let document: Self = serde_json::from_str(&text).with_context(|| {
            format!("`{shown}` holds no figures of `cargo bench`; move it away to begin again")
        })?;
        let schema = document.schema;
        ensure!(
            schema == SCHEMA,
            "`{shown}` has schema {schema} instead of {SCHEMA}; move it away to begin again"
        );
        let runs = document.tables.iter().flat_map(Recorded::runs);
        let rows = runs.flat_map(|run| &run.measured.rows);
        for row in rows {
            let is_time = |each_s: &f64| each_s.is_finite() && (1e-12..1e6).contains(each_s);
            let name = &row.name;
            ensure!(
                row.count > 0 && row.each_s.iter().all(is_time),
                "`{shown}` holds times of `{name}` that nothing can take; move it away to begin again"
            );
        }
        Ok(document)
    }

    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Recorded> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Puts a table in the place of its namesake, or where `order` has it.
    pub(crate) fn put(&mut self, table: Recorded, order: &[&str]) {
        self.tables.retain(|other| other.name != table.name);
        self.tables.push(table);
        let place = |table: &Recorded| order.iter().position(|name| *name == table.name);
        self.tables.retain(|table| place(table).is_some());
        self.tables.sort_by_key(place);
    }
}

/// Replaces a file as a whole: a disk that fills up leaves the old one.
pub(crate) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    file::replace(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::{measured, row};

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one_and_no_other() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("figures.json");
        replace(&path, "old").expect("writable");
        replace(&path, "new").expect("writable");
        assert_eq!(fs::read_to_string(&path).expect("there"), "new");
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 1);
        let error = replace(&dir.path().join("no/such"), "x").expect_err("no folder");
        assert!(format!("{error:#}").contains("cannot write"));
    }

    #[test]
    fn figures_that_make_no_sense_are_refused() {
        let plan = Plan::once();
        let recorded = |each_s: f64| Recorded {
            name: "t".into(),
            environment: Environment::inspect(plan, Vec::new(), String::new()),
            measured: measured(Unit::Time, vec![row("r", Side::Ours, None, &[each_s])]),
            before: Vec::new(),
        };
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("bench.json");
        for (each_s, is_fine) in [(0.5, true), (0.0, false), (-1.0, false), (1e300, false)] {
            let mut document = Document::default();
            document.put(recorded(each_s), &["t"]);
            let text = serde_json::to_string(&document).expect("plain data");
            replace(&path, &text).expect("writable");
            assert_eq!(Document::read(&path).is_ok(), is_fine, "{each_s}");
        }
    }
}
