//! Runs the lab's server alone, in the foreground, until Ctrl-C.

use clap::{ArgGroup, Parser};
use common::cli;
use measure::inherited::on_interrupt;
use std::{
    io::{self, Write},
    num::NonZeroU32,
    path::PathBuf,
    process::ExitCode,
    sync::mpsc,
};
use web::{FaultKind, Faults, SERVER, Server, ServerConfig, server::PATHS};

/// The lab's httpbin-compatible server, on 127.0.0.1 only.
///
/// Point any step of the lab, or your own client, at the address it prints, and ask for its own
/// count of what it saw at /witness.
#[derive(Parser, Debug)]
#[command(name = "lab-server", version, after_help = PATHS)]
#[command(group = ArgGroup::new("how").args(["fault_kinds", "fault_status", "fault_path", "retry_after"])
    .multiple(true).requires("fault_every"))]
struct Args {
    /// Listen at this port; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value = "8080", value_parser = cli::within(0..=u16::MAX))]
    port: u16,

    /// Let one request in K fail, so that a client can show how it copes
    ///
    /// The seed, the path with its query, and how often it was asked for before decide which.
    #[arg(long, value_name = "K")]
    fault_every: Option<NonZeroU32>,

    /// The ways to fail; the seed chooses among these
    ///
    /// server-error: --fault-status. too-many-requests: 429, with --retry-after. stall: the head of an
    /// answer, and then nothing. cut: half of the body. reset: a TCP reset instead of an answer.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = str::parse::<FaultKind>,
          default_value = "server-error,too-many-requests,stall,cut,reset")]
    fault_kinds: Vec<FaultKind>,

    /// The status of a server error, 500 to 599
    #[arg(long, value_name = "CODE", default_value = "500", value_parser = cli::within::<u16>(500..=599))]
    fault_status: u16,

    /// Let only requests fail whose path begins so
    #[arg(long, value_name = "PATH", default_value = "/")]
    fault_path: String,

    /// What each 429 asks for in Retry-After, in whole seconds, 0 to 4294967295
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = cli::within(0..=u32::MAX))]
    retry_after: u32,

    /// Decides which requests fail and what the pages hold
    #[arg(long, value_name = "N", default_value = "1", value_parser = cli::within(0..=u64::MAX))]
    seed: u64,

    /// Show this directory at /files/
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

fn main() -> ExitCode {
    cli::enter(&[&SERVER]);
    match cli::parse_alone::<Args>().map(serve) {
        Ok(served) => served.map_or_else(|error| cli::failed(&error), |()| ExitCode::SUCCESS),
        Err(code) => code,
    }
}

fn serve(args: Args) -> anyhow::Result<()> {
    // Before the first word: whoever reads the address may send the signal at once.
    let (tx, ended) = mpsc::channel();
    // The second signal finds the receiver gone.
    on_interrupt(move |_| tx.send(()).unwrap_or_default())?;
    let faults = args.fault_every.map(|every| Faults {
        every,
        seed: args.seed,
        kinds: args.fault_kinds,
        retry_after_s: args.retry_after,
        status: args.fault_status,
        path: args.fault_path,
    });
    let config = ServerConfig {
        seed: args.seed,
        faults,
        files: args.files,
    };
    let server = Server::in_process(args.port, config)?;
    // Nobody may be reading; the server serves all the same.
    let mut out = io::stdout();
    let _ = writeln!(out, "listening on {}", server.base_url()).and_then(|()| out.flush());
    ended.recv()?;
    Ok(())
}
