//! What a leader checks in the records a client produces, field by field as Kafka does.

use std::borrow::Cow;
use std::ops::Range;

use crate::batch::TimestampType;
use crate::produce_response::RecordError;

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
    /// Delta of the first record with that timestamp; of the last record under LogAppendTime.
    pub max_timestamp_offset_delta: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub is_transactional: bool,
    /// The header and its CRC were rewritten in place.
    pub is_rewritten: bool,
}

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRejection {
    pub error_code: i16,
    /// For the response when `record_errors` is not empty, as in Kafka; for the log in any case.
    pub message: Cow<'static, str>,
    /// The records that are at fault, when single records are (KIP-467).
    pub record_errors: Vec<RecordError>,
}

/// Memory that validation reuses from batch to batch; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    window: Vec<u8>,
}

impl Scratch {
    /// Bytes held for the next batch.
    pub fn capacity(&self) -> usize {
        self.window.capacity()
    }
}
