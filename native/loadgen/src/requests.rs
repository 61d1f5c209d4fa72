//! Requests that are encoded once, length prefix included.

use ms_wire::batch::{BatchHeader, HEADER_BYTES, write_crc};
use ms_wire::fetch::{FetchOptions, FetchPartition, FetchRequestWriter};
use ms_wire::header::{
    API_VERSIONS, FETCH, PRODUCE, finish_frame, put_request_header, start_frame,
};
use ms_wire::produce::ProduceRequestWriter;
use ms_wire::put::{put_varint, put_varlong};
use ms_wire::topic::TopicKey;

const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 12;
const CLIENT_ID: &[u8] = b"load";
/// Where the correlation id of a frame begins.
pub const CORRELATION_ID_AT: usize = 8;
/// The length, API key, version and correlation id of a frame.
pub const HEAD_BYTES: usize = CORRELATION_ID_AT + 4;
/// Where the fetch offset of `fetch` begins, from the end: it is followed by lastFetchedEpoch, logStartOffset,
/// partitionMaxBytes, three empty tag sections, no forgotten topics, an empty rack.
const FETCH_TAIL: usize = 8 + 4 + 8 + 4 + 1 + 1 + 1 + 1 + 1;

/// A v2 batch of equal records that fills about `batch_bytes`; at least one record.
pub fn batch(batch_bytes: usize, record_bytes: usize) -> (Vec<u8>, usize) {
    let mut records = Vec::new();
    let mut count = 0usize;
    let value = vec![b'v'; record_bytes];
    loop {
        let mut body = vec![0u8];
        put_varlong(&mut body, 0);
        put_varint(&mut body, count as i32);
        put_varint(&mut body, -1);
        put_varint(&mut body, record_bytes as i32);
        body.extend_from_slice(&value);
        put_varint(&mut body, 0);
        put_varint(&mut records, body.len() as i32);
        records.extend_from_slice(&body);
        count += 1;
        if HEADER_BYTES + records.len() + body.len() + 3 > batch_bytes {
            break;
        }
    }
    let now_ms = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64);
    let header = BatchHeader {
        base_offset: 0,
        batch_length: (HEADER_BYTES - 12 + records.len()) as i32,
        partition_leader_epoch: -1,
        crc: 0,
        attributes: 0,
        last_offset_delta: count as i32 - 1,
        base_timestamp: now_ms,
        max_timestamp: now_ms,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        record_count: count as i32,
    };
    let mut batch = header.encode().to_vec();
    batch.extend_from_slice(&records);
    write_crc(&mut batch);
    (batch, count)
}

pub fn produce(topic: &str, partition: i32, acks: i16, batch: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(batch.len() + 128);
    let frame = start_frame(&mut out);
    put_request_header(&mut out, PRODUCE, PRODUCE_VERSION, 0, Some(CLIENT_ID));
    let writer = ProduceRequestWriter::start(&mut out, PRODUCE_VERSION, None, acks, 30_000, 1);
    writer.topic(&mut out, TopicKey::Name(topic.as_bytes()), 1);
    writer.partition(&mut out, partition, Some(batch));
    writer.end_topic(&mut out);
    writer.finish(&mut out);
    finish_frame(&mut out, frame, 0);
    out
}

pub fn fetch(topic: &str, partition: i32, max_bytes: i32) -> Vec<u8> {
    let mut out = Vec::new();
    let frame = start_frame(&mut out);
    put_request_header(&mut out, FETCH, FETCH_VERSION, 0, Some(CLIENT_ID));
    let options = FetchOptions { max_wait_ms: 500, min_bytes: 1, max_bytes, ..Default::default() };
    let writer = FetchRequestWriter::start(&mut out, FETCH_VERSION, options, 1);
    writer.topic(&mut out, TopicKey::Name(topic.as_bytes()), 1);
    writer.partition(&mut out, &FetchPartition::new(partition, 0, max_bytes));
    writer.end_topic(&mut out);
    writer.forgotten_topics(&mut out, 0);
    writer.finish(&mut out);
    finish_frame(&mut out, frame, 0);
    out
}

/// Writes the offset of the one partition of a `fetch` frame.
pub fn set_fetch_offset(frame: &mut [u8], offset: i64) {
    let at = frame.len() - FETCH_TAIL;
    frame[at..at + 8].copy_from_slice(&offset.to_be_bytes());
}

pub fn api_versions() -> Vec<u8> {
    let mut out = Vec::new();
    let frame = start_frame(&mut out);
    put_request_header(&mut out, API_VERSIONS, 0, 0, Some(CLIENT_ID));
    finish_frame(&mut out, frame, 0);
    out
}

/// Whether the answer to a `produce` frame says so.
// Produce v9: correlation id, tags, one topic, its name, one partition, its index, then the error code.
pub fn has_produce_error(answer: &[u8]) -> bool {
    let name = 6;
    let name_length = usize::from(*answer.get(name).unwrap_or(&1)).saturating_sub(1);
    let at = name + 1 + name_length + 1 + 4;
    answer.get(at..at + 2).is_none_or(|code| code != [0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ms_wire::fetch::FetchRequest;
    use ms_wire::header::parse_request_header;

    #[test]
    fn the_offset_of_a_fetch_can_be_changed_in_place() {
        let mut frame = fetch("t", 3, 1000);
        set_fetch_offset(&mut frame, 77);
        let header = parse_request_header(&frame[4..]).unwrap();
        let request = FetchRequest::parse(&frame[4..], header.api_version, header.body).unwrap();
        let topic = request.topics().next().unwrap();
        let partition = topic.partitions().next().unwrap();
        assert_eq!((partition.partition, partition.fetch_offset), (3, 77));
    }

    #[test]
    fn a_batch_of_one_byte_has_one_record() {
        assert_eq!(batch(1, 100).1, 1);
        let (bytes, count) = batch(16_384, 100);
        assert!(count > 100 && bytes.len() <= 16_384);
    }
}
