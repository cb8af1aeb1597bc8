//! Programs that are not copies of this one, and are not to outlive it either.

use std::{
    ops::{Deref, DerefMut},
    process::Child,
    sync::{Mutex, PoisonError},
};

/// The ids of all guests that have not been dropped.
static GUESTS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A foreign program at work: killed and reaped when dropped, and killed on Ctrl-C.
#[derive(Debug)]
pub struct Guest {
    process: Child,
}

impl Guest {
    /// Takes a program that was just started into care.
    pub fn new(process: Child) -> Self {
        let mut guests = GUESTS.lock().unwrap_or_else(PoisonError::into_inner);
        guests.push(process.id());
        Self { process }
    }
}

impl Deref for Guest {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.process
    }
}

impl DerefMut for Guest {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.process
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        let _ = self.process.kill();
        let mut guests = GUESTS.lock().unwrap_or_else(PoisonError::into_inner);
        guests.retain(|id| *id != self.process.id());
        // Reaped only now: until then its number is nobody else's.
        let _ = self.process.wait();
    }
}

/// Kills all guests: this process is about to end without dropping anything.
pub fn kill_guests() {
    #[cfg(unix)]
    for id in GUESTS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        use nix::{
            sys::signal::{Signal, kill},
            unistd::Pid,
        };
        // One that has ended meanwhile needs no signal.
        let _ = kill(Pid::from_raw(id.cast_signed()), Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn a_guest_ends_when_it_is_dropped_and_when_all_are_killed() {
        use super::*;
        use std::{os::unix::process::ExitStatusExt, process::Command};
        let sleeper = || {
            let mut command = Command::new("sleep");
            Guest::new(command.arg("600").spawn().expect("there is a `sleep`"))
        };
        let id = sleeper().id();
        let guests = GUESTS.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!guests.contains(&id));
        drop(guests);
        let mut guest = sleeper();
        kill_guests();
        let status = guest.wait().expect("it can be waited for");
        assert_eq!(status.signal(), Some(9));
    }
}
