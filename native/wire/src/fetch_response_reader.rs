//! The reader of Fetch responses, for the load generator, the tests and the peers.

use std::ops::Range;

use crate::cursor::{Cursor, WireError};
use crate::fetch::{FIRST_BY_ID, FIRST_FLEXIBLE, MAX_VERSION, MIN_VERSION};
use crate::fetch_response::{
    AbortedTransaction, EpochAndOffset, FIRST_WITH_ENDPOINTS, FIRST_WITH_LOG_START,
    FIRST_WITH_PREFERRED_REPLICA, FIRST_WITH_SESSION,
};
use crate::header::FETCH;
use crate::leader::{LeaderIdAndEpoch, NodeEndpointRef, read_endpoint, read_leader};
use crate::topic::{TopicKey, read_topic_key};

/// A Fetch response whose whole structure was checked by `parse`.
#[derive(Debug, Clone, Copy)]
pub struct FetchResponse<'a> {
    pub version: i16,
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub session_id: i32,
    pub topic_count: usize,
    pub endpoint_count: usize,
    topics: Cursor<'a>,
    endpoints: Cursor<'a>,
}

/// One topic of a Fetch response.
#[derive(Debug, Clone, Copy)]
pub struct FetchedTopic<'a> {
    pub key: TopicKey<'a>,
    pub partition_count: usize,
    version: i16,
    partitions: Cursor<'a>,
}

/// The answer for one partition; fields that the version lacks have Kafka's defaults.
#[derive(Debug, Clone)]
pub struct FetchedPartition<'a> {
    pub partition: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// `None` is null.
    pub aborted_count: Option<usize>,
    pub preferred_read_replica: i32,
    /// Offsets into the frame; `None` is null.
    pub records: Option<Range<usize>>,
    pub diverging_epoch: Option<EpochAndOffset>,
    pub current_leader: Option<LeaderIdAndEpoch>,
    pub snapshot_id: Option<EpochAndOffset>,
    flexible: bool,
    aborted: Cursor<'a>,
}

impl<'a> FetchResponse<'a> {
    /// Reads the response whose body starts at `body`. One pass, no allocation.
    pub fn parse(frame: &'a [u8], version: i16, body: usize) -> Result<Self, WireError> {
        if !(MIN_VERSION..=MAX_VERSION).contains(&version) {
            return Err(WireError::UnsupportedVersion { api_key: FETCH, version });
        }
        let flexible = version >= FIRST_FLEXIBLE;
        let mut cursor = Cursor::at(frame, body);
        let throttle_time_ms = cursor.i32()?;
        let (mut error_code, mut session_id) = (0, 0);
        if version >= FIRST_WITH_SESSION {
            error_code = cursor.i16()?;
            session_id = cursor.i32()?;
        }
        let topic_count = cursor.array_len_in(flexible)?;
        let topics = cursor;
        for _ in 0..topic_count {
            read_topic(&mut cursor, version)?;
        }
        let (mut endpoint_count, mut endpoints) = (0, cursor);
        if flexible {
            cursor.tagged_fields(|tag, field| {
                if tag == 0 && version >= FIRST_WITH_ENDPOINTS {
                    endpoint_count = field.array_len_in(true)?;
                    endpoints = *field;
                    for _ in 0..endpoint_count {
                        read_endpoint(field)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(Self {
            version,
            throttle_time_ms,
            error_code,
            session_id,
            topic_count,
            endpoint_count,
            topics,
            endpoints,
        })
    }

    /// The topics in the order of the response.
    pub fn topics(&self) -> impl Iterator<Item = FetchedTopic<'a>> + use<'a> {
        let (mut cursor, version) = (self.topics, self.version);
        (0..self.topic_count).map_while(move |_| read_topic(&mut cursor, version).ok())
    }

    /// Where the leaders named by the partitions listen.
    pub fn endpoints(&self) -> impl Iterator<Item = NodeEndpointRef<'a>> + use<'a> {
        let mut cursor = self.endpoints;
        (0..self.endpoint_count).map_while(move |_| read_endpoint(&mut cursor).ok())
    }
}

impl<'a> FetchedTopic<'a> {
    /// The partitions in the order of the response.
    pub fn partitions(&self) -> impl Iterator<Item = FetchedPartition<'a>> + use<'a> {
        let (mut cursor, version) = (self.partitions, self.version);
        (0..self.partition_count).map_while(move |_| read_partition(&mut cursor, version).ok())
    }
}

impl<'a> FetchedPartition<'a> {
    /// The aborted transactions; none when the list is null.
    pub fn aborted(&self) -> impl Iterator<Item = AbortedTransaction> + use<'a> {
        let (mut cursor, flexible) = (self.aborted, self.flexible);
        (0..self.aborted_count.unwrap_or(0))
            .map_while(move |_| read_aborted(&mut cursor, flexible).ok())
    }
}

fn read_topic<'a>(cursor: &mut Cursor<'a>, version: i16) -> Result<FetchedTopic<'a>, WireError> {
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
    Ok(FetchedTopic { key, partition_count, version, partitions })
}

fn read_partition<'a>(
    cursor: &mut Cursor<'a>,
    version: i16,
) -> Result<FetchedPartition<'a>, WireError> {
    let flexible = version >= FIRST_FLEXIBLE;
    let mut partition = FetchedPartition {
        partition: cursor.i32()?,
        error_code: cursor.i16()?,
        high_watermark: cursor.i64()?,
        last_stable_offset: cursor.i64()?,
        log_start_offset: -1,
        aborted_count: None,
        preferred_read_replica: -1,
        records: None,
        diverging_epoch: None,
        current_leader: None,
        snapshot_id: None,
        flexible,
        aborted: *cursor,
    };
    if version >= FIRST_WITH_LOG_START {
        partition.log_start_offset = cursor.i64()?;
    }
    partition.aborted_count = cursor.nullable_array_len_in(flexible)?;
    partition.aborted = *cursor;
    for _ in 0..partition.aborted_count.unwrap_or(0) {
        read_aborted(cursor, flexible)?;
    }
    if version >= FIRST_WITH_PREFERRED_REPLICA {
        partition.preferred_read_replica = cursor.i32()?;
    }
    partition.records = cursor.nullable_bytes_in(flexible)?;
    if flexible {
        read_partition_tags(cursor, &mut partition)?;
    }
    Ok(partition)
}

fn read_partition_tags<'a>(
    cursor: &mut Cursor<'a>,
    partition: &mut FetchedPartition<'a>,
) -> Result<(), WireError> {
    cursor.tagged_fields(|tag, field| {
        match tag {
            0 => {
                let (epoch, end_offset) = (field.i32()?, field.i64()?);
                partition.diverging_epoch = Some(EpochAndOffset { epoch, end_offset });
            }
            1 => {
                partition.current_leader = Some(read_leader(field)?);
                return Ok(());
            }
            2 => {
                let (end_offset, epoch) = (field.i64()?, field.i32()?);
                partition.snapshot_id = Some(EpochAndOffset { epoch, end_offset });
            }
            _ => return Ok(()),
        }
        field.skip_tagged_fields()
    })
}

fn read_aborted(cursor: &mut Cursor<'_>, flexible: bool) -> Result<AbortedTransaction, WireError> {
    let aborted = AbortedTransaction { producer_id: cursor.i64()?, first_offset: cursor.i64()? };
    if flexible {
        cursor.skip_tagged_fields()?;
    }
    Ok(aborted)
}
