//! Who makes the requests: copies of this program, and programs in other languages.

use super::far_end;
use anyhow::{Context, anyhow};
use side_by_side::{Program, Python, Setting, Side};
use std::{
    env::{self, consts::EXE_SUFFIX},
    path::Path,
    process::Command,
    rc::Rc,
};
use web::Url;

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

/// A thread for each request: lessons stop here.
const MOST_THREADS: u64 = 1_000;

/// Starts a program that asks this URL; `Err` holds the name of what it misses.
type Start = Box<dyn Fn(&str) -> anyhow::Result<Result<Program, String>>>;

/// A program that makes as many requests at once as it is told.
pub(super) struct Client {
    pub(super) name: String,
    pub(super) side: Side,
    most: u64,
    start: Start,
}

impl Client {
    pub(super) fn sockets() -> Self {
        Self::of_this_program("sockets", Side::Floor, "sockets")
    }

    fn of_this_program(name: &str, side: Side, way: &str) -> Self {
        let way = format!("{}{way}", far_end::ARGUMENT);
        let start = move |url: &str| {
            let program = env::current_exe().context("this program has no name")?;
            Program::start(Command::new(program).args([&way, url]))
        };
        Self::new(name, side, start)
    }

    fn new(
        name: impl Into<String>,
        side: Side,
        start: impl Fn(&str) -> anyhow::Result<Result<Program, String>> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            side,
            most: u64::MAX,
            start: Box::new(start),
        }
    }

    pub(super) fn holds(&self, place: u64) -> bool {
        place <= self.most
    }

    /// Starts it anew: its memory is to tell of one turn.
    pub(super) fn start(&self, url: &Url) -> anyhow::Result<Program> {
        let started = (self.start)(url.as_str())?;
        started.map_err(|missing| anyhow!("`{missing}` is not installed"))
    }
}

/// All that are there, and notes on those that are not.
pub(super) fn all(setting: &Setting, url: &Url) -> anyhow::Result<(Vec<Rc<Client>>, Vec<String>)> {
    let mut threads = Client::of_this_program("threads", Side::Ours, "threads");
    threads.most = MOST_THREADS;
    let mut clients = vec![
        Client::sockets(),
        Client::of_this_program("tasks", Side::Ours, "tasks"),
        threads,
        Client::of_this_program("hyper", Side::Peer, "hyper"),
    ];
    let mut notes = Vec::new();
    let peers = [node(), go()?].into_iter();
    for peer in peers.chain(setting.pythons.iter().map(|one| Ok(aiohttp(one)))) {
        let ready = peer.and_then(|peer| match (peer.start)(url.as_str()) {
            Ok(Err(missing)) => Err(format!("{}; `{missing}` is not installed", peer.name)),
            // What cannot be started is a row that fails.
            Ok(Ok(_)) | Err(_) => Ok(peer),
        });
        match ready {
            Ok(peer) => clients.push(peer),
            Err(why) => notes.push(format!("left out: {why}")),
        }
    }
    Ok((clients.into_iter().map(Rc::new).collect(), notes))
}

fn aiohttp(python: &Python) -> Client {
    let (name, python) = (python.name("aiohttp"), python.clone());
    Client::new(name, Side::Peer, move |url| {
        Program::start(&mut python.command("in_flight.py", &[url]))
    })
}

fn node() -> Result<Client, String> {
    let version = said(Command::new("node").arg("--version"));
    let version = version.ok_or("Node; there is no `node` on the PATH")?;
    let major = version.trim_start_matches('v').split('.').next();
    let name = format!("Node {}", major.unwrap_or("?"));
    Ok(Client::new(name, Side::Peer, |url| {
        let script = Path::new(PEERS).join("in_flight.mjs");
        Program::start(Command::new("node").arg(script).arg(url))
    }))
}

/// Compiled here, once: `go run` would be a process more.
fn go() -> anyhow::Result<Result<Client, String>> {
    let Some(version) = said(Command::new("go").args(["env", "GOVERSION"])) else {
        return Ok(Err("Go; there is no `go` on the PATH".into()));
    };
    let version: Vec<&str> = version
        .trim_start_matches("go")
        .split('.')
        .take(2)
        .collect();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let program = folder.path().join(format!("in_flight{EXE_SUFFIX}"));
    let source = Path::new(PEERS).join("in_flight.go");
    let built = Command::new("go")
        .args(["build", "-o"])
        .args([&program, &source])
        .output()?;
    if !built.status.success() {
        let words = String::from_utf8_lossy(&built.stderr);
        return Ok(Err(format!(
            "Go, because it does not build: {}",
            words.trim()
        )));
    }
    let name = format!("Go {}", version.join("."));
    Ok(Ok(Client::new(name, Side::Peer, move |url| {
        // The program lasts as long as its folder.
        let _folder = &folder;
        Program::start(Command::new(&program).arg(url))
    })))
}

/// What a program prints; nothing if it is not there.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|out| out.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
