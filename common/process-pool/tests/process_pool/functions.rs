//! What the workers of the pool's tests can do; shared by the tests and the worker program.

use nix::{
    sys::{
        signal::{self, Signal},
        wait,
    },
    unistd::{ForkResult, Pid},
};
use process_pool::Worker;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::{
    hint::black_box,
    io::{self, Read, Write},
    num::NonZeroUsize,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

pub(crate) const SQUARE: Worker<u64, u128> = Worker::new("square", square);
/// Squares the number after some microseconds of work.
pub(crate) const GRIND: Worker<u64, u128> = Worker::new("grind", |n| {
    black_box((0..2_000).fold(black_box(n), |x, _| black_box(x ^ x << 7 ^ x >> 9)));
    square(n)
});
pub(crate) const CHORE: Worker<Chore, u32> = Worker::new("chore", Chore::run);
pub(crate) const PICKY: Worker<Picky, u8> = Worker::new("picky", |input| input.0);
pub(crate) const SECRETIVE: Worker<u8, Secret> = Worker::new("secretive", Secret);
pub(crate) const CONFIDING: Worker<Secret, u8> = Worker::new("confiding", |input| input.0);
pub(crate) const ECHO: Worker<Vec<u8>, Vec<u8>> = Worker::new("echo", |bytes| bytes);
pub(crate) const FORGED: Worker<u8, Picky> = Worker::new("forged", Picky);
pub(crate) const TOUCHY: Worker<u64, Touchy> = Worker::new("touchy", |n| Touchy(square(n)));
/// Returns the number; where it is told to, it forks first, both processes return, and
/// the copy ends first.
pub(crate) const FORKING: Worker<(u64, bool), u64> = Worker::new("forking", |(n, forks)| {
    match forks.then(fork) {
        // The copy takes memory, which may lie where other memory was before.
        Some(ForkResult::Child) => {
            (0..20).for_each(|_| std::mem::forget(black_box(vec![0_u8; 1_000_000])));
        }
        Some(ForkResult::Parent { child }) => drop(wait::waitpid(child, None)),
        None => {}
    }
    n
});
/// Writes the number into the file, a line for each run, and returns as [`FORKING`] does.
pub(crate) const LOG: Worker<(PathBuf, u64, bool), u64> = Worker::new("log", |(path, n, forks)| {
    let file = std::fs::OpenOptions::new().append(true).open(path);
    let line = format!("{n}\n");
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("the test made it");
    FORKING.run_here((n, forks))
});
pub(crate) const TWIN: Worker<u8, u8> = Worker::new("twin", |n| n);
pub(crate) const OTHER_TWIN: Worker<u8, u8> = Worker::new("twin", |n| n + 1);
/// Returns a variable of its environment, its working directory and its process id.
pub(crate) const WHERE: Worker<String, (Option<String>, PathBuf, u32)> =
    Worker::new("where", |name| {
        let folder = std::env::current_dir().expect("it has one");
        (std::env::var(name).ok(), folder, std::process::id())
    });
/// Adds what [`LOAD`] has left.
pub(crate) const ADD: Worker<u64, u64> = Worker::new("add", |n| n + LOADED.load(Ordering::Relaxed));
pub(crate) const LOAD: Worker<u64, ()> = Worker::new("load", |n| {
    assert_ne!(n, 13, "13 is unlucky");
    LOADED.store(n, Ordering::Relaxed);
});
static LOADED: AtomicU64 = AtomicU64::new(0);
/// Takes so much memory.
pub(crate) const HOG: Worker<usize, usize> =
    Worker::new("hog", |bytes| black_box(vec![1_u8; bytes]).len());
pub(crate) const NESTED: Worker<u64, String> = Worker::new("nested", start_a_pool);

pub(crate) const INFLATE: Worker<u32, Inflated> = Worker::new("inflate", Inflated);
pub(crate) const DEFLATE: Worker<Inflated, u32> = Worker::new("deflate", |input| input.0);

/// Ends at some moment around its first task, or before.
pub(crate) const DOOMED: Worker<Chore, u32> = Worker::new("doomed", Chore::run);
/// Never says that it is ready.
pub(crate) const MUTE: Worker<u8, u8> = Worker::new("mute", |input| input);
/// Ends before it is ready.
pub(crate) const STILLBORN: Worker<u8, u8> = Worker::new("stillborn", |input| input);

pub(crate) fn square(n: u64) -> u128 {
    u128::from(n) * u128::from(n)
}

fn start_a_pool(_: u64) -> String {
    SQUARE
        .pool_builder()
        .workers(NonZeroUsize::MIN)
        .start()
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
    /// Follows a null reference.
    #[cfg(target_os = "linux")]
    FollowNull,
    /// Dies, unless the file exists; makes the file.
    DieOnce(PathBuf),
    /// Tells its process id to the socket, then waits until that is closed.
    Meet(PathBuf),
    /// Meets at the socket first.
    MeetFirst(PathBuf, Box<Chore>),
    /// Starts a helper that holds on to the socket for ever.
    StartHelper(PathBuf),
    /// The same, then exits.
    LeaveHelper(PathBuf),
    /// Meets if anybody waits at the socket, then kills these workers, itself last.
    #[cfg(target_os = "linux")]
    Fight(PathBuf, Vec<u32>),
    Print,
    /// Forks a process that leaves the group and stays at the socket; then aborts.
    LeaveOrphan(PathBuf),
    /// Has a thread hold on to standard output for ever.
    HoldStdout,
    /// Writes over what its worker keeps.
    #[cfg(target_os = "linux")]
    Scribble,
    /// Closes what it does not own, and opens this file as often as it closed one.
    CloseAll(PathBuf),
    /// Panics in a way that cannot be caught, or hardly.
    PanicBadly(String),
}

impl Chore {
    fn run(self) -> u32 {
        match self {
            Self::Return => {}
            Self::Panic(message) => panic!("{message}"),
            Self::Exit(code) => std::process::exit(code),
            Self::Abort => std::process::abort(),
            Self::Die => die(),
            #[cfg(target_os = "linux")]
            Self::FollowNull => follow_null(),
            Self::DieOnce(marker) => {
                if std::fs::File::create_new(marker).is_ok() {
                    die();
                }
            }
            Self::Meet(socket) => meet(&socket).expect("the test listens"),
            Self::MeetFirst(socket, then) => {
                meet(&socket).expect("the test listens");
                return then.run();
            }
            Self::StartHelper(socket) => start_helper(socket),
            Self::LeaveHelper(socket) => {
                start_helper(socket);
                std::process::exit(3);
            }
            #[cfg(target_os = "linux")]
            Self::Fight(socket, workers) => fight(&socket, &workers),
            Self::Print => print_much(),
            Self::LeaveOrphan(socket) => leave_orphan(&socket),
            Self::HoldStdout => hold_stdout(),
            #[cfg(target_os = "linux")]
            Self::Scribble => scribble(),
            Self::CloseAll(file) => close_all(&file),
            Self::PanicBadly(how) => panic_badly(&how),
        }
        std::process::id()
    }
}

fn print_much() {
    println!("a line on standard output");
    print!("half a line, and \u{0}\u{ff} bytes");
    eprintln!("a line on standard error");
}

fn hold_stdout() {
    let (tx, rx) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _stdout = io::stdout().lock();
        tx.send(()).expect("the task waits");
        std::thread::park();
    });
    rx.recv().expect("the thread holds it");
}

