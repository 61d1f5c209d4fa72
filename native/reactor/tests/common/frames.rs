//! Requests as a client writes them, answers as it reads them.

use std::io::Write;

use ms_wire::batch::{BatchHeader, write_crc};
use ms_wire::cursor::Cursor;
use ms_wire::fetch::{FetchOptions, FetchPartition, FetchRequestWriter};
use ms_wire::fetch_response_reader::FetchResponse;
use ms_wire::header::{is_response_header_flexible, put_request_header};
use ms_wire::produce::ProduceRequestWriter;
use ms_wire::produce_response_reader::ProduceResponse;
use ms_wire::put::{put_varint, put_varlong};
use ms_wire::topic::TopicKey;

use super::TestTopic;

/// `log-config` of the boundary.
#[derive(Clone)]
pub struct LogConfig {
    pub segment_bytes: i32,
    pub max_message_bytes: i32,
    pub flush_messages: i64,
    pub log_append_time: bool,
    pub is_internal: bool,
    pub file_delete_delay_ms: i64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 26,
            max_message_bytes: 1_048_588,
            flush_messages: i64::MAX,
            log_append_time: false,
            is_internal: false,
            file_delete_delay_ms: 60_000,
        }
    }
}

pub fn log_config(out: &mut Vec<u8>, config: &LogConfig) {
    let day: i64 = 86_400_000;
    out.extend_from_slice(&config.segment_bytes.to_le_bytes());
    out.extend_from_slice(&(7 * day).to_le_bytes());
    out.extend_from_slice(&0_i64.to_le_bytes());
    out.extend_from_slice(&4096_i32.to_le_bytes());
    out.extend_from_slice(&(10_i32 << 20).to_le_bytes());
    out.extend_from_slice(&(7 * day).to_le_bytes());
    out.extend_from_slice(&(-1_i64).to_le_bytes());
    out.extend_from_slice(&config.max_message_bytes.to_le_bytes());
    out.push(u8::from(config.log_append_time));
    out.extend_from_slice(&i64::MAX.to_le_bytes());
    out.extend_from_slice(&i64::MAX.to_le_bytes());
    out.push(1);
    out.extend_from_slice(&config.flush_messages.to_le_bytes());
    out.extend_from_slice(&i64::MAX.to_le_bytes());
    out.extend_from_slice(&config.file_delete_delay_ms.to_le_bytes());
    out.extend_from_slice(&1_i32.to_le_bytes());
    out.push(u8::from(config.is_internal));
}

pub fn partition_spec(
    topic: &str,
    id: [u8; 16],
    partition: i32,
    group: u64,
    config: &LogConfig,
) -> Vec<u8> {
    let mut out = id.to_vec();
    put_str(&mut out, topic);
    out.extend_from_slice(&partition.to_le_bytes());
    out.extend_from_slice(&group.to_le_bytes());
    log_config(&mut out, config);
    out
}

/// Frames as they are on the wire, each behind its length.
pub fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
    let framed = frames.iter().map(|f| [&(f.len() as u32).to_be_bytes()[..], f].concat());
    framed.collect::<Vec<_>>().concat()
}

/// The request that an answer belongs to.
pub fn correlation_id(answer: &[u8]) -> i32 {
    i32::from_be_bytes(*answer.first_chunk().unwrap())
}

pub fn put_str(out: &mut Vec<u8>, value: &str) {
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value.as_bytes());
}

