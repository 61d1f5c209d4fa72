//! Nanoseconds of the functions on the path of Produce and Fetch. `cargo bench -p ms-wire [-- name]`

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::Instant;

use common::{CODECS, NOW_MS, TestRecord, batch, encode, header};
use ms_wire::batch::{BatchHeader, check_crc};
use ms_wire::compression::Codec;
use ms_wire::crc::crc32c;
use ms_wire::fetch::{FetchOptions, FetchPartition, FetchRequest, FetchRequestWriter};
use ms_wire::header::{PRODUCE, parse_request_header, put_request_header};
use ms_wire::produce::{ProduceRequest, ProduceRequestWriter};
use ms_wire::produce_response::{ProducePartitionResponse, ProduceResponseWriter};
use ms_wire::topic::TopicKey;
use ms_wire::validate::{Scratch, ValidationRules, validate_records};
use ms_wire::walk::{Step, walk_records};

// The best of many short rounds: what the code costs, not what else the machine does.
fn measure(name: &str, unit: &str, per_call: f64, mut call: impl FnMut()) {
    let wanted = std::env::args().nth(1).filter(|arg| !arg.starts_with("--"));
    if wanted.is_some_and(|wanted| !name.contains(&wanted)) {
        return;
    }
    let mut best = f64::MAX;
    let mut calls = 1_u32;
    for _ in 0..40 {
        let start = Instant::now();
        for _ in 0..calls {
            call();
        }
        let took_ns = start.elapsed().as_nanos() as f64;
        best = best.min(took_ns / f64::from(calls));
        if took_ns < 2e6 {
            calls = calls.saturating_mul(2);
        }
    }
    println!("{name:<40} {:>10.2} ns/{unit}", best / per_call);
}

fn plain_records(count: i32, value_bytes: usize) -> Vec<u8> {
    let records: Vec<TestRecord> = (0..count)
        .map(|i| TestRecord {
            timestamp_delta: i64::from(i / 10),
            offset_delta: i,
            key: None,
            value: Some((0..value_bytes).map(|at| (at as i32 * i) as u8 % 64).collect()),
            headers: Vec::new(),
        })
        .collect();
    encode(&records)
}

fn produce_frame(records: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_request_header(&mut out, PRODUCE, 9, 7, Some(b"bench-client"));
    let writer = ProduceRequestWriter::start(&mut out, 9, None, 1, 1500, 1);
    writer.topic(&mut out, TopicKey::Name(b"bench-topic"), 1);
    writer.partition(&mut out, 0, Some(records));
    writer.end_topic(&mut out);
    writer.finish(&mut out);
    out
}

fn bench_requests() {
    let frame = produce_frame(&batch(&header(1), Codec::None, &plain_records(1, 90)));
    measure("parse_produce", "request", 1.0, || {
        let header = parse_request_header(black_box(&frame)).expect("a header");
        let request = ProduceRequest::parse(&frame, 9, header.body).expect("a request");
        for topic in request.topics() {
            for partition in topic.partitions() {
                black_box((topic.key, partition.index, partition.records));
            }
        }
    });
    measure("parse_header", "request", 1.0, || {
        black_box(parse_request_header(black_box(&frame)).expect("a header"));
    });
    let body = parse_request_header(&frame).expect("a header").body;
    measure("parse_produce_body", "request", 1.0, || {
        black_box(ProduceRequest::parse(black_box(&frame), 9, body).expect("a request"));
    });
    let mut out = Vec::with_capacity(1024);
    measure("write_produce_response", "response", 1.0, || {
        out.clear();
        let writer = ProduceResponseWriter::start(&mut out, 9, 1);
        writer.topic(&mut out, TopicKey::Name(b"bench-topic"), 1);
        writer.partition(&mut out, &ProducePartitionResponse::error(0, 0));
        writer.end_topic(&mut out);
        writer.finish(&mut out, 0, &[]);
        black_box(&out);
    });
    let mut frame = Vec::new();
    let options = FetchOptions::default();
    let writer = FetchRequestWriter::start(&mut frame, 12, options, 1);
    writer.topic(&mut frame, TopicKey::Name(b"bench-topic"), 100);
    for partition in 0..100 {
        writer.partition(&mut frame, &FetchPartition::new(partition, 1000, 1 << 20));
    }
    writer.end_topic(&mut frame);
    writer.forgotten_topics(&mut frame, 0);
    writer.finish(&mut frame);
    measure("parse_fetch_100", "partition", 100.0, || {
        let request = FetchRequest::parse(black_box(&frame), 12, 0).expect("a request");
        for topic in request.topics() {
            for partition in topic.partitions() {
                black_box(partition);
            }
        }
    });
}

