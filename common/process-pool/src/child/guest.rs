//! Processes that this one starts, and that are not to outlive it.

use super::{Exit, platform};
use crate::state::lock;
use std::{
    io,
    process::{Child, Command},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// Between two looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The ids of all guests that have not been dropped.
static GUESTS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A program at work, a copy of this one or a foreign one: killed and reaped when dropped, and killed on Ctrl-C.
///
/// On Unix it has a process group of its own, and what it starts there is killed with it.
#[derive(Debug)]
pub struct Guest {
    /// The process, and its pipes.
    pub child: Child,
}

impl Guest {
    /// Starts a program and takes it into care.
    ///
    /// # Errors
    /// The system's word, where it does not start.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        // Ctrl-C finds it in the list, or not started.
        let mut guests = lock(&GUESTS);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn()?;
        guests.push(child.id());
        Ok(Self { child })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    pub fn try_wait(&mut self) -> Option<Exit> {
        if cfg!(unix) && !platform::has_ended_with_its_helpers(self.id()) {
            return None;
        }
        // Where SIGCHLD is ignored the system has reaped it, and how it ended is unknown.
        let status = self.child.try_wait();
        status.map_or(Some(Exit::Code(-1)), |status| status.map(Exit::from))
    }

    /// Waits until it ends, for at most `limit`, and kills it then: `None`. What it started in its process
    /// group is killed in any case.
    pub fn end_within(&mut self, limit: Duration) -> Option<Exit> {
        let deadline = Instant::now() + limit;
        loop {
            let exit = self.try_wait();
            if exit.is_some() {
                return exit;
            }
            if Instant::now() > deadline {
                self.kill();
                return None;
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Kills it, and on Unix what it started in its process group.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is as well.
        if !platform::has_ended_with_its_helpers(self.id()) {
            platform::kill_group(self.id());
            let _ = self.child.kill();
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.kill();
        let mut guests = lock(&GUESTS);
        guests.retain(|id| *id != self.id());
        // Reaped only now: until then its number is nobody else's.
        let _ = self.child.wait();
    }
}

/// Kills all guests: this process is about to end without dropping anything.
pub fn kill_guests() {
    for id in &*lock(&GUESTS) {
        // The number of one that was waited for may be another's by now.
        if !platform::has_ended_with_its_helpers(*id) {
            platform::kill_group(*id);
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn a_guest_ends_when_it_is_dropped_and_when_all_are_killed() {
        use super::*;
        use std::{io::Read, os::unix::process::ExitStatusExt, process::Stdio};
        let sleeper = || {
            let spawned = Guest::spawn(Command::new("sleep").arg("600"));
            spawned.expect("there is a `sleep`")
        };
        let id = sleeper().child.id();
        let guests = lock(&GUESTS);
        assert!(!guests.contains(&id));
        drop(guests);
        let mut guest = sleeper();
        kill_guests();
        let status = guest.child.wait().expect("it can be waited for");
        assert_eq!(status.signal(), Some(9));
        let ended = |script, limit| {
            let mut guest = Guest::spawn(Command::new("sh").args(["-c", script])).expect("a shell");
            guest.end_within(limit)
        };
        assert_eq!(
            ended("exit 3", Duration::from_secs(60)),
            Some(Exit::Code(3))
        );
        assert_eq!(ended("sleep 600", Duration::ZERO), None);
        // What it started holds the pipe until it is killed, too.
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 600 & echo; wait"])
            .stdout(Stdio::piped());
        let mut guest = Guest::spawn(&mut command).expect("there is a shell");
        let mut output = guest.child.stdout.take().expect("it is piped");
        output.read_exact(&mut [0]).expect("it has begun");
        drop(guest);
        assert_eq!(output.read(&mut [0]).expect("it is closed"), 0);
    }
}