/// A packed topology with one broker, node 1, which leads everything in epoch 1.
pub fn topology(kind: u8, topics: &[TestTopic<'_>], port: u16) -> Vec<u8> {
    let mut out = 1_u64.to_le_bytes().to_vec();
    out.push(kind);
    out.extend_from_slice(&(topics.len() as u32).to_le_bytes());
    for topic in topics {
        out.extend_from_slice(&topic.id);
        put_str(&mut out, topic.name);
        out.extend_from_slice(&[1, u8::from(topic.is_internal)]);
        out.extend_from_slice(&(topic.partitions.len() as u32).to_le_bytes());
        for hosted in topic.partitions {
            let (index, generation) = hosted.map_or((u32::MAX, 0), |h| (h.index, h.generation));
            out.extend_from_slice(&index.to_le_bytes());
            out.extend_from_slice(&generation.to_le_bytes());
            out.extend_from_slice(&1_i32.to_le_bytes());
            out.extend_from_slice(&1_i32.to_le_bytes());
        }
    }
    out.extend_from_slice(&1_u32.to_le_bytes());
    out.extend_from_slice(&1_i32.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    out.push(0);
    put_str(&mut out, "localhost");
    out.extend_from_slice(&i32::from(port).to_le_bytes());
    put_str(&mut out, "");
    out
}

/// A plain v2 batch of records with these values.
pub fn batch(values: &[&[u8]]) -> Vec<u8> {
    let mut records = Vec::new();
    for (i, value) in values.iter().enumerate() {
        let mut record = vec![0];
        put_varlong(&mut record, 0);
        put_varint(&mut record, i as i32);
        put_varint(&mut record, -1);
        put_varint(&mut record, value.len() as i32);
        record.extend_from_slice(value);
        put_varint(&mut record, 0);
        put_varint(&mut records, record.len() as i32);
        records.extend_from_slice(&record);
    }
    let now_ms = 1_700_000_000_000;
    let mut out = Vec::new();
    out.extend_from_slice(&0_i64.to_be_bytes());
    out.extend_from_slice(&(49 + records.len() as i32).to_be_bytes());
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    out.push(2);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&0_i16.to_be_bytes());
    out.extend_from_slice(&(values.len() as i32 - 1).to_be_bytes());
    out.extend_from_slice(&i64::to_be_bytes(now_ms));
    out.extend_from_slice(&i64::to_be_bytes(now_ms));
    out.extend_from_slice(&(-1_i64).to_be_bytes());
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    out.extend_from_slice(&(values.len() as i32).to_be_bytes());
    out.extend_from_slice(&records);
    write_crc(&mut out);
    out
}

/// The same batch compressed with gzip.
pub fn gzip(batch: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&batch[61..]).unwrap();
    let mut out = [&batch[..61], &encoder.finish().unwrap()].concat();
    let length = out.len() as i32 - 12;
    out[8..12].copy_from_slice(&length.to_be_bytes());
    out[22] |= 1;
    write_crc(&mut out);
    out
}

/// A good batch of some 200 bytes, compressed with zstd, whose one record is as large as a batch may decompress to.
pub fn zstd_bomb() -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    const BLOCKS: usize = 31;
    let value_len = BLOCKS * BLOCK - 1;
    let mut head = vec![0];
    put_varlong(&mut head, 0);
    put_varint(&mut head, 0);
    put_varint(&mut head, -1);
    put_varint(&mut head, value_len as i32);
    let mut record = Vec::new();
    put_varint(&mut record, (head.len() + value_len + 1) as i32);
    record.extend_from_slice(&head);
    let block = |is_last: bool, kind: usize, len: usize| {
        ((len << 3 | kind << 1 | usize::from(is_last)) as u32).to_le_bytes()[..3].to_vec()
    };
    // A frame with a window of 128 KiB and no content size: a raw block, then runs of one byte.
    let mut out = batch(&[b""])[..61].to_vec();
    out[22] = 4;
    out.extend_from_slice(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
    out.extend_from_slice(&block(false, 0, record.len()));
    out.extend_from_slice(&record);
    for i in 1..=BLOCKS {
        out.extend_from_slice(&block(i == BLOCKS, 1, BLOCK));
        out.push(0);
    }
    let length = out.len() as i32 - 12;
    out[8..12].copy_from_slice(&length.to_be_bytes());
    write_crc(&mut out);
    out
}

pub fn header(api_key: i16, version: i16, correlation_id: i32) -> Vec<u8> {
    let mut out = Vec::new();
    put_request_header(&mut out, api_key, version, correlation_id, Some(b"test"));
    out
}

/// A Produce of one topic; `None` records are null.
pub fn produce(
    version: i16,
    correlation_id: i32,
    acks: i16,
    topic: TopicKey<'_>,
    partitions: &[(i32, Option<&[u8]>)],
) -> Vec<u8> {
    let mut out = header(0, version, correlation_id);
    let writer = ProduceRequestWriter::start(&mut out, version, None, acks, 5_000, 1);
    writer.topic(&mut out, topic, partitions.len());
    for (index, records) in partitions {
        writer.partition(&mut out, *index, *records);
    }
    writer.end_topic(&mut out);
    writer.finish(&mut out);
    out
}

