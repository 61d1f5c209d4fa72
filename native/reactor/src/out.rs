//! What is to be sent on a connection: bytes, and parts of files that are read when the socket takes them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use ms_log::FileRange;
use ms_wire::header::{FrameStart, finish_frame};

use crate::send_file::{Sink, piece};

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
            match self.send_file(socket, left) {
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

    /// Sends the next part of a file, and what is before it, without copying it. `None`: it is not large, or cannot be sent so.
    fn send_file(&self, socket: &mut impl Sink, max: usize) -> Option<Result<usize, Flush>> {
        let (head, range) = match (self.parts.front()?, self.parts.get(1)) {
            (Part::File(range), _) => (&[][..], range),
            (Part::Bytes(len), Some(Part::File(range))) => {
                (&self.bytes[self.start..self.start + len], range)
            }
            _ => return None,
        };
        let len = piece(range.len as usize, max.saturating_sub(head.len()))?;
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
                            return Err(Flush::Cold(ColdRead {
                                range: clip(range, scratch.len()),
                            }));
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
mod tests {
    use std::io::Write;
    use std::path::Path;

    use ms_log::{Disk, OpenMode, RealDisk};

    use super::*;

    const MAX: usize = 256 << 10;

    /// Takes so many bytes in each call, then is full once.
    struct Socket {
        taken: Vec<u8>,
        room: usize,
        is_full: bool,
        /// How often it has sent of a file; `None`: it cannot.
        pieces: Option<usize>,
    }

    impl Write for Socket {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.is_full = !self.is_full;
            if !self.is_full {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = bytes.len().min(self.room);
            self.taken.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink for Socket {
        fn send_file(
            &mut self,
            head: &[u8],
            file: &FileRange,
            len: usize,
        ) -> Option<io::Result<usize>> {
            *self.pieces.as_mut()? += 1;
            let mut bytes = head.to_vec();
            bytes.resize(head.len() + len, 0);
            file.file.read_at(&mut bytes[head.len()..], file.position).unwrap();
            Some(self.write(&bytes))
        }
    }

    fn file(name: &str, bytes: &[u8]) -> Arc<dyn ms_log::File> {
        let path = std::env::temp_dir().join(format!("ms-out-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let file = RealDisk.open(Path::new(&path), OpenMode::Read).unwrap();
        std::fs::remove_file(&path).unwrap();
        file
    }

    #[test]
    fn bytes_and_files_leave_in_order_however_little_the_socket_takes() {
        let content: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let file = file("order", &content);
        let head: Vec<u8> = (0..3000_u32).map(|i| (i % 241) as u8).collect();
        let rooms = [1000, 3000, 4097, 65_536, 1 << 20];
        for (room, pieces) in rooms.into_iter().flat_map(|it| [(it, None), (it, Some(0))]) {
            let mut out = OutQueue::new();
            let mut expected = Vec::new();
            for (position, len) in [(99, 299_000), (0, 100_000), (50_000, 7)] {
                out.bytes().extend_from_slice(&head);
                out.push_file(&FileRange { file: Arc::clone(&file), position, len });
                out.push_block(b"block".to_vec());
                out.bytes().extend_from_slice(b"tail");
                expected.extend_from_slice(&head);
                expected.extend_from_slice(&content[position as usize..][..len as usize]);
                expected.extend_from_slice(b"blocktail");
            }
            let mut ready = OutQueue::new();
            ready.bytes().extend_from_slice(b"beh");
            ready.push_block(b"ind".to_vec());
            ready.push_file(&FileRange { file: Arc::clone(&file), position: 1, len: 2 });
            out.append(ready);
            expected.extend_from_slice(b"behind");
            expected.extend_from_slice(&content[1..3]);
            assert_eq!(out.len(), expected.len() as u64);
            let mut socket = Socket { taken: Vec::new(), room, is_full: false, pieces };
            let mut scratch = vec![0; 128 << 10];
            while !matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Done) {}
            assert!(socket.taken == expected, "with room {room}");
            assert_eq!(socket.pieces.is_some_and(|pieces| pieces > 0), pieces.is_some());
        }
    }

    #[test]
    fn a_large_answer_changes_queues_in_blocks_and_leaves_in_order() {
        let content = [b'f'; 1000];
        let file = file("blocks", &content);
        let mut large = OutQueue::in_blocks();
        let start = ms_wire::header::start_frame(large.bytes());
        let mut expected = Vec::new();
        for i in 0..100_u8 {
            large.bytes().extend_from_slice(&[i; 5000]);
            expected.extend_from_slice(&[i; 5000]);
            large.part();
            if i % 40 == 7 {
                large.push_file(&FileRange { file: Arc::clone(&file), position: 0, len: 1000 });
                expected.extend_from_slice(&content);
            }
        }
        large.finish_frame(start, 3000);
        assert!(large.bytes.is_empty() && large.parts.len() > 7);
        expected.splice(0..0, (expected.len() as u32).to_be_bytes());
        for before in [&b""[..], b"before"] {
            let mut out = OutQueue::new();
            out.bytes().extend_from_slice(before);
            let mut same = OutQueue::in_blocks();
            for part in &large.parts {
                match part {
                    Part::Block { block, .. } => same.bytes().extend_from_slice(block),
                    Part::File(range) => same.push_file(range),
                    Part::Bytes(_) => panic!("bytes that are not in a block"),
                }
                same.part();
            }
            out.append(same);
            assert!(out.bytes.len() == before.len());
            out.bytes().extend_from_slice(b"behind");
            let mut socket =
                Socket { taken: Vec::new(), room: 70_000, is_full: false, pieces: None };
            let mut scratch = vec![0; 128 << 10];
            while !matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Done) {}
            assert!(socket.taken == [before, &expected, b"behind"].concat());
        }
    }

    #[test]
    fn one_flush_sends_no_more_than_it_may() {
        struct Eager(usize, bool);
        impl Write for Eager {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        impl Sink for Eager {
            fn send_file(
                &mut self,
                head: &[u8],
                _: &FileRange,
                len: usize,
            ) -> Option<io::Result<usize>> {
                let sent = self.1.then_some(head.len() + len)?;
                self.0 += sent;
                Some(Ok(sent))
            }
        }
        let file = file("enough", &vec![0; 3 * MAX]);
        let queues =
            [(false, 0, false), (true, 100, false), (true, 100, true), (true, MAX + 5, true)];
        for (is_file, head, by_pages) in queues {
            let mut out = OutQueue::new();
            let len = (3 * MAX - head) as u32;
            if is_file {
                out.bytes().resize(head, 0);
                out.push_file(&FileRange { file: Arc::clone(&file), position: 0, len });
            } else {
                out.bytes().resize(3 * MAX, 0);
            }
            let (mut socket, mut scratch) = (Eager(0, by_pages), vec![0; 1 << 20]);
            for turn in 1..=2 {
                assert!(matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Enough));
                assert_eq!(socket.0, turn * MAX);
            }
            assert!(matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Done));
        }
    }

    #[test]
    fn a_file_that_is_shorter_than_announced_ends_the_connection() {
        let mut out = OutQueue::new();
        out.push_file(&FileRange { file: file("short", b"abc"), position: 3, len: 1 });
        let mut socket = Socket { taken: Vec::new(), room: 10, is_full: false, pieces: None };
        assert!(matches!(out.flush(&mut socket, &mut [0; 1000], MAX), Flush::Failed));
    }

    #[test]
    fn what_the_cold_reader_brings_takes_the_place_of_the_file() {
        let content = b"0123456789";
        let mut out = OutQueue::new();
        out.bytes().extend_from_slice(b"<");
        out.push_file(&FileRange { file: file("cold", content), position: 0, len: 10 });
        out.bytes().extend_from_slice(b">");
        let mut socket = Socket { taken: Vec::new(), room: 1, is_full: false, pieces: None };
        assert!(matches!(out.flush(&mut socket, &mut [0; 1], MAX), Flush::Blocked | Flush::Done));
        out.unblock(b"0123".to_vec());
        socket.room = 100;
        while !matches!(out.flush(&mut socket, &mut [0; 64], MAX), Flush::Done) {}
        assert_eq!(socket.taken, b"<0123456789>");
    }
}
