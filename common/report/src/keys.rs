//! The keys of a reader for whom a run waits: nothing echoes, and what was typed ahead does not count.

#[cfg(unix)]
use rustix::termios::{self, LocalModes, OptionalActions, QueueSelector, Termios};
use std::{
    io::{self, IsTerminal},
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A keyboard that is read key by key, until it is dropped.
#[derive(Debug)]
pub(crate) struct Keys {
    #[cfg(unix)]
    before: Option<Termios>,
    asked: Mutex<Asked>,
}

/// What a reader has in view who is asked for a key.
#[derive(Debug, Default)]
struct Asked {
    shown: String,
    prompt: Option<String>,
    /// Whether the keyboard is its owner's for now.
    is_released: bool,
}

impl Keys {
    pub(crate) fn take() -> Arc<Self> {
        let keys = Arc::new(Self {
            #[cfg(unix)]
            before: silence(),
            asked: Mutex::default(),
        });
        #[cfg(unix)]
        if keys.before.is_some() {
            keys.watch_stops();
        }
        keys
    }

    /// Gives the keyboard back on Ctrl-Z, takes it again on `fg`, and shows again what the reader had in view.
    #[cfg(unix)]
    fn watch_stops(self: &Arc<Self>) {
        use signal_hook::{consts, iterator::Signals, low_level};
        let Ok(mut signals) = Signals::new([consts::SIGTSTP]) else {
            return;
        };
        let keys = Arc::downgrade(self);
        std::thread::spawn(move || {
            for _ in signals.forever() {
                keys.upgrade().inspect(|keys| keys.restore());
                // Here it stops until it is continued; what cannot be stopped goes on.
                let _ = low_level::raise(consts::SIGSTOP);
                keys.upgrade().inspect(|keys| keys.show_again());
            }
        });
    }

    #[cfg(unix)]
    fn show_again(&self) {
        use io::Write;
        let asked = self.asked();
        if !asked.is_released {
            silence();
        }
        if let Some(prompt) = &asked.prompt {
            // Where nothing takes it, there is no reader.
            let mut out = io::stdout();
            let _ = write!(out, "\n{}{prompt}", asked.shown).and_then(|()| out.flush());
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is shown until the next answer.
    pub(crate) fn keep(&self, shown: &str) {
        self.asked().shown.push_str(shown);
    }

    /// The key or line that `entered` waits for, below a prompt; what was typed so far is forgotten.
    pub(crate) fn wait<T>(&self, prompt: &str, entered: impl FnOnce(&Self) -> T) -> T {
        #[cfg(unix)]
        if is_terminal() {
            // Keys that cannot be forgotten are read.
            let _ = termios::tcflush(io::stdin(), QueueSelector::IFlush);
        }
        self.asked().prompt = Some(prompt.to_owned());
        let answer = entered(self);
        let mut asked = self.asked();
        asked.prompt = None;
        asked.shown.clear();
        answer
    }

    /// The next key; of input that is no terminal the first of a line. `None` at its end.
    pub(crate) fn next(&self) -> Option<char> {
        let first = read_byte()?;
        if !is_terminal() && first != b'\n' {
            rest_of_line().for_each(drop);
        }
        let key = char::from(first).to_ascii_lowercase();
        Some(if key == '\r' { '\n' } else { key })
    }

    /// The next line, which its writer sees and can correct; empty at the end of the input.
    pub(crate) fn line(&self) -> String {
        self.release();
        let line = rest_of_line().map(char::from).collect();
        #[cfg(unix)]
        silence();
        self.asked().is_released = false;
        if !is_terminal() {
            eprintln!();
        }
        line
    }

    /// Gives the keyboard back as it was, also from another thread than the one that reads it.
    pub(crate) fn release(&self) {
        self.asked().is_released = true;
        self.restore();
    }

    fn restore(&self) {
        #[cfg(unix)]
        if let Some(before) = &self.before {
            // A terminal that has gone needs nothing back.
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.release();
    }
}

/// Whether keys come one by one.
fn is_terminal() -> bool {
    cfg!(unix) && io::stdin().is_terminal()
}

/// What is still to be read of a line; a number is asked for, so bytes are characters.
fn rest_of_line() -> impl Iterator<Item = u8> {
    iter::from_fn(read_byte).take_while(|byte| *byte != b'\n')
}

/// Turns echo and lines off; Ctrl-C keeps its meaning.
#[cfg(unix)]
fn silence() -> Option<Termios> {
    let before = termios::tcgetattr(io::stdin()).ok()?;
    let mut silent = before.clone();
    silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON;
    termios::tcsetattr(io::stdin(), OptionalActions::Now, &silent).ok()?;
    Some(before)
}

/// Past the buffer of `Stdin`, which would keep what is flushed.
#[cfg(unix)]
fn read_byte() -> Option<u8> {
    let mut byte = [0];
    match rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut byte)) {
        Ok(1) => Some(byte[0]),
        _ => None,
    }
}

#[cfg(not(unix))]
fn read_byte() -> Option<u8> {
    use io::Read;
    io::stdin().lock().bytes().next()?.ok()
}
