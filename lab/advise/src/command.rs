//! A command of the user's own, run once: whether it waits or works.

use anyhow::Context;
use common::format::{bytes, count, percent, seconds_f64};
use measure::limits::kilobytes_in;
use process_pool::child::{Exit, Guest};
use serde::Serialize;
use std::{
    fs, io,
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
    /// The most threads at one moment, in all its processes.
    pub threads: u64,
    /// The most processes at one moment.
    pub processes: u64,
    /// The processes that it had started and that were still there when it ended; they are killed.
    pub left_over: u64,
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
        let ended = guest.try_wait()?;
        let seen = ran.look(guest.id());
        if let Some(status) = ended {
            ran.exit = Some(status.into());
            ran.left_over = seen;
            if seen > 0 {
                kill_group(guest.id());
            }
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

/// Kills what is left of a group whose leader has ended.
fn kill_group(group: u32) {
    #[cfg(unix)]
    {
        use nix::{
            sys::signal::{Signal, killpg},
            unistd::Pid,
        };
        let group = Pid::from_raw(group.cast_signed());
        // What has ended by itself meanwhile is as well.
        let _ = killpg(group, Signal::SIGKILL);
    }
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
    /// Counts the processes of a group, their threads and their memory, where there is a `/proc`.
    fn look(&mut self, group: u32) -> u64 {
        let (mut threads, mut processes, mut memory, mut ready) = (0, 0, 0, 0.0);
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
            let stat = read("stat");
            // A program's name may hold anything but ends with the last bracket.
            let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            let mut fields = rest.split_whitespace();
            if fields.nth(2).and_then(|field| field.parse().ok()) != Some(group) {
                continue;
            }
            processes += 1;
            let status = entry.path().join("status");
            memory += kilobytes_in(&status.to_string_lossy(), "VmRSS:").unwrap_or(0);
            for thread in fs::read_dir(entry.path().join("task"))
                .into_iter()
                .flatten()
                .flatten()
            {
                threads += 1;
                let waited =
                    fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
                let waited = waited
                    .split_whitespace()
                    .nth(1)
                    .and_then(|it| it.parse::<f64>().ok());
                ready += waited.unwrap_or(0.0) / 1e9;
            }
        }
        self.ready_s = self.ready_s.max(ready);
        self.threads = self.threads.max(threads);
        self.processes = self.processes.max(processes);
        self.peak_bytes = self.peak_bytes.max(memory);
        processes
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
        let waited = (self.wall_s - self.cpu_s - self.ready_s).max(0.0);
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

    /// What was seen, in lines.
    pub fn lines(&self) -> Vec<String> {
        let (cpu, share) = (seconds_f64(self.cpu_s), percent(self.share()));
        let mut figures = format!("CPU {cpu}, {share} of the time it could");
        if self.peak_bytes > 0 {
            let [threads, processes] = [self.threads, self.processes].map(count);
            let memory = bytes(self.peak_bytes as f64);
            figures += &format!(" · memory {memory} · threads {threads} · processes {processes}");
        }
        let mut reading = match self.reading() {
            "waits" => "It waits: that overlaps on threads and in tasks.".to_owned(),
            "works" => "It works: that takes CPUs.".to_owned(),
            _ => "It waits and works.".to_owned(),
        };
        if self.threads > 1 {
            reading += " It does several things at once already; the figures below take it as one after another.";
        }
        if self.left_over > 0 {
            let left = count(self.left_over);
            reading += &format!(" Processes that it left behind and that were killed: {left}.");
        }
        vec![figures, reading]
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
        assert_eq!(ran(2.0, 0.1).reading(), "waits");
        assert_eq!(ran(2.0, 1.9).reading(), "works");
        assert_eq!(ran(2.0, 3.9).reading(), "works");
        assert_eq!(ran(2.0, 1.0).reading(), "both");
        assert_eq!(ran(2.0, 0.5).each(10), (0.15, 0.05));
        assert_eq!(ran(2.0, 4.0).each(10), (0.0, 0.4));
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
