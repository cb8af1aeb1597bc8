//! Starts this same binary in another role, and never leaves one behind.
//!
//! A program that needs helpers in processes of their own (worker, server, a child to be watched)
//! starts *itself* again with [`Child::start`]. The copy finds in its arguments which role it has,
//! serves it from [`take_role`], the first call in `main`, and never reaches the rest.
//!
//! Parent and child talk over one private connection, the [`Link`], that carries whole messages.
//! On Unix it arrives as the child's standard input and output and is moved away from there by
//! [`take_role`]: from then on nothing that the child prints or reads, and no process that it
//! starts, can touch it.
//! The end of the parent, however it comes, closes the link: a child that reads its link learns of
//! it at once. [`Link::exit_with_parent`] is that for roles that do not read.

pub(crate) mod ends;
mod guest;
mod link;

pub use guest::{Guest, kill_guests};
pub(crate) use link::MESSAGE_LIMIT_BYTES;
pub use link::{Closing, Link, LinkReceiver, LinkSender};

use std::{
    env,
    ffi::OsString,
    fmt, io,
    path::PathBuf,
    process::{Command, ExitCode, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The argument that turns a program into a child; the role's name follows the `=`.
const ROLE_ARGUMENT: &str = "--lab-role=";

/// Set once by [`take_role`]: children of children are refused.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Something that a copy of this program can be started as.
pub trait Role: Sync {
    /// The name by which the parent asks for it.
    fn name(&self) -> &str;

    /// Serves the role until the link closes or the work is done.
    fn serve(&self, link: Link) -> ExitCode;
}

/// Why a child could not take its role.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// The program has no role of that name.
    #[error("this program has no role `{role}`")]
    Unknown {
        /// What was asked for.
        role: String,
    },
    /// The program has two roles of that name.
    #[error("this program has two roles `{role}`; give each a name of its own")]
    Ambiguous {
        /// What was asked for.
        role: String,
    },
    /// It was not started by [`Child::start`].
    #[error("the role `{role}` is for children of this program only: {source}")]
    NoLink {
        /// What was asked for.
        role: String,
        /// What was found instead of a link.
        source: io::Error,
    },
}

/// Serves a role if this process was started as a child; the first call in `main`.
///
/// Returns `None` in a program that its user started, and the child's exit code otherwise.
///
/// # Errors
/// The inner [`RoleError`], for the child to print.
pub fn take_role(roles: &[&dyn Role]) -> Option<Result<ExitCode, RoleError>> {
    let argument = env::args_os().nth(1)?;
    let name = argument.to_str()?.strip_prefix(ROLE_ARGUMENT)?;
    IS_CHILD.store(true, Ordering::SeqCst);
    Some(take(roles, name))
}

fn take(roles: &[&dyn Role], name: &str) -> Result<ExitCode, RoleError> {
    let mut named = roles.iter().filter(|role| role.name() == name);
    let role = named
        .next()
        .ok_or_else(|| RoleError::Unknown { role: name.into() })?;
    if named.next().is_some() {
        return Err(RoleError::Ambiguous { role: name.into() });
    }
    let link = Link::inherited();
    let link = link.map_err(|source| RoleError::NoLink {
        role: name.into(),
        source,
    })?;
    Ok(role.serve(link))
}

/// Whether this process was started as a child.
///
/// The argument tells it even where the program forgot [`take_role`]: a copy that goes on as if
/// its user had started it must not start copies in turn.
pub fn is_child() -> bool {
    IS_CHILD.load(Ordering::SeqCst)
        || env::args_os().nth(1).is_some_and(|argument| {
            let argument = argument.as_encoded_bytes();
            argument.starts_with(ROLE_ARGUMENT.as_bytes())
        })
}

/// Ends this process as a crash does: at once, and by SIGABRT where there are signals.
///
/// For demonstrations: on Linux it leaves no core file behind, whatever the user's limits are.
pub fn crash() -> ! {
    // Refused, it is still a crash.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
    std::process::abort()
}

/// Which program a child runs: this one, unless a test names another.
#[derive(Clone, Debug, Default)]
pub struct Program {
    path: Option<PathBuf>,
}

impl Program {
    /// The program that is running now.
    pub fn this() -> Self {
        Self::default()
    }

    /// The program at `path`, which must call [`take_role`] first; for tests.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
        }
    }

    fn resolve(&self) -> io::Result<PathBuf> {
        match &self.path {
            Some(path) => Ok(path.clone()),
            None => running_program(),
        }
    }
}

