//! The header of a record batch, magic 2: 61 bytes before the records.
//!
//! ```text
//! 0 baseOffset i64 | 8 batchLength i32 | 12 partitionLeaderEpoch i32 | 16 magic i8 | 17 crc u32
//! 21 attributes i16 | 23 lastOffsetDelta i32 | 27 baseTimestamp i64 | 35 maxTimestamp i64
//! 43 producerId i64 | 51 producerEpoch i16 | 53 baseSequence i32 | 57 recordCount i32 | 61 records
//! ```
//! `batchLength` counts from byte 12; the CRC-32C covers byte 21 to the end, so base offset and
//! epoch lie outside it.

use thiserror::Error;

use crate::compression::Codec;
use crate::crc::crc32c;

/// Bytes before the records.
pub const HEADER_BYTES: usize = 61;
/// Bytes before those that `batchLength` counts.
pub const LENGTH_OVERHEAD: usize = 12;
/// The first byte under the CRC.
pub const CRC_START: usize = 21;
pub const MAGIC: i8 = 2;

/// The timestamp of a record, or the maximum of a batch, that was not set.
pub const NO_TIMESTAMP: i64 = -1;
/// The producer id of a batch that is not idempotent.
pub const NO_PRODUCER_ID: i64 = -1;
/// The base sequence of a batch that is not idempotent.
pub const NO_SEQUENCE: i32 = -1;

const CODEC_MASK: i16 = 0x07;
const APPEND_TIME_BIT: i16 = 0x08;
const TRANSACTIONAL_BIT: i16 = 0x10;
const CONTROL_BIT: i16 = 0x20;
const DELETE_HORIZON_BIT: i16 = 0x40;
const KNOWN_BITS: i16 = 0x7f;

/// What is wrong with the bytes of a batch.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum BatchError {
    #[error("a batch of {needed} bytes in {left}")]
    Truncated { needed: usize, left: usize },
    #[error("magic {0} is not a record batch")]
    Magic(i8),
    #[error("batch length {0}")]
    Length(i32),
    #[error("CRC {computed:08x}, the header says {stored:08x}")]
    Crc { stored: u32, computed: u32 },
    #[error("control frame of kind {0}")]
    Kind(i16),
    #[error("control frame with lastOffsetDelta {0}")]
    ControlOffsetDelta(i32),
    #[error("control frame of term {outside} outside its CRC, {inside} inside")]
    TermMismatch { outside: u32, inside: u32 },
}

/// Whose clock the timestamps of a batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampType {
    #[default]
    CreateTime,
    LogAppendTime,
}

