//! What a leader checks in the records a client produces, field by field as Kafka does.

use std::borrow::Cow;
use std::ops::Range;

use crate::batch::{
    BatchHeader, LENGTH_OVERHEAD, MAGIC, NO_TIMESTAMP, TimestampType, check_crc, fix_max_timestamp,
    i32_at, set_append_time,
};
use crate::compression::Codec;
use crate::error_code;
use crate::produce_response::RecordError;
use crate::walk::output_limit;

pub use crate::walk::Scratch;

mod records;

use records::{CheckError, Found, check_records};

/// What a topic and the broker demand of produced batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidationRules {
    /// Version of the Produce request; zstd needs 7.
    pub produce_version: i16,
    /// `max.message.bytes`.
    pub max_message_bytes: usize,
    /// `segment.bytes`.
    pub segment_bytes: usize,
    /// `cleanup.policy` contains `compact`: every record needs a key.
    pub is_compacted: bool,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`; `i64::MAX` for no bound.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`; `i64::MAX` for no bound.
    pub timestamp_after_max_ms: i64,
    /// `producer.check.compressed`: look inside compressed batches too.
    pub check_compressed: bool,
}

impl Default for ValidationRules {
    /// Kafka's defaults of topic and broker, and the newest request version.
    fn default() -> Self {
        Self {
            produce_version: crate::produce::MAX_VERSION,
            max_message_bytes: 1_048_588,
            segment_bytes: 1 << 30,
            is_compacted: false,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            check_compressed: true,
        }
    }
}

/// What appending needs to know of an accepted batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidBatch {
    /// The batch within the records field; what follows is a torn rest that is not appended.
    pub range: Range<usize>,
    pub attributes: i16,
    pub record_count: i32,
    pub last_offset_delta: i32,
    /// As it now stands in the header: recomputed from the records, or the broker's time.
    pub max_timestamp: i64,
    /// Delta of the first record with that timestamp; of the last record under LogAppendTime, when
    /// no record has a timestamp, and when the inside was not looked at.
    pub max_timestamp_offset_delta: i32,
    /// What the Produce response says: the broker's time under LogAppendTime, else -1.
    pub log_append_time_ms: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub is_transactional: bool,
    /// The header and its CRC were rewritten in place.
    pub is_rewritten: bool,
}

impl ValidBatch {
    /// A batch of which only the header is known: one that this broker wrote itself, or replays.
    pub fn from_header(header: &BatchHeader) -> Self {
        let log_append_time_ms = match header.timestamp_type() {
            TimestampType::CreateTime => NO_TIMESTAMP,
            TimestampType::LogAppendTime => header.max_timestamp,
        };
        Self {
            range: 0..header.size(),
            attributes: header.attributes,
            record_count: header.record_count,
            last_offset_delta: header.last_offset_delta,
            max_timestamp: header.max_timestamp,
            max_timestamp_offset_delta: header.last_offset_delta,
            log_append_time_ms,
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
            is_transactional: header.is_transactional(),
            is_rewritten: false,
        }
    }
}

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRejection {
    pub error_code: i16,
    pub message: Cow<'static, str>,
    /// Kafka sends a message of its own as well; else it is for the log.
    pub has_words: bool,
    /// Kafka's log itself refuses it, not what stands in front: the answer says where the log starts.
    pub is_of_log: bool,
    /// The records that are at fault, when single records are (KIP-467).
    pub record_errors: Vec<RecordError>,
}

impl BatchRejection {
    fn new(error_code: i16, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            error_code,
            message: message.into(),
            has_words: false,
            is_of_log: false,
            record_errors: Vec::new(),
        }
    }

    /// The refusal of what could not be looked at.
    pub fn unknown(message: &'static str) -> Self {
        Self::new(error_code::UNKNOWN_SERVER_ERROR, message)
    }

    /// What Kafka fails at without a check of its own, so that it knows no code for it.
    fn failed_in_log(message: impl Into<Cow<'static, str>>) -> Self {
        Self { is_of_log: true, ..Self::new(error_code::UNKNOWN_SERVER_ERROR, message) }
    }

    /// What is wrong with a batch that is one.
    fn of_log(message: impl Into<Cow<'static, str>>) -> Self {
        Self { is_of_log: true, ..Self::invalid(message) }
    }

    /// Bytes that say themselves that they are no batch.
    fn no_batch(message: String) -> Self {
        Self { has_words: true, ..Self::corrupt(message) }
    }

    fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(error_code::INVALID_RECORD, message)
    }

    fn corrupt(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(error_code::CORRUPT_MESSAGE, message)
    }

    /// The refusal of a batch that decompresses to more than is allowed. Java's producer splits such a
    /// batch and sends the parts.
    pub fn too_large() -> Self {
        Self::new(error_code::MESSAGE_TOO_LARGE, "the batch decompresses to too much")
    }

    /// The refusal of a partition whose records are null.
    pub fn null_records() -> Self {
        Self::invalid("no records")
    }
}

/// The most record errors of one request that are reported; a hostile one has millions of records.
pub const MAX_RECORD_ERRORS: usize = 1000;

/// What the batches of one request may still cost together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes that may come out of compressed batches.
    pub output: usize,
    /// Record errors that are reported; a refused batch reports at least one all the same.
    pub errors: usize,
}

impl Budget {
    /// So many bytes out of compressed batches, and the errors of one request.
    pub fn of_output(output: usize) -> Self {
        Self { output, errors: MAX_RECORD_ERRORS }
    }
}

