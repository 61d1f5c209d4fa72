//! A bounds-checked reader of Kafka's primitive types over a borrowed frame.

use std::ops::Range;

use thiserror::Error;

/// Why a frame cannot be read. Kafka closes the connection for every one of them.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum WireError {
    #[error("{needed} bytes needed, {left} left")]
    Truncated { needed: usize, left: usize },
    #[error("varint longer than {0} bytes")]
    VarintTooLong(usize),
    #[error("string of {0} bytes, the limit is 32767")]
    StringTooLong(usize),
    #[error("a required field is null (length {0})")]
    NullNotAllowed(i32),
    #[error("array of {len} elements in {left} bytes")]
    ArrayTooLong { len: usize, left: usize },
    #[error("unknown API key {0}")]
    UnknownApi(i16),
    #[error("version {version} of API {api_key} is not served")]
    UnsupportedVersion { api_key: i16, version: i16 },
    #[error("{0} tagged fields in one section")]
    TooManyTags(u32),
}

/// Tagged fields that one section may have. No struct of Kafka has a tenth of them, and every one takes time.
pub const TAGGED_FIELDS_MAX: u32 = 127;

/// A position in a frame. Every read checks what is left first and never allocates; ranges are
/// offsets into the frame.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    frame: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `frame`.
    #[inline]
    pub fn new(frame: &'a [u8]) -> Self {
        Self { frame, position: 0 }
    }

    /// A cursor at `position`, or at the end when `position` lies beyond it.
    #[inline]
    pub fn at(frame: &'a [u8], position: usize) -> Self {
        Self { frame, position: position.min(frame.len()) }
    }

    /// The offset of the next byte from the start of the frame.
    #[inline]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Moves to `position`, or to the end when it lies beyond.
    #[inline]
    pub fn seek(&mut self, position: usize) {
        self.position = position.min(self.frame.len());
    }

    /// How many bytes are left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.frame.len() - self.position
    }

    /// The next `len` bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let range = self.range(len)?;
        Ok(&self.frame[range])
    }

    /// The next `len` bytes as offsets into the frame.
    #[inline]
    pub fn range(&mut self, len: usize) -> Result<Range<usize>, WireError> {
        let left = self.remaining();
        if len > left {
            return Err(WireError::Truncated { needed: len, left });
        }
        let start = self.position;
        self.position += len;
        Ok(start..self.position)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        match self.frame[self.position..].first_chunk::<N>() {
            Some(bytes) => {
                self.position += N;
                Ok(*bytes)
            }
            None => Err(WireError::Truncated { needed: N, left: self.remaining() }),
        }
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    pub fn i8(&mut self) -> Result<i8, WireError> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    #[inline]
    pub fn i16(&mut self) -> Result<i16, WireError> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    #[inline]
    pub fn i32(&mut self) -> Result<i32, WireError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    #[inline]
    pub fn i64(&mut self) -> Result<i64, WireError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    #[inline]
    pub fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    #[inline]
    pub fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    #[inline]
    pub fn uuid(&mut self) -> Result<[u8; 16], WireError> {
        self.array()
    }

    /// An unsigned varint of at most five bytes; bits beyond the 32nd are dropped, as Kafka does.
    #[inline]
    pub fn unsigned_varint(&mut self) -> Result<u32, WireError> {
        let first = self.u8()?;
        if first < 0x80 {
            return Ok(u32::from(first));
        }
        // At most 35 bits arrive in five bytes, so the truncation drops what Kafka's int arithmetic
        // drops.
        Ok(self.long_varint(u64::from(first & 0x7f), 5)? as u32)
    }

    /// A zigzag varint of at most five bytes.
    #[inline]
    pub fn varint(&mut self) -> Result<i32, WireError> {
        let raw = self.unsigned_varint()?;
        Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
    }

    /// A zigzag varint of at most ten bytes.
    #[inline]
    pub fn varlong(&mut self) -> Result<i64, WireError> {
        let first = self.u8()?;
        let raw = match first {
            0..0x80 => u64::from(first),
            _ => self.long_varint(u64::from(first & 0x7f), 10)?,
        };
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    #[cold]
    fn long_varint(&mut self, mut value: u64, max_bytes: usize) -> Result<u64, WireError> {
        for i in 1..max_bytes {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError::VarintTooLong(max_bytes))
    }

    /// A string with a 16-bit length; any negative length is null.
    #[inline]
    pub fn nullable_string(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        match usize::try_from(self.i16()?) {
            Ok(len) => self.take(len).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// A string whose length is an unsigned varint minus one; 0 is null.
    #[inline]
    pub fn compact_nullable_string(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        let Some(len) = self.compact_string_len()? else { return Ok(None) };
        self.take(len).map(Some)
    }

    #[inline]
    pub(crate) fn compact_string_len(&mut self) -> Result<Option<usize>, WireError> {
        match self.compact_len()? {
            Some(len) if len > i16::MAX as usize => Err(WireError::StringTooLong(len)),
            len => Ok(len),
        }
    }

    /// A string that may not be null, with a 16-bit length.
    #[inline]
    pub fn string(&mut self) -> Result<&'a [u8], WireError> {
        self.nullable_string()?.ok_or(WireError::NullNotAllowed(-1))
    }

    /// A string that may not be null, compact.
    #[inline]
    pub fn compact_string(&mut self) -> Result<&'a [u8], WireError> {
        self.compact_nullable_string()?.ok_or(WireError::NullNotAllowed(-1))
    }

    /// A nullable string in the form of flexible or of older versions.
    #[inline]
    pub fn nullable_string_in(&mut self, flexible: bool) -> Result<Option<&'a [u8]>, WireError> {
        if flexible { self.compact_nullable_string() } else { self.nullable_string() }
    }

    /// A required string in the form of flexible or of older versions.
    #[inline]
    pub fn string_in(&mut self, flexible: bool) -> Result<&'a [u8], WireError> {
        self.nullable_string_in(flexible)?.ok_or(WireError::NullNotAllowed(-1))
    }

    /// Bytes or records with a 32-bit or compact length, as offsets into the frame; negative is
    /// null.
    #[inline]
    pub fn nullable_bytes_in(&mut self, flexible: bool) -> Result<Option<Range<usize>>, WireError> {
        match self.len_in(flexible)? {
            Some(len) => self.range(len).map(Some),
            None => Ok(None),
        }
    }

    /// The length of an array; negative is null. A length beyond the bytes left is refused, as
    /// Kafka does, so that a caller may loop over it.
    #[inline]
    pub fn nullable_array_len_in(&mut self, flexible: bool) -> Result<Option<usize>, WireError> {
        let Some(len) = self.len_in(flexible)? else { return Ok(None) };
        let left = self.remaining();
        if len > left {
            return Err(WireError::ArrayTooLong { len, left });
        }
        Ok(Some(len))
    }

    /// The length of an array that may not be null.
    #[inline]
    pub fn array_len_in(&mut self, flexible: bool) -> Result<usize, WireError> {
        self.nullable_array_len_in(flexible)?.ok_or(WireError::NullNotAllowed(-1))
    }

    #[inline]
    pub(crate) fn len_in(&mut self, flexible: bool) -> Result<Option<usize>, WireError> {
        if flexible { self.compact_len() } else { Ok(usize::try_from(self.i32()?).ok()) }
    }

    // Kafka computes in 32-bit signed arithmetic: a varint above 2^31 is a negative length, thus
    // null.
    #[inline]
    fn compact_len(&mut self) -> Result<Option<usize>, WireError> {
        let len = (self.unsigned_varint()? as i32).wrapping_sub(1);
        Ok(usize::try_from(len).ok())
    }

    /// Skips a block of tagged fields.
    #[inline]
    pub fn skip_tagged_fields(&mut self) -> Result<(), WireError> {
        // Next to no one sends any.
        if self.frame.get(self.position) == Some(&0) {
            self.position += 1;
            return Ok(());
        }
        self.tagged_fields(|_, _| Ok(()))
    }

    /// Calls `read` for each tagged field with its tag and a cursor over its bytes alone, whose
    /// positions are still offsets into the whole frame.
    #[inline]
    pub fn tagged_fields(
        &mut self,
        mut read: impl FnMut(u32, &mut Cursor<'a>) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let count = self.unsigned_varint()?;
        if count > TAGGED_FIELDS_MAX {
            return Err(WireError::TooManyTags(count));
        }
        for _ in 0..count {
            let tag = self.unsigned_varint()?;
            let len = self.unsigned_varint()? as usize;
            let range = self.range(len)?;
            let mut field = Cursor { frame: &self.frame[..range.end], position: range.start };
            read(tag, &mut field)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_of_ten_ff_bytes_is_refused() {
        let bytes = [0xff; 10];
        assert_eq!(Cursor::new(&bytes).unsigned_varint(), Err(WireError::VarintTooLong(5)));
        assert_eq!(Cursor::new(&bytes).varlong(), Err(WireError::VarintTooLong(10)));
    }

    #[test]
    fn absurd_lengths_are_refused_before_anything_is_allocated() {
        let len = i32::MAX.to_be_bytes();
        let error = WireError::ArrayTooLong { len: i32::MAX as usize, left: 0 };
        assert_eq!(Cursor::new(&len).array_len_in(false), Err(error));
        // 2^31 - 1 elements in a compact array.
        let compact = [0x80, 0x80, 0x80, 0x80, 0x08];
        assert_eq!(Cursor::new(&compact).array_len_in(true), Err(error));
        let truncated = WireError::Truncated { needed: i32::MAX as usize, left: 0 };
        assert_eq!(Cursor::new(&len).nullable_bytes_in(false), Err(truncated));
        let long_string = [0x81, 0x80, 0x02];
        assert_eq!(
            Cursor::new(&long_string).compact_string(),
            Err(WireError::StringTooLong(32768))
        );
    }

    #[test]
    fn negative_lengths_are_null_where_null_is_allowed() {
        for len in [-1, -2, i32::MIN] {
            let bytes = len.to_be_bytes();
            assert_eq!(Cursor::new(&bytes).nullable_array_len_in(false), Ok(None));
            assert_eq!(Cursor::new(&bytes).nullable_bytes_in(false), Ok(None));
            assert!(Cursor::new(&bytes).array_len_in(false).is_err());
        }
        assert_eq!(Cursor::new(&[0]).compact_nullable_string(), Ok(None));
        assert_eq!(Cursor::new(&[0xff, 0xff]).nullable_string(), Ok(None));
        assert!(Cursor::new(&[0xff, 0xff]).string().is_err());
    }

    #[test]
    fn a_tagged_field_is_read_within_its_size() {
        // One field, tag 3, two bytes; four bytes behind it.
        let bytes = [1, 3, 2, 0xab, 0xcd, 1, 2, 3, 4];
        let mut cursor = Cursor::new(&bytes);
        let mut seen = Vec::new();
        cursor
            .tagged_fields(|tag, field| {
                seen.push((tag, field.position(), field.remaining()));
                assert!(field.i32().is_err());
                Ok(())
            })
            .expect("a good block");
        assert_eq!((seen, cursor.remaining()), (vec![(3, 3, 2)], 4));
        assert!(Cursor::new(&[1, 0, 9, 1]).skip_tagged_fields().is_err());
    }

    #[test]
    fn a_section_of_tagged_fields_is_no_list() {
        let fields = |count: u8| [&[count][..], &[0; 512]].concat();
        let max = TAGGED_FIELDS_MAX as u8;
        assert_eq!(Cursor::new(&fields(max)).skip_tagged_fields(), Ok(()));
        let too_many = [&[0x80, 0x01][..], &[0; 512]].concat();
        assert_eq!(Cursor::new(&too_many).skip_tagged_fields(), Err(WireError::TooManyTags(128)));
    }

    #[test]
    fn a_position_beyond_the_frame_is_its_end() {
        assert_eq!(Cursor::at(b"abc", 9).remaining(), 0);
    }
}
