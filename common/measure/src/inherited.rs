//! What this process has from its parent: signals to ignore, limits, and variables.

#[cfg(unix)]
use nix::errno::Errno;
#[cfg(unix)]
use std::thread;
#[cfg(target_os = "linux")]
use std::time::Duration;
use std::{
    env,
    ffi::OsStr,
    io,
    process::Command,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// Raised when the process goes on after it was stopped, as by Ctrl-Z, and when a child is stopped.
pub(crate) static STOPPED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The least stack that a program of the lab needs for its own `main`, in bytes.
const STACK_BYTES: u64 = 512 * 1024;

/// How much CPU time before the limit is for the last line, and for ending what was started.
#[cfg(target_os = "linux")]
const BEFORE_THE_KILL: Duration = Duration::from_millis(600);

/// A Python to run `script`, which the variables, folder and packages of this process's parent do not
/// reach; whether it has a GIL is still theirs to say, with `PYTHON_GIL`.
pub fn isolated_python(program: impl AsRef<OsStr>, script: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-I", "-S", "-X", "utf8"]);
    if let Ok(gil) = env::var("PYTHON_GIL") {
        command.arg("-X").arg(format!("gil={gil}"));
    }
    command.args(["-c", script]);
    command
}

/// Calls `handler` with the reason, in a thread of its own, each time this process is asked to end.
///
/// What the parent had ignored stays ignored: under `nohup` a hang-up is none, and in the background
/// of a shell without job control Ctrl-C is for another program. From here on, a write past
/// `ulimit -f` is an error of the write and not the end of the process.
///
/// # Errors
/// The system's word where it takes no handler, or starts no thread.
#[cfg(unix)]
pub fn on_interrupt(mut handler: impl FnMut(&'static str) + Send + 'static) -> io::Result<()> {
    use signal_hook::{consts, flag, iterator::Signals};
    if !is_ignored(consts::SIGXFSZ) {
        flag::register(consts::SIGXFSZ, Arc::default())?;
    }
    flag::register(consts::SIGCONT, Arc::clone(&STOPPED))?;
    #[cfg(target_os = "linux")]
    end_before_the_kill();
    let wanted = [
        consts::SIGINT,
        consts::SIGTERM,
        consts::SIGHUP,
        consts::SIGXCPU,
        consts::SIGCHLD,
    ];
    let mut signals = Signals::new(wanted.into_iter().filter(|signal| !is_ignored(*signal)))?;
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            match signal {
                consts::SIGCHLD if !is_child_stopped() => {}
                consts::SIGCHLD => STOPPED.store(true, Ordering::SeqCst),
                consts::SIGXCPU => handler("out of CPU time (`ulimit -t`)"),
                _ => handler("interrupted"),
            }
        }
    })?;
    Ok(())
}

/// Has the system send SIGXCPU shortly before the hard limit of CPU time, at which it kills without a word.
#[cfg(target_os = "linux")]
fn end_before_the_kill() {
    use nix::{
        sys::{
            resource::{Resource::RLIMIT_CPU, getrlimit},
            signal::{SigEvent, SigevNotify, Signal},
            timer::{Expiration, Timer, TimerSetTimeFlags},
        },
        time::ClockId,
    };
    let Ok((_, hard)) = getrlimit(RLIMIT_CPU) else {
        return;
    };
    // No limit at all is a number of seconds that a clock does not reach.
    let Some(left) = Duration::from_secs(hard.min(1 << 32)).checked_sub(BEFORE_THE_KILL) else {
        return;
    };
    let notice = SigevNotify::SigevSignal {
        signal: Signal::SIGXCPU,
        si_value: 0,
    };
    // Refused, it is killed.
    if let Ok(mut timer) = Timer::new(ClockId::CLOCK_PROCESS_CPUTIME_ID, SigEvent::new(notice)) {
        let _ = timer.set(Expiration::OneShot(left.into()), TimerSetTimeFlags::empty());
        // Dropped, it would be deleted.
        std::mem::forget(timer);
    }
}

/// Whether a child has been stopped, which its parent is told once; on Linux only.
#[cfg(unix)]
fn is_child_stopped() -> bool {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
        // One that goes on again at once is seen as continued only.
        let either = WaitPidFlag::WSTOPPED | WaitPidFlag::WCONTINUED;
        let seen = waitid(Id::All, either | WaitPidFlag::WNOHANG);
        matches!(seen, Ok(WaitStatus::Stopped(..) | WaitStatus::Continued(_)))
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Calls `handler` with the reason, in a thread of its own, each time this process is asked to end.
///
/// # Errors
/// The system takes no handler.
#[cfg(not(unix))]
pub fn on_interrupt(mut handler: impl FnMut(&'static str) + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(move || handler("interrupted")).map_err(io::Error::other)
}

#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "no crate asks for a signal's action without changing it"
)]
fn is_ignored(signal: i32) -> bool {
    use nix::libc;
    // SAFETY: all zeros is a valid `sigaction`.
    let mut found: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `found` lives through the call, and no new action is given.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut found) };
    asked == 0 && found.sa_sigaction == libc::SIG_IGN
}

/// What to do about a stack that is too small for `main` itself; `None` where it is not.
pub fn short_of_stack() -> Option<String> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit};
        let (soft, _) = getrlimit(Resource::RLIMIT_STACK).ok()?;
        (soft < STACK_BYTES).then(|| {
            format!(
                "the stack is limited to {} KiB; raise `ulimit -s` to {}",
                soft / 1024,
                STACK_BYTES / 1024
            )
        })
    }
    #[cfg(not(unix))]
    None
}

/// A message about an error of the system, with the limit behind it and the way out at its end.
///
/// It goes by the text: errors of children and of other crates arrive as nothing else.
pub fn with_way_out(message: String) -> String {
    let known = LIMITS.iter().find(|(errno, _)| {
        let code = format!("(os error {})", *errno as i32);
        message.contains(&code) && !message.contains("ulimit")
    });
    match known {
        Some((_, way_out)) => format!("{message}; {way_out}"),
        None => message,
    }
}

#[cfg(unix)]
const LIMITS: [(Errno, &str); 4] = [
    (
        Errno::EAGAIN,
        "ask for fewer processes and threads, or raise `ulimit -u` or `ulimit -v`",
    ),
    (
        Errno::EMFILE,
        "ask for fewer workers or requests, or raise `ulimit -n`",
    ),
    (Errno::ENOMEM, "ask for less, or raise `ulimit -v`"),
    (Errno::EFBIG, "raise `ulimit -f`"),
];
#[cfg(not(unix))]
const LIMITS: [(i32, &str); 0] = [];

/// The variable in which a parent puts its own process id for [`end_with_parent`].
pub const PARENT: &str = "LAB_PARENT";

/// Ends this process as soon as the parent named in [`PARENT`] has ended, however; on Linux only.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Ok(parent) = env::var(PARENT) {
        use nix::{
            sys::{prctl, signal},
            unistd::getppid,
        };
        // Refused, the parent's own care for its children has to do.
        let _ = prctl::set_pdeathsig(signal::Signal::SIGTERM);
        // It may have ended before that call.
        if getppid().to_string() != parent {
            let _ = signal::raise(signal::Signal::SIGTERM);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_names_its_limit_once() {
        let shortage = io::Error::from_raw_os_error(Errno::EMFILE as i32);
        let message = format!("cannot start: {shortage}");
        let once = with_way_out(message.clone());
        assert!(once.starts_with(&message) && once.contains("ulimit -n"));
        for told in [once, "disk full".into()] {
            assert_eq!(with_way_out(told.clone()), told);
        }
    }
}
