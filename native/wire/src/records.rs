//! Records of a batch in full, and the time look-ups behind ListOffsets.

use crate::batch::{BatchHeader, HEADER_BYTES, TimestampType};
use crate::compression::{Codec, CompressionError, decompress};
use crate::cursor::{Cursor, WireError};
use crate::walk::{Scratch, Step, WalkError, output_limit, walk_records};

/// One record. Keys and values may be null; headers are read on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: i64,
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub header_count: i32,
    headers: &'a [u8],
}

impl<'a> Record<'a> {
    /// Names and values of the headers; ends at the first that is malformed.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut cursor = Cursor::new(self.headers);
        (0..self.header_count.max(0)).map_while(move |_| {
            let name = nullable(&mut cursor).ok()??;
            Some((name, nullable(&mut cursor).ok()?))
        })
    }
}

/// Iterates over decompressed records; ends behind the first error.
#[derive(Debug, Clone)]
pub struct RecordIter<'a> {
    cursor: Cursor<'a>,
    header: BatchHeader,
    left: i32,
}

impl<'a> RecordIter<'a> {
    /// `records` are the bytes behind the header of the batch, decompressed.
    pub fn new(header: &BatchHeader, records: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(records), header: *header, left: header.record_count }
    }

    fn read(&mut self) -> Result<Record<'a>, WireError> {
        let len = self.cursor.varint()?;
        let len = usize::try_from(len).map_err(|_| WireError::NullNotAllowed(len))?;
        let body = self.cursor.take(len)?;
        let mut cursor = Cursor::new(body);
        cursor.i8()?;
        let timestamp_delta = cursor.varlong()?;
        let offset_delta = cursor.varint()?;
        let key = nullable(&mut cursor)?;
        let value = nullable(&mut cursor)?;
        let header_count = cursor.varint()?;
        let timestamp = match self.header.timestamp_type() {
            TimestampType::CreateTime => self.header.base_timestamp.wrapping_add(timestamp_delta),
            TimestampType::LogAppendTime => self.header.max_timestamp,
        };
        let offset = self.header.base_offset.wrapping_add(i64::from(offset_delta));
        let headers = &body[cursor.position()..];
        Ok(Record { offset, timestamp, key, value, header_count, headers })
    }
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<Record<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left <= 0 {
            return None;
        }
        self.left -= 1;
        let record = self.read();
        if record.is_err() {
            self.left = 0;
        }
        Some(record)
    }
}

fn nullable<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, WireError> {
    match usize::try_from(cursor.varint()?) {
        Ok(len) => cursor.take(len).map(Some),
        Err(_) => Ok(None),
    }
}

/// The records of a whole batch behind its header, decompressed into `out` when they are
/// compressed.
pub fn plain_records<'a>(
    batch: &'a [u8],
    header: &BatchHeader,
    scratch: &mut Scratch,
    out: &'a mut Vec<u8>,
) -> Result<&'a [u8], CompressionError> {
    let body = batch.get(HEADER_BYTES..).unwrap_or_default();
    let codec = header.codec().ok_or(CompressionError::UnknownCodec)?;
    if codec == Codec::None {
        return Ok(body);
    }
    out.clear();
    decompress(codec, body, stored_limit(batch), scratch.codecs(), out)?;
    Ok(out)
}

/// A record found by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetAndTimestamp {
    pub offset: i64,
    pub timestamp: i64,
}

/// The first record of a whole batch that is not before `timestamp` nor below `min_offset`.
pub fn find_timestamp(
    batch: &[u8],
    header: &BatchHeader,
    timestamp: i64,
    min_offset: i64,
    scratch: &mut Scratch,
) -> Result<Option<OffsetAndTimestamp>, WalkError> {
    let mut found = None;
    walk_records(batch, header, stored_limit(batch), scratch, |record| {
        let offset = header.base_offset.wrapping_add(i64::from(record.offset_delta));
        if record.timestamp < timestamp || offset < min_offset {
            return Step::Next;
        }
        found = Some(OffsetAndTimestamp { offset, timestamp: record.timestamp });
        Step::Stop
    })?;
    Ok(found)
}

/// The first record of a whole batch with the largest timestamp; under LogAppendTime, where all
/// have the same, the last one. `None` when no record has a timestamp.
pub fn max_timestamp_record(
    batch: &[u8],
    header: &BatchHeader,
    scratch: &mut Scratch,
) -> Result<Option<OffsetAndTimestamp>, WalkError> {
    let max = header.max_timestamp;
    if max == crate::batch::NO_TIMESTAMP {
        return Ok(None);
    }
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Ok(Some(OffsetAndTimestamp { offset: header.last_offset(), timestamp: max }));
    }
    find_timestamp(batch, header, max, i64::MIN, scratch)
}

// A stored batch was measured when it was produced; only the ratio bounds a damaged one.
fn stored_limit(batch: &[u8]) -> usize {
    output_limit(batch.len(), usize::MAX)
}
