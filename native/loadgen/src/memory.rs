//! Memory for the page cache of the broker under load. A virtual machine whose host takes free memory back (free page
//! reporting) pays at the first touch of a page ten times what the copy into it costs, in whichever process happens to
//! touch it; on a machine of its own a broker never sees that. So the generator touches memory before its load, and while
//! it lasts gives back as much as others take. Of every block that the host would take it keeps a page: what is free stays
//! backed, and lies in pieces, which the system hands out before it breaks up a whole block. But not for a load that writes
//! a megabyte at once, for which the page cache wants as much in one piece.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use memmap2::{Advice, MmapMut};

/// What a host takes back at least.
const BLOCK: usize = 2 << 20;
/// Of a block without a page there is one piece of this size, and smaller ones.
const PIECE_MIN: usize = BLOCK / 4;
/// Blocks that are given back at once, and how often is looked whether they are needed.
const PIECE: usize = 128;
const EVERY: Duration = Duration::from_millis(10);
const PAGE: usize = 4096;

/// A touched block: what is given back, and the page that is kept, if one is.
struct Block {
    most: MmapMut,
    kept: Option<MmapMut>,
}

/// Touched memory that is given back as others need it, until it is dropped.
pub struct Memory {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Memory {
    /// Touches so many bytes for a load that writes `at_once`, and begins to give them back.
    pub fn touched(bytes: u64, at_once: usize) -> Self {
        let count = bytes / BLOCK as u64;
        let block = || if at_once < PIECE_MIN { Block::but_a_page() } else { Block::whole() };
        let blocks: Vec<Block> = (0..count).map_while(|_| block().ok()).collect();
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || give_back(blocks, &stopped));
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
fn give_back(blocks: Vec<Block>, stopped: &Receiver<()>) {
    let (mut most, _kept): (Vec<_>, Vec<_>) =
        blocks.into_iter().map(|Block { most, kept }| (most, kept)).unzip();
    let enough = free_bytes() + (PIECE * BLOCK) as u64;
    while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        if free_bytes() < enough {
            most.truncate(most.len().saturating_sub(PIECE));
        }
    }
}

fn free_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemFree:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

impl Block {
    fn but_a_page() -> io::Result<Self> {
        let most = touched(BLOCK - PAGE, Advice::NoHugePage)?;
        Ok(Self { most, kept: Some(touched(PAGE, Advice::NoHugePage)?) })
    }

    fn whole() -> io::Result<Self> {
        Ok(Self { most: touched(BLOCK, Advice::HugePage)?, kept: None })
    }
}

/// So many bytes that the system has given.
fn touched(bytes: usize, advice: Advice) -> io::Result<MmapMut> {
    let mut memory = MmapMut::map_anon(bytes)?;
    // Only advice.
    let _ = memory.advise(advice);
    memory.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
    Ok(memory)
}
