//! The floor: a copy of this program behind two pipes, and nothing between them but the numbers.

use super::{
    far_end::{ARGUMENT, NUMBER_BYTES, WINDOW, read_numbers},
    tasks::{self, PAYLOAD_BYTES},
};
use ::process_pool::child::Guest;
use anyhow::{Context, ensure};
use std::{
    env,
    io::{self, Read, Write},
    process::{ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// The near end.
pub(super) struct Pipe {
    _process: Guest,
    input: ChildStdin,
    output: ChildStdout,
}

impl Pipe {
    fn start(what: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let command = command.arg(format!("{ARGUMENT}{what}"));
        let mut process = Guest::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))
            .context("cannot start the far end of a pipe")?;
        let input = process.child.stdin.take().context("it is piped")?;
        let output = process.child.stdout.take().context("it is piped")?;
        Ok(Self {
            _process: process,
            input,
            output,
        })
    }

    /// One that naps.
    pub(super) fn napping() -> anyhow::Result<Self> {
        Self::start("naps")
    }

    pub(super) fn send(&mut self, number: u64) -> io::Result<()> {
        self.input.write_all(&number.to_le_bytes())
    }

    pub(super) fn receive(&mut self) -> io::Result<u64> {
        let mut number = [0; NUMBER_BYTES];
        self.output.read_exact(&mut number)?;
        Ok(u64::from_le_bytes(number))
    }

    /// Keeps `window` numbers in flight, each written and read alone.
    fn ahead(&mut self, window: u64, count: u64) -> anyhow::Result<Duration> {
        let mut answers = Vec::with_capacity(usize::try_from(count)?);
        let start = Instant::now();
        for n in 0..count {
            if n >= window {
                answers.push(self.receive()?);
            }
            self.send(n)?;
        }
        for _ in 0..window.min(count) {
            answers.push(self.receive()?);
        }
        let took = start.elapsed();
        tasks::check_squares(&answers)?;
        Ok(took)
    }

    /// Keeps 64 numbers in flight; each read takes what is there, and each write fills up.
    fn in_batches(&mut self, count: u64) -> anyhow::Result<Duration> {
        let inputs = tasks::inputs(count);
        let mut answers = Vec::with_capacity(inputs.len());
        let mut bytes = [0; WINDOW * NUMBER_BYTES];
        let mut sent = 0;
        let start = Instant::now();
        while answers.len() < inputs.len() {
            let room = WINDOW - (sent - answers.len());
            let batch = &inputs[sent..inputs.len().min(sent + room)];
            let places = bytes.as_chunks_mut::<NUMBER_BYTES>().0;
            for (place, number) in places.iter_mut().zip(batch) {
                *place = number.to_le_bytes();
            }
            self.input.write_all(&bytes[..batch.len() * NUMBER_BYTES])?;
            sent += batch.len();
            let size = read_numbers(&mut self.output, &mut bytes)?;
            let numbers = bytes[..size].as_chunks::<NUMBER_BYTES>().0;
            answers.extend(numbers.iter().map(|number| u64::from_le_bytes(*number)));
        }
        let took = start.elapsed();
        tasks::check_squares(&answers)?;
        Ok(took)
    }

    fn echo(&mut self, count: u64) -> anyhow::Result<Duration> {
        let mut back = vec![0; PAYLOAD_BYTES];
        let mut took = Duration::ZERO;
        for n in 0..count {
            let payload = tasks::payload(n);
            let start = Instant::now();
            self.input.write_all(&payload)?;
            self.output.read_exact(&mut back)?;
            took += start.elapsed();
            ensure!(back == payload, "payload {n} came back changed");
        }
        Ok(took)
    }
}

// The closures call methods: one that names fields would hold these and let the process go.

pub(super) fn one_in_flight() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let mut pipe = Pipe::start("squares")?;
    Ok(move |count| pipe.ahead(1, count))
}

pub(super) fn one_by_one() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let mut pipe = Pipe::start("squares")?;
    Ok(move |count| pipe.ahead(WINDOW as u64, count))
}

pub(super) fn in_batches() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let mut pipe = Pipe::start("batches")?;
    Ok(move |count| pipe.in_batches(count))
}

pub(super) fn echo() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let mut pipe = Pipe::start("echo")?;
    Ok(move |count| pipe.echo(count))
}

/// Starts copies of this program, each until it has said one byte.
pub(crate) fn say_one_byte(count: u64) -> anyhow::Result<Duration> {
    let mut took = Duration::ZERO;
    for _ in 0..count {
        let start = Instant::now();
        let mut pipe = Pipe::start("byte")?;
        let mut byte = [0];
        pipe.output.read_exact(&mut byte)?;
        took += start.elapsed();
        ensure!(byte == *b"!", "another byte");
    }
    Ok(took)
}
