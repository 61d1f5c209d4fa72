//! Fetch requests of versions 4 to 18, read in place, and their writer.

use crate::cursor::{Cursor, WireError};
use crate::header::FETCH;
use crate::put::{
    put_compact_nullable_string, put_i8, put_i32, put_i64, put_len_in, put_no_tags_in,
    put_string_in, put_tagged, put_unsigned_varint, put_uuid,
};
use crate::topic::{TopicKey, put_topic_key, read_topic_key};

pub const MIN_VERSION: i16 = 4;
pub const MAX_VERSION: i16 = 18;

const FIRST_WITH_LOG_START: i16 = 5;
const FIRST_WITH_SESSION: i16 = 7;
const FIRST_WITH_LEADER_EPOCH: i16 = 9;
const FIRST_WITH_RACK: i16 = 11;
pub(crate) const FIRST_FLEXIBLE: i16 = 12;
pub(crate) const FIRST_BY_ID: i16 = 13;
const FIRST_WITH_REPLICA_STATE: i16 = 15;
const FIRST_WITH_DIRECTORY: i16 = 17;
const FIRST_WITH_HIGH_WATERMARK: i16 = 18;

/// The fields of a Fetch request that belong to no partition. Absent fields have Kafka's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchOptions<'a> {
    pub cluster_id: Option<&'a [u8]>,
    /// -1 for a consumer; from version 15 on it comes with the replica state.
    pub replica_id: i32,
    pub replica_epoch: i64,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    /// 0 read uncommitted, 1 read committed.
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub rack_id: &'a [u8],
}

impl Default for FetchOptions<'_> {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_epoch: -1,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            rack_id: b"",
        }
    }
}

/// A Fetch request whose whole structure was checked by `parse`, so that iterating cannot fail half
/// way through.
#[derive(Debug, Clone, Copy)]
pub struct FetchRequest<'a> {
    pub version: i16,
    pub options: FetchOptions<'a>,
    pub topic_count: usize,
    /// Partitions over all topics, without the forgotten ones.
    pub partition_count: usize,
    pub forgotten_count: usize,
    // Most requests have one topic, which is then not read twice before its partitions are.
    first: Option<FetchTopic<'a>>,
    behind_first: Cursor<'a>,
    forgotten: Cursor<'a>,
}

/// One topic of a Fetch request.
#[derive(Debug, Clone, Copy)]
pub struct FetchTopic<'a> {
    pub key: TopicKey<'a>,
    pub partition_count: usize,
    version: i16,
    partitions: Cursor<'a>,
}

/// One partition of a Fetch request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchPartition {
    pub partition: i32,
    /// -1: the client does not check the leader's epoch.
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    pub last_fetched_epoch: i32,
    /// The follower's log start offset; -1 from a consumer.
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    pub replica_directory_id: [u8; 16],
    /// The follower's high watermark (KIP-1166); `i64::MAX` when it does not say.
    pub high_watermark: i64,
}

impl FetchPartition {
    /// A consumer's fetch of one partition.
    pub fn new(partition: i32, fetch_offset: i64, partition_max_bytes: i32) -> Self {
        Self {
            partition,
            current_leader_epoch: -1,
            fetch_offset,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes,
            replica_directory_id: [0; 16],
            high_watermark: i64::MAX,
        }
    }
}

/// Partitions of one topic that leave the fetch session.
#[derive(Debug, Clone, Copy)]
pub struct ForgottenTopic<'a> {
    pub key: TopicKey<'a>,
    pub partition_count: usize,
    partitions: Cursor<'a>,
}

impl<'a> FetchRequest<'a> {
    /// Reads the request whose body starts at `body`. One pass, no allocation. Bytes behind the
    /// body are ignored.
    pub fn parse(frame: &'a [u8], version: i16, body: usize) -> Result<Self, WireError> {
        if !(MIN_VERSION..=MAX_VERSION).contains(&version) {
            return Err(WireError::UnsupportedVersion { api_key: FETCH, version });
        }
        let flexible = version >= FIRST_FLEXIBLE;
        let mut cursor = Cursor::at(frame, body);
        let mut options = read_options(&mut cursor, version)?;
        let topic_count = cursor.array_len_in(flexible)?;
        let mut partition_count = 0;
        let (mut first, mut behind_first) = (None, cursor);
        for i in 0..topic_count {
            let topic = read_topic(&mut cursor, version)?;
            partition_count += topic.partition_count;
            if i == 0 {
                (first, behind_first) = (Some(topic), cursor);
            }
        }
        let forgotten_count =
            if version >= FIRST_WITH_SESSION { cursor.array_len_in(flexible)? } else { 0 };
        let forgotten = cursor;
        for _ in 0..forgotten_count {
            read_forgotten(&mut cursor, version)?;
        }
        if version >= FIRST_WITH_RACK {
            options.rack_id = cursor.string_in(flexible)?;
        }
        if flexible {
            read_tagged_options(&mut cursor, version, &mut options)?;
        }
        Ok(Self {
            version,
            options,
            topic_count,
            partition_count,
            forgotten_count,
            first,
            behind_first,
            forgotten,
        })
    }

