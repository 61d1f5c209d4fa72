//! Values of the boundary: little endian, unaligned. The layouts are those of docs/design/boundary.md.

use thiserror::Error;

/// A packed buffer that its writer, our own code on the other side, got wrong.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum PackedError {
    #[error("packed entry too short: {needed} bytes needed, {left} left")]
    Short { needed: usize, left: usize },
    #[error("packed string is not UTF-8")]
    NotUtf8,
    #[error("unknown {what} {value}")]
    Unknown { what: &'static str, value: u32 },
}

/// Kinds of the entries that `drain` gives.
pub mod kind {
    pub const REQUEST: u8 = 1;
    pub const CONNECTED: u8 = 2;
    pub const DISCONNECTED: u8 = 3;
    pub const DONE: u8 = 4;
    pub const ROLE: u8 = 5;
    pub const COMMITTED: u8 = 6;
    pub const CLOSED: u8 = 7;
    pub const FAILED: u8 = 8;
    pub const LOG_DIRECTORY: u8 = 9;
    pub const LOG: u8 = 10;
}

/// Kinds of the commands that `submit` takes.
pub mod command {
    pub const OPEN_PARTITION: u16 = 1;
    pub const DELETE_PARTITION: u16 = 2;
    pub const CONFIGURE_LOG: u16 = 3;
    pub const APPEND: u16 = 4;
    pub const READ_LOG: u16 = 5;
    pub const LIST_OFFSETS: u16 = 6;
    pub const OFFSET_FOR_LEADER_EPOCH: u16 = 7;
    pub const DELETE_RECORDS: u16 = 8;
    pub const READ_BARRIER: u16 = 9;
    pub const DESCRIBE_LOGS: u16 = 10;
    pub const DESCRIBE_PRODUCERS: u16 = 11;
    pub const WRITE_SNAPSHOT: u16 = 12;
    pub const READ_SNAPSHOT: u16 = 13;
    pub const SWEEP_FOLDERS: u16 = 14;
}

/// Flags of open-partition.
pub mod open_flag {
    pub const WATCH_COMMITS: u16 = 1;
    pub const FSYNC_ALWAYS: u16 = 2;
}

/// Flags of an answer.
pub mod answer_flag {
    pub const CLOSE_AFTER: u8 = 1;
    pub const MUTE: u8 = 2;
    pub const NO_ANSWER: u8 = 4;
    pub const PART: u8 = 8;
}

/// The index of a handle that names no partition.
pub const NO_HANDLE: u32 = u32::MAX;

/// Reads a packed buffer; every read checks what is left.
#[derive(Debug, Clone, Copy)]
pub struct PackedReader<'a> {
    bytes: &'a [u8],
}

impl<'a> PackedReader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    pub fn take(&mut self, len: usize) -> Result<&'a [u8], PackedError> {
        let short = PackedError::Short { needed: len, left: self.bytes.len() };
        let (head, tail) = self.bytes.split_at_checked(len).ok_or(short)?;
        self.bytes = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PackedError> {
        let mut value = [0; N];
        value.copy_from_slice(self.take(N)?);
        Ok(value)
    }

    pub fn u8(&mut self) -> Result<u8, PackedError> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, PackedError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32, PackedError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, PackedError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Result<i32, PackedError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Result<i64, PackedError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub fn uuid(&mut self) -> Result<[u8; 16], PackedError> {
        self.array()
    }

    pub fn str(&mut self) -> Result<&'a str, PackedError> {
        let len = usize::from(self.u16()?);
        std::str::from_utf8(self.take(len)?).map_err(|_| PackedError::NotUtf8)
    }

    /// What is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// The next entry of a list whose entries begin with their length.
    pub fn entry(&mut self) -> Result<PackedReader<'a>, PackedError> {
        let len = self.u32()? as usize;
        Ok(PackedReader::new(self.take(len)?))
    }
}

/// Appends a string with its 16-bit length; what is longer than that is cut (only log lines can be).
pub fn put_str(out: &mut Vec<u8>, value: &str) {
    let mut len = value.len().min(usize::from(u16::MAX));
    while !value.is_char_boundary(len) {
        len -= 1;
    }
    out.extend_from_slice(&(len as u16).to_le_bytes());
    out.extend_from_slice(&value.as_bytes()[..len]);
}

/// Appends the fixed part of an event, without its length prefix.
pub fn put_event_header(
    out: &mut Vec<u8>,
    kind: u8,
    error_code: i16,
    token: u32,
    index: u32,
    generation: u32,
) {
    out.extend_from_slice(&[kind, 0]);
    out.extend_from_slice(&error_code.to_le_bytes());
    out.extend_from_slice(&token.to_le_bytes());
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(&generation.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_beyond_the_end_is_an_error() {
        let mut reader = PackedReader::new(&[1, 0, 0]);
        assert_eq!(reader.u32(), Err(PackedError::Short { needed: 4, left: 3 }));
        assert_eq!(reader.u16(), Ok(1));
        assert_eq!(reader.str(), Err(PackedError::Short { needed: 2, left: 1 }));
    }

    #[test]
    fn a_long_string_is_cut_between_characters() {
        let mut out = Vec::new();
        put_str(&mut out, &"ä".repeat(40_000));
        assert_eq!(out.len(), 2 + 65_534);
    }
}
