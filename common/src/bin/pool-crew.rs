//! The worker program of the process pool's tests.
//!
//! As a program of its own it starts a pool: `pool-crew SOCKET` has two workers meet at a socket,
//! and with `POOL_CREW_FORGETS` set it forgets that it may be a worker, as a first draft may.

#[cfg(unix)]
#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/process_pool/crew.rs"]
mod crew;

#[cfg(unix)]
use common::child::{self, Link, Role};
#[cfg(unix)]
use std::{num::NonZeroUsize, path::PathBuf, process::ExitCode};

#[cfg(unix)]
fn main() -> ExitCode {
    let forgets = std::env::var_os("POOL_CREW_FORGETS").is_some();
    if !forgets
        && let Some(code) = child::take_role(&[
            &crew::SQUARE,
            &crew::TRAP,
            &crew::CHORE,
            &crew::PICKY,
            &crew::SECRETIVE,
            &crew::CONFIDING,
            &crew::ECHO,
            &crew::FORGED,
            &crew::NESTED,
            &Impostor("mute"),
            &Impostor("stillborn"),
        ])
    {
        return code;
    }
    run_a_pool()
}

#[cfg(unix)]
fn run_a_pool() -> ExitCode {
    let socket = PathBuf::from(std::env::args_os().nth(1).unwrap_or_default());
    let two = NonZeroUsize::MIN.saturating_add(1);
    match crew::CHORE.pool(two) {
        Ok(pool) => {
            let meetings = vec![crew::Chore::Meet(socket); 2];
            println!("{:?}", pool.map(meetings));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Stands in for a worker that goes wrong before its first message.
#[cfg(unix)]
struct Impostor(&'static str);

#[cfg(unix)]
impl Role for Impostor {
    fn name(&self) -> &str {
        self.0
    }

    fn serve(&self, mut link: Link) -> ExitCode {
        if self.0 == "mute" {
            let _ = link.receive::<u8>();
        }
        ExitCode::from(7)
    }
}

#[cfg(not(unix))]
fn main() {}
