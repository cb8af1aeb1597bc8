//! A command of the user's own, run once: whether it waits or works.

use anyhow::Context;
use common::format::{bytes, count, percent, seconds_f64};
use measure::limits::kilobytes_in;
use process_pool::child::{Exit, Guest};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, DirEntry},
    io, mem,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What a command took, and how it ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ran {
    /// The command.
    pub command: String,
    /// How it ended; `None` where it was killed after its time.
    pub exit: Option<Exit>,
    /// From its start to its end.
    pub wall_s: f64,
    /// CPU time, user and system, with that of what it waited for.
    pub cpu_s: f64,
    /// How long it could have worked but had no CPU, as far as the system says.
    pub ready_s: f64,
    /// The most memory that it and what it started held at one moment; 0 where the system does not say.
    pub peak_bytes: u64,
    /// How many threads worked or slept at once, on average: not those that wait for a process or a thread of theirs.
    pub at_once: f64,
    /// The processes that it had started and that were still there when it ended; they are killed.
    pub left_over: u64,
}

/// Below this share of its time on a CPU it waits, above the rest of one it works.
const SMALL: f64 = 0.2;
/// Waiting that is less than this part of the time for or on a CPU is no wait: a page that is loaded, a start.
const NOTHING: f64 = 0.1;
/// What to write where a shell is needed.
const NO_SHELL: &str = "there is no shell; with one: --run 'sh -c \"…\"'";

/// Runs a command in a process group of its own, with no input, and looks at it until it ends.
///
/// Its output goes where ours goes, but to standard error if that is to hold a document.
///
/// # Errors
/// It is no command, or does not start.
pub fn run(line: &str, limit: Duration, quiet: bool) -> anyhow::Result<Ran> {
    let (before, began) = (cpu_of_children(), Instant::now());
    let mut guest = start(line, quiet)?;
    let mut ran = Ran {
        command: line.into(),
        ..Ran::default()
    };
    let (mut pause, mut looked) = (Duration::from_millis(2), began);
    // What each thread has waited for a CPU, and how long each of those at once lived, in all.
    let (mut ready_s, mut lived_s) = (BTreeMap::new(), 0.0);
    loop {
        let (runs, _, at_once) = ran.look(guest.child.id(), &mut ready_s);
        let lived = mem::replace(&mut looked, Instant::now()).elapsed();
        lived_s += at_once as f64 * lived.as_secs_f64();
        if !runs || began.elapsed() > limit {
            break;
        }
        thread::sleep(pause);
        pause = (pause * 5 / 4).min(Duration::from_millis(50));
    }
    // What it started just before its end was not there yet.
    let (_, left_over, _) = ran.look(guest.child.id(), &mut ready_s);
    // Kills what it left behind, too.
    ran.exit = guest.end_within(limit.saturating_sub(began.elapsed()));
    drop(guest);
    ran.left_over = if ran.exit.is_some() { left_over } else { 0 };
    ran.wall_s = began.elapsed().as_secs_f64();
    ran.cpu_s = (cpu_of_children() - before).max(0.0);
    ran.at_once = lived_s / ran.wall_s;
    ran.ready_s = ready_s.values().sum::<f64>() / ran.at_once.max(1.0);
    Ok(ran)
}

fn start(line: &str, quiet: bool) -> anyhow::Result<Guest> {
    let words = shlex::split(line).filter(|words| !words.is_empty());
    let words =
        words.with_context(|| format!("`--run {line}` is no command; quotes must match"))?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    if quiet {
        command.stdout(io::stderr());
    }
    Guest::spawn(&mut command).with_context(|| format!("cannot start `{}` ({NO_SHELL})", words[0]))
}

/// CPU time of all children that have been waited for, in seconds.
fn cpu_of_children() -> f64 {
    #[cfg(unix)]
    {
        use nix::sys::{
            resource::{UsageWho, getrusage},
            time::TimeValLike,
        };
        let used = getrusage(UsageWho::RUSAGE_CHILDREN);
        used.map_or(0.0, |used| {
            let both = used.user_time() + used.system_time();
            both.num_microseconds() as f64 / 1e6
        })
    }
    #[cfg(not(unix))]
    0.0
}

impl Ran {
    /// Looks at the processes of a group, where there is a `/proc`: whether its leader runs, how many others there
    /// are, and how many threads work or sleep at once. A process that has a child waits for it, and the first of
    /// several threads for the others.
    fn look(&mut self, group: u32, ready_s: &mut BTreeMap<OsString, f64>) -> (bool, u64, usize) {
        let (mut found, mut memory, group) = (Vec::new(), 0, group.to_string());
        for entry in entries(Path::new("/proc")) {
            let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
            let stat = read(entry.path().join("stat"));
            // A program's name may hold anything but ends with the last bracket.
            let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
            let mut fields = fields.split_whitespace();
            let [state, parent, its_group] = [(); 3].map(|()| fields.next().unwrap_or_default());
            if its_group != group || state == "Z" {
                continue;
            }
            let status = entry.path().join("status");
            memory += kilobytes_in(&status.to_string_lossy(), "VmRSS:").unwrap_or(0);
            let mut threads = 0;
            for thread in entries(&entry.path().join("task")) {
                threads += 1;
                let waited = read(thread.path().join("schedstat"));
                let waited = waited
                    .split_whitespace()
                    .nth(1)
                    .and_then(|it| it.parse::<f64>().ok());
                ready_s.insert(thread.file_name(), waited.unwrap_or(0.0) / 1e9);
            }
            found.push((entry.file_name(), parent.to_owned(), threads));
        }
        self.peak_bytes = self.peak_bytes.max(memory);
        let runs = found.iter().any(|(id, ..)| *id == *group);
        let is_parent = |id: &OsString| found.iter().any(|(_, parent, _)| *id == **parent);
        let at_once = found.iter().filter(|(id, ..)| !is_parent(id));
        let at_once: usize = at_once
            .map(|(.., threads): &(_, _, usize)| (threads - 1).max(1))
            .sum();
        (runs, (found.len() - usize::from(runs)) as u64, at_once)
    }

