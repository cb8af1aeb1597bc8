//! Asks the Rust toolchain where it is, and does not wait for ever.
//!
//! A worker process does the asking: it ends with this one however that ends, and takes what it
//! started along. So nothing is left behind by an answer that never comes.

use anyhow::{anyhow, bail};
use process_pool::{TaskError, Worker};
use std::{num::NonZeroUsize, path::PathBuf, process::Command, time::Duration};

/// The worker that asks.
pub(crate) const SYSROOT: Worker<(), Result<String, String>> = Worker::new("sysroot", ask);

/// How long `rustc` may take; `rustup` stands before it, and may have to look around.
const PATIENCE: Duration = Duration::from_secs(5);

fn ask((): ()) -> Result<String, String> {
    let answer = Command::new("rustc").args(["--print", "sysroot"]).output();
    let answer = answer.map_err(|error| format!("cannot run `rustc`: {error}"))?;
    if answer.status.success() {
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    } else {
        Err(format!("`rustc --print sysroot` failed: {}", answer.status))
    }
}

/// The folder of the HTML documentation of the toolchain in use.
pub(crate) fn documentation_folder() -> anyhow::Result<PathBuf> {
    let pool = SYSROOT.pool_builder().workers(NonZeroUsize::MIN).retries(0);
    let pool = pool.timeout(PATIENCE).start()?;
    let answer = match pool.call(()) {
        Ok(answer) => answer,
        Err(TaskError::TimedOut { limit, .. }) => Err(format!(
            "`rustc --print sysroot` gave no answer within {} s and was ended",
            limit.as_secs()
        )),
        Err(error) => Err(error.to_string()),
    };
    let sysroot =
        answer.map_err(|reason| anyhow!("{reason}; leave out --site to do without its pages"))?;
    let folder = PathBuf::from(sysroot).join("share/doc/rust/html");
    if folder.join("index.html").is_file() {
        return Ok(folder);
    }
    bail!(
        "no documentation in `{}`; install it with `rustup component add rust-docs`, or leave out --site",
        folder.display()
    )
}