fn close_all(file: &Path) {
    let closed = (3..1024).filter(|fd| nix::unistd::close(*fd).is_ok());
    for _ in 0..closed.count() {
        let mut options = std::fs::OpenOptions::new();
        let file = options.append(true).create(true).open(file);
        std::mem::forget(file.expect("there is room"));
    }
}

#[expect(unsafe_code, reason = "what tasks do is not ours to choose")]
fn fork() -> ForkResult {
    // SAFETY: not safe in general; the copy does little, and ends soon.
    unsafe { nix::unistd::fork() }.expect("a process may fork")
}

fn leave_orphan(socket: &Path) {
    let (mut here, mut there) = UnixStream::pair().expect("a pair of sockets");
    if fork().is_parent() {
        // Before that it would end with the worker's group.
        here.read_exact(&mut [0]).expect("the copy has left");
        std::process::abort();
    }
    nix::unistd::setsid().expect("it leads no group");
    there.write_all(&[0]).expect("the worker waits");
    meet(socket).expect("the test listens");
    die();
}

fn panic_badly(how: &str) {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("second words");
        }
    }
    extern "C" fn foreign() {
        panic!("first words");
    }
    match how {
        "drop" => {
            let _bomb = Bomb;
            panic!("first words");
        }
        "foreign" => foreign(),
        _ => std::panic::panic_any(Bomb),
    }
}

