//! What the workers of the pool's tests can do; shared by the tests and the worker program.

use common::process_pool::Worker;
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::{
    io::{Read, Write},
    num::NonZeroUsize,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    process::Command,
};

pub(crate) const SQUARE: Worker<u64, u128> = Worker::new("square", square);
/// Squares the number, unless it is a trap.
pub(crate) const TRAP: Worker<(u64, bool), u128> = Worker::new("trap", |(n, is_trap)| {
    if is_trap {
        die();
    }
    square(n)
});
pub(crate) const CHORE: Worker<Chore, u32> = Worker::new("chore", Chore::run);
pub(crate) const PICKY: Worker<Picky, u8> = Worker::new("picky", |input| input.0);
pub(crate) const SECRETIVE: Worker<u8, Secret> = Worker::new("secretive", Secret);
pub(crate) const CONFIDING: Worker<Secret, u8> = Worker::new("confiding", |input| input.0);
pub(crate) const ECHO: Worker<Vec<u8>, Vec<u8>> = Worker::new("echo", |bytes| bytes);
pub(crate) const FORGED: Worker<u8, Picky> = Worker::new("forged", Picky);
pub(crate) const NESTED: Worker<u64, String> = Worker::new("nested", start_a_pool);

/// Never says that it is ready.
pub(crate) const MUTE: Worker<u8, u8> = Worker::new("mute", |input| input);
/// Ends before it is ready.
pub(crate) const STILLBORN: Worker<u8, u8> = Worker::new("stillborn", |input| input);

pub(crate) fn square(n: u64) -> u128 {
    u128::from(n) * u128::from(n)
}

fn start_a_pool(_: u64) -> String {
    SQUARE
        .pool(NonZeroUsize::MIN)
        .map_or_else(|error| error.to_string(), |_| "it started".into())
}

/// A task that returns its worker's process id, if it returns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Chore {
    Return,
    Panic(String),
    Exit(i32),
    Abort,
    Die,
    /// Dies, unless the file exists; makes the file.
    DieOnce(PathBuf),
    /// Tells its process id to the socket, then waits until that is closed.
    Meet(PathBuf),
    /// Starts a helper that holds on to the socket for ever, then exits.
    LeaveHelper(PathBuf),
    Print,
    Trace,
}

impl Chore {
    fn run(self) -> u32 {
        match self {
            Self::Return => {}
            Self::Panic(message) => panic!("{message}"),
            Self::Exit(code) => std::process::exit(code),
            Self::Abort => std::process::abort(),
            Self::Die => die(),
            Self::DieOnce(marker) => {
                if std::fs::File::create_new(marker).is_ok() {
                    die();
                }
            }
            Self::Meet(socket) => meet(socket),
            Self::LeaveHelper(socket) => {
                leave_helper(socket);
                std::process::exit(3);
            }
            Self::Print => {
                println!("a line on standard output");
                print!("half a line, and \u{0}\u{ff} bytes");
                eprintln!("a line on standard error");
            }
            Self::Trace => inner(),
        }
        std::process::id()
    }
}

fn inner() {
    let _span = tracing::info_span!("inner").entered();
}

fn die() {
    signal::kill(Pid::this(), Signal::SIGKILL).expect("a process may kill itself");
}

fn meet(socket: PathBuf) {
    let mut stream = UnixStream::connect(socket).expect("the test listens");
    let id = std::process::id().to_le_bytes();
    stream.write_all(&id).expect("the test reads");
    // Whatever ends the wait, it is over.
    let _ = stream.read(&mut [0]);
}

#[expect(
    clippy::zombie_processes,
    reason = "that nobody waits for it is what is tested"
)]
fn leave_helper(socket: PathBuf) {
    let mut stream = UnixStream::connect(socket).expect("the test listens");
    let id = std::process::id().to_le_bytes();
    stream.write_all(&id).expect("the test reads");
    Command::new("sleep")
        .arg("1000")
        .stdin(OwnedFd::from(stream))
        .spawn()
        .expect("there is a `sleep`");
}

/// Decodes only from numbers other than 13.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Picky(pub(crate) u8);

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            13 => Err(de::Error::custom("13 is unlucky")),
            number => Ok(Self(number)),
        }
    }
}

/// Encodes only numbers other than 13.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Secret(pub(crate) u8);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            13 => Err(ser::Error::custom("13 is secret")),
            number => number.serialize(serializer),
        }
    }
}
