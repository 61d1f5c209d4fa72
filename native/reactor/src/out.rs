//! What is to be sent on a connection: bytes, and parts of files that are read when the socket takes them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use ms_log::FileRange;
use ms_wire::header::{FrameStart, finish_frame};

use crate::send_file::{Piece, Sink, WHOLE_MIN, piece};

/// Bytes that are read from files and sent at once, at least and at most.
const CHUNK_MIN: usize = 64 << 10;
/// Bytes of a block.
const BLOCK: usize = 64 << 10;
/// Above this an emptied buffer is given back; a connection that rests keeps none.
const KEEP_BYTES: usize = 64 << 10;

/// Answers in the order in which they leave. A slow consumer holds ranges of files here, never their bytes.
pub struct OutQueue {
    bytes: Vec<u8>,
    /// Bytes of `bytes` before it were sent.
    start: usize,
    /// Bytes of `bytes` before it belong to `parts`.
    sealed: usize,
    parts: VecDeque<Part>,
    /// Bytes of all parts that are not in `bytes`.
    elsewhere: u64,
    chunk: usize,
    /// For one answer that goes to another queue: its bytes are in blocks, which that one takes over.
    is_in_blocks: bool,
}

enum Part {
    /// The next so many of `bytes`.
    Bytes(usize),
    File(FileRange),
    /// What the cold reader brought, or a piece of a large answer.
    Block {
        block: Vec<u8>,
        sent: usize,
    },
}

/// How far `flush` came.
#[derive(Debug)]
pub enum Flush {
    /// Everything was sent.
    Done,
    /// The socket takes no more.
    Blocked,
    /// The next bytes are not in the page cache: `unblock` when they were read.
    Cold(ColdRead),
    /// That was as much as it may send; the socket may take more.
    Enough,
    /// The connection is of no use any more.
    Failed,
}

/// A part of a file that must be read by a thread that may wait.
pub struct ColdRead {
    pub range: FileRange,
    /// Bytes of the same file that are wanted next.
    pub next: usize,
}

impl std::fmt::Debug for ColdRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ColdRead({}+{})", self.range.position, self.range.len)
    }
}

