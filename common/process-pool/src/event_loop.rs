//! The pool's one thread: it waits for all workers, starts, hears, ends and buries them.

use crate::{
    TaskError, WorkerStartError,
    builder::Settings,
    child::{
        Child, StartError,
        ends::{self, Ends, Incoming, Seen, Watch, Watched},
    },
    job::{Effects, Output},
    oneshot::lock,
    shared::Shared,
    state::{Ending, State, Worker},
    wire::Report,
};
use std::{
    io, mem,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// A turn takes at most so many reads of a worker: others have their turn, too.
const READS_A_TURN: usize = 64;
/// Where the system does not report the end of a process, busy workers are looked at so often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Serves the pool until it has ended.
pub(crate) fn run(shared: &Shared) {
    let _guard = PanicGuard(shared);
    let workers = shared.settings.workers.get();
    let mut hearing: Vec<Incoming> = Vec::new();
    hearing.resize_with(workers, Incoming::default);
    while let Some((places, watched, limit)) = prepare(shared, &mut hearing) {
        let seen = ends::wait(&shared.waker, &watched, limit);
        lock(&shared.state).sleeps_until = None;
        let mut heard = Vec::new();
        for ((slot, seen), watched) in places.into_iter().zip(seen).zip(&watched) {
            heard.push(hear(slot, seen, watched, &mut hearing[slot]));
        }
        let mut effects = Effects::default();
        let mut state = lock(&shared.state);
        for heard in heard {
            heard.settle(&mut state, shared, &mut effects);
        }
        drop(state);
        drop(effects);
    }
}

/// Starts what is due and looks what to wait for; `None` when the pool has ended.
fn prepare(
    shared: &Shared,
    hearing: &mut [Incoming],
) -> Option<(Vec<usize>, Vec<Watched>, Option<Duration>)> {
    let due = lock(&shared.state).due_starts(Instant::now());
    for slot in due {
        let started = start(&shared.settings);
        let mut effects = Effects::default();
        let mut state = lock(&shared.state);
        match started {
            Ok(worker) => {
                hearing[slot] = Incoming::default();
                state.install(slot, worker);
            }
            Err(reason) => state.fail_start(slot, reason, &mut effects),
        }
        drop(state);
    }
    let mut effects = Effects::default();
    let mut state = lock(&shared.state);
    let now = Instant::now();
    let mut next = state.tick(now, &mut effects);
    if state.is_over() {
        state.has_ended = true;
        effects.wakes.extend(mem::take(&mut state.waiting_for_end));
        drop(state);
        return None;
    }
    let mut places = Vec::new();
    let mut watched = Vec::new();
    for (slot, worker) in state.slots.iter().enumerate() {
        let Some(worker) = &worker.worker else {
            continue;
        };
        if !worker.watch.wakes() {
            let look = now + LOOK_EVERY;
            next = Some(next.map_or(look, |next| next.min(look)));
        }
        places.push(slot);
        watched.push(Watched {
            ends: worker.ends.clone().filter(|_| !worker.is_mute),
            watch: Arc::clone(&worker.watch),
            wants_room: worker.wants_room(),
        });
    }
    // Far away is never.
    state.sleeps_until = Some(next.unwrap_or(now + Duration::from_secs(1 << 30)));
    if mem::take(&mut state.wants_look) {
        next = Some(now);
    }
    Some((places, watched, next.map(|next| next - now)))
}

/// Starts a worker process; it is ready when its first message comes.
fn start(settings: &Settings) -> Result<Worker, WorkerStartError> {
    let spawned = Instant::now();
    let prepare = |command: &mut Command| {
        command.envs(settings.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &settings.current_dir {
            command.current_dir(folder);
        }
    };
    let started = Child::start_with(&settings.program, settings.role, prepare, |child, offer| {
        Ok((Ends::new(offer)?, Watch::new(child.id())?))
    });
    let (child, (ends, watch)) = started.map_err(|error| refused(&error))?;
    Ok(Worker::new(child, ends, watch, spawned))
}

fn refused(error: &StartError) -> WorkerStartError {
    let is_shortage = matches!(error, StartError::Spawn { source, .. } if is_shortage(source));
    WorkerStartError::Refused {
        message: error.to_string(),
        is_shortage,
    }
}

/// Whether there was too little of something, of which there may be more soon.
fn is_shortage(error: &io::Error) -> bool {
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

/// What came from a worker in one turn.
struct Heard {
    slot: usize,
    messages: Vec<(Report, Vec<u8>, usize)>,
    makes_sense: bool,
    is_at_end: bool,
    is_dead: bool,
    has_room: bool,
}

/// Reads what a worker has to say; all of it, if it has ended.
fn hear(slot: usize, seen: Seen, watched: &Watched, incoming: &mut Incoming) -> Heard {
    let mut heard = Heard {
        slot,
        messages: Vec::new(),
        makes_sense: true,
        is_at_end: false,
        is_dead: seen.end || !watched.watch.wakes(),
        has_room: seen.room,
    };
    let Some(ends) = watched.ends.as_ref().filter(|_| seen.answers || seen.end) else {
        return heard;
    };
    let mut reads = 0;
    while heard.makes_sense && (seen.end || reads < READS_A_TURN) {
        reads += 1;
        let read = incoming.read(ends);
        heard.makes_sense = heard.take_messages(incoming).is_ok();
        match read {
            Ok(Some(true)) => {}
            Ok(Some(false)) => break,
            Ok(None) | Err(_) => {
                heard.is_at_end = true;
                break;
            }
        }
    }
    heard
}

impl Heard {
    fn take_messages(&mut self, incoming: &mut Incoming) -> io::Result<()> {
        while let Some((message, from)) = incoming.next()? {
            let parsed = postcard::take_from_bytes::<Report>(&message[from..]);
            let (report, rest) = parsed.map_err(|_| io::ErrorKind::InvalidData)?;
            let from = message.len() - rest.len();
            self.messages.push((report, message, from));
        }
        Ok(())
    }

    fn settle(self, state: &mut State, shared: &Shared, effects: &mut Effects) {
        let slot = self.slot;
        let mut makes_sense = self.makes_sense;
        for (report, message, from) in self.messages {
            makes_sense =
                makes_sense && settle(state, shared, slot, report, (message, from), effects);
        }
        let now = Instant::now();
        let Some(worker) = state.slots[slot].worker.as_mut() else {
            return;
        };
        if !makes_sense && !worker.is_ending() {
            let ending = if worker.is_ready {
                Ending::Lost
            } else {
                Ending::NotUnderstood
            };
            worker.kill(ending, now);
            // Nothing that it says from now on counts.
            worker.is_mute = true;
        }
        if self.has_room {
            worker.send_more();
        }
        if self.is_at_end {
            worker.fall_silent(now);
        }
        if self.is_dead
            && let Some(exit) = worker.child.try_wait()
        {
            state.bury(slot, exit, effects);
        } else {
            state.dispatch(effects);
        }
    }
}

/// Settles one message of a worker; whether it makes sense.
fn settle(
    state: &mut State,
    shared: &Shared,
    slot: usize,
    report: Report,
    (message, from): (Vec<u8>, usize),
    effects: &mut Effects,
) -> bool {
    let Some(worker) = state.slots[slot].worker.as_mut() else {
        return false;
    };
    if worker.is_mute {
        return false;
    }
    let recorder = shared.settings.recorder.as_ref();
    match report {
        Report::Hello { types, start } if !worker.is_ready => {
            let took = worker.since_spawned();
            if types != shared.settings.types {
                worker.kill(Ending::Dismissed, Instant::now());
                let ours = shared.settings.types.clone();
                let reason = WorkerStartError::OtherTypes {
                    theirs: types,
                    ours,
                };
                state.give_up(reason, effects);
                return true;
            }
            if let Some(recorder) = recorder {
                recorder.started(worker.pid, slot, took, &start);
            }
            state.greet(slot, took);
            true
        }
        Report::Done {
            id,
            tasks,
            failed,
            notes,
        } => {
            // Before the result is out: whoever has it may ask at once what it took.
            if let Some((recorder, notes)) = recorder.zip(notes) {
                recorder.done(worker.pid, slot, id, *notes);
            }
            let output = Output {
                message,
                from,
                tasks,
            };
            state.answer(slot, (id, failed), output, effects)
        }
        Report::Hello { .. } => false,
    }
}

/// Without its thread a pool serves nobody: it says so instead of letting everybody wait.
struct PanicGuard<'a>(&'a Shared);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let mut effects = Effects::default();
        let mut state = lock(&self.0.state);
        state.give_up(WorkerStartError::ThreadLost, &mut effects);
        state.abandon(&mut effects);
        state.has_ended = true;
        effects.wakes.extend(mem::take(&mut state.waiting_for_end));
        drop(state);
    }
}

/// The error of a task whose pool has lost its thread.
pub(crate) fn lost() -> TaskError {
    TaskError::PoolBroken {
        source: Arc::new(WorkerStartError::ThreadLost),
    }
}