    /// The topics in the order of the request, which is the order in which bytes are handed out
    /// (KIP-74).
    pub fn topics(&self) -> impl Iterator<Item = FetchTopic<'a>> + use<'a> {
        let (mut cursor, version) = (self.behind_first, self.version);
        // `parse` has read the same bytes, so no error can end the iteration early.
        let others =
            (1..self.topic_count).map_while(move |_| read_topic(&mut cursor, version).ok());
        self.first.into_iter().chain(others)
    }

    /// The topics whose partitions leave the session (KIP-227).
    pub fn forgotten(&self) -> impl Iterator<Item = ForgottenTopic<'a>> + use<'a> {
        let (mut cursor, version) = (self.forgotten, self.version);
        (0..self.forgotten_count).map_while(move |_| read_forgotten(&mut cursor, version).ok())
    }
}

impl<'a> FetchTopic<'a> {
    /// The partitions in the order of the request.
    pub fn partitions(&self) -> impl Iterator<Item = FetchPartition> + use<'a> {
        let (mut cursor, version) = (self.partitions, self.version);
        (0..self.partition_count).map_while(move |_| read_partition(&mut cursor, version).ok())
    }
}

impl<'a> ForgottenTopic<'a> {
    /// The partition indexes.
    pub fn partitions(&self) -> impl Iterator<Item = i32> + use<'a> {
        let mut cursor = self.partitions;
        (0..self.partition_count).map_while(move |_| cursor.i32().ok())
    }
}

fn read_options<'a>(cursor: &mut Cursor<'a>, version: i16) -> Result<FetchOptions<'a>, WireError> {
    let mut options = FetchOptions::default();
    if version < FIRST_WITH_REPLICA_STATE {
        options.replica_id = cursor.i32()?;
    }
    options.max_wait_ms = cursor.i32()?;
    options.min_bytes = cursor.i32()?;
    options.max_bytes = cursor.i32()?;
    options.isolation_level = cursor.i8()?;
    if version >= FIRST_WITH_SESSION {
        options.session_id = cursor.i32()?;
        options.session_epoch = cursor.i32()?;
    }
    Ok(options)
}

fn read_tagged_options<'a>(
    cursor: &mut Cursor<'a>,
    version: i16,
    options: &mut FetchOptions<'a>,
) -> Result<(), WireError> {
    cursor.tagged_fields(|tag, field| {
        match tag {
            0 => options.cluster_id = field.compact_nullable_string()?,
            1 if version >= FIRST_WITH_REPLICA_STATE => {
                options.replica_id = field.i32()?;
                options.replica_epoch = field.i64()?;
                field.skip_tagged_fields()?;
            }
            _ => {}
        }
        Ok(())
    })
}

fn read_topic<'a>(cursor: &mut Cursor<'a>, version: i16) -> Result<FetchTopic<'a>, WireError> {
    let flexible = version >= FIRST_FLEXIBLE;
    let key = read_topic_key(cursor, version >= FIRST_BY_ID, flexible)?;
    let partition_count = cursor.array_len_in(flexible)?;
    let partitions = *cursor;
    for _ in 0..partition_count {
        read_partition(cursor, version)?;
    }
    if flexible {
        cursor.skip_tagged_fields()?;
    }
    Ok(FetchTopic { key, partition_count, version, partitions })
}

