//! Reads the frames of a segment file one after the other.

use crate::disk::File;
use crate::entry::{Entry, EntryKind};
use ms_wire::batch::BatchError;
use ms_wire::frame::{self, ControlKind, FrameHeader, MAX_HEADER_BYTES, PREFIX_BYTES};
use std::io;

/// What comes next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A frame; the walk goes on behind it.
    Frame { position: u64, header: FrameHeader },
    /// The file ends with the frame before.
    End,
    /// The file ends within a frame.
    Torn,
    /// These bytes are no frame.
    Bad,
}

/// How much of a frame a walk looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Headers only: large frames are skipped, not read.
    Headers,
    /// Headers only, and only from the page cache: `WouldBlock` otherwise.
    CachedHeaders,
    /// Everything, with its CRC.
    Checked,
    /// As `Checked`, from the page cache.
    CachedChecked,
}

impl Depth {
    fn is_checked(self) -> bool {
        matches!(self, Depth::Checked | Depth::CachedChecked)
    }

    fn is_cached(self) -> bool {
        matches!(self, Depth::CachedHeaders | Depth::CachedChecked)
    }
}

const SMALL_CHUNK: usize = 4096 + MAX_HEADER_BYTES;
const LARGE_CHUNK: usize = 128 << 10;

/// A walk over `from..end` of a file. Holds one buffer, as large as the largest frame when it checks.
pub(crate) struct Walker<'a> {
    file: &'a dyn File,
    depth: Depth,
    position: u64,
    end: u64,
    max_frame: u64,
    buffer: Vec<u8>,
    /// Position in the file of the buffer's first byte.
    buffer_at: u64,
    chunk: usize,
    last: std::ops::Range<usize>,
}

impl<'a> Walker<'a> {
    /// A walk from a frame boundary to `end`, which is not beyond the file's.
    pub fn new(
        file: &'a dyn File,
        depth: Depth,
        from: u64,
        end: u64,
        max_frame: u32,
    ) -> Walker<'a> {
        let chunk = if depth.is_checked() { LARGE_CHUNK } else { SMALL_CHUNK };
        Walker {
            file,
            depth,
            position: from,
            end,
            max_frame: u64::from(max_frame) + MAX_HEADER_BYTES as u64,
            buffer: Vec::new(),
            buffer_at: from,
            chunk,
            last: 0..0,
        }
    }

    /// Where the next frame begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes on at this frame boundary, unless it is behind.
    pub fn skip_to(&mut self, position: u64) {
        self.position = self.position.max(position);
    }

    /// Whether it reads from the page cache only.
    pub fn is_cached(&self) -> bool {
        self.depth.is_cached()
    }

    /// The bytes of the last frame, in a checked walk; in others its header at least.
    pub fn frame(&self) -> &[u8] {
        &self.buffer[self.last.clone()]
    }

    /// The next frame. After anything but `Step::Frame` the walk stays where it is.
    pub fn step(&mut self) -> io::Result<Step> {
        // An index that lies may name a place behind the end.
        let left = self.end.saturating_sub(self.position);
        if left == 0 {
            return Ok(Step::End);
        }
        if left < PREFIX_BYTES as u64 {
            return Ok(Step::Torn);
        }
        let head = self.fill(left.min(MAX_HEADER_BYTES as u64) as usize)?;
        let header = match FrameHeader::parse(&self.buffer[head.clone()]) {
            Ok(header) => header,
            Err(BatchError::Truncated { .. }) => return Ok(Step::Torn),
            Err(_) => return Ok(Step::Bad),
        };
        let size = header.size() as u64;
        let consumes_none = matches!(header, FrameHeader::Data(_)) && header.offset_count() < 1;
        if size > self.max_frame || header.base_offset() < 0 || consumes_none {
            return Ok(Step::Bad);
        }
        if size > left {
            return Ok(Step::Torn);
        }
        self.last = head;
        if self.depth.is_checked() {
            self.last = self.fill(size as usize)?;
            if frame::check_frame(self.frame()).is_err() {
                return Ok(Step::Bad);
            }
        } else {
            self.chunk =
                if size > 16 << 10 { SMALL_CHUNK } else { self.chunk.max(4 * SMALL_CHUNK) };
        }
        let position = self.position;
        self.position += size;
        Ok(Step::Frame { position, header })
    }

    /// Makes `len` bytes at the current position available; the range in the buffer.
    fn fill(&mut self, len: usize) -> io::Result<std::ops::Range<usize>> {
        let at = (self.position - self.buffer_at) as usize;
        if at + len <= self.buffer.len() {
            return Ok(at..at + len);
        }
        let want = len.max(self.chunk).min((self.end - self.position) as usize);
        self.buffer.resize(want, 0);
        self.buffer_at = self.position;
        let mut done = 0;
        while done < len {
            let offset = self.position + done as u64;
            let read = if self.depth.is_cached() {
                self.file.read_cached_at(&mut self.buffer[done..], offset)
            } else {
                self.file.read_at(&mut self.buffer[done..], offset)
            };
            match read {
                Ok(0) => return self.give_up(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => done += read,
                Err(error) => return self.give_up(error),
            }
        }
        self.buffer.truncate(done);
        Ok(0..len)
    }

    fn give_up<T>(&mut self, error: io::Error) -> io::Result<T> {
        self.buffer.clear();
        Err(error)
    }
}

/// The entry that a frame is; `None` for a segment header and for padding.
pub(crate) fn entry_of(header: &FrameHeader, index: u64) -> Option<Entry> {
    let kind = match header {
        FrameHeader::Data(_) => EntryKind::Data,
        FrameHeader::Control(control) => match control.kind {
            ControlKind::NoOp => EntryKind::NoOp,
            ControlKind::ConfChange => EntryKind::ConfChange,
            ControlKind::SetLogStart => EntryKind::SetLogStart,
            ControlKind::SegmentHeader | ControlKind::Padding => return None,
        },
    };
    Some(Entry {
        index,
        term: header.term(),
        kind,
        base_offset: header.base_offset() as u64,
        count: header.offset_count() as u32,
        size: header.size() as u32,
        crc: header.crc(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::disk::{Disk, OpenMode};
    use crate::sim::SimDisk;

    #[test]
    fn a_walk_that_begins_behind_its_end_has_ended() {
        let disk = SimDisk::new();
        disk.create_dir_all(Path::new("/d")).unwrap();
        let file = disk.open(Path::new("/d/log"), OpenMode::CreateNew).unwrap();
        let mut walker = Walker::new(file.as_ref(), Depth::Headers, 47, 30, 1 << 20);
        assert!(matches!(walker.step().unwrap(), Step::End));
    }
}