impl OutQueue {
    pub fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            sealed: 0,
            parts: VecDeque::new(),
            elsewhere: 0,
            chunk: 4 * CHUNK_MIN,
            is_in_blocks: false,
        }
    }

    /// A queue for one large answer, which `append` moves without copying.
    pub fn in_blocks() -> Self {
        Self { is_in_blocks: true, ..Self::new() }
    }

    /// Bytes that wait, those in files included.
    pub fn len(&self) -> u64 {
        (self.bytes.len() - self.start) as u64 + self.elsewhere
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives an empty queue's memory back.
    pub fn trim(&mut self) {
        if self.is_empty() {
            *self = Self::new();
        }
    }

    /// Where answers are encoded: append only.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// An answer may be parted here.
    pub fn part(&mut self) {
        if self.is_in_blocks && self.bytes.len() >= BLOCK {
            self.seal();
        }
    }

    /// Writes the length of the frame that began there, with what was sent from `elsewhere` in between.
    pub fn finish_frame(&mut self, start: FrameStart, elsewhere: usize) {
        if !self.is_in_blocks {
            return finish_frame(&mut self.bytes, start, elsewhere);
        }
        self.seal();
        let len = i32::try_from(self.len() - 4).expect("a response below 2 GiB");
        if let Some(Part::Block { block, .. }) = self.parts.front_mut() {
            block[..4].copy_from_slice(&len.to_be_bytes());
        }
    }

    /// A part of a file follows what was appended so far.
    pub fn push_file(&mut self, range: &FileRange) {
        self.seal();
        self.elsewhere += u64::from(range.len);
        self.parts.push_back(Part::File(range.clone()));
    }

    /// These bytes follow what was appended so far; they are not copied.
    pub fn push_block(&mut self, block: Vec<u8>) {
        self.seal();
        self.elsewhere += block.len() as u64;
        self.parts.push_back(Part::Block { block, sent: 0 });
    }

    /// Moves all of `other` behind this.
    pub fn append(&mut self, mut other: OutQueue) {
        other.seal();
        let mut at = other.start;
        for part in other.parts {
            match part {
                Part::Bytes(len) => {
                    self.bytes.extend_from_slice(&other.bytes[at..at + len]);
                    at += len;
                }
                Part::File(range) => self.push_file(&range),
                // Nothing of what waits was sent.
                Part::Block { block, .. } => self.push_block(block),
            }
        }
    }

    /// The bytes of the cold read that `flush` asked for.
    pub fn unblock(&mut self, block: Vec<u8>) {
        let Some(Part::File(range)) = self.parts.front_mut() else { return };
        range.position += block.len() as u64;
        range.len -= block.len() as u32;
        if range.len == 0 {
            self.parts.pop_front();
        }
        self.parts.push_front(Part::Block { block, sent: 0 });
    }

    /// Sends until the socket is full, or `max` bytes. `scratch` is the reactor's; bytes of files pass through it, many parts
    /// in one `send`, but for large ones, which are not copied.
    pub fn flush(&mut self, socket: &mut impl Sink, scratch: &mut [u8], max: usize) -> Flush {
        let mut left = max;
        loop {
            if self.is_empty() {
                self.reset();
                return Flush::Done;
            }
            if left == 0 {
                return Flush::Enough;
            }
            if self.elsewhere == 0 {
                let end = self.bytes.len().min(self.start + left);
                match send(socket, &self.bytes[self.start..end]) {
                    Ok(sent) => {
                        self.advance(sent);
                        left -= sent;
                    }
                    Err(end) => return end,
                }
                continue;
            }
            self.seal();
            let pages = self.pages(left);
            // What is left would be copied, and the rest of the part with it.
            if matches!(pages, Some((_, _, Piece::Later))) && left < max {
                return Flush::Enough;
            }
            match Self::send_file(socket, pages) {
                // Whether the socket is full is for the next call to say: it may have been something else.
                Some(Ok(sent)) => {
                    self.advance(sent);
                    left -= sent;
                    continue;
                }
                Some(Err(end)) => return end,
                None => {}
            }
            let filled = match self.fill(scratch, left) {
                Ok(filled) => filled,
                Err(end) => return end,
            };
            match send(socket, &scratch[..filled]) {
                Ok(sent) => {
                    self.advance(sent);
                    left -= sent;
                    if sent < filled {
                        self.chunk = sent.next_multiple_of(CHUNK_MIN);
                        return Flush::Blocked;
                    }
                    self.chunk = (self.chunk * 2).min(scratch.len());
                }
                Err(end) => return end,
            }
        }
    }

    /// The next part of a file with what is before it, and how to send it, if at most `max` may be sent.
    fn pages(&self, max: usize) -> Option<(&[u8], &FileRange, Piece)> {
        let (at, head, range) = match (self.parts.front()?, self.parts.get(1)) {
            (Part::File(range), _) => (0, &[][..], range),
            (Part::Bytes(len), Some(Part::File(range))) => {
                (1, &self.bytes[self.start..self.start + len], range)
            }
            _ => return None,
        };
        let mut whole = range.len as usize;
        let mut behind = self.parts.iter().skip(at + 1);
        while whole < WHOLE_MIN
            && let Some(Part::File(range)) = behind.next()
        {
            whole += range.len as usize;
        }
        let piece = piece(range.len as usize, whole, max.saturating_sub(head.len()));
        Some((head, range, piece))
    }

    /// Sends the next part of a file, and what is before it, without copying it. `None`: it is copied, or cannot be sent so.
    fn send_file(
        socket: &mut impl Sink,
        pages: Option<(&[u8], &FileRange, Piece)>,
    ) -> Option<Result<usize, Flush>> {
        let (head, range, Piece::Pages(len)) = pages? else { return None };
        let sent = socket.send_file(head, range, len)?;
        Some(sent.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => Flush::Blocked,
            _ => Flush::Failed,
        }))
    }

    /// Copies the next parts into `scratch`, up to `max`: how many bytes.
    fn fill(&self, scratch: &mut [u8], max: usize) -> Result<usize, Flush> {
        let max = self.chunk.min(scratch.len()).min(max);
        let mut filled = 0;
        let mut at = self.start;
        for part in &self.parts {
            let room = &mut scratch[filled..max];
            if room.is_empty() {
                break;
            }
            let (want, got) = match part {
                Part::Bytes(len) => {
                    let got = (*len).min(room.len());
                    room[..got].copy_from_slice(&self.bytes[at..at + got]);
                    at += len;
                    (*len, got)
                }
                Part::Block { block, sent } => {
                    let got = (block.len() - sent).min(room.len());
                    room[..got].copy_from_slice(&block[*sent..sent + got]);
                    (block.len() - sent, got)
                }
                Part::File(range) => match read_range(range, room) {
                    Ok(got) => (range.len as usize, got),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if filled == 0 {
                            return Err(Flush::Cold(self.cold_read(range, scratch.len())));
                        }
                        break;
                    }
                    Err(_) => return Err(Flush::Failed),
                },
            };
            filled += got;
            if got < want {
                break;
            }
        }
        Ok(filled)
    }

    /// The first part of a file, and how much of the same file follows: no more than `max` of both.
    fn cold_read(&self, range: &FileRange, max: usize) -> ColdRead {
        let behind = self.parts.iter().skip_while(|part| !matches!(part, Part::File(_))).skip(1);
        let follow = behind.map_while(|part| match part {
            Part::File(next) if Arc::ptr_eq(&next.file, &range.file) => Some(next.len as usize),
            _ => None,
        });
        let range = clip(range, max);
        ColdRead { next: follow.sum::<usize>().min(max - range.len as usize), range }
    }

    /// Bytes that follow the last part become a part of their own.
    fn seal(&mut self) {
        if self.is_in_blocks {
            let block = std::mem::take(&mut self.bytes);
            if !block.is_empty() {
                self.elsewhere += block.len() as u64;
                self.parts.push_back(Part::Block { block, sent: 0 });
            }
            return;
        }
        let open = self.bytes.len() - self.sealed.max(self.start);
        if open > 0 {
            self.parts.push_back(Part::Bytes(open));
        }
        self.sealed = self.bytes.len();
    }

    fn advance(&mut self, sent: usize) {
        self.advance_parts(sent);
        // A queue that never runs empty must not keep what it sent.
        if self.start > KEEP_BYTES && self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.sealed = self.sealed.saturating_sub(self.start);
            self.start = 0;
        }
    }

    fn advance_parts(&mut self, mut sent: usize) {
        while sent > 0 {
            let Some(part) = self.parts.front_mut() else {
                self.start += sent;
                return;
            };
            let (taken, is_over) = match part {
                Part::Bytes(len) => {
                    let taken = sent.min(*len);
                    *len -= taken;
                    self.start += taken;
                    (taken, *len == 0)
                }
                Part::Block { block, sent: done } => {
                    let taken = sent.min(block.len() - *done);
                    *done += taken;
                    self.elsewhere -= taken as u64;
                    (taken, *done == block.len())
                }
                Part::File(range) => {
                    let taken = sent.min(range.len as usize);
                    range.position += taken as u64;
                    range.len -= taken as u32;
                    self.elsewhere -= taken as u64;
                    (taken, range.len == 0)
                }
            };
            sent -= taken;
            if is_over {
                self.parts.pop_front();
            }
        }
    }

    fn reset(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP_BYTES);
        self.parts.clear();
        (self.start, self.sealed) = (0, 0);
    }
}

impl Default for OutQueue {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads from the page cache as much as fits; an empty read means that the file ended too early.
fn read_range(range: &FileRange, room: &mut [u8]) -> io::Result<usize> {
    let want = room.len().min(range.len as usize);
    match range.file.read_cached_at(&mut room[..want], range.position)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        got => Ok(got),
    }
}

fn clip(range: &FileRange, max: usize) -> FileRange {
    FileRange {
        file: Arc::clone(&range.file),
        position: range.position,
        len: range.len.min(max as u32),
    }
}

/// Sends once, again when a signal came between.
fn send(socket: &mut impl Sink, bytes: &[u8]) -> Result<usize, Flush> {
    loop {
        match socket.write(bytes) {
            Ok(0) => return Err(Flush::Failed),
            Ok(sent) => return Ok(sent),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(Flush::Blocked),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Flush::Failed),
        }
    }
}

#[cfg(test)]
mod tests;
