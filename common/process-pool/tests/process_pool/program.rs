//! The worker program of the process pool's tests.
//!
//! As a program of its own it starts pools:
//! - `pool-worker meet SOCKET` has two workers meet at a socket; with `POOL_WORKER_FORGETS` set it forgets
//!   that it may be a worker, as a first draft may;
//! - `pool-worker idle N` says when N workers are ready, and does nothing;
//! - `pool-worker queue SOCKET N` queues N tasks behind two that meet, and says when these may end;
//! - `pool-worker map` maps a list of numbers to their squares;
//! - `pool-worker shortage` loses one of four workers while there are no descriptors;
//! - `pool-worker threads` starts a pool while there is no memory for a thread, and one after that;
//! - `pool-worker panic HOW` runs a task whose panic ends its worker;
//! - `pool-worker end N` ends N pools while their workers are being replaced, and looks for what is left.

#[cfg(unix)]
#[expect(dead_code, reason = "the tests use the rest")]
#[path = "functions.rs"]
mod functions;

#[cfg(unix)]
use functions::Chore;
#[cfg(unix)]
use nix::{
    errno::Errno,
    sys::{
        signal::{self, Signal},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};
#[cfg(unix)]
use process_pool::{
    PoolError, ProcessPool, TaskError,
    child::{self, Link, Role},
};
#[cfg(unix)]
use std::{error::Error, num::NonZeroUsize, process::ExitCode, thread, time::Duration};

#[cfg(unix)]
type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[cfg(unix)]
const ROLES: [&dyn Role; 23] = [
    &functions::SQUARE,
    &functions::GRIND,
    &functions::CHORE,
    &functions::PICKY,
    &functions::SECRETIVE,
    &functions::CONFIDING,
    &functions::ECHO,
    &functions::FORGED,
    &functions::TOUCHY,
    &functions::FORKING,
    &functions::LOG,
    &functions::TWIN,
    &functions::WHERE,
    &functions::OTHER_TWIN,
    &functions::NESTED,
    &functions::ADD,
    &functions::LOAD,
    &functions::HOG,
    &functions::INFLATE,
    &functions::DEFLATE,
    &Doomed,
    &Impostor("mute"),
    &Impostor("stillborn"),
];

#[cfg(unix)]
fn main() -> ExitCode {
    let forgets = std::env::var_os("POOL_WORKER_FORGETS").is_some();
    if !forgets {
        child::enter(&ROLES);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words[..] {
        ["meet", socket] => meet(socket),
        ["idle", workers] => idle(workers),
        ["queue", socket, tasks] => queue(socket, tasks),
        ["end", pools] => end(pools),
        ["map"] => map(),
        ["shortage"] => shortage(),
        ["panic", how] => panic(how),
        #[cfg(target_os = "linux")]
        ["threads"] => threads(),
        // What a copy without its role comes to.
        _ => meet(""),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn pool(workers: usize) -> Result<ProcessPool<Chore, u32>> {
    let workers = NonZeroUsize::new(workers).ok_or("no workers")?;
    Ok(functions::CHORE.pool_builder().workers(workers).start()?)
}

#[cfg(unix)]
fn meet(socket: &str) -> Result<()> {
    println!("{:?}", pool(2)?.map(vec![Chore::Meet(socket.into()); 2]));
    Ok(())
}

#[cfg(unix)]
fn idle(workers: &str) -> Result<()> {
    let _pool = pool(workers.parse()?)?;
    println!("ready");
    loop {
        thread::park();
    }
}

#[cfg(unix)]
fn queue(socket: &str, tasks: &str) -> Result<()> {
    let pool = pool(2)?;
    let tasks: usize = tasks.parse()?;
    let meetings = [0, 1].map(|_| pool.submit(Chore::Meet(socket.into())));
    let waiting: Vec<_> = (0..tasks).map(|_| pool.submit(Chore::Return)).collect();
    println!("queued");
    for task in meetings.into_iter().chain(waiting) {
        task.wait()?;
    }
    let ledger = pool.shutdown(None);
    if ledger.done != tasks as u64 + 2 {
        return Err(format!("{ledger:?}").into());
    }
    Ok(())
}

#[cfg(unix)]
fn map() -> Result<()> {
    let one = functions::SQUARE.pool_builder().workers(NonZeroUsize::MIN);
    let pool = one.start()?;
    let squares: std::result::Result<Vec<_>, _> = pool.map(0..100).into_iter().collect();
    let expected: Vec<_> = (0..100).map(functions::square).collect();
    if squares? != expected {
        return Err("a wrong square".into());
    }
    Ok(())
}

#[cfg(unix)]
fn shortage() -> Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let pool = pool(4)?;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let open = std::fs::read_dir("/proc/self/fd")?.count() as u64;
    setrlimit(Resource::RLIMIT_NOFILE, open, hard)?;
    let outcome = pool.call(Chore::Die);
    // Several attempts to replace it fail meanwhile.
    thread::sleep(Duration::from_millis(60));
    for outcome in pool.map(vec![Chore::Return; 20]) {
        outcome?;
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
    while pool.worker_ids().len() < 4 {
        thread::yield_now();
    }
    match (outcome, pool.shutdown(None).workers_lost) {
        (Err(TaskError::WorkerLost { attempts: 1, .. }), 1) => Ok(()),
        (outcome, lost) => Err(format!("{outcome:?}, {lost} lost").into()),
    }
}

#[cfg(target_os = "linux")]
fn threads() -> Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // A worker's thread needs 2 MiB for its stack.
    let (soft, hard) = getrlimit(Resource::RLIMIT_AS)?;
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split(' ').next().ok_or("no pages")?.parse()?;
    setrlimit(Resource::RLIMIT_AS, pages * 4096 + (1 << 20), hard)?;
    let refused = functions::CHORE
        .pool_builder()
        .workers(NonZeroUsize::MIN)
        .start();
    setrlimit(Resource::RLIMIT_AS, soft, hard)?;
    let Err(PoolError::Refused {
        is_shortage: true, ..
    }) = refused
    else {
        return Err(format!("{refused:?}").into());
    };
    pool(1)?.call(Chore::Return)?;
    Ok(())
}

#[cfg(unix)]
fn panic(how: &str) -> Result<()> {
    let outcome = pool(1)?.call(Chore::PanicBadly(how.into()));
    println!("{outcome:?}");
    Ok(())
}

#[cfg(unix)]
fn end(pools: &str) -> Result<()> {
    const WORKERS: NonZeroUsize = NonZeroUsize::new(3).expect("three is not zero");
    let before = holdings()?;
    for round in 0..pools.parse()? {
        // A task may meet every one of the workers while it dies.
        let builder = functions::CHORE.pool_builder().workers(WORKERS).retries(3);
        let pool = builder.start()?;
        for pid in pool.worker_ids().into_iter().take(1 + round % 3) {
            signal::kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL)?;
        }
        let mut tasks: Vec<_> = (0..10).map(|_| pool.submit(Chore::Return)).collect();
        // Ever more of them are over when the pool ends, so that it ends at ever other moments.
        for task in tasks.drain(..round % 10) {
            task.wait()?;
        }
        if round % 2 == 1 {
            drop(pool);
        } else if pool.shutdown(None).done != 10 {
            return Err(format!("round {round}: a task was not done").into());
        }
        for task in tasks {
            let outcome = task.wait();
            let is_answered = matches!(outcome, Ok(_) | Err(TaskError::Cancelled));
            if !is_answered {
                return Err(format!("round {round}: {outcome:?}").into());
            }
        }
        let left = waitpid(None, Some(WaitPidFlag::WNOHANG));
        if left != Err(Errno::ECHILD) {
            return Err(format!("round {round}: {left:?}").into());
        }
    }
    // A thread is gone a moment after it was joined.
    while holdings()? > before {
        thread::yield_now();
    }
    Ok(())
}

/// How many threads and descriptors this process has.
#[cfg(target_os = "linux")]
fn holdings() -> Result<(usize, usize)> {
    let count = |folder| Ok::<_, std::io::Error>(std::fs::read_dir(folder)?.count());
    Ok((count("/proc/self/task")?, count("/proc/self/fd")?))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn holdings() -> Result<(usize, usize)> {
    Ok((0, 0))
}

/// Serves chores, and exits at some moment around the first.
#[cfg(unix)]
struct Doomed;

#[cfg(unix)]
impl Role for Doomed {
    fn name(&self) -> &'static str {
        "doomed"
    }

    fn serve(&self, link: Link) -> u8 {
        thread::spawn(|| {
            thread::sleep(Duration::from_millis(5));
            std::process::exit(9);
        });
        functions::CHORE.serve(link)
    }
}

/// Stands in for a worker that goes wrong before its first message.
#[cfg(unix)]
struct Impostor(&'static str);

#[cfg(unix)]
impl Role for Impostor {
    fn name(&self) -> &'static str {
        self.0
    }

    fn serve(&self, mut link: Link) -> u8 {
        if self.0 == "mute" {
            let _ = (
                link.receive::<Option<String>>(None),
                link.receive::<u8>(None),
            );
        }
        7
    }
}

#[cfg(not(unix))]
fn main() {}
