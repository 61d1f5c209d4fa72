//! The reader of Produce responses, for the load generator, the tests and the peers.

use crate::cursor::{Cursor, WireError};
use crate::header::PRODUCE;
use crate::leader::{LeaderIdAndEpoch, NodeEndpointRef, read_endpoint, read_leader};
use crate::produce::{FIRST_BY_ID, FIRST_FLEXIBLE, MAX_VERSION, MIN_VERSION};
use crate::produce_response::{FIRST_WITH_LEADER, FIRST_WITH_LOG_START, FIRST_WITH_RECORD_ERRORS};
use crate::topic::{TopicKey, read_topic_key};

/// A Produce response whose whole structure was checked by `parse`.
#[derive(Debug, Clone, Copy)]
pub struct ProduceResponse<'a> {
    pub version: i16,
    pub topic_count: usize,
    pub throttle_time_ms: i32,
    pub endpoint_count: usize,
    topics: Cursor<'a>,
    endpoints: Cursor<'a>,
}

/// One topic of a Produce response.
#[derive(Debug, Clone, Copy)]
pub struct ProducedTopic<'a> {
    pub key: TopicKey<'a>,
    pub partition_count: usize,
    version: i16,
    partitions: Cursor<'a>,
}

/// The answer for one partition; fields that the version lacks have Kafka's defaults.
#[derive(Debug, Clone, Copy)]
pub struct ProducedPartition<'a> {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_error_count: usize,
    pub error_message: Option<&'a [u8]>,
    pub current_leader: Option<LeaderIdAndEpoch>,
    flexible: bool,
    record_errors: Cursor<'a>,
}

impl<'a> ProduceResponse<'a> {
    /// Reads the response whose body starts at `body`. One pass, no allocation.
    pub fn parse(frame: &'a [u8], version: i16, body: usize) -> Result<Self, WireError> {
        if !(MIN_VERSION..=MAX_VERSION).contains(&version) {
            return Err(WireError::UnsupportedVersion { api_key: PRODUCE, version });
        }
        let flexible = version >= FIRST_FLEXIBLE;
        let mut cursor = Cursor::at(frame, body);
        let topic_count = cursor.array_len_in(flexible)?;
        let topics = cursor;
        for _ in 0..topic_count {
            read_topic(&mut cursor, version)?;
        }
        let throttle_time_ms = cursor.i32()?;
        let (mut endpoint_count, mut endpoints) = (0, cursor);
        if flexible {
            cursor.tagged_fields(|tag, field| {
                if tag == 0 && version >= FIRST_WITH_LEADER {
                    endpoint_count = field.array_len_in(true)?;
                    endpoints = *field;
                    for _ in 0..endpoint_count {
                        read_endpoint(field)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(Self { version, topic_count, throttle_time_ms, endpoint_count, topics, endpoints })
    }

    /// The topics in the order of the response.
    pub fn topics(&self) -> impl Iterator<Item = ProducedTopic<'a>> + use<'a> {
        let (mut cursor, version) = (self.topics, self.version);
        (0..self.topic_count).map_while(move |_| read_topic(&mut cursor, version).ok())
    }

    /// Where the leaders named by the partitions listen.
    pub fn endpoints(&self) -> impl Iterator<Item = NodeEndpointRef<'a>> + use<'a> {
        let mut cursor = self.endpoints;
        (0..self.endpoint_count).map_while(move |_| read_endpoint(&mut cursor).ok())
    }
}

impl<'a> ProducedTopic<'a> {
    /// The partitions in the order of the response.
    pub fn partitions(&self) -> impl Iterator<Item = ProducedPartition<'a>> + use<'a> {
        let (mut cursor, version) = (self.partitions, self.version);
        (0..self.partition_count).map_while(move |_| read_partition(&mut cursor, version).ok())
    }
}

impl<'a> ProducedPartition<'a> {
    /// Batch index and message of each record at fault.
    pub fn record_errors(&self) -> impl Iterator<Item = (i32, Option<&'a [u8]>)> + use<'a> {
        let (mut cursor, flexible) = (self.record_errors, self.flexible);
        (0..self.record_error_count)
            .map_while(move |_| read_record_error(&mut cursor, flexible).ok())
    }
}

fn read_topic<'a>(cursor: &mut Cursor<'a>, version: i16) -> Result<ProducedTopic<'a>, WireError> {
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
    Ok(ProducedTopic { key, partition_count, version, partitions })
}

fn read_partition<'a>(
    cursor: &mut Cursor<'a>,
    version: i16,
) -> Result<ProducedPartition<'a>, WireError> {
    let flexible = version >= FIRST_FLEXIBLE;
    let mut partition = ProducedPartition {
        index: cursor.i32()?,
        error_code: cursor.i16()?,
        base_offset: cursor.i64()?,
        log_append_time_ms: cursor.i64()?,
        log_start_offset: -1,
        record_error_count: 0,
        error_message: None,
        current_leader: None,
        flexible,
        record_errors: *cursor,
    };
    if version >= FIRST_WITH_LOG_START {
        partition.log_start_offset = cursor.i64()?;
    }
    if version >= FIRST_WITH_RECORD_ERRORS {
        partition.record_error_count = cursor.array_len_in(flexible)?;
        partition.record_errors = *cursor;
        for _ in 0..partition.record_error_count {
            read_record_error(cursor, flexible)?;
        }
        partition.error_message = cursor.nullable_string_in(flexible)?;
    }
    if flexible {
        cursor.tagged_fields(|tag, field| {
            if tag == 0 && version >= FIRST_WITH_LEADER {
                partition.current_leader = Some(read_leader(field)?);
            }
            Ok(())
        })?;
    }
    Ok(partition)
}

fn read_record_error<'a>(
    cursor: &mut Cursor<'a>,
    flexible: bool,
) -> Result<(i32, Option<&'a [u8]>), WireError> {
    let error = (cursor.i32()?, cursor.nullable_string_in(flexible)?);
    if flexible {
        cursor.skip_tagged_fields()?;
    }
    Ok(error)
}