/// Checks the records field of one partition: exactly one batch, its header, its CRC and each
/// record. Rewrites the maximum timestamp, the timestamp type and the CRC in place when they are
/// not what the log must hold. One pass over the bytes, two when record errors must be listed; no
/// allocation for an accepted plain batch. Offset and epoch are not stamped here.
pub fn validate_records(
    records: &mut [u8],
    rules: &ValidationRules,
    now_ms: i64,
    scratch: &mut Scratch,
) -> Result<ValidBatch, BatchRejection> {
    let mut budget = Budget::of_output(usize::MAX);
    let valid = validate_within(records, rules, now_ms, scratch, &mut budget)?;
    valid.ok_or_else(BatchRejection::too_large)
}

/// `validate_records` within a budget, which it lowers: `None`, and no byte changed, when it would
/// take more bytes out of a compressed batch than are left.
#[inline]
pub fn validate_within(
    records: &mut [u8],
    rules: &ValidationRules,
    now_ms: i64,
    scratch: &mut Scratch,
    budget: &mut Budget,
) -> Result<Option<ValidBatch>, BatchRejection> {
    let header = single_batch(records)?;
    let size = header.size();
    let batch = &mut records[..size];
    check_header(batch, &header, rules)?;
    let found = if header.codec() == Some(Codec::None) || rules.check_compressed {
        let limit = output_limit(size, rules.max_message_bytes);
        let is_budget_short = budget.output < limit;
        match check_records(batch, &header, rules, now_ms, scratch, (limit, &mut *budget)) {
            Err(CheckError::TooLarge) if is_budget_short => return Ok(None),
            checked => checked?,
        }
    } else {
        Found { max_timestamp: header.max_timestamp, delta: header.last_offset_delta }
    };
    if size > rules.segment_bytes {
        let message = format!("a batch of {size} bytes, a segment has {}", rules.segment_bytes);
        return Err(BatchRejection::new(error_code::RECORD_LIST_TOO_LARGE, message));
    }
    let is_rewritten = match rules.timestamp_type {
        TimestampType::CreateTime => fix_max_timestamp(batch, found.max_timestamp),
        TimestampType::LogAppendTime => set_append_time(batch, now_ms),
    };
    let mut valid = ValidBatch::from_header(&header);
    valid.is_rewritten = is_rewritten;
    valid.attributes = crate::batch::i16_at(batch, 21);
    (valid.max_timestamp, valid.max_timestamp_offset_delta, valid.log_append_time_ms) =
        match rules.timestamp_type {
            TimestampType::CreateTime => (found.max_timestamp, found.delta, NO_TIMESTAMP),
            TimestampType::LogAppendTime => (now_ms, header.last_offset_delta, now_ms),
        };
    Ok(Some(valid))
}

// What Kafka's batch iterator makes of the bytes: too few for a batch are none at all, a length or
// a magic that no batch has is corruption, and a torn second batch is dropped.
fn single_batch(records: &[u8]) -> Result<BatchHeader, BatchRejection> {
    let Some((size, magic)) = next_batch(records)? else {
        return Err(BatchRejection::invalid("no record batch"));
    };
    if magic != MAGIC {
        return Err(BatchRejection::invalid(format!("a batch of magic {magic}, not 2")));
    }
    let header = BatchHeader::parse(&records[..size])
        .map_err(|error| BatchRejection::corrupt(error.to_string()))?;
    if next_batch(&records[size..])?.is_some() {
        return Err(BatchRejection::invalid("more than one batch for a partition"));
    }
    Ok(header)
}

fn next_batch(bytes: &[u8]) -> Result<Option<(usize, i8)>, BatchRejection> {
    // The overhead of the oldest message format; no batch is shorter.
    const MIN_LENGTH: i32 = 14;
    if bytes.len() < LENGTH_OVERHEAD {
        return Ok(None);
    }
    let length = i32_at(bytes, 8);
    if length < MIN_LENGTH {
        return Err(BatchRejection::no_batch(format!("a batch length of {length}")));
    }
    let Some(&magic) = bytes.get(16) else { return Ok(None) };
    let magic = magic as i8;
    if !(0..=MAGIC).contains(&magic) {
        return Err(BatchRejection::no_batch(format!("a batch of magic {magic}")));
    }
    let size = LENGTH_OVERHEAD + length as usize;
    Ok(if size <= bytes.len() { Some((size, magic)) } else { None })
}

fn check_header(
    batch: &[u8],
    header: &BatchHeader,
    rules: &ValidationRules,
) -> Result<(), BatchRejection> {
    if header.codec() == Some(Codec::Zstd) && rules.produce_version < 7 {
        let code = error_code::UNSUPPORTED_COMPRESSION_TYPE;
        return Err(BatchRejection::new(code, "zstd needs Produce version 7"));
    }
    if header.base_offset != 0 {
        return Err(BatchRejection::of_log(format!("a base offset of {}", header.base_offset)));
    }
    if batch.len() > rules.max_message_bytes {
        let (size, limit) = (batch.len(), rules.max_message_bytes);
        let message = format!("a batch of {size} bytes, the limit is {limit}");
        return Err(BatchRejection::new(error_code::MESSAGE_TOO_LARGE, message));
    }
    check_crc(batch).map_err(|error| BatchRejection::corrupt(error.to_string()))?;
    if header.codec().is_none() {
        return Err(BatchRejection::failed_in_log("unknown compression codec"));
    }
    let (count, last_delta) = (header.record_count, header.last_offset_delta);
    if count <= 0 || last_delta.checked_add(1) != Some(count) {
        let message = format!("{count} records with a last offset delta of {last_delta}");
        return Err(BatchRejection::of_log(message));
    }
    if header.is_control() {
        return Err(BatchRejection::of_log("clients may not write control batches"));
    }
    if header.is_idempotent() && header.base_sequence < 0 {
        let (sequence, id) = (header.base_sequence, header.producer_id);
        return Err(BatchRejection::of_log(format!("sequence {sequence} of producer {id}")));
    }
    Ok(())
}