fn read_partition(cursor: &mut Cursor<'_>, version: i16) -> Result<FetchPartition, WireError> {
    let mut partition = FetchPartition::new(cursor.i32()?, 0, 0);
    if version >= FIRST_WITH_LEADER_EPOCH {
        partition.current_leader_epoch = cursor.i32()?;
    }
    partition.fetch_offset = cursor.i64()?;
    if version >= FIRST_FLEXIBLE {
        partition.last_fetched_epoch = cursor.i32()?;
    }
    if version >= FIRST_WITH_LOG_START {
        partition.log_start_offset = cursor.i64()?;
    }
    partition.partition_max_bytes = cursor.i32()?;
    if version >= FIRST_FLEXIBLE {
        cursor.tagged_fields(|tag, field| {
            match tag {
                0 if version >= FIRST_WITH_DIRECTORY => {
                    partition.replica_directory_id = field.uuid()?
                }
                1 if version >= FIRST_WITH_HIGH_WATERMARK => {
                    partition.high_watermark = field.i64()?
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(partition)
}

fn read_forgotten<'a>(
    cursor: &mut Cursor<'a>,
    version: i16,
) -> Result<ForgottenTopic<'a>, WireError> {
    let flexible = version >= FIRST_FLEXIBLE;
    let key = read_topic_key(cursor, version >= FIRST_BY_ID, flexible)?;
    let partition_count = cursor.array_len_in(flexible)?;
    let partitions = *cursor;
    cursor.range(partition_count.saturating_mul(4))?;
    if flexible {
        cursor.skip_tagged_fields()?;
    }
    Ok(ForgottenTopic { key, partition_count, partitions })
}

/// Writes the body of a Fetch request: `start`, per topic `topic` and its `partition`s closed by
/// `end_topic`, then `forgotten_topics` once, per forgotten topic `forgotten`, and `finish`. Counts
/// are given up front.
#[derive(Debug, Clone, Copy)]
pub struct FetchRequestWriter<'a> {
    version: i16,
    flexible: bool,
    options: FetchOptions<'a>,
}

impl<'a> FetchRequestWriter<'a> {
    pub fn start(
        out: &mut Vec<u8>,
        version: i16,
        options: FetchOptions<'a>,
        topic_count: usize,
    ) -> Self {
        let flexible = version >= FIRST_FLEXIBLE;
        if version < FIRST_WITH_REPLICA_STATE {
            put_i32(out, options.replica_id);
        }
        put_i32(out, options.max_wait_ms);
        put_i32(out, options.min_bytes);
        put_i32(out, options.max_bytes);
        put_i8(out, options.isolation_level);
        if version >= FIRST_WITH_SESSION {
            put_i32(out, options.session_id);
            put_i32(out, options.session_epoch);
        }
        put_len_in(out, flexible, Some(topic_count));
        Self { version, flexible, options }
    }

    pub fn topic(&self, out: &mut Vec<u8>, key: TopicKey<'_>, partition_count: usize) {
        put_topic_key(out, self.version >= FIRST_BY_ID, self.flexible, key);
        put_len_in(out, self.flexible, Some(partition_count));
    }

    pub fn partition(&self, out: &mut Vec<u8>, partition: &FetchPartition) {
        put_i32(out, partition.partition);
        if self.version >= FIRST_WITH_LEADER_EPOCH {
            put_i32(out, partition.current_leader_epoch);
        }
        put_i64(out, partition.fetch_offset);
        if self.flexible {
            put_i32(out, partition.last_fetched_epoch);
        }
        if self.version >= FIRST_WITH_LOG_START {
            put_i64(out, partition.log_start_offset);
        }
        put_i32(out, partition.partition_max_bytes);
        if !self.flexible {
            return;
        }
        let has_directory =
            self.version >= FIRST_WITH_DIRECTORY && partition.replica_directory_id != [0; 16];
        let has_watermark =
            self.version >= FIRST_WITH_HIGH_WATERMARK && partition.high_watermark != i64::MAX;
        put_unsigned_varint(out, u32::from(has_directory) + u32::from(has_watermark));
        if has_directory {
            put_tagged(out, 0, |out| put_uuid(out, &partition.replica_directory_id));
        }
        if has_watermark {
            put_tagged(out, 1, |out| put_i64(out, partition.high_watermark));
        }
    }

    pub fn end_topic(&self, out: &mut Vec<u8>) {
        put_no_tags_in(out, self.flexible);
    }

    pub fn forgotten_topics(&self, out: &mut Vec<u8>, count: usize) {
        if self.version >= FIRST_WITH_SESSION {
            put_len_in(out, self.flexible, Some(count));
        }
    }

    pub fn forgotten(&self, out: &mut Vec<u8>, key: TopicKey<'_>, partitions: &[i32]) {
        put_topic_key(out, self.version >= FIRST_BY_ID, self.flexible, key);
        put_len_in(out, self.flexible, Some(partitions.len()));
        for &partition in partitions {
            put_i32(out, partition);
        }
        put_no_tags_in(out, self.flexible);
    }

    pub fn finish(self, out: &mut Vec<u8>) {
        if self.version >= FIRST_WITH_RACK {
            put_string_in(out, self.flexible, self.options.rack_id);
        }
        if !self.flexible {
            return;
        }
        let has_cluster_id = self.options.cluster_id.is_some();
        let is_replica = (self.options.replica_id, self.options.replica_epoch) != (-1, -1);
        let has_replica_state = self.version >= FIRST_WITH_REPLICA_STATE && is_replica;
        put_unsigned_varint(out, u32::from(has_cluster_id) + u32::from(has_replica_state));
        if has_cluster_id {
            put_tagged(out, 0, |out| put_compact_nullable_string(out, self.options.cluster_id));
        }
        if has_replica_state {
            put_tagged(out, 1, |out| {
                put_i32(out, self.options.replica_id);
                put_i64(out, self.options.replica_epoch);
                out.push(0);
            });
        }
    }
}
