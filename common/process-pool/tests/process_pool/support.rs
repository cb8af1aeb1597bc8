//! What the pool's tests share.

use crate::functions::Chore;
use nix::{
    errno::Errno,
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{Ledger, PoolBuilder, ProcessPool, Worker, child::Program};
use std::{
    io::Read,
    num::NonZeroUsize,
    os::unix::net::{UnixListener, UnixStream},
    panic,
    path::PathBuf,
    sync::mpsc,
    thread,
    time::Duration,
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pool-worker");

/// Turns a hang into a failure.
pub(crate) fn watched<R: Send + 'static>(test: impl FnOnce() -> R + Send + 'static) -> R {
    let (tx, rx) = mpsc::channel();
    let body = thread::spawn(move || {
        let result = test();
        // The watchdog may have given up.
        let _ = tx.send(());
        result
    });
    if rx.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("the test hangs");
    }
    body.join()
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
}

pub(crate) fn count(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("tests ask for at least one")
}

pub(crate) fn builder<I, O>(worker: Worker<I, O>, workers: usize) -> PoolBuilder<I, O> {
    worker
        .pool_builder()
        .program(Program::at(PROGRAM))
        .workers(count(workers))
        .retries(1)
}

pub(crate) fn pool<I, O>(worker: Worker<I, O>, workers: usize) -> ProcessPool<I, O> {
    builder(worker, workers).start().expect("the pool starts")
}

/// What is left when a pool has been used: it works, and its ledger balances.
pub(crate) fn check_at_rest(pool: &ProcessPool<Chore, u32>) -> Ledger {
    let pid = pool
        .submit(Chore::Return)
        .wait()
        .expect("a good task is done");
    assert!(pool.worker_ids().contains(&pid));
    let ledger = pool.ledger();
    assert!(ledger.balances(), "{ledger:?}");
    ledger
}

pub(crate) fn is_gone(pid: u32) -> bool {
    signal::kill(Pid::from_raw(pid.cast_signed()), None) == Err(Errno::ESRCH)
}

/// Where a task says that it runs, and waits to be let go.
pub(crate) struct MeetingPoint {
    listener: UnixListener,
    _dir: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

/// A task in the middle of its run; goes on when this is dropped.
pub(crate) struct Met {
    pub(crate) pid: u32,
    pub(crate) stream: UnixStream,
}

impl MeetingPoint {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a place for a socket");
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).expect("a socket");
        Self {
            listener,
            _dir: dir,
            path,
        }
    }

    pub(crate) fn chore(&self) -> Chore {
        Chore::Meet(self.path.clone())
    }

    pub(crate) fn meet(&self) -> Met {
        let (mut stream, _) = self.listener.accept().expect("a task comes");
        let mut pid = [0; 4];
        stream.read_exact(&mut pid).expect("it says who it is");
        Met {
            pid: u32::from_le_bytes(pid),
            stream,
        }
    }
}

impl Met {
    pub(crate) fn kill(&self) {
        let pid = Pid::from_raw(self.pid.cast_signed());
        signal::kill(pid, Signal::SIGKILL).expect("it runs");
    }
}

/// Waits until a worker is dead and its pool has reaped it.
pub(crate) fn wait_until_dead(pid: Pid) {
    while signal::kill(pid, None).is_ok() {
        thread::yield_now();
    }
}

/// The letter of a process's state in `/proc`, if it has not been reaped.
pub(crate) fn state_of(pid: u32) -> Option<u8> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in brackets, may have spaces.
    let (_, state) = stat.rsplit_once(") ")?;
    state.bytes().next()
}
