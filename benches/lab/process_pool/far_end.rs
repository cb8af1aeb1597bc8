//! The far end of a pipe: a copy of this program that answers what it reads.

use super::tasks::{self, PAYLOAD_BYTES};
use std::{
    env,
    fs::File,
    io::{self, Read, Write},
    process::ExitCode,
};

/// The argument that makes this program the far end; what it does follows the `=`.
pub(super) const ARGUMENT: &str = "--by-hand=";

pub(super) const NUMBER_BYTES: usize = 8;

/// How many are in flight where there are many.
pub(super) const WINDOW: usize = 64;

/// Serves the far end of a pipe if this process was started for that.
pub(super) fn take_role() -> Option<ExitCode> {
    let argument = env::args().nth(1)?;
    let served = match argument.strip_prefix(ARGUMENT)? {
        "byte" => io::stdout().write_all(b"!").and_then(|()| {
            io::stdout().flush()?;
            io::stdin().read_to_end(&mut Vec::new()).map(drop)
        }),
        "squares" => serve(1, tasks::square),
        "batches" => serve(WINDOW, tasks::square),
        "naps" => serve(1, tasks::nap),
        "echo" => serve_echo(),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    // The near end closes its pipe in mid-read when it is done with this one.
    Some(match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// Answers as many numbers at once as have come, `most` at most.
fn serve(most: usize, function: fn(u64) -> u64) -> io::Result<()> {
    // Unlocked and unbuffered: `io::stdout` would look for line ends.
    let (mut input, mut output) = ends()?;
    let mut bytes = vec![0; most * NUMBER_BYTES];
    loop {
        let size = read_numbers(&mut input, &mut bytes)?;
        for number in bytes[..size].as_chunks_mut::<NUMBER_BYTES>().0 {
            *number = function(u64::from_le_bytes(*number)).to_le_bytes();
        }
        output.write_all(&bytes[..size])?;
    }
}

fn serve_echo() -> io::Result<()> {
    let (mut input, mut output) = ends()?;
    let mut bytes = vec![0; PAYLOAD_BYTES];
    loop {
        input.read_exact(&mut bytes)?;
        output.write_all(&bytes)?;
    }
}

/// Standard input and output as plain files.
#[cfg(unix)]
fn ends() -> io::Result<(File, File)> {
    use std::os::fd::AsFd;
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    Ok((input.into(), output.into()))
}

#[cfg(windows)]
fn ends() -> io::Result<(File, File)> {
    use std::os::windows::io::AsHandle;
    let input = io::stdin().as_handle().try_clone_to_owned()?;
    let output = io::stdout().as_handle().try_clone_to_owned()?;
    Ok((input.into(), output.into()))
}

/// Reads what is there, in whole numbers; returns how many bytes that are.
pub(super) fn read_numbers(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut size = input.read(bytes)?;
    if size == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let odd = size % NUMBER_BYTES;
    if odd > 0 {
        let whole = size - odd + NUMBER_BYTES;
        input.read_exact(&mut bytes[size..whole])?;
        size = whole;
    }
    Ok(size)
}
