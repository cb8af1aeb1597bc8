//! Starts this same binary in another role, and never leaves one behind.
//!
//! A program that needs helpers in processes of their own (worker, server, a child to be watched)
//! starts *itself* again with [`Program::start`]. The copy finds in its arguments which role it has,
//! serves it in [`enter`], the first call in `main`, and never reaches the rest.
//!
//! Parent and child talk over a private [`Link`]. It arrives as the child's standard input and
//! output; [`enter`] moves it away, so that nothing that the child prints, reads or starts can
//! touch it. The end of the parent, however it comes, closes it, which a child that reads it learns
//! at once. Where there is no Unix, nothing starts, and the error says so.

mod guest;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "elsewhere.rs")]
mod platform;
mod shelf;

pub use crate::wire::Link;
pub use guest::{Guest, kill_guests};
pub(crate) use platform::{
    Answers, PACKET_BYTES, Tasks, Waker, is_shortage, read, split, wait_for, watch_parent,
};
pub(crate) use shelf::{Kept, Shelf};

use crate::{PoolError, error::CAUSE, served};
#[cfg(unix)]
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::{
    env,
    ffi::OsString,
    fmt, io,
    path::PathBuf,
    process::{self, Command, ExitStatus},
    sync::Arc,
    time::Instant,
};

/// The argument that turns a program into a child; the role's name follows the `=`.
const ROLE_ARGUMENT: &str = "lab-role=";

/// Stands between the names of functions that one worker is to run.
pub(crate) const TOGETHER: &str = ",";

/// Something that a copy of this program can be started as.
pub trait Role: Sync {
    /// The name by which the parent asks for it.
    fn name(&self) -> &'static str;

    /// Serves the role until the link closes or the work is done; returns the exit code.
    fn serve(&self, link: Link) -> u8;

    /// The types of a function that a pool's workers run, if it is one.
    #[doc(hidden)]
    fn types(&self) -> Option<String> {
        None
    }

    /// Runs one task of that function: whatever it and its types do, there is an answer.
    #[doc(hidden)]
    fn run(&self, _task: u64, _input: &[u8], _answer: &mut Vec<u8>) {}
}

/// Serves a role and ends the process, if it was started as a child; the first call in `main`.
///
/// Where there is no such role it exits with 2, after a word on standard error.
#[expect(clippy::exit, reason = "a child goes no further")]
pub fn enter(roles: &[&dyn Role]) {
    let Some(names) = asked_role() else { return };
    let code = serve(roles, &names).unwrap_or_else(|error| {
        eprintln!("error: cannot serve the role `{names}`: {error}");
        2
    });
    process::exit(code.into())
}

/// The role that this process was started in.
fn asked_role() -> Option<String> {
    let argument = env::args_os().nth(1)?;
    let argument = argument.to_str()?.trim_start_matches("--");
    argument.strip_prefix(ROLE_ARGUMENT).map(Into::into)
}

fn serve(roles: &[&dyn Role], names: &str) -> io::Result<u8> {
    let mut wanted = Vec::new();
    for name in names.split(TOGETHER) {
        let mut named = roles.iter().filter(|role| role.name() == name);
        match (named.next(), named.next()) {
            (Some(role), None) => wanted.push(*role),
            (None, _) => return Err(io::Error::other("this program has none of that name")),
            _ => return Err(io::Error::other("this program has two of one name")),
        }
    }
    let link = platform::inherited().map(Link::new)?;
    match wanted[..] {
        [role] => Ok(role.serve(link)),
        _ => Ok(served::serve(&wanted, link)),
    }
}

/// Whether this process was started as a child.
///
/// The argument shows it even where the program forgot to [`enter`]: a copy that goes on as if
/// its user had started it must not start copies in turn.
pub fn is_child() -> bool {
    asked_role().is_some()
}

/// Ends this process as a crash does: at once, and by SIGABRT where there are signals.
///
/// For demonstrations: on Linux it leaves no core file behind, whatever the user's limits are.
pub fn crash() -> ! {
    // Refused, it is still a crash.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
    process::abort()
}

/// Which program a child runs: this one, unless something else is named.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(crate) path: Option<PathBuf>,
    pub(crate) test: Option<&'static str>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) folder: Option<PathBuf>,
}

impl Program {
    /// The program that is running now.
    pub fn this() -> Self {
        Self::default()
    }

    /// The program at `path`, which must call [`enter`] first.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::default()
        }
    }

    /// This test program, whose test of that full name calls [`enter`].
    pub fn test(name: &'static str) -> Self {
        Self {
            test: Some(name),
            ..Self::default()
        }
    }

    /// Starts it in `role`, and returns it with the parent's end of the link.
    ///
    /// What the child prints goes to the parent's standard error. It lives in a process group of
    /// its own: Ctrl-C reaches only the parent, which decides, and a kill reaches its children too.
    ///
    /// # Errors
    /// [`PoolError::Refused`] when the system refuses, and inside a child.
    pub fn start(&self, role: &str) -> Result<(Guest, Link), PoolError> {
        let started = self.command(role).and_then(|mut command| {
            let ends = platform::connect(&mut command)?;
            Ok((Guest::spawn(&mut command)?, Link::new(ends)))
        });
        started.map_err(|error| {
            let path = self.path().unwrap_or_default();
            let what = format!("cannot start `{}` as `{role}`", path.display());
            PoolError::refused(what, &error)
        })
    }

    fn path(&self) -> io::Result<PathBuf> {
        self.path.clone().map_or_else(env::current_exe, Ok)
    }

    fn command(&self, role: &str) -> io::Result<Command> {
        if is_child() {
            let text = format!("a child process has no children; {CAUSE}");
            return Err(io::Error::other(text));
        }
        let path = self.path()?;
        let mut command = match self.path {
            // Whatever lies at the path of this program by now, this name is the running image.
            None if cfg!(target_os = "linux") => Command::new("/proc/self/exe"),
            _ => Command::new(&path),
        };
        #[cfg(unix)]
        CommandExt::arg0(&mut command, &path);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        match self.test {
            None => command.arg(format!("--{ROLE_ARGUMENT}{role}")),
            // The first word is a pattern that no test has as its name.
            Some(test) => {
                let role = format!("{ROLE_ARGUMENT}{role}");
                command.args([&role, test, "--exact", "--nocapture", "--include-ignored"])
            }
        };
        Ok(command)
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It returned or called `exit` with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = status.signal() {
            return Self::Signal(signal);
        }
        Self::Code(status.code().unwrap_or(-1))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = match self {
            Self::Code(code) => return write!(f, "exit code {code}"),
            Self::Signal(signal) => *signal,
        };
        #[cfg(unix)]
        if let Ok(name) = nix::sys::signal::Signal::try_from(signal) {
            return write!(f, "signal {signal} ({name})");
        }
        write!(f, "signal {signal}")
    }
}

/// What a supervisor waits for beside its worker: a moment, and room for what is to be sent.
pub(crate) type Next = (Option<Instant>, Option<Arc<Tasks>>);
