//! How a worker process is started.

use crate::{
    builder::Settings,
    child::{Child, Line},
    remote::Worker,
};
use std::{io, time::Instant};

/// Starts a worker process; it is ready when its first message comes.
pub(super) fn start(settings: &Settings, slot: usize) -> io::Result<Worker> {
    let spawned = Instant::now();
    let (child, offer) = Child::spawn(&settings.program, &settings.role(), |command| {
        command.envs(settings.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &settings.current_dir {
            command.current_dir(folder);
        }
    })?;
    for limit in &settings.limits {
        limit.apply(child.id())?;
    }
    let line = Line::new(offer, child.id())?;
    Ok(Worker::new(slot, child, line, spawned))
}

/// Whether there was too little of something, of which there may be more soon.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use nix::errno::Errno;
        let shortages = [Errno::EMFILE, Errno::ENFILE, Errno::EAGAIN, Errno::ENOMEM];
        let code = error.raw_os_error();
        code.is_some_and(|code| shortages.contains(&Errno::from_raw(code)))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::OutOfMemory
    }
}
