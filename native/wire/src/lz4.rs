//! LZ4 frames, read block by block into a buffer that the caller keeps.
//!
//! ```text
//! magic 04 22 4d 18 | flags u8 | block size u8 | content length u64? | dictionary u32? | checksum u8
//! blocks: length u32 (high bit: not compressed) | bytes | checksum u32?
//! 0 u32 | content checksum u32?          all little endian
//! ```

use std::hash::Hasher;
use std::io::{self, Read};

use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use twox_hash::XxHash32;

use crate::cursor::Cursor;

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const VERSION_MASK: u8 = 0xc0;
const VERSION: u8 = 0x40;
const INDEPENDENT: u8 = 0x20;
const BLOCK_CHECKSUMS: u8 = 0x10;
const CONTENT_LENGTH: u8 = 0x08;
const CONTENT_CHECKSUM: u8 = 0x04;
const DICTIONARY: u8 = 0x01;
const PLAIN_BLOCK: u32 = 0x8000_0000;
/// How far back a linked block refers.
const HISTORY_BYTES: usize = 64 * 1024;

/// What outlives a batch: a block of at most 4 MiB, and the end of the one before it.
#[derive(Debug, Default)]
pub struct Lz4Scratch {
    block: Vec<u8>,
    history: Vec<u8>,
}

impl Lz4Scratch {
    /// Gives a block back that is larger than `limit`.
    pub(crate) fn trim(&mut self, limit: usize) {
        if self.block.capacity() > limit {
            self.block = Vec::new();
        }
    }
}

/// Decompresses frames one behind the other.
pub struct Lz4Reader<'a> {
    source: Cursor<'a>,
    scratch: &'a mut Lz4Scratch,
    // The unread part of the block.
    at: usize,
    end: usize,
    frame: Option<Frame>,
}

struct Frame {
    flags: u8,
    max_block_bytes: usize,
    content_hash: XxHash32,
}

impl<'a> Lz4Reader<'a> {
    pub fn new(source: &'a [u8], scratch: &'a mut Lz4Scratch) -> Self {
        Self { source: Cursor::new(source), scratch, at: 0, end: 0, frame: None }
    }

    // As in Java's reader, what follows the first frame and is no frame is ignored.
    fn is_over(&self) -> bool {
        let left = self.source.remaining();
        let is_frame = { self.source }.take(4).is_ok_and(|magic| magic == MAGIC);
        left == 0 || self.source.position() > 0 && !is_frame
    }

    // False at the end of the last frame.
    fn next_block(&mut self) -> io::Result<bool> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None if self.is_over() => return Ok(false),
                None => {
                    self.scratch.history.clear();
                    read_frame_header(&mut self.source)?
                }
            };
            if self.read_block(&mut frame)? {
                self.frame = Some(frame);
                if self.end > 0 {
                    return Ok(true);
                }
            }
        }
    }

    // False when the frame is over.
    fn read_block(&mut self, frame: &mut Frame) -> io::Result<bool> {
        (self.at, self.end) = (0, 0);
        let word = u32_le(&mut self.source)?;
        if word == 0 {
            if frame.flags & CONTENT_CHECKSUM != 0 {
                check(u32_le(&mut self.source)?, frame.content_hash.finish() as u32)?;
            }
            return Ok(false);
        }
        let len = (word & !PLAIN_BLOCK) as usize;
        if len > frame.max_block_bytes {
            return Err(broken("block larger than the frame allows"));
        }
        let bytes = take(&mut self.source, len)?;
        if frame.flags & BLOCK_CHECKSUMS != 0 {
            check(u32_le(&mut self.source)?, XxHash32::oneshot(0, bytes))?;
        }
        let Lz4Scratch { block, history } = &mut *self.scratch;
        if block.len() < frame.max_block_bytes {
            block.resize(frame.max_block_bytes, 0);
        }
        let out = &mut block[..frame.max_block_bytes];
        self.end = if word & PLAIN_BLOCK != 0 {
            out[..len].copy_from_slice(bytes);
            len
        } else if history.is_empty() {
            decompress_into(bytes, out).map_err(io::Error::other)?
        } else {
            decompress_into_with_dict(bytes, out, history).map_err(io::Error::other)?
        };
        if frame.flags & CONTENT_CHECKSUM != 0 {
            frame.content_hash.write(&block[..self.end]);
        }
        if frame.flags & INDEPENDENT == 0 {
            history.extend_from_slice(&block[..self.end]);
            history.drain(..history.len().saturating_sub(HISTORY_BYTES));
        }
        Ok(true)
    }
}

