//! Snappy as Kafka's clients write it: raw, or in the framing of the Java library ("xerial").
//!
//! ```text
//! 0x82 "SNAPPY" 0x00 | version i32 | compatible version i32 | blocks: length i32, raw snappy ...
//! ```
//! Streams may be concatenated, each with its own header.

use std::io::{self, Read};

use crate::cursor::Cursor;

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
const HEADER_BYTES: usize = 16;
// The Java library's default, which keeps a reader's block small.
const BLOCK_BYTES: usize = 32 * 1024;
// No encoding yields more than 64 bytes from three; a larger claim is refused before memory is
// taken.
const MAX_RATIO: usize = 24;

/// Decompresses block by block into one buffer that the caller keeps.
pub struct SnappyReader<'a> {
    source: Cursor<'a>,
    is_framed: bool,
    block: &'a mut Vec<u8>,
    block_at: usize,
}

impl<'a> SnappyReader<'a> {
    pub fn new(source: &'a [u8], block: &'a mut Vec<u8>) -> Self {
        block.clear();
        let is_framed = source.len() >= HEADER_BYTES && source.starts_with(&MAGIC);
        let start = if is_framed { HEADER_BYTES } else { 0 };
        Self { source: Cursor::at(source, start), is_framed, block, block_at: 0 }
    }

    fn next_compressed(&mut self) -> io::Result<Option<&'a [u8]>> {
        if !self.is_framed {
            let all = self.source.remaining();
            return Ok(if all == 0 { None } else { Some(take(&mut self.source, all)?) });
        }
        while self.source.remaining() > 0 {
            let len = take(&mut self.source, 4)?;
            if *len == MAGIC[..4] {
                take(&mut self.source, HEADER_BYTES - 4)?;
                continue;
            }
            let len = i32::from_be_bytes([len[0], len[1], len[2], len[3]]);
            let len = usize::try_from(len).map_err(|_| broken("negative block length"))?;
            return take(&mut self.source, len).map(Some);
        }
        Ok(None)
    }

    // False at the end of the stream.
    fn next_block(&mut self) -> io::Result<bool> {
        self.block_at = 0;
        self.block.clear();
        while self.block.is_empty() {
            let Some(compressed) = self.next_compressed()? else { return Ok(false) };
            let len = snap::raw::decompress_len(compressed).map_err(io::Error::other)?;
            if len > compressed.len().saturating_mul(MAX_RATIO) {
                return Err(broken("block larger than its bytes can hold"));
            }
            self.block.resize(len, 0);
            snap::raw::Decoder::new()
                .decompress(compressed, self.block)
                .map_err(io::Error::other)?;
        }
        Ok(true)
    }
}

impl Read for SnappyReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.block_at == self.block.len() && !self.next_block()? {
            return Ok(0);
        }
        let left = &self.block[self.block_at..];
        let len = left.len().min(out.len());
        out[..len].copy_from_slice(&left[..len]);
        self.block_at += len;
        Ok(len)
    }
}

/// How many bytes a stream claims to decompress to; no more than its bytes can hold.
pub(crate) fn claimed_len(source: &[u8]) -> usize {
    let mut unused = Vec::new();
    let mut reader = SnappyReader::new(source, &mut unused);
    let mut total: usize = 0;
    while let Ok(Some(block)) = reader.next_compressed() {
        let claimed = snap::raw::decompress_len(block).unwrap_or(0);
        total = total.saturating_add(claimed.min(block.len().saturating_mul(MAX_RATIO)));
    }
    total
}

/// Appends `source` in the framing of the Java library.
pub(crate) fn compress(source: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&1_i32.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    let mut encoder = snap::raw::Encoder::new();
    for block in source.chunks(BLOCK_BYTES) {
        let compressed = encoder.compress_vec(block).map_err(io::Error::other)?;
        out.extend_from_slice(&(compressed.len() as i32).to_be_bytes());
        out.extend_from_slice(&compressed);
    }
    Ok(())
}

fn take<'a>(source: &mut Cursor<'a>, len: usize) -> io::Result<&'a [u8]> {
    source.take(len).map_err(|_| io::ErrorKind::UnexpectedEof.into())
}

fn broken(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
