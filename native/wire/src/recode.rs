//! Reads a message and writes it again, so that readers and writers can be compared with Kafka's
//! own.

use thiserror::Error;

use crate::cursor::WireError;
use crate::fetch::{FetchRequest, FetchRequestWriter};
use crate::fetch_response::{FetchPartitionResponse, FetchResponseWriter};
use crate::fetch_response_reader::FetchResponse;
use crate::header::{self, FETCH, PRODUCE};
use crate::leader::{NodeEndpoint, NodeEndpointRef};
use crate::produce::{ProduceRequest, ProduceRequestWriter};
use crate::produce_response::{ProducePartitionResponse, ProduceResponseWriter, RecordError};
use crate::produce_response_reader::ProduceResponse;

/// Which part of an exchange the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Request,
    Response,
    RequestHeader,
    ResponseHeader,
}

/// Why a message is not written again.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum RecodeError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("only Produce and Fetch have bodies here")]
    NotDataPlane,
}

/// The bytes of `message` written again from the values that were read from it.
pub fn recode(
    api_key: i16,
    version: i16,
    part: Part,
    message: &[u8],
) -> Result<Vec<u8>, RecodeError> {
    let mut out = Vec::with_capacity(message.len());
    match (part, api_key) {
        (Part::Request, PRODUCE) => produce_request(&mut out, version, message)?,
        (Part::Request, FETCH) => fetch_request(&mut out, version, message)?,
        (Part::Response, PRODUCE) => produce_response(&mut out, version, message)?,
        (Part::Response, FETCH) => fetch_response(&mut out, version, message)?,
        (Part::RequestHeader, _) => {
            let read = header::parse_request_header(message)?;
            let (key, version, id) = (read.api_key, read.api_version, read.correlation_id);
            header::put_request_header(&mut out, key, version, id, read.client_id);
        }
        (Part::ResponseHeader, _) => {
            let (id, _) = header::parse_response_header(message, api_key, version)?;
            header::put_response_header(&mut out, api_key, version, id);
        }
        _ => return Err(RecodeError::NotDataPlane),
    }
    Ok(out)
}

fn produce_request(out: &mut Vec<u8>, version: i16, message: &[u8]) -> Result<(), WireError> {
    let read = ProduceRequest::parse(message, version, 0)?;
    let (id, acks, timeout_ms) = (read.transactional_id, read.acks, read.timeout_ms);
    let writer = ProduceRequestWriter::start(out, version, id, acks, timeout_ms, read.topic_count);
    for topic in read.topics() {
        writer.topic(out, topic.key, topic.partition_count);
        for partition in topic.partitions() {
            writer.partition(out, partition.index, partition.records.map(|range| &message[range]));
        }
        writer.end_topic(out);
    }
    writer.finish(out);
    Ok(())
}

fn produce_response(out: &mut Vec<u8>, version: i16, message: &[u8]) -> Result<(), WireError> {
    let read = ProduceResponse::parse(message, version, 0)?;
    let writer = ProduceResponseWriter::start(out, version, read.topic_count);
    for topic in read.topics() {
        writer.topic(out, topic.key, topic.partition_count);
        for partition in topic.partitions() {
            let record_errors: Vec<RecordError> = partition
                .record_errors()
                .map(|(batch_index, text)| RecordError { batch_index, message: text.map(owned) })
                .collect();
            let error_message = partition.error_message.map(owned);
            let response = ProducePartitionResponse {
                index: partition.index,
                error_code: partition.error_code,
                base_offset: partition.base_offset,
                log_append_time_ms: partition.log_append_time_ms,
                log_start_offset: partition.log_start_offset,
                record_errors: &record_errors,
                error_message: error_message.as_deref(),
                current_leader: partition.current_leader,
            };
            writer.partition(out, &response);
        }
        writer.end_topic(out);
    }
    let endpoints: Vec<NodeEndpoint> = read.endpoints().map(owned_endpoint).collect();
    writer.finish(out, read.throttle_time_ms, &endpoints);
    Ok(())
}

fn fetch_request(out: &mut Vec<u8>, version: i16, message: &[u8]) -> Result<(), WireError> {
    let read = FetchRequest::parse(message, version, 0)?;
    let writer = FetchRequestWriter::start(out, version, read.options, read.topic_count);
    for topic in read.topics() {
        writer.topic(out, topic.key, topic.partition_count);
        for partition in topic.partitions() {
            writer.partition(out, &partition);
        }
        writer.end_topic(out);
    }
    writer.forgotten_topics(out, read.forgotten_count);
    for topic in read.forgotten() {
        let partitions: Vec<i32> = topic.partitions().collect();
        writer.forgotten(out, topic.key, &partitions);
    }
    writer.finish(out);
    Ok(())
}

fn fetch_response(out: &mut Vec<u8>, version: i16, message: &[u8]) -> Result<(), WireError> {
    let read = FetchResponse::parse(message, version, 0)?;
    let (throttle_ms, code, session) = (read.throttle_time_ms, read.error_code, read.session_id);
    let topic_count = read.topic_count;
    let writer = FetchResponseWriter::start(out, version, throttle_ms, code, session, topic_count);
    for topic in read.topics() {
        writer.topic(out, topic.key, topic.partition_count);
        for partition in topic.partitions() {
            let aborted: Vec<_> = partition.aborted().collect();
            let response = FetchPartitionResponse {
                partition: partition.partition,
                error_code: partition.error_code,
                high_watermark: partition.high_watermark,
                last_stable_offset: partition.last_stable_offset,
                log_start_offset: partition.log_start_offset,
                aborted_transactions: partition.aborted_count.map(|_| aborted.as_slice()),
                preferred_read_replica: partition.preferred_read_replica,
                diverging_epoch: partition.diverging_epoch,
                current_leader: partition.current_leader,
                snapshot_id: partition.snapshot_id,
            };
            let records = partition.records.map(|range| &message[range]);
            writer.partition(out, &response, records.map(<[u8]>::len));
            out.extend_from_slice(records.unwrap_or_default());
            writer.end_partition(out, &response);
        }
        writer.end_topic(out);
    }
    let endpoints: Vec<NodeEndpoint> = read.endpoints().map(owned_endpoint).collect();
    writer.finish(out, &endpoints);
    Ok(())
}

// What is no UTF-8 becomes longer, and may then be more than a string holds.
fn owned(text: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(text).into_owned();
    let mut end = text.len().min(i16::MAX as usize);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

fn owned_endpoint(endpoint: NodeEndpointRef<'_>) -> NodeEndpoint {
    NodeEndpoint {
        node_id: endpoint.node_id,
        host: owned(endpoint.host),
        port: endpoint.port,
        rack: endpoint.rack.map(owned),
    }
}

/// Lower-case hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `None` for text that is not pairs of hexadecimal digits.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