/// All fields of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: i64,
    /// Bytes of the batch behind this field; see `size`.
    pub batch_length: i32,
    pub partition_leader_epoch: i32,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which need not hold the records. Checks magic and
    /// length, not the CRC.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(BatchError::Truncated { needed: HEADER_BYTES, left: bytes.len() });
        };
        let magic = bytes[16] as i8;
        if magic != MAGIC {
            return Err(BatchError::Magic(magic));
        }
        let batch_length = i32_at(bytes, 8);
        if batch_length < (HEADER_BYTES - LENGTH_OVERHEAD) as i32 {
            return Err(BatchError::Length(batch_length));
        }
        Ok(Self {
            base_offset: i64_at(bytes, 0),
            batch_length,
            partition_leader_epoch: i32_at(bytes, 12),
            crc: i32_at(bytes, 17) as u32,
            attributes: i16_at(bytes, 21),
            last_offset_delta: i32_at(bytes, 23),
            base_timestamp: i64_at(bytes, 27),
            max_timestamp: i64_at(bytes, 35),
            producer_id: i64_at(bytes, 43),
            producer_epoch: i16_at(bytes, 51),
            base_sequence: i32_at(bytes, 53),
            record_count: i32_at(bytes, 57),
        })
    }

    /// The header as bytes, `crc` as it stands in the struct.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.batch_length.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.partition_leader_epoch.to_be_bytes());
        bytes[16] = MAGIC as u8;
        bytes[17..21].copy_from_slice(&self.crc.to_be_bytes());
        bytes[21..23].copy_from_slice(&self.attributes.to_be_bytes());
        bytes[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        bytes[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        bytes[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        bytes[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        bytes[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        bytes[57..61].copy_from_slice(&self.record_count.to_be_bytes());
        bytes
    }

    /// Bytes of the whole batch.
    pub fn size(&self) -> usize {
        LENGTH_OVERHEAD + self.batch_length as usize
    }

    /// `None` for a codec number that nobody assigned.
    pub fn codec(&self) -> Option<Codec> {
        Codec::from_id((self.attributes & CODEC_MASK) as u8)
    }

    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & APPEND_TIME_BIT == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// The same batch with the timestamps of its records counting, as it is in a CreateTime topic.
    pub fn with_create_time(&self) -> Self {
        Self { attributes: self.attributes & !APPEND_TIME_BIT, ..*self }
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// True for transaction markers, which only brokers write.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// True when the base timestamp is a delete horizon of compaction, not a time of the records.
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes & DELETE_HORIZON_BIT != 0
    }

    pub fn is_idempotent(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    pub fn last_offset(&self) -> i64 {
        self.base_offset.wrapping_add(i64::from(self.last_offset_delta))
    }

    /// The sequence of the last record, or -1. Sequences wrap from 2^31 - 1 to 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence == NO_SEQUENCE {
            return NO_SEQUENCE;
        }
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }
}

/// The sequence `delta` records behind `sequence`; 2^31 - 1 is followed by 0. Both are not
/// negative.
pub fn increment_sequence(sequence: i32, delta: i32) -> i32 {
    ((i64::from(sequence) + i64::from(delta)) & i64::from(i32::MAX)) as i32
}

/// Compares the stored CRC with the bytes of a whole batch. One pass, no allocation.
pub fn check_crc(batch: &[u8]) -> Result<(), BatchError> {
    if batch.len() < HEADER_BYTES {
        return Err(BatchError::Truncated { needed: HEADER_BYTES, left: batch.len() });
    }
    let (stored, computed) = (i32_at(batch, 17) as u32, crc32c(&batch[CRC_START..]));
    if stored == computed { Ok(()) } else { Err(BatchError::Crc { stored, computed }) }
}

/// Writes offset and epoch, which lie outside the CRC, into a batch or control frame. `batch` holds
/// 16 bytes or more.
pub fn stamp(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    batch[0..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
}

/// Makes a whole batch one of LogAppendTime: attribute bit, maximum timestamp and CRC. True when
/// bytes changed.
pub fn set_append_time(batch: &mut [u8], now_ms: i64) -> bool {
    set_max_timestamp(batch, TimestampType::LogAppendTime, now_ms)
}

/// Gives a whole batch of CreateTime its true maximum timestamp and a CRC that fits. True when
/// bytes changed.
pub fn fix_max_timestamp(batch: &mut [u8], max_timestamp: i64) -> bool {
    set_max_timestamp(batch, TimestampType::CreateTime, max_timestamp)
}

// As Kafka: nothing is touched when both are right already; a rewrite clears the attribute bits
// nobody assigned.
fn set_max_timestamp(batch: &mut [u8], timestamp_type: TimestampType, max_timestamp: i64) -> bool {
    let attributes = i16_at(batch, 21);
    let append_time_bit =
        if timestamp_type == TimestampType::LogAppendTime { APPEND_TIME_BIT } else { 0 };
    if attributes & APPEND_TIME_BIT == append_time_bit && i64_at(batch, 35) == max_timestamp {
        return false;
    }
    let attributes = attributes & KNOWN_BITS & !APPEND_TIME_BIT | append_time_bit;
    batch[21..23].copy_from_slice(&attributes.to_be_bytes());
    batch[35..43].copy_from_slice(&max_timestamp.to_be_bytes());
    write_crc(batch);
    true
}

/// Computes and stores the CRC of a whole batch or control frame.
pub fn write_crc(batch: &mut [u8]) {
    let crc = crc32c(&batch[CRC_START..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

fn chunk_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut chunk = [0; N];
    chunk.copy_from_slice(&bytes[at..at + N]);
    chunk
}

pub(crate) fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes(chunk_at(bytes, at))
}

pub(crate) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(chunk_at(bytes, at))
}

pub(crate) fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(chunk_at(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> BatchHeader {
        BatchHeader {
            base_offset: 1 << 40,
            batch_length: 49,
            partition_leader_epoch: 3,
            crc: 0xdead_beef,
            attributes: 0x54,
            last_offset_delta: 9,
            base_timestamp: 11,
            max_timestamp: 22,
            producer_id: 33,
            producer_epoch: 4,
            base_sequence: 5,
            record_count: 10,
        }
    }

    #[test]
    fn a_header_comes_back() {
        let header = header();
        assert_eq!(BatchHeader::parse(&header.encode()), Ok(header));
        assert_eq!((header.size(), header.last_offset()), (61, (1 << 40) + 9));
        assert_eq!((header.codec(), header.is_transactional()), (Some(Codec::Zstd), true));
        assert!(header.has_delete_horizon() && !header.is_control());
        assert_eq!(header.last_sequence(), 14);
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        let good = header().encode();
        let error = BatchHeader::parse(&good[..60]);
        assert_eq!(error, Err(BatchError::Truncated { needed: 61, left: 60 }));
        let mut bad = good;
        bad[16] = 1;
        assert_eq!(BatchHeader::parse(&bad), Err(BatchError::Magic(1)));
        for length in [i32::MIN, -1, 0, 48] {
            let short = BatchHeader { batch_length: length, ..header() }.encode();
            assert_eq!(BatchHeader::parse(&short), Err(BatchError::Length(length)));
        }
    }

    #[test]
    fn stamping_leaves_the_crc_alone() {
        let mut batch = header().encode();
        write_crc(&mut batch);
        stamp(&mut batch, 77, 8);
        check_crc(&batch).expect("a CRC that fits");
        let parsed = BatchHeader::parse(&batch).expect("a header");
        assert_eq!((parsed.base_offset, parsed.partition_leader_epoch), (77, 8));
    }

    #[test]
    fn a_right_timestamp_is_not_written_again() {
        let mut batch = header().encode();
        assert!(!fix_max_timestamp(&mut batch, 22));
        assert_eq!(batch, header().encode());
        assert!(set_append_time(&mut batch, 22));
        check_crc(&batch).expect("a CRC that fits");
        let parsed = BatchHeader::parse(&batch).expect("a header");
        assert_eq!(
            (parsed.timestamp_type(), parsed.attributes),
            (TimestampType::LogAppendTime, 0x5c)
        );
        assert_eq!((parsed.base_timestamp, parsed.max_timestamp), (11, 22));
    }

    #[test]
    fn the_crc_is_castagnoli() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
