//! The child in which a deadlock may happen, and the parent that does not wait for it for ever.

use crate::{
    deadlock::{Scenario, THREADS},
    registry::{Deadlock, Registry},
};
use process_pool::child::{Child, Exit, Link, Program, Role, StartError};
use serde::{Deserialize, Serialize};
use std::{io, process::ExitCode, sync::Arc, thread, time::Duration};
use timeline::{Moment, START_UP, Span, Timeline};

const ROLE: &str = "watched";

/// How long the child has to end once its link is closed.
const LEAVING: Duration = Duration::from_secs(5);

/// What the child is to do.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    scenario: Scenario,
    watchdog: bool,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    Started(Moment),
    Refused(String),
    Finished,
    Deadlocked(Deadlock),
}

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All threads came to their end.
    Finished,
    /// The child's watchdog found a cycle.
    Deadlocked(Deadlock),
    /// The child said nothing for as long as the parent was patient.
    Silent,
}

/// A scenario's outcome, and how its process ended.
#[derive(Clone, Debug, Serialize)]
pub struct Ended {
    /// What came of it.
    pub outcome: Outcome,
    /// How the child ended; by a signal if the parent had to kill it.
    pub exit: Exit,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no child.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The child could not start its threads.
    #[error("the watched child cannot start its threads: {0}")]
    Refused(String),
    /// The child ended before it said anything.
    #[error("the watched child ended before its time with {0}")]
    Lost(Exit),
    /// The link to the child broke.
    #[error("the link to the watched child broke: {0}")]
    Link(#[from] io::Error),
}

/// The role of the child: it runs one scenario and ends when its link closes.
#[derive(Debug)]
pub struct Watched;

impl Role for Watched {
    fn name(&self) -> &str {
        ROLE
    }

    fn serve(&self, link: Link) -> ExitCode {
        let (mut sender, mut receiver) = link.split();
        let Ok(Some(Order { scenario, watchdog })) = receiver.receive() else {
            return ExitCode::SUCCESS;
        };
        // A parent that has gone is noticed below.
        let _ = sender.send(&Word::Started(Moment::now()));
        let registry = Arc::new(Registry::default());
        if let Err(error) = scenario.start(&registry) {
            let _ = sender.send(&Word::Refused(error.to_string()));
        } else {
            thread::spawn(move || {
                let deadlock = if watchdog {
                    registry.watch(THREADS)
                } else {
                    registry.wait_for_all(THREADS);
                    None
                };
                let _ = sender.send(&deadlock.map_or(Word::Finished, Word::Deadlocked));
            });
        }
        // Threads that are stuck stay so; the end of the process ends them.
        while let Ok(Some(())) = receiver.receive::<()>() {}
        ExitCode::SUCCESS
    }
}

/// Runs `scenario` in a child and waits for its word for at most `patience`, then kills it.
///
/// # Errors
/// The child does not start, or is gone before it says what came of it.
pub fn run_watched(
    scenario: Scenario,
    watchdog: bool,
    patience: Duration,
) -> Result<Ended, WatchError> {
    let asked = Moment::now();
    let (mut child, mut link) = Child::start(&Program::this(), ROLE)?;
    link.send(&Order { scenario, watchdog })?;
    let (sender, mut receiver) = link.split();
    let mut started = asked;
    let outcome = loop {
        let left = patience.saturating_sub(Moment::now() - asked);
        if left.is_zero() {
            break Outcome::Silent;
        }
        receiver.set_timeout(Some(left))?;
        match receiver.receive() {
            Ok(Some(Word::Started(at))) => started = at,
            Ok(Some(Word::Refused(why))) => return Err(WatchError::Refused(why)),
            Ok(Some(Word::Finished)) => break Outcome::Finished,
            Ok(Some(Word::Deadlocked(deadlock))) => break Outcome::Deadlocked(deadlock),
            Ok(None) => return Err(WatchError::Lost(child.wait_or_kill(LEAVING))),
            Err(error) if is_timeout(&error) => break Outcome::Silent,
            Err(error) => return Err(error.into()),
        }
    };
    record(child.id(), asked, started, outcome != Outcome::Finished);
    let exit = match outcome {
        Outcome::Silent => child.kill(),
        Outcome::Finished | Outcome::Deadlocked(_) => {
            // The child ends when its link does, stuck threads or not.
            drop(sender);
            child.wait_or_kill(LEAVING)
        }
    };
    Ok(Ended { outcome, exit })
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// Puts the child on the timeline: its start-up, and its stuck threads until it was heard.
fn record(pid: u32, asked: Moment, started: Moment, stuck: bool) {
    let span = |name, from, to| Span::watched(name, from, to, Duration::ZERO);
    let startup = Span {
        busy: started - asked,
        ..span(START_UP, asked, started)
    };
    let deadlock = Span {
        wait: Some("lock".into()),
        ..span("deadlock", started, Moment::now())
    };
    let name = format!("child {pid}");
    if let Some(timeline) = Timeline::current() {
        timeline.record_process(pid, &name, startup);
        if stuck {
            timeline.record_process(pid, &name, deadlock);
        }
    }
}
