//! The functions whose instructions are counted, each called so many times that one call more or less of something rare
//! does not matter.

use std::hint::black_box;
use std::sync::Arc;

use ms_log::ReadPlan;
use ms_partition::Partition;
use ms_wire::batch::BatchHeader;
use ms_wire::crc;
use ms_wire::fetch::FetchRequest;
use ms_wire::header::{
    PRODUCE, finish_frame, parse_request_header, put_response_header, start_frame,
};
use ms_wire::produce::ProduceRequest;
use ms_wire::produce_response::{ProducePartitionResponse, ProduceResponseWriter};
use ms_wire::topic::TopicKey;
use ms_wire::validate::{Scratch, ValidationRules, validate_records};
use ms_wire::walk::{self, Step};

use crate::inputs::{self, Group};

/// Calls in each function of this module.
pub const REPEATS: usize = 100;

pub fn walk_records(batch: &[u8], header: &BatchHeader, scratch: &mut Scratch) {
    for _ in 0..REPEATS {
        let mut newest = 0;
        walk::walk_records(black_box(batch), header, 0, scratch, |head| {
            newest = head.timestamp.max(newest);
            Step::Next
        })
        .expect("good records");
        black_box(newest);
    }
}

pub fn validate(batch: &mut [u8], rules: &ValidationRules, now_ms: i64, scratch: &mut Scratch) {
    for _ in 0..REPEATS {
        black_box(validate_records(batch, rules, now_ms, scratch).is_ok());
    }
}

pub fn crc32c(bytes: &[u8]) {
    for _ in 0..REPEATS {
        black_box(crc::crc32c(black_box(bytes)));
    }
}

pub fn parse_produce(frame: &[u8]) {
    (0..REPEATS).for_each(|_| parse_produce_once(black_box(frame)));
}

#[inline]
fn parse_produce_once(frame: &[u8]) {
    let header = parse_request_header(frame).expect("a header");
    let request = ProduceRequest::parse(frame, header.api_version, header.body).expect("a request");
    for topic in request.topics() {
        for partition in topic.partitions() {
            black_box((topic.key, partition.index, partition.records));
        }
    }
}

pub fn parse_fetch(frame: &[u8]) {
    (0..REPEATS).for_each(|_| parse_fetch_once(black_box(frame)));
}

#[inline]
fn parse_fetch_once(frame: &[u8]) {
    let header = parse_request_header(frame).expect("a header");
    let request = FetchRequest::parse(frame, header.api_version, header.body).expect("a request");
    for topic in request.topics() {
        for partition in topic.partitions() {
            black_box((topic.key, partition));
        }
    }
}

pub fn encode_produce_answer(out: &mut Vec<u8>) {
    for correlation_id in 0..REPEATS as i32 {
        out.clear();
        let frame = start_frame(out);
        put_response_header(out, PRODUCE, 9, correlation_id);
        let writer = ProduceResponseWriter::start(out, 9, 1);
        writer.topic(out, TopicKey::Name(inputs::TOPIC), 1);
        writer.partition(out, &ProducePartitionResponse::error(0, 0));
        writer.end_topic(out);
        writer.finish(out, 0, &[]);
        finish_frame(out, frame, 0);
        black_box(&out);
    }
}

pub fn append(partition: &Arc<Partition>, batch: &mut [u8]) {
    (0..REPEATS).for_each(|_| inputs::append(partition, batch));
}

pub fn look_up_near_the_end(partition: &Partition, offset: i64) {
    for _ in 0..REPEATS {
        let answer = partition.read(&inputs::query(black_box(offset)));
        assert!(matches!(answer.plan, ReadPlan::Range(_)), "known to the ring");
    }
}

pub fn look_up_by_the_index(partition: &Partition, offset: i64) {
    for _ in 0..REPEATS {
        let answer = partition.read(&inputs::query(black_box(offset)));
        let ReadPlan::Locate(job) = answer.plan else { panic!("older than the ring") };
        black_box(job.run_cached().expect("it is in memory").total_bytes());
    }
}

pub fn raft_turns(group: &mut Group) {
    (0..REPEATS).for_each(|_| group.turn());
}
