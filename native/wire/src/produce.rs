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
    pub acks: i16,
    pub timeout_ms: i32,
    pub transactional_id: Option<&'a [u8]>,
    pub topic_count: usize,
    /// Partitions over all topics.
    pub partition_count: usize,
    frame: &'a [u8],
    // Where the topics start, and where those behind the first do: nearly every request has one.
    topics_at: usize,
    behind_first: usize,
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
    /// Reads the request whose body starts at `body`. One pass, no allocation; the records themselves
    /// are not looked at. Bytes behind the body are ignored.
    pub fn parse(frame: &'a [u8], version: i16, body: usize) -> Result<Self, WireError> {
        let parsed = Self::parse_up_to(frame, version, body, usize::MAX)?;
        Ok(parsed.expect("no frame has so many"))
    }

    /// As `parse`, but `None` as soon as it is seen to name more than `max` topics or partitions. Inlined, so that `parse`
    /// has no bound to look at and no second copy.
    #[inline(always)]
    pub fn parse_up_to(
        frame: &'a [u8],
        version: i16,
        body: usize,
        max: usize,
    ) -> Result<Option<Self>, WireError> {
        if !(MIN_VERSION..=MAX_VERSION).contains(&version) {
            return Err(WireError::UnsupportedVersion { api_key: PRODUCE, version });
        }
        let flexible = version >= FIRST_FLEXIBLE;
        let mut cursor = Cursor::at(frame, body);
        let transactional_id = cursor.nullable_string_in(flexible)?;
        let acks = cursor.i16()?;
        let timeout_ms = cursor.i32()?;
        let topic_count = cursor.array_len_in(flexible)?;
        if topic_count > max {
            return Ok(None);
        }
        let topics_at = cursor.position();
        let (mut partition_count, mut behind_first) = (0, topics_at);
        for i in 0..topic_count {
            let topic = read_topic_head(&mut cursor, version)?;
            partition_count += topic.partition_count;
            if partition_count > max {
                return Ok(None);
            }
            skip_partitions(&mut cursor, topic.partition_count, flexible)?;
            if i == 0 {
                behind_first = cursor.position();
            }
        }
        if flexible {
            cursor.skip_tagged_fields()?;
        }
        Ok(Some(Self {
            version,
            acks,
            timeout_ms,
            transactional_id,
            topic_count,
            partition_count,
            frame,
            topics_at,
            behind_first,
        }))
    }

    /// The topics in the order of the request.
    #[inline]
    pub fn topics(&self) -> impl Iterator<Item = ProduceTopic<'a>> + use<'a> {
        let (version, behind_first) = (self.version, self.behind_first);
        let mut cursor = Cursor::at(self.frame, self.topics_at);
        // `parse` has read the same bytes, so no error can end the iteration early.
        (0..self.topic_count).map_while(move |i| {
            let topic = read_topic_head(&mut cursor, version).ok()?;
            if i == 0 {
                cursor.seek(behind_first);
            } else {
                skip_partitions(&mut cursor, topic.partition_count, topic.flexible).ok()?;
            }
            Some(topic)
        })
    }
}

impl<'a> ProduceTopic<'a> {
    /// The partitions in the order of the request.
    #[inline]
    pub fn partitions(&self) -> impl Iterator<Item = ProducePartition> + use<'a> {
        let (mut cursor, flexible) = (self.partitions, self.flexible);
        (0..self.partition_count).map_while(move |_| read_partition(&mut cursor, flexible).ok())
    }
}

#[inline]
fn read_topic_head<'a>(
    cursor: &mut Cursor<'a>,
    version: i16,
) -> Result<ProduceTopic<'a>, WireError> {
    let flexible = version >= FIRST_FLEXIBLE;
    let key = read_topic_key(cursor, version >= FIRST_BY_ID, flexible)?;
    let partition_count = cursor.array_len_in(flexible)?;
    Ok(ProduceTopic { key, partition_count, flexible, partitions: *cursor })
}

// Moves behind the partitions and the tagged fields of their topic.
#[inline]
fn skip_partitions(cursor: &mut Cursor<'_>, count: usize, flexible: bool) -> Result<(), WireError> {
    for _ in 0..count {
        read_partition(cursor, flexible)?;
    }
    if flexible { cursor.skip_tagged_fields() } else { Ok(()) }
}

// Always: else it depends on what else is in the crate whether this is a call.
#[inline(always)]
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