fn bench_records() {
    let plain = plain_records(1150, 100);
    let bytes = batch(&header(1150), Codec::None, &plain);
    let parsed = BatchHeader::parse(&bytes).expect("a header");
    let mut scratch = Scratch::default();
    measure("walk_records", "record", 1150.0, || {
        let mut max = 0;
        walk_records(black_box(&bytes), &parsed, 0, &mut scratch, |head| {
            max = head.timestamp.max(max);
            Step::Next
        })
        .expect("good records");
        black_box(max);
    });
    let rules = ValidationRules::default();
    for (name, count) in [
        ("validate_1", 1),
        ("validate_2", 2),
        ("validate_10", 10),
        ("validate_100", 100),
        ("validate_16_kib", 145),
        ("validate_128_kib", 1150),
    ] {
        let mut bytes = batch(&header(count), Codec::None, &plain_records(count, 100));
        validate_records(&mut bytes, &rules, NOW_MS, &mut scratch).expect("valid");
        measure(name, "batch", 1.0, || {
            black_box(validate_records(&mut bytes, &rules, NOW_MS, &mut scratch).is_ok());
        });
    }
    for codec in &CODECS[1..] {
        for (size, count) in [("1", 1), ("16_kib", 145)] {
            let mut bytes = batch(&header(count), *codec, &plain_records(count, 100));
            validate_records(&mut bytes, &rules, NOW_MS, &mut scratch).expect("valid");
            measure(&format!("validate_{codec:?}_{size}"), "batch", 1.0, || {
                black_box(validate_records(&mut bytes, &rules, NOW_MS, &mut scratch).is_ok());
            });
        }
    }
}

/// What the records of a batch look like. Keys have 8 bytes.
struct Look {
    name: &'static str,
    has_key: bool,
    value_bytes: std::ops::RangeInclusive<u32>,
    headers: usize,
    // So many have the same millisecond; 0 when each has one within 25 ms of the base.
    records_of_ms: u32,
}

const FIXED: Look =
    Look { name: "fixed", has_key: false, value_bytes: 97..=97, headers: 0, records_of_ms: 1000 };

const LOOKS: [Look; 8] = [
    FIXED,
    Look { name: "keyed", has_key: true, records_of_ms: 10, ..FIXED },
    Look { name: "jumping", records_of_ms: 0, ..FIXED },
    Look { name: "varying", has_key: true, value_bytes: 50..=150, records_of_ms: 10, ..FIXED },
    Look { name: "two_sizes", has_key: true, value_bytes: 96..=97, records_of_ms: 10, ..FIXED },
    Look { name: "varying_keyless", value_bytes: 50..=150, ..FIXED },
    Look { name: "headers", has_key: true, headers: 2, records_of_ms: 10, ..FIXED },
    Look {
        name: "varying_headers",
        has_key: true,
        value_bytes: 50..=150,
        headers: 2,
        records_of_ms: 10,
    },
];

/// A batch of about so many bytes, and its records.
fn batch_of(look: &Look, batch_bytes: usize) -> (Vec<u8>, i32) {
    let mut seed = 1_u32;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    let (mut records, mut plain) = (0_u32, Vec::new());
    while plain.len() + 300 < batch_bytes {
        let (least, most) = look.value_bytes.clone().into_inner();
        let ms = records.checked_div(look.records_of_ms);
        let timestamp_delta = ms.map_or_else(|| i64::from(random(51)) - 25, i64::from);
        let value = vec![b'v'; (least + random(most - least + 1)) as usize];
        plain.extend_from_slice(&encode(&[TestRecord {
            timestamp_delta,
            offset_delta: records as i32,
            key: look.has_key.then(|| b"key-5678".to_vec()),
            value: Some(value),
            headers: vec![(b"trace-id".to_vec(), Some(b"0123456789abcdef".to_vec())); look.headers],
        }]));
        records += 1;
    }
    let count = records as i32;
    (batch(&header(count), Codec::None, &plain), count)
}

// As a broker meets them: each batch lies somewhere else, and no core has seen it before.
fn bench_many_batches() {
    const ALL_BYTES: usize = 8 << 20;
    let (rules, mut scratch) = (ValidationRules::default(), Scratch::default());
    for (size, batch_bytes) in [("1_mib", 1 << 20), ("128_kib", 128 << 10)] {
        for look in &LOOKS {
            let (mut bytes, count) = batch_of(look, batch_bytes);
            validate_records(&mut bytes, &rules, NOW_MS, &mut scratch).expect("valid");
            let mut batches = vec![bytes; ALL_BYTES / batch_bytes];
            let (name, mut at) = (format!("{size}_{}", look.name), 0);
            measure(&format!("check_crc_{name}"), "record", f64::from(count), || {
                at = (at + 1) % batches.len();
                black_box(check_crc(&batches[at]).is_ok());
            });
            measure(&format!("validate_{name}"), "record", f64::from(count), || {
                at = (at + 1) % batches.len();
                let valid = validate_records(&mut batches[at], &rules, NOW_MS, &mut scratch);
                black_box(valid.is_ok());
            });
        }
    }
}

fn main() {
    let bytes: Vec<u8> = (0..1 << 17).map(|i| i as u8).collect();
    for len in [60, 170, 16 << 10, 128 << 10] {
        measure(&format!("crc32c_{len}"), "call", 1.0, || {
            black_box(crc32c(black_box(&bytes[..len])));
        });
    }
    bench_requests();
    bench_records();
    bench_many_batches();
}
