//! A command of the user's own, run once: whether it waits or works.

use anyhow::Context;
use common::format::{bytes, count, percent, seconds_f64};
use measure::limits::kilobytes_in;
use process_pool::child::{Exit, Guest};
use serde::Serialize;
use std::{
    fs, io,
    path::Path,
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
    /// The most memory that it and what it started held at one moment.
    pub peak_bytes: Option<u64>,
    /// The most threads at one moment, in all its processes; `None` where the system does not say.
    pub threads: Option<u64>,
    /// The most processes at one moment.
    pub processes: Option<u64>,
}

/// What a command does with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Its CPU time is less than a fifth of its time.
    Waits,
    /// Its CPU time is more than four fifths of its time.
    Works,
    /// Neither.
    Both,
}

/// Below this share of its time on a CPU it waits, above the rest of one it works.
const SMALL: f64 = 0.2;

/// Runs a command in a process group of its own, with no input, and looks at it until it ends.
///
/// Its output goes where ours goes, but to standard error if that is to hold a document.
///
/// # Errors
/// It is no command, or does not start.
pub fn run(line: &str, limit: Duration, quiet: bool) -> anyhow::Result<Ran> {
    let words = shlex::split(line).filter(|words| !words.is_empty());
    let words =
        words.with_context(|| format!("`--run {line}` is no command; quotes must match"))?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    if quiet {
        command.stdout(io::stderr());
    }
    let (before, began) = (cpu_of_children(), Instant::now());
    let mut guest =
        Guest::spawn(&mut command).with_context(|| format!("cannot start `{}`", words[0]))?;
    let mut ran = Ran {
        command: line.into(),
        ..Ran::default()
    };
    let mut pause = Duration::from_millis(2);
    loop {
        ran.look(guest.id());
        if let Some(status) = guest.try_wait()? {
            ran.exit = Some(status.into());
            break;
        }
        if began.elapsed() > limit {
            guest.kill();
            guest.wait()?;
            break;
        }
        thread::sleep(pause);
        pause = (pause * 5 / 4).min(Duration::from_millis(50));
    }
    ran.wall_s = began.elapsed().as_secs_f64();
    ran.cpu_s = (cpu_of_children() - before).max(0.0);
    Ok(ran)
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

/// How long the threads of a process could have worked but had no CPU, in seconds.
fn without_a_cpu(process: &Path) -> f64 {
    let tasks = fs::read_dir(process.join("task"))
        .into_iter()
        .flatten()
        .flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

impl Ran {
    /// Counts the processes of a group, their threads and their memory, where there is a `/proc`.
    fn look(&mut self, group: u32) {
        let (mut threads, mut processes, mut memory, mut ready) = (0, 0, 0, 0.0);
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // A program's name may hold anything but ends with the last bracket.
            let Some((_, rest)) = stat.rsplit_once(')') else {
                continue;
            };
            let fields: Vec<&str> = rest.split_whitespace().collect();
            let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
            if number(2) == Some(group.into()) {
                processes += 1;
                threads += number(17).unwrap_or(0);
                ready += without_a_cpu(&entry.path());
                let status = entry.path().join("status");
                memory += kilobytes_in(&status.to_string_lossy(), "VmRSS:").unwrap_or(0);
            }
        }
        let most = |known: &mut Option<u64>, now: u64| {
            *known = (*known).max((now > 0).then_some(now));
        };
        self.ready_s = self.ready_s.max(ready);
        most(&mut self.threads, threads);
        most(&mut self.processes, processes);
        most(&mut self.peak_bytes, memory);
    }

    /// The part of its time that it was on a CPU, where it could have been; above 1 with several at once.
    pub fn share(&self) -> f64 {
        self.cpu_s
            / (self.wall_s - self.ready_s)
                .max(self.cpu_s)
                .max(1e-9)
                .min(self.wall_s.max(1e-9))
    }

    /// Whether it waits or works.
    pub fn reading(&self) -> Reading {
        match self.share() {
            share if share < SMALL => Reading::Waits,
            share if share > 1.0 - SMALL => Reading::Works,
            _ => Reading::Both,
        }
    }

    /// What one of so many items waits and computes, in seconds.
    pub fn each(&self, items: usize) -> (f64, f64) {
        let waited = (self.wall_s - self.cpu_s - self.ready_s).max(0.0);
        (waited / items as f64, self.cpu_s / items as f64)
    }

    /// The figures, in words.
    fn figures(&self) -> String {
        let cpu = seconds_f64(self.cpu_s);
        let plural = |number: u64, what: &str, more: &str| {
            format!(
                "{} {}",
                count(number),
                if number == 1 { what } else { more }
            )
        };
        let mut parts = vec![format!(
            "CPU {cpu}, {} of the time it could",
            percent(self.share())
        )];
        parts.extend(
            self.peak_bytes
                .map(|peak| format!("memory {}", bytes(peak as f64))),
        );
        parts.extend(
            self.threads
                .map(|threads| plural(threads, "thread", "threads")),
        );
        parts.extend(
            self.processes
                .map(|processes| plural(processes, "process", "processes")),
        );
        parts.join(" · ")
    }

    /// What was seen, in sentences.
    pub fn sentences(&self) -> Vec<String> {
        let wall = seconds_f64(self.wall_s);
        let ended = match self.exit {
            Some(exit) => format!("ended with {exit} after {wall}"),
            None => format!("was killed after {wall}"),
        };
        let mut reading = match self.reading() {
            Reading::Waits => "It waits: that overlaps on threads and in tasks.".to_owned(),
            Reading::Works => "It works: that takes CPUs.".to_owned(),
            Reading::Both => "It waits and works.".to_owned(),
        };
        if self.threads > Some(1) || self.processes > Some(1) {
            reading += " It does several things at once already; the figures below take it as one after another.";
        }
        vec![
            format!("`{}` {ended}", self.command),
            self.figures(),
            reading,
        ]
    }
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
        assert_eq!(ran(2.0, 0.1).reading(), Reading::Waits);
        assert_eq!(ran(2.0, 1.9).reading(), Reading::Works);
        assert_eq!(ran(2.0, 3.9).reading(), Reading::Works);
        assert_eq!(ran(2.0, 1.0).reading(), Reading::Both);
        assert_eq!(ran(2.0, 0.5).each(10), (0.15, 0.05));
        assert_eq!(ran(2.0, 4.0).each(10), (0.0, 0.4));
        // Nothing waited but for a CPU.
        let crowded = Ran {
            ready_s: 1.5,
            ..ran(2.0, 0.5)
        };
        assert_eq!(
            (crowded.reading(), crowded.each(10)),
            (Reading::Works, (0.0, 0.05))
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_sleeps_waits_and_what_is_late_is_killed() {
        let second = Duration::from_secs(60);
        let ran = run("sleep 0.3", second, true).expect("it starts");
        assert_eq!(ran.exit, Some(Exit::Code(0)));
        assert!(ran.wall_s >= 0.3, "{ran:?}");
        assert_eq!(ran.reading(), Reading::Waits, "{ran:?}");
        let killed = run("sleep 600", Duration::from_millis(50), true).expect("it starts");
        assert_eq!(killed.exit, None);
        assert!(run("/no/such/program", second, true).is_err());
        assert!(run("'", second, true).is_err());
    }
}
