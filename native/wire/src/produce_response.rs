//! The writer of Produce responses, versions 3 to 13.

use crate::leader::{LeaderIdAndEpoch, NodeEndpoint, put_endpoints, put_leader};
use crate::produce::{FIRST_BY_ID, FIRST_FLEXIBLE};
use crate::put::{put_i16, put_i32, put_i64, put_len_in, put_no_tags_in, put_nullable_string_in};
use crate::topic::{TopicKey, put_topic_key};

pub(crate) const FIRST_WITH_LOG_START: i16 = 5;
pub(crate) const FIRST_WITH_RECORD_ERRORS: i16 = 8;
pub(crate) const FIRST_WITH_LEADER: i16 = 10;

/// Why one record was refused (KIP-467). `batch_index` counts the records of the batch from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    pub batch_index: i32,
    pub message: Option<String>,
}

/// The answer for one partition. What a version does not have is left out.
#[derive(Debug, Clone, Copy)]
pub struct ProducePartitionResponse<'a> {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    /// The broker's time when the topic uses LogAppendTime, else -1.
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_errors: &'a [RecordError],
    pub error_message: Option<&'a str>,
    pub current_leader: Option<LeaderIdAndEpoch>,
}

impl ProducePartitionResponse<'_> {
    /// A refusal, with the values Kafka sends beside an error.
    pub fn error(index: i32, error_code: i16) -> Self {
        Self {
            index,
            error_code,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: &[],
            error_message: None,
            current_leader: None,
        }
    }
}

/// Writes the body of a Produce response: `start`, then per topic `topic` and its `partition`s,
/// each topic closed by `end_topic`, and `finish`. No allocation beyond `out`.
#[derive(Debug, Clone, Copy)]
pub struct ProduceResponseWriter {
    version: i16,
    flexible: bool,
}

impl ProduceResponseWriter {
    pub fn start(out: &mut Vec<u8>, version: i16, topic_count: usize) -> Self {
        let flexible = version >= FIRST_FLEXIBLE;
        put_len_in(out, flexible, Some(topic_count));
        Self { version, flexible }
    }

    pub fn topic(&self, out: &mut Vec<u8>, key: TopicKey<'_>, partition_count: usize) {
        put_topic_key(out, self.version >= FIRST_BY_ID, self.flexible, key);
        put_len_in(out, self.flexible, Some(partition_count));
    }

    pub fn partition(&self, out: &mut Vec<u8>, partition: &ProducePartitionResponse<'_>) {
        put_i32(out, partition.index);
        put_i16(out, partition.error_code);
        put_i64(out, partition.base_offset);
        put_i64(out, partition.log_append_time_ms);
        if self.version >= FIRST_WITH_LOG_START {
            put_i64(out, partition.log_start_offset);
        }
        if self.version >= FIRST_WITH_RECORD_ERRORS {
            put_len_in(out, self.flexible, Some(partition.record_errors.len()));
            for error in partition.record_errors {
                put_i32(out, error.batch_index);
                put_nullable_string_in(
                    out,
                    self.flexible,
                    error.message.as_deref().map(str::as_bytes),
                );
                put_no_tags_in(out, self.flexible);
            }
            put_nullable_string_in(out, self.flexible, partition.error_message.map(str::as_bytes));
        }
        match partition.current_leader {
            Some(leader)
                if self.version >= FIRST_WITH_LEADER && leader != LeaderIdAndEpoch::NONE =>
            {
                out.push(1);
                put_leader(out, 0, leader);
            }
            _ => put_no_tags_in(out, self.flexible),
        }
    }

    pub fn end_topic(&self, out: &mut Vec<u8>) {
        put_no_tags_in(out, self.flexible);
    }

    pub fn finish(self, out: &mut Vec<u8>, throttle_time_ms: i32, node_endpoints: &[NodeEndpoint]) {
        put_i32(out, throttle_time_ms);
        if self.version >= FIRST_WITH_LEADER && !node_endpoints.is_empty() {
            out.push(1);
            put_endpoints(out, 0, node_endpoints);
        } else {
            put_no_tags_in(out, self.flexible);
        }
    }
}