/// What a test looks at of one produced partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Produced {
    pub correlation_id: i32,
    pub error_code: i16,
    pub base_offset: i64,
}

/// The partitions of a Produce response, in order.
pub fn produced(frame: &[u8], version: i16) -> Vec<Produced> {
    let (correlation_id, body) = response_header(frame, 0, version);
    let response = ProduceResponse::parse(frame, version, body).unwrap();
    let mut all = Vec::new();
    for topic in response.topics() {
        for partition in topic.partitions() {
            let (error_code, base_offset) = (partition.error_code, partition.base_offset);
            all.push(Produced { correlation_id, error_code, base_offset });
        }
    }
    all
}

/// A Fetch of one topic.
pub fn fetch(
    version: i16,
    correlation_id: i32,
    options: FetchOptions<'_>,
    topic: TopicKey<'_>,
    partitions: &[FetchPartition],
) -> Vec<u8> {
    fetch_many(version, correlation_id, options, &[(topic, partitions)], &[])
}

pub fn fetch_many(
    version: i16,
    correlation_id: i32,
    options: FetchOptions<'_>,
    topics: &[(TopicKey<'_>, &[FetchPartition])],
    forgotten: &[(TopicKey<'_>, &[i32])],
) -> Vec<u8> {
    let mut out = header(1, version, correlation_id);
    write_fetch(&mut out, version, options, topics, forgotten);
    out
}

fn write_fetch(
    out: &mut Vec<u8>,
    version: i16,
    options: FetchOptions<'_>,
    topics: &[(TopicKey<'_>, &[FetchPartition])],
    forgotten: &[(TopicKey<'_>, &[i32])],
) {
    let writer = FetchRequestWriter::start(out, version, options, topics.len());
    for (key, partitions) in topics {
        writer.topic(out, *key, partitions.len());
        for partition in *partitions {
            writer.partition(out, partition);
        }
        writer.end_topic(out);
    }
    writer.forgotten_topics(out, forgotten.len());
    for (key, partitions) in forgotten {
        writer.forgotten(out, *key, partitions);
    }
    writer.finish(out);
}

/// What a test looks at of a Fetch response.
#[derive(Debug)]
pub struct Fetched {
    pub correlation_id: i32,
    pub error_code: i16,
    pub session_id: i32,
    pub partitions: Vec<FetchedPart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPart {
    pub topic: Vec<u8>,
    pub partition: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub log_start_offset: i64,
    pub records: Vec<u8>,
    pub leader: Option<(i32, i32)>,
}

impl FetchedPart {
    /// Base offsets of the batches, each of which must be whole.
    pub fn base_offsets(&self) -> Vec<i64> {
        let (mut rest, mut offsets) = (self.records.as_slice(), Vec::new());
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest).expect("whole batches");
            offsets.push(header.base_offset);
            rest = &rest[header.size()..];
        }
        offsets
    }
}

pub fn fetched(frame: &[u8], version: i16) -> Fetched {
    let (correlation_id, body) = response_header(frame, 1, version);
    let response = FetchResponse::parse(frame, version, body).unwrap();
    let mut partitions = Vec::new();
    for topic in response.topics() {
        let name = match topic.key {
            TopicKey::Name(name) => name.to_vec(),
            TopicKey::Id(id) => id.to_vec(),
        };
        for partition in topic.partitions() {
            partitions.push(FetchedPart {
                topic: name.clone(),
                partition: partition.partition,
                error_code: partition.error_code,
                high_watermark: partition.high_watermark,
                log_start_offset: partition.log_start_offset,
                records: partition.records.map_or(Vec::new(), |range| frame[range].to_vec()),
                leader: partition.current_leader.map(|l| (l.leader_id, l.leader_epoch)),
            });
        }
    }
    let (error_code, session_id) = (response.error_code, response.session_id);
    Fetched { correlation_id, error_code, session_id, partitions }
}

fn response_header(frame: &[u8], api_key: i16, version: i16) -> (i32, usize) {
    let mut cursor = Cursor::new(frame);
    let correlation_id = cursor.i32().unwrap();
    if is_response_header_flexible(api_key, version) {
        cursor.skip_tagged_fields().unwrap();
    }
    (correlation_id, cursor.position())
}
