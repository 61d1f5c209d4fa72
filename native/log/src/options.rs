//! Identity and settings of one partition's log.

use crate::padding::PaddingOptions;

/// Whose log this is. A folder with another identity is never opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogIdentity {
    /// The topic's id, as on the wire.
    pub topic_id: [u8; 16],
    /// The Raft group; never reused.
    pub group_id: u64,
}

/// Settings of a log, each named as its Kafka topic configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// `segment.bytes`.
    pub segment_bytes: u32,
    /// `segment.ms`.
    pub segment_ms: u64,
    /// `segment.jitter.ms`: each segment rolls up to so much earlier, by a hash of group and base offset.
    pub segment_jitter_ms: u64,
    /// `segment.index.bytes`; as in Kafka it bounds the number of index entries (8 bytes each there).
    pub index_bytes: u32,
    /// `index.interval.bytes`: one index entry for at least so many bytes.
    pub index_interval_bytes: u32,
    /// `preallocate`: reserve `segment.bytes` when a segment is made.
    pub preallocate: bool,
    /// Largest frame that recovery believes in; above it a length is garbage.
    pub max_frame_bytes: u32,
    /// Where turns are made to end.
    pub padding: PaddingOptions,
}

impl Default for LogOptions {
    /// Kafka's defaults.
    fn default() -> Self {
        LogOptions {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3600 * 1000,
            segment_jitter_ms: 0,
            index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            preallocate: false,
            max_frame_bytes: i32::MAX as u32,
            padding: PaddingOptions::default(),
        }
    }
}
