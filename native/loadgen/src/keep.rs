//! Memory that stays with the machine. A virtual machine whose host takes free memory back (free page reporting) pays at
//! the first touch of a page ten times what the copy into it costs, in whichever process happens to touch it; on a machine
//! of its own a broker never sees that. The host takes whole blocks. So every free block is touched, and one page of it
//! held: what is given back of it at once is never whole again, and stays.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use memmap2::{Advice, MmapMut};

use crate::args::Args;
use crate::free_memory::{BLOCK, FreeMemory};
use crate::sys;

const PAGE: usize = 4096;
/// Blocks that are touched at once.
const AT_ONCE: usize = 32;
/// What a pipe may have without a privilege (`fs.pipe-max-size`).
const PIPE_BYTES: usize = 1 << 20;
/// How often is looked whether as many blocks as this became free: none of the pages of memory that was in use is held.
const EVERY: Duration = Duration::from_secs(1);
const NEW_MIN: usize = 4;

/// Holds a page of every free block until standard input ends. Prints how many there are when it has them.
pub fn run(args: &Args) -> Result<(), String> {
    let began = Instant::now();
    let mut kept = Kept::default();
    let outcome = kept.all_free(args.leave_bytes);
    println!(
        "{{\"mode\":\"keep\",\"blocks\":{},\"heldBytes\":{},\"seconds\":{:.3}}}",
        kept.blocks,
        kept.blocks * PAGE,
        began.elapsed().as_secs_f64(),
    );
    if let Err(reason) = outcome {
        eprintln!("ms-load: no more memory is kept: {reason}");
    }
    kept.more_until(&end_of_input(), args.leave_bytes);
    Ok(())
}

fn end_of_input() -> Receiver<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let _until_dropped = sender;
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    });
    receiver
}

/// Blocks of which a page is held.
#[derive(Default)]
struct Kept {
    blocks: usize,
    /// They own the pages, and nobody reads them. A page that only a process has is moved when the system makes large blocks
    /// of small ones, also if it is locked; one in a pipe never is.
    pipes: Vec<(PipeReader, PipeWriter)>,
}

impl Kept {
    fn more_until(&mut self, ended: &Receiver<()>, leave: u64) {
        let free_blocks = || FreeMemory::now().map_or(0, |free| free.blocks);
        // A few are for nobody: the last ones before a watermark.
        let mut left = free_blocks();
        while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            if free_blocks() >= left + NEW_MIN {
                // Best effort: what the system refuses once it mostly refuses from the beginning.
                let _ = self.all_free(leave);
                left = free_blocks();
            }
        }
    }

    /// Takes what is free block by block, and only while so much more is available.
    fn all_free(&mut self, leave: u64) -> io::Result<()> {
        loop {
            let free = FreeMemory::now()?;
            let count = free.blocks.min(AT_ONCE);
            if count == 0 || free.available.saturating_sub((count * BLOCK) as u64) < leave {
                return Ok(());
            }
            let got = self.take(count)?;
            self.blocks += got;
            if self.blocks == 0 {
                return Err(io::Error::other("the system gives no huge pages"));
            }
            if got < count {
                return Ok(());
            }
        }
    }

    /// Touches so many blocks, holds a page of each and gives the rest back; says how many were whole blocks.
    fn take(&mut self, count: usize) -> io::Result<usize> {
        let mut memory = MmapMut::map_anon((count + 1) * BLOCK)?;
        let address = memory.as_ptr() as usize;
        let start = address.next_multiple_of(BLOCK) - address;
        memory.advise_range(Advice::HugePage, start, count * BLOCK)?;
        let blocks = memory[start..][..count * BLOCK].chunks_exact_mut(BLOCK);
        let mut pages: Vec<&mut [u8]> = blocks.map(|block| &mut block[..PAGE]).collect();
        pages.iter_mut().for_each(|page| page[0] = 1);
        let got = FreeMemory::huge_pages_of_this_process()?.min(count);
        if got > 0 {
            for page in pages {
                sys::split_around(page)?;
                self.hold(page)?;
            }
        }
        Ok(got)
    }

    fn hold(&mut self, page: &[u8]) -> io::Result<()> {
        if let Some((_, pipe)) = self.pipes.last() {
            match sys::give_page(pipe.as_fd(), page) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {} // It is full.
                result => return result,
            }
        }
        let (reader, writer) = io::pipe()?;
        // Without it there are more pipes.
        let _ = sys::enlarge(writer.as_fd(), PIPE_BYTES);
        sys::give_page(writer.as_fd(), page)?;
        self.pipes.push((reader, writer));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn pages_outlive_their_mapping_in_as_many_pipes_as_they_need() {
        const PAGES: usize = 3 * PIPE_BYTES / PAGE;
        let mut memory = MmapMut::map_anon(PAGES * PAGE).unwrap();
        let mut kept = Kept::default();
        for (i, page) in memory.chunks_exact_mut(PAGE).enumerate() {
            page[0] = i as u8;
            sys::split_around(page).unwrap();
            kept.hold(page).unwrap();
        }
        drop(memory);
        assert!(kept.pipes.len() >= 3);
        let mut seen = Vec::new();
        for (mut reader, writer) in kept.pipes {
            drop(writer);
            reader.read_to_end(&mut seen).unwrap();
        }
        let firsts: Vec<u8> = seen.iter().step_by(PAGE).copied().collect();
        assert_eq!(firsts, (0..PAGES).map(|i| i as u8).collect::<Vec<_>>());
    }

    #[test]
    fn no_block_is_taken_of_what_is_to_be_left() {
        let mut kept = Kept::default();
        kept.all_free(u64::MAX).unwrap();
        assert_eq!(kept.blocks, 0);
    }
}