/// The file of the program that is running.
fn running_program() -> io::Result<PathBuf> {
    let path = env::current_exe()?;
    // A build may have replaced the file meanwhile. The running one can still be had by this name,
    // and only that one is sure to speak the same language.
    #[cfg(target_os = "linux")]
    if !path.exists() {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    Ok(path)
}

/// Why a child could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A child asked for a child of its own.
    #[error(
        "a child process may not start `{role}`: only the program its user started has children"
    )]
    Nested {
        /// The role asked for.
        role: String,
    },
    /// The operating system refused.
    #[error("cannot start `{}` as `{role}`: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The role asked for.
        role: String,
        /// The system's word.
        source: io::Error,
    },
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
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(signal);
        }
        Self::Code(status.code().unwrap_or(-1))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => {
                #[cfg(unix)]
                if let Ok(name) = nix::sys::signal::Signal::try_from(*signal) {
                    return write!(f, "signal {signal} ({name})");
                }
                write!(f, "signal {signal}")
            }
        }
    }
}

/// A copy of this program at work in a role; killed and reaped when dropped.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    exit: Option<Exit>,
}

impl Child {
    /// Starts `program` in `role` and returns it with the parent's end of the link.
    ///
    /// What the child prints goes to the parent's standard error. It lives in a process group of
    /// its own: Ctrl-C reaches only the parent, which decides, and a kill reaches its children too.
    ///
    /// # Errors
    /// [`StartError::Nested`] inside a child; [`StartError::Spawn`] when the system refuses.
    pub fn start(program: &Program, role: &str) -> Result<(Self, Link), StartError> {
        Self::start_with(program, role, |_| {}, |_, offer| offer.accept())
    }

    /// As [`start`](Self::start); `prepare` sees the command, `accept` makes the parent's end.
    pub(crate) fn start_with<L>(
        program: &Program,
        role: &str,
        prepare: impl FnOnce(&mut Command),
        accept: impl FnOnce(&Self, link::Offer) -> io::Result<L>,
    ) -> Result<(Self, L), StartError> {
        if is_child() {
            return Err(StartError::Nested { role: role.into() });
        }
        let path = program.resolve();
        let refused = |source| StartError::Spawn {
            program: path.as_ref().map(PathBuf::clone).unwrap_or_default(),
            role: role.into(),
            source,
        };
        let mut command = Command::new(path.as_ref().map_err(|e| refused(copy_of(e)))?);
        command.arg(OsString::from(format!("{ROLE_ARGUMENT}{role}")));
        prepare(&mut command);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let offer = link::Offer::to(&mut command).map_err(refused)?;
        let process = command.spawn().map_err(refused)?;
        drop(command);
        let child = Self {
            process,
            exit: None,
        };
        // Dropped, the child is killed.
        let link = accept(&child, offer).map_err(refused)?;
        Ok((child, link))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How it ended, or `None` while it runs.
    pub fn try_wait(&mut self) -> Option<Exit> {
        #[cfg(target_os = "linux")]
        if self.exit.is_none() && !self.has_ended_with_its_helpers() {
            return None;
        }
        if self.exit.is_none() {
            self.exit = match self.process.try_wait() {
                Ok(status) => status.map(Exit::from),
                // Where SIGCHLD is ignored the system has reaped it, and how it ended nobody knows.
                Err(_) => Some(Exit::Code(-1)),
            };
        }
        self.exit
    }

    /// Looks without reaping whether it has ended, and if so kills its process group: once it is
    /// reaped, the group's number may be somebody else's.
    #[cfg(target_os = "linux")]
    fn has_ended_with_its_helpers(&self) -> bool {
        use nix::{
            sys::{
                signal,
                wait::{Id, WaitPidFlag, WaitStatus, waitid},
            },
            unistd::Pid,
        };
        let pid = Pid::from_raw(self.process.id().cast_signed());
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(pid), look) {
            Ok(WaitStatus::StillAlive) => return false,
            // Mostly there is nobody left.
            Ok(_) => drop(signal::killpg(pid, signal::Signal::SIGKILL)),
            // Not ours to look at any more: the group is not ours to kill either.
            Err(_) => {}
        }
        true
    }

    /// Waits for its end for at most `limit`, then kills it.
    pub fn wait_or_kill(&mut self, limit: Duration) -> Exit {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(exit) = self.try_wait() {
                return exit;
            }
            if Instant::now() >= deadline {
                return self.kill();
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Has it killed, and on Unix whatever it started in its process group; does not wait.
    pub(crate) fn start_killing(&mut self) {
        if self.try_wait().is_some() {
            return;
        }
        #[cfg(unix)]
        {
            use nix::{sys::signal, unistd::Pid};
            // It may have ended since; then there is nothing to kill.
            let _ = signal::killpg(
                Pid::from_raw(self.process.id().cast_signed()),
                signal::Signal::SIGKILL,
            );
        }
        let _ = self.process.kill();
    }

    /// Kills it, and on Unix whatever it started in its process group, and reaps it.
    pub fn kill(&mut self) -> Exit {
        self.start_killing();
        if let Some(exit) = self.exit {
            return exit;
        }
        let exit = self.process.wait().map_or(Exit::Code(-1), Exit::from);
        self.exit = Some(exit);
        exit
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

fn copy_of(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