    /// The part of its time that it was on a CPU, where it could have been; above 1 with several at once.
    pub fn share(&self) -> f64 {
        let could_s = (self.wall_s - self.ready_s).max(self.cpu_s.min(self.wall_s));
        self.cpu_s / could_s.max(1e-9)
    }

    /// Whether it waits, works, or both.
    pub fn reading(&self) -> &'static str {
        match self.share() {
            share if share < SMALL => "waits",
            share if share > 1.0 - SMALL => "works",
            _ => "both",
        }
    }

    /// What one of so many items waits and computes, in seconds.
    pub fn each(&self, items: usize) -> (f64, f64) {
        let waited = self.wall_s - self.cpu_s - self.ready_s;
        let is_nothing = waited < (self.cpu_s + self.ready_s) * NOTHING;
        let waited = if is_nothing { 0.0 } else { waited };
        (waited / items as f64, self.cpu_s / items as f64)
    }

    /// The command, and how it ended.
    pub fn end(&self) -> String {
        let (command, wall) = (&self.command, seconds_f64(self.wall_s));
        match self.exit {
            Some(exit) => format!("`{command}` ended with {exit} after {wall}"),
            None => format!("`{command}` was killed after {wall}"),
        }
    }

    /// What was seen, in figures.
    pub fn figures(&self) -> String {
        let (cpu, share) = (seconds_f64(self.cpu_s), percent(self.share()));
        let mut figures = format!("CPU {cpu}, {share} of the time it could");
        if self.peak_bytes > 0 {
            let memory = bytes(self.peak_bytes as f64);
            figures += &format!(" · memory {memory} · at once {:.1}", self.at_once.max(1.0));
        }
        figures
    }

    /// What follows from it.
    pub fn conclusions(&self) -> String {
        let reading = match self.reading() {
            "waits" => "It waits: that overlaps on threads and in tasks.",
            "works" => "It works: that takes CPUs.",
            _ => "It waits and works.",
        };
        let mut reading =
            format!("{reading} Its start is shared out among its items: let it do many.");
        if self.at_once > 1.5 {
            reading += " It does several things at once already; the figures below take it as one after another.";
        }
        if self.left_over > 0 {
            let left = count(self.left_over);
            reading += &format!(" Processes that it left behind and that were killed: {left}.");
        }
        reading
    }
}

/// What is in a folder, as far as it can be read.
fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(wall_s: f64, cpu_s: f64) -> Ran {
        Ran {
            wall_s,
            cpu_s,
            ..Ran::default()
        }
    }

    #[test]
    fn the_share_of_its_time_on_a_cpu_decides() {
        assert_eq!(ran(2.0, 0.1).reading(), "waits");
        assert_eq!(ran(2.0, 1.9).reading(), "works");
        assert_eq!(ran(2.0, 3.9).reading(), "works");
        assert_eq!(ran(2.0, 1.0).reading(), "both");
        assert_eq!(ran(2.0, 0.5).each(10), (0.15, 0.05));
        assert_eq!(ran(2.0, 4.0).each(10), (0.0, 0.4));
        assert_eq!(ran(2.05, 2.0).each(10), (0.0, 0.2));
        // Nothing waited but for a CPU.
        let crowded = Ran {
            ready_s: 1.5,
            ..ran(2.0, 0.5)
        };
        assert_eq!(
            (crowded.reading(), crowded.each(10)),
            ("works", (0.0, 0.05))
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_sleeps_waits_and_what_is_late_is_killed() {
        let second = Duration::from_secs(60);
        let ran = run("sleep 0.3", second, true).expect("it starts");
        assert_eq!(ran.exit, Some(Exit::Code(0)));
        assert!(ran.wall_s >= 0.3, "{ran:?}");
        assert_eq!(ran.reading(), "waits", "{ran:?}");
        let killed = run("sleep 600", Duration::from_millis(50), true).expect("it starts");
        assert_eq!(killed.exit, None);
        assert!(run("/no/such/program", second, true).is_err());
        let forks = run("sh -c 'sleep 600 & exit 3'", second, true).expect("it starts");
        assert_eq!(forks.exit, Some(Exit::Code(3)));
        assert_eq!(
            forks.left_over,
            u64::from(cfg!(target_os = "linux")),
            "{forks:?}"
        );
        assert!(run("'", second, true).is_err());
    }
}
