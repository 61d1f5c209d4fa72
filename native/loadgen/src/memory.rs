//! Memory for the page cache of the broker under load. A virtual machine whose host takes free memory back (free page
//! reporting) pays at the first touch of a page ten times what the copy into it costs, in whichever process happens to
//! touch it; on a machine of its own a broker never sees that. So the generator touches memory before its load, and while
//! it lasts gives back as much as others take: what they take is backed, and there is nothing left over for the host.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use memmap2::{Advice, MmapMut};

/// What is given back at once, and how often is looked whether it is needed.
const PIECE: usize = 256 << 20;
const EVERY: Duration = Duration::from_millis(10);
const PAGE: usize = 4096;

/// Touched memory that is given back as others need it, until it is dropped.
pub struct Memory {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Memory {
    /// Touches so many bytes, and begins to give them back.
    pub fn touched(bytes: u64) -> Self {
        let pieces: Vec<MmapMut> = (0..bytes / PIECE as u64).map_while(|_| piece().ok()).collect();
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || give_back(pieces, &stopped));
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.stop = None;
        // It cannot panic.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Keeps one piece more free than there was.
fn give_back(pieces: Vec<MmapMut>, stopped: &Receiver<()>) {
    let mut pieces = pieces.into_iter();
    let enough = free_bytes() + PIECE as u64;
    loop {
        if free_bytes() < enough && pieces.next().is_none() {
            return;
        }
        if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn free_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemFree:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// `PIECE` bytes that the system has given.
fn piece() -> io::Result<MmapMut> {
    let mut piece = MmapMut::map_anon(PIECE)?;
    // Only advice.
    let _ = piece.advise(Advice::HugePage);
    piece.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
    Ok(piece)
}