impl Read for Lz4Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || self.at == self.end && !self.next_block()? {
            return Ok(0);
        }
        let left = &self.scratch.block[self.at..self.end];
        let len = left.len().min(out.len());
        out[..len].copy_from_slice(&left[..len]);
        self.at += len;
        Ok(len)
    }
}

fn read_frame_header(source: &mut Cursor<'_>) -> io::Result<Frame> {
    if take(source, 4)? != MAGIC {
        return Err(broken("no LZ4 frame"));
    }
    let mut rest = *source;
    let [flags, block_size] = *take(source, 2)? else { return Err(broken("no header")) };
    let is_known = flags & (VERSION_MASK | DICTIONARY) == VERSION;
    if !is_known {
        return Err(broken("unknown version or a dictionary"));
    }
    let max_block_bytes = match block_size >> 4 & 7 {
        size @ 4..=7 => 1 << (8 + 2 * size),
        _ => return Err(broken("unknown block size")),
    };
    let length_bytes = if flags & CONTENT_LENGTH == 0 { 0 } else { 8 };
    take(source, length_bytes)?;
    let described = take(&mut rest, 2 + length_bytes)?;
    let [checksum] = *take(source, 1)? else { return Err(broken("no header checksum")) };
    check(u32::from(checksum), XxHash32::oneshot(0, described) >> 8 & 0xff)?;
    Ok(Frame { flags, max_block_bytes, content_hash: XxHash32::with_seed(0) })
}

fn u32_le(source: &mut Cursor<'_>) -> io::Result<u32> {
    source.u32().map(u32::swap_bytes).map_err(|_| io::ErrorKind::UnexpectedEof.into())
}

fn take<'a>(source: &mut Cursor<'a>, len: usize) -> io::Result<&'a [u8]> {
    source.take(len).map_err(|_| io::ErrorKind::UnexpectedEof.into())
}

fn check(stored: u32, computed: u32) -> io::Result<()> {
    if stored == computed { Ok(()) } else { Err(broken("wrong checksum")) }
}

fn broken(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

    use super::*;

    fn read(source: &[u8]) -> io::Result<Vec<u8>> {
        let (mut scratch, mut out) = (Lz4Scratch::default(), Vec::new());
        Lz4Reader::new(source, &mut scratch).read_to_end(&mut out)?;
        Ok(out)
    }

    fn frame(info: FrameInfo, bytes: &[u8]) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).expect("compresses");
        encoder.finish().expect("compresses")
    }

    #[test]
    fn every_kind_of_frame_is_read() {
        let bytes: Vec<u8> = (0..400_000_u32).map(|i| (i.wrapping_mul(i) >> 9) as u8).collect();
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for has_sums in [false, true] {
                for size in [BlockSize::Max64KB, BlockSize::Max1MB] {
                    let info = FrameInfo::new()
                        .block_mode(mode)
                        .block_size(size)
                        .block_checksums(has_sums)
                        .content_checksum(has_sums)
                        .content_size(has_sums.then_some(bytes.len() as u64));
                    let one = frame(info, &bytes);
                    assert_eq!(read(&one).expect("a good frame"), bytes);
                    let two = [one.as_slice(), &one].concat();
                    assert_eq!(read(&two).expect("good frames").len(), 2 * bytes.len());
                }
            }
        }
    }

    #[test]
    fn a_frame_cut_anywhere_or_damaged_in_its_header_is_refused() {
        let info = FrameInfo::new().block_size(BlockSize::Max64KB).content_checksum(true);
        let good = frame(info, b"some bytes that are not compressed");
        for len in 1..good.len() {
            assert!(read(&good[..len]).is_err(), "{len}");
        }
        for bit in 0..7 * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bad).is_err(), "bit {bit}");
        }
        assert_eq!(read(&[]).expect("nothing"), b"");
    }
}
