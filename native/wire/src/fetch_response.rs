//! The writer of Fetch responses, versions 4 to 18.

use crate::fetch::{FIRST_BY_ID, FIRST_FLEXIBLE};
use crate::leader::{LeaderIdAndEpoch, NodeEndpoint, put_endpoints, put_leader};
use crate::put::{
    put_i16, put_i32, put_i64, put_len_in, put_no_tags_in, put_tagged, put_unsigned_varint,
};
use crate::topic::{TopicKey, put_topic_key};

pub(crate) const FIRST_WITH_LOG_START: i16 = 5;
pub(crate) const FIRST_WITH_SESSION: i16 = 7;
pub(crate) const FIRST_WITH_PREFERRED_REPLICA: i16 = 11;
pub(crate) const FIRST_WITH_ENDPOINTS: i16 = 16;

/// A transaction whose records a read-committed consumer drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

/// An epoch and an offset in the log, for the DivergingEpoch and SnapshotId tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochAndOffset {
    pub epoch: i32,
    pub end_offset: i64,
}

/// The answer for one partition, without its records. What a version does not have is left out.
#[derive(Debug, Clone, Copy)]
pub struct FetchPartitionResponse<'a> {
    pub partition: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// Kafka writes null to read-uncommitted consumers, a list (perhaps empty) to read-committed
    /// ones and beside errors.
    pub aborted_transactions: Option<&'a [AbortedTransaction]>,
    pub preferred_read_replica: i32,
    pub diverging_epoch: Option<EpochAndOffset>,
    pub current_leader: Option<LeaderIdAndEpoch>,
    pub snapshot_id: Option<EpochAndOffset>,
}

impl FetchPartitionResponse<'_> {
    /// A refusal, with the values Kafka sends beside an error. Its records are empty, not null.
    pub fn error(partition: i32, error_code: i16) -> Self {
        Self {
            partition,
            error_code,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            aborted_transactions: Some(&[]),
            preferred_read_replica: -1,
            diverging_epoch: None,
            current_leader: None,
            snapshot_id: None,
        }
    }
}

/// Writes the body of a Fetch response: `start`, per topic `topic`, per partition `partition`, the
/// record bytes (the caller's: appended to `out`, or sent from elsewhere at this place) and
/// `end_partition`; each topic is closed by `end_topic`, the body by `finish`. Counts are given up
/// front. No allocation beyond `out`.
#[derive(Debug, Clone, Copy)]
pub struct FetchResponseWriter {
    version: i16,
    flexible: bool,
}

impl FetchResponseWriter {
    /// `error_code` and `session_id` exist from version 7 on.
    pub fn start(
        out: &mut Vec<u8>,
        version: i16,
        throttle_time_ms: i32,
        error_code: i16,
        session_id: i32,
        topic_count: usize,
    ) -> Self {
        let flexible = version >= FIRST_FLEXIBLE;
        put_i32(out, throttle_time_ms);
        if version >= FIRST_WITH_SESSION {
            put_i16(out, error_code);
            put_i32(out, session_id);
        }
        put_len_in(out, flexible, Some(topic_count));
        Self { version, flexible }
    }

    pub fn topic(&self, out: &mut Vec<u8>, key: TopicKey<'_>, partition_count: usize) {
        put_topic_key(out, self.version >= FIRST_BY_ID, self.flexible, key);
        put_len_in(out, self.flexible, Some(partition_count));
    }

    /// Writes everything before the records, with their length in bytes; `None` is null.
    pub fn partition(
        &self,
        out: &mut Vec<u8>,
        partition: &FetchPartitionResponse<'_>,
        records_len: Option<usize>,
    ) {
        put_i32(out, partition.partition);
        put_i16(out, partition.error_code);
        put_i64(out, partition.high_watermark);
        put_i64(out, partition.last_stable_offset);
        if self.version >= FIRST_WITH_LOG_START {
            put_i64(out, partition.log_start_offset);
        }
        put_len_in(out, self.flexible, partition.aborted_transactions.map(<[_]>::len));
        for aborted in partition.aborted_transactions.unwrap_or_default() {
            put_i64(out, aborted.producer_id);
            put_i64(out, aborted.first_offset);
            put_no_tags_in(out, self.flexible);
        }
        if self.version >= FIRST_WITH_PREFERRED_REPLICA {
            put_i32(out, partition.preferred_read_replica);
        }
        put_len_in(out, self.flexible, records_len);
    }

    /// Writes what follows the records: the tagged fields.
    pub fn end_partition(&self, out: &mut Vec<u8>, partition: &FetchPartitionResponse<'_>) {
        if !self.flexible {
            return;
        }
        let none = EpochAndOffset { epoch: -1, end_offset: -1 };
        let diverging = partition.diverging_epoch.filter(|epoch| *epoch != none);
        let leader = partition.current_leader.filter(|leader| *leader != LeaderIdAndEpoch::NONE);
        let snapshot = partition.snapshot_id.filter(|id| *id != none);
        let count = usize::from(diverging.is_some())
            + usize::from(leader.is_some())
            + usize::from(snapshot.is_some());
        put_unsigned_varint(out, count as u32);
        if let Some(diverging) = diverging {
            put_tagged(out, 0, |out| {
                put_i32(out, diverging.epoch);
                put_i64(out, diverging.end_offset);
                out.push(0);
            });
        }
        if let Some(leader) = leader {
            put_leader(out, 1, leader);
        }
        if let Some(snapshot) = snapshot {
            put_tagged(out, 2, |out| {
                put_i64(out, snapshot.end_offset);
                put_i32(out, snapshot.epoch);
                out.push(0);
            });
        }
    }

    pub fn end_topic(&self, out: &mut Vec<u8>) {
        put_no_tags_in(out, self.flexible);
    }

    pub fn finish(self, out: &mut Vec<u8>, node_endpoints: &[NodeEndpoint]) {
        if self.version >= FIRST_WITH_ENDPOINTS && !node_endpoints.is_empty() {
            out.push(1);
            put_endpoints(out, 0, node_endpoints);
        } else {
            put_no_tags_in(out, self.flexible);
        }
    }
}