fn die() {
    signal::kill(Pid::this(), Signal::SIGKILL).expect("a process may kill itself");
}

/// Dereferences null without unsafe code: the system lets a process write over its own memory, here
/// over a reference that it then follows.
#[cfg(target_os = "linux")]
fn follow_null() {
    use std::{fs::OpenOptions, os::unix::fs::FileExt};
    let memory = OpenOptions::new().write(true).open("/proc/self/mem");
    let memory = memory.expect("a process may write over its own memory");
    // No core file, whatever the limits are.
    nix::sys::prctl::set_dumpable(false).expect("a process may say so");
    let number = 7_u32;
    let mut reference = &number;
    let place = (&raw mut reference) as u64;
    let null = 0_usize.to_ne_bytes();
    memory.write_all_at(&null, place).expect("it is writable");
    panic!("null held {}", *black_box(reference));
}

#[cfg(target_os = "linux")]
fn scribble() {
    use std::{fs, os::unix::fs::FileExt};
    let maps = fs::read_to_string("/proc/self/maps").expect("it has memory");
    let shelf = maps.lines().find(|map| map.contains("memfd:answers"));
    let (place, _) = shelf.and_then(|map| map.split_once('-')).expect("a shelf");
    let place = u64::from_str_radix(place, 16).expect("an address");
    let memory = fs::OpenOptions::new().write(true).open("/proc/self/mem");
    let memory = memory.expect("a process may write over its own memory");
    memory
        .write_all_at(&[7, 1, 0, 0, 250, 249, 248], place)
        .expect("it is writable");
}

/// Kills the workers of this pool among `workers`, this one last.
#[cfg(target_os = "linux")]
fn fight(socket: &Path, workers: &[u32]) {
    // A second attempt finds nobody to meet.
    let _ = meet(socket);
    let own = std::process::id();
    let others = workers.iter().filter(|worker| **worker != own);
    for worker in others.chain(workers.iter().filter(|worker| **worker == own)) {
        // One that is gone may have left its number to a stranger.
        if parent_of(*worker) == Some(std::os::unix::process::parent_id()) {
            // Another was quicker, maybe.
            let _ = signal::kill(Pid::from_raw(worker.cast_signed()), Signal::SIGKILL);
        }
    }
}

#[cfg(target_os = "linux")]
fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in brackets, may have spaces.
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(1)?.parse().ok()
}

fn meet(socket: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&std::process::id().to_le_bytes())?;
    // Whatever ends the wait, it is over.
    let _ = stream.read(&mut [0]);
    Ok(())
}

#[expect(
    clippy::zombie_processes,
    reason = "that nobody waits for it is what is tested"
)]
fn start_helper(socket: PathBuf) {
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

/// So many MiB once it is encoded.
#[derive(Debug, PartialEq)]
pub(crate) struct Inflated(pub(crate) u32);

impl Serialize for Inflated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Mebibyte(Vec<u8>);
        impl Serialize for Mebibyte {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }
        let mebibyte = Mebibyte(vec![1; 1 << 20]);
        serializer.collect_seq((0..self.0).map(|_| &mebibyte))
    }
}

impl<'de> Deserialize<'de> for Inflated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mebibytes = Vec::<Vec<u8>>::deserialize(deserializer)?;
        u32::try_from(mebibytes.len())
            .map(Self)
            .map_err(de::Error::custom)
    }
}

/// Cannot be made of nine, and says so rudely.
#[derive(Debug, Serialize)]
pub(crate) struct Touchy(pub(crate) u128);

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u128::deserialize(deserializer)?;
        assert_ne!(number, 9, "on purpose");
        Ok(Self(number))
    }
}
