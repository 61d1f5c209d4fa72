//! The window through which a compressed batch is walked, so that its size bounds the memory and not what comes out.

use std::io::{self, Read};

use crate::compression::{Codec, Stream};
use crate::varint::{MAX_VARINT_BYTES, MAX_VARLONG_BYTES, unzigzag};
use crate::walk::WalkError;

/// The window through which compressed batches are read.
pub const WINDOW_BYTES: usize = 64 * 1024;

/// A sliding window over a decompressed stream.
pub struct Window<'a> {
    stream: Stream<'a>,
    codec: Codec,
    bytes: &'a mut Vec<u8>,
    start: usize,
    end: usize,
    left: usize,
    output_limit: usize,
}

impl<'a> Window<'a> {
    pub fn new(
        stream: Stream<'a>,
        codec: Codec,
        bytes: &'a mut Vec<u8>,
        output_limit: usize,
    ) -> Self {
        Self { stream, codec, bytes, start: 0, end: 0, left: output_limit, output_limit }
    }

    /// Bytes that may still come out of the stream.
    pub fn left(&self) -> usize {
        self.left
    }

    /// What was read and not consumed yet.
    pub fn available(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub fn consume(&mut self, len: usize) {
        self.start += len;
    }

    /// Falls by one with each byte that is consumed.
    pub fn left_to_read(&self) -> usize {
        self.left + (self.end - self.start)
    }

    /// Moves what is available to the front and reads more behind it. False at the end of the
    /// stream.
    pub fn fill(&mut self) -> Result<bool, WalkError> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let got = self.read()?;
        if got > self.left {
            self.left = 0;
            return Err(WalkError::TooLarge { limit: self.output_limit });
        }
        self.left -= got;
        self.end += got;
        Ok(got > 0)
    }

    fn read(&mut self) -> Result<usize, WalkError> {
        loop {
            match self.stream.read(&mut self.bytes[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    return result
                        .map_err(|source| WalkError::Corrupt { codec: self.codec, source });
                }
            }
        }
    }

    pub fn byte(&mut self, index: i32) -> Result<u8, WalkError> {
        if self.start == self.end && !self.fill()? {
            return Err(WalkError::Malformed(index));
        }
        self.start += 1;
        Ok(self.bytes[self.start - 1])
    }

    pub fn skip(&mut self, len: i32, index: i32) -> Result<(), WalkError> {
        let mut left = usize::try_from(len).unwrap_or(0);
        while left > 0 {
            if self.start == self.end && !self.fill()? {
                return Err(WalkError::Malformed(index));
            }
            let step = left.min(self.end - self.start);
            self.start += step;
            left -= step;
        }
        Ok(())
    }

    pub fn varint(&mut self, index: i32) -> Result<i32, WalkError> {
        Ok(unzigzag(self.raw_varint(MAX_VARINT_BYTES, index)? & u64::from(u32::MAX)) as i32)
    }

    pub fn varlong(&mut self, index: i32) -> Result<i64, WalkError> {
        Ok(unzigzag(self.raw_varint(MAX_VARLONG_BYTES, index)?))
    }

    fn raw_varint(&mut self, max_bytes: usize, index: i32) -> Result<u64, WalkError> {
        let mut value = 0;
        for i in 0..max_bytes {
            let byte = self.byte(index)?;
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WalkError::Malformed(index))
    }
}
