//! Where the pages come from: the lab's server, the toolchain's documentation, or any site.

use crate::flags::PipelineArgs;
use anyhow::{Context, ensure};
use common::{Counts, Observer};
use lab_10_hybrid_pipeline::Start;
use process_pool::child::Program;
use serde::Serialize;
use std::{num::NonZeroUsize, path::PathBuf, process::Command, time::Duration};
use web::{Server, ServerConfig};

const GENERATED_PAGES: NonZeroUsize = NonZeroUsize::new(48).expect("48 is not zero");
const DOCUMENTATION_PAGES: NonZeroUsize = NonZeroUsize::new(500).expect("500 is not zero");

/// The sites that need no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SiteName {
    /// Pages made up by the lab's server
    Generated,
    /// The documentation that comes with this Rust toolchain
    RustDocs,
}

/// What to crawl and, if it is the lab's own, the server behind it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) start: Start,
    server: Option<Server>,
    /// How long each answer takes at least, if that is known.
    pub(crate) each: Option<Duration>,
}

impl Observer for Source {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.server.as_ref().map_or(Ok(()), Server::begin_run)?)
    }

    fn counts(&self) -> anyhow::Result<Option<Counts>> {
        let witness = self.server.as_ref().map(Server::witness).transpose()?;
        Ok(witness.map(|witness| Counts {
            peak_in_flight: witness.peak_in_flight,
            connections: witness.connections,
        }))
    }
}

impl Source {
    /// Finds the pages that `args` ask for; starts the server if they are the lab's.
    pub(crate) fn open(args: &PipelineArgs, seed: u64) -> anyhow::Result<Self> {
        if let Some(named) = NonZeroUsize::new(args.url.len()) {
            return Ok(Self {
                start: Start {
                    urls: args.url.clone(),
                    pages: args.pages.unwrap_or(named),
                    reading: args.parser,
                },
                server: None,
                each: None,
            });
        }
        match args.site {
            SiteName::Generated => Self::generated(args, seed),
            SiteName::RustDocs => Self::documentation(args, seed),
        }
    }

    /// Whether the server counts the requests.
    pub(crate) fn is_counted(&self) -> bool {
        self.server.is_some()
    }

    fn generated(args: &PipelineArgs, seed: u64) -> anyhow::Result<Self> {
        let pages = args.pages.unwrap_or(GENERATED_PAGES);
        let server = serve(seed, None)?;
        let query = format!(
            "size={}&count={pages}&delay={}",
            args.size,
            args.delay.as_secs_f64()
        );
        let urls = (0..pages.get()).map(|n| server.url(&format!("page/{n}?{query}")));
        Ok(Self {
            start: Start {
                urls: urls.collect(),
                pages,
                reading: args.parser,
            },
            server: Some(server),
            each: Some(args.delay),
        })
    }

    fn documentation(args: &PipelineArgs, seed: u64) -> anyhow::Result<Self> {
        let server = serve(seed, Some(documentation_folder()?))?;
        Ok(Self {
            start: Start {
                urls: vec![server.url("files/index.html")],
                pages: args.pages.unwrap_or(DOCUMENTATION_PAGES),
                reading: args.parser,
            },
            server: Some(server),
            each: None,
        })
    }
}

fn serve(seed: u64, files: Option<PathBuf>) -> anyhow::Result<Server> {
    let config = ServerConfig {
        seed,
        files,
        ..ServerConfig::default()
    };
    Ok(Server::with(&Program::this(), config)?)
}

/// The folder of the HTML documentation of the toolchain in use.
fn documentation_folder() -> anyhow::Result<PathBuf> {
    let answer = Command::new("rustc").args(["--print", "sysroot"]).output();
    let answer = answer.context("cannot run `rustc`; leave out --site to do without its pages")?;
    let sysroot = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let folder = PathBuf::from(sysroot).join("share/doc/rust/html");
    ensure!(
        folder.join("index.html").is_file(),
        "no documentation in `{}`; install it with `rustup component add rust-docs`, or leave out --site",
        folder.display()
    );
    Ok(folder)
}
