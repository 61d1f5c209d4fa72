//! Produce requests of versions 3 to 13, read in place, and their writer.

use std::ops::Range;

use crate::cursor::{Cursor, WireError};
use crate::header::PRODUCE;
use crate::put::{put_i16, put_i32, put_len_in, put_no_tags_in, put_nullable_string_in};
use crate::topic::{TopicKey, put_topic_key, read_topic_key};

pub const MIN_VERSION: i16 = 3;
pub const MAX_VERSION: i16 = 13;

pub(crate) const FIRST_FLEXIBLE: i16 = 9;
pub(crate) const FIRST_BY_ID: i16 = 13;

/// A Produce request whose whole structure was checked by `parse`, so that iterating cannot fail
/// half way through.
#[derive(Debug, Clone, Copy)]
pub struct ProduceRequest<'a> {
    pub version: i16,
    pub transactional_id: Option<&'a [u8]>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_count: usize,
    /// Partitions over all topics.
    pub partition_count: usize,
    topics: Cursor<'a>,
}

/// One topic of a Produce request.
#[derive(Debug, Clone, Copy)]
pub struct ProduceTopic<'a> {
    pub key: TopicKey<'a>,
    pub partition_count: usize,
    flexible: bool,
    partitions: Cursor<'a>,
}

/// One partition of a Produce request; `records` are offsets into the frame, `None` is null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducePartition {
    pub index: i32,
    pub records: Option<Range<usize>>,
}

impl<'a> ProduceRequest<'a> {
    /// Reads the request whose body starts at `body`. One pass, no allocation; the records
    /// themselves are not looked at. Bytes behind the body are ignored.
    pub fn parse(frame: &'a [u8], version: i16, body: usize) -> Result<Self, WireError> {
        if !(MIN_VERSION..=MAX_VERSION).contains(&version) {
            return Err(WireError::UnsupportedVersion { api_key: PRODUCE, version });
        }
        let flexible = version >= FIRST_FLEXIBLE;
        let mut cursor = Cursor::at(frame, body);
        let transactional_id = cursor.nullable_string_in(flexible)?;
        let acks = cursor.i16()?;
        let timeout_ms = cursor.i32()?;
        let topic_count = cursor.array_len_in(flexible)?;
        let topics = cursor;
        let mut partition_count = 0;
        for _ in 0..topic_count {
            partition_count += read_topic(&mut cursor, version)?.partition_count;
        }
        if flexible {
            cursor.skip_tagged_fields()?;
        }
        Ok(Self {
            version,
            transactional_id,
            acks,
            timeout_ms,
            topic_count,
            partition_count,
            topics,
        })
    }

    /// The topics in the order of the request.
    pub fn topics(&self) -> impl Iterator<Item = ProduceTopic<'a>> + use<'a> {
        let (mut cursor, version) = (self.topics, self.version);
        // `parse` has read the same bytes, so no error can end the iteration early.
        (0..self.topic_count).map_while(move |_| read_topic(&mut cursor, version).ok())
    }
}

impl<'a> ProduceTopic<'a> {
    /// The partitions in the order of the request.
    pub fn partitions(&self) -> impl Iterator<Item = ProducePartition> + use<'a> {
        let (mut cursor, flexible) = (self.partitions, self.flexible);
        (0..self.partition_count).map_while(move |_| read_partition(&mut cursor, flexible).ok())
    }
}

fn read_topic<'a>(cursor: &mut Cursor<'a>, version: i16) -> Result<ProduceTopic<'a>, WireError> {
    let flexible = version >= FIRST_FLEXIBLE;
    let key = read_topic_key(cursor, version >= FIRST_BY_ID, flexible)?;
    let partition_count = cursor.array_len_in(flexible)?;
    let partitions = *cursor;
    for _ in 0..partition_count {
        read_partition(cursor, flexible)?;
    }
    if flexible {
        cursor.skip_tagged_fields()?;
    }
    Ok(ProduceTopic { key, partition_count, flexible, partitions })
}

fn read_partition(cursor: &mut Cursor<'_>, flexible: bool) -> Result<ProducePartition, WireError> {
    let index = cursor.i32()?;
    let records = cursor.nullable_bytes_in(flexible)?;
    if flexible {
        cursor.skip_tagged_fields()?;
    }
    Ok(ProducePartition { index, records })
}

/// Writes the body of a Produce request: `start`, then per topic `topic` and its `partition`s, each
/// topic closed by `end_topic`, and `finish`. Counts are given up front, because a compact length
/// cannot be patched.
#[derive(Debug, Clone, Copy)]
pub struct ProduceRequestWriter {
    version: i16,
    flexible: bool,
}

impl ProduceRequestWriter {
    pub fn start(
        out: &mut Vec<u8>,
        version: i16,
        transactional_id: Option<&[u8]>,
        acks: i16,
        timeout_ms: i32,
        topic_count: usize,
    ) -> Self {
        let flexible = version >= FIRST_FLEXIBLE;
        put_nullable_string_in(out, flexible, transactional_id);
        put_i16(out, acks);
        put_i32(out, timeout_ms);
        put_len_in(out, flexible, Some(topic_count));
        Self { version, flexible }
    }

    pub fn topic(&self, out: &mut Vec<u8>, key: TopicKey<'_>, partition_count: usize) {
        put_topic_key(out, self.version >= FIRST_BY_ID, self.flexible, key);
        put_len_in(out, self.flexible, Some(partition_count));
    }

    pub fn partition(&self, out: &mut Vec<u8>, index: i32, records: Option<&[u8]>) {
        put_i32(out, index);
        put_len_in(out, self.flexible, records.map(<[u8]>::len));
        out.extend_from_slice(records.unwrap_or_default());
        put_no_tags_in(out, self.flexible);
    }

    pub fn end_topic(&self, out: &mut Vec<u8>) {
        put_no_tags_in(out, self.flexible);
    }

    pub fn finish(self, out: &mut Vec<u8>) {
        put_no_tags_in(out, self.flexible);
    }
}
