//! Where a worker keeps answers while it has more to do: memory of its parent's, which a crash leaves whole,
//! and which wakes nobody. Its first bytes say how many of those behind them are answers.

use memmap2::MmapMut;
use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    sync::atomic::{self, Ordering},
};

/// The worker's end.
pub(crate) struct Shelf(MmapMut);

/// The last bytes of this memory: a copy of the worker that has other memory there does not have these.
const MARK: [u8; 4] = *b"last";

impl Shelf {
    #[expect(unsafe_code, reason = "two processes share this memory")]
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        // SAFETY: the file is sealed, so that nothing makes it shorter. Beside this process only its parent
        // writes to it, and that while this one waits for tasks.
        let mut memory = unsafe { MmapMut::map_mut(&file) }?;
        if let Some(mark) = memory.last_chunk_mut() {
            *mark = MARK;
        }
        // Where a task forks and returns twice, the copy has no shelf, and ends when it would answer.
        #[cfg(target_os = "linux")]
        memory.advise(memmap2::Advice::DontFork)?;
        Ok(Self(memory))
    }

    /// Keeps an answer; whether there was room.
    pub(crate) fn keep(&mut self, answer: &[u8]) -> bool {
        let Some((size, rest)) = self.0.split_first_chunk_mut() else {
            return false;
        };
        let Some((answers, mark)) = rest.split_last_chunk_mut() else {
            return false;
        };
        if *mark != MARK {
            super::crash();
        }
        let start = u32::from_ne_bytes(*size) as usize;
        let end = start + answer.len();
        let Some(room) = answers.get_mut(start..end) else {
            return false;
        };
        room.copy_from_slice(answer);
        // Pairs with the order of the parent's reads: what counts is whole, whenever this process is killed.
        atomic::fence(Ordering::Release);
        *size = (end as u32).to_ne_bytes();
        true
    }
}

/// The parent's end; without a file nothing is kept.
pub(crate) struct Kept(Option<File>);

impl Kept {
    /// Makes a file, if that can be, and says by which path the worker finds it.
    pub(crate) fn new() -> (Self, Option<String>) {
        let (file, path) = super::platform::shared_memory(1 << 20).ok().unzip();
        (Self(file), path)
    }

    /// Makes room for the answers to a chunk that is about to be sent.
    pub(crate) fn clear(&mut self) {
        let Some(file) = &mut self.0 else { return };
        // Refused, the worker goes on behind what is there.
        let _ = file.rewind().and_then(|()| file.write_all(&[0; 4]));
    }

    /// Adds all that is kept.
    pub(crate) fn read(&mut self, answers: &mut Vec<u8>) -> io::Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        let mut size = [0; 4];
        file.rewind()?;
        file.read_exact(&mut size)?;
        let mut file = file.take(u32::from_ne_bytes(size).into());
        file.read_to_end(answers).map(drop)
    }
}
