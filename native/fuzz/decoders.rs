//! What each fuzz target asks of a decoder, beyond that it neither panics nor hangs. The test
//! `fuzz_corpus` of the wire crate runs the same functions over the committed corpus.
#![allow(dead_code)]

use ms_wire::batch::{BatchHeader, TimestampType, check_crc, write_crc};
use ms_wire::compression::{Codec, CodecScratch, decompress};
use ms_wire::fetch::FetchRequest;
use ms_wire::frame::{self, FrameHeader, check_frame};
use ms_wire::header::{FETCH, PRODUCE, parse_request_header};
use ms_wire::produce::ProduceRequest;
use ms_wire::recode::Part;
use ms_wire::records::{RecordIter, find_timestamp, plain_records};
use ms_wire::request_items::{ItemCount, ItemsError};
use ms_wire::validate::{Scratch, ValidationRules, validate_records};
use ms_wire::walk::output_estimate;

const NOW_MS: i64 = 1_700_000_000_000;

/// A frame as a client sends it: the counts of a parsed request are what its iterators yield.
pub fn requests(frame: &[u8]) {
    let Ok(header) = parse_request_header(frame) else { return };
    let (version, body) = (header.api_version, header.body);
    if header.api_key == PRODUCE {
        let Ok(request) = ProduceRequest::parse(frame, version, body) else { return };
        let mut partitions = 0;
        for topic in request.topics() {
            for partition in topic.partitions() {
                partitions += 1;
                assert!(partition.records.is_none_or(|range| frame.get(range).is_some()));
            }
        }
        assert_eq!(request.topics().count(), request.topic_count);
        assert_eq!(partitions, request.partition_count);
    } else if header.api_key == FETCH {
        let Ok(request) = FetchRequest::parse(frame, version, body) else { return };
        let partitions: usize = request.topics().map(|topic| topic.partitions().count()).sum();
        assert_eq!(request.topics().count(), request.topic_count);
        assert_eq!(partitions, request.partition_count);
        assert_eq!(request.forgotten().count(), request.forgotten_count);
        for topic in request.forgotten() {
            assert_eq!(topic.partitions().count(), topic.partition_count);
        }
    }
}

/// API and version, bytes that choose the limit, the pieces it comes in and the steps that are taken at once, and a body of a
/// request: its items are counted to the same end when all is there and as it comes.
pub fn items(data: &[u8]) {
    let [api_key, version, max, piece, steps, body @ ..] = data else { return };
    let (api_key, version, max) = (i16::from(*api_key), i16::from(*version), usize::from(*max));
    let (piece, steps) = (usize::from(*piece) + 1, usize::from(*steps) + 1);
    let Ok(mut count) = ItemCount::new(0, api_key, version, max) else { return };
    let whole = count.go_on(body, body.len(), &mut { usize::MAX });
    assert_ne!(whole, Ok(false), "all is there");

    let mut count = ItemCount::new(0, api_key, version, max).expect("as before");
    let mut come = 0;
    let slowly = loop {
        match count.go_on(&body[..come], body.len(), &mut { steps }) {
            Ok(false) => come = body.len().min(come + piece),
            end => break end,
        }
    };
    assert_eq!(slowly, whole);

    // Of a request that is longer than what has come.
    let len = body.len() + piece;
    let mut count = ItemCount::new(0, api_key, version, max).expect("as before");
    let begun = count.go_on(body, len, &mut { usize::MAX });
    assert!(begun == whole || matches!(whole, Err(ItemsError::Malformed(_))));
}

/// Two bytes that choose API, version and part, and a message: what is read and written is read the
/// same again.
pub fn recode(data: &[u8]) {
    let [choice, version, message @ ..] = data else { return };
    let parts = [Part::Request, Part::Response, Part::RequestHeader, Part::ResponseHeader];
    let part = parts[usize::from(choice >> 1 & 3)];
    let (api_key, version) = (i16::from(choice & 1), i16::from(version % 20));
    if let Ok(once) = ms_wire::recode::recode(api_key, version, part, message) {
        let twice = ms_wire::recode::recode(api_key, version, part, &once);
        assert_eq!(twice.as_deref(), Ok(once.as_slice()));
    }
}

/// A byte that chooses the rules, and a records field: an accepted batch has a CRC that fits and the
/// records it declares.
pub fn batch(data: &[u8]) {
    let [choice, records @ ..] = data else { return };
    let mut records = records.to_vec();
    // Else the CRC would stop nearly every input before it gets anywhere.
    if choice & 1 == 0 && records.len() > 61 {
        let length = records.len() as i32 - 12;
        records[8..12].copy_from_slice(&length.to_be_bytes());
        write_crc(&mut records);
    }
    let rules = ValidationRules {
        is_compacted: choice & 2 != 0,
        timestamp_type: match choice & 4 {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        },
        ..ValidationRules::default()
    };
    let mut scratch = Scratch::default();
    let Ok(valid) = validate_records(&mut records, &rules, NOW_MS, &mut scratch) else { return };
    let batch = &records[valid.range];
    check_crc(batch).expect("a CRC that fits");
    let header = BatchHeader::parse(batch).expect("a header");
    output_estimate(batch, &header);
    find_timestamp(batch, &header, NOW_MS, 0, &mut scratch).expect("records that were walked");
    let mut out = Vec::new();
    let plain = plain_records(batch, &header, &mut scratch, &mut out).expect("plain records");
    let mut max_timestamp = -1;
    for (i, record) in RecordIter::new(&header, plain).enumerate() {
        let record = record.expect("a record");
        assert_eq!(record.offset, i as i64);
        max_timestamp = record.timestamp.max(max_timestamp);
        assert_eq!(record.headers().count(), record.header_count as usize);
    }
    assert_eq!(RecordIter::new(&header, plain).count(), valid.record_count as usize);
    assert_eq!(max_timestamp, valid.max_timestamp);
}

/// A frame of a segment file or a Raft message.
pub fn frame(data: &[u8]) {
    let Ok(header) = check_frame(data) else { return };
    let whole = &data[..header.size()];
    assert!(header.offset_count() <= i64::from(i32::MAX) + 1);
    if let FrameHeader::Control(_) = header {
        frame::control_data(whole);
        frame::set_log_start_offset(whole);
        frame::segment_info(whole);
    }
}

/// A byte that chooses the codec, and compressed bytes: no more than the limit comes out.
pub fn decompress_any(data: &[u8]) {
    let [choice, source @ ..] = data else { return };
    let codec = Codec::from_id(1 + choice % 4).unwrap_or_default();
    let (mut scratch, mut out) = (CodecScratch::default(), Vec::new());
    const LIMIT: usize = 1 << 20;
    if decompress(codec, source, LIMIT, &mut scratch, &mut out).is_ok() {
        assert!(out.len() <= LIMIT);
    }
}
