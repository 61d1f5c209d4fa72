//! Bugs that other brokers shipped, by their number in the project's list.

mod common;

use common::{CODECS, NOW_MS, TestRecord, batch, encode, header};
use ms_wire::batch::{BatchHeader, TimestampType, check_crc, increment_sequence, stamp};
use ms_wire::compression::Codec;
use ms_wire::error_code;
use ms_wire::records::find_timestamp;
use ms_wire::validate::{
    BatchRejection, Budget, Scratch, ValidBatch, ValidationRules, validate_records, validate_within,
};

// `count` small records with keys, one millisecond apart.
fn records(count: i32) -> Vec<TestRecord> {
    (0..count)
        .map(|i| TestRecord {
            timestamp_delta: i64::from(i),
            offset_delta: i,
            key: Some(format!("key-{i}").into_bytes()),
            value: Some(format!("value-{i}").into_bytes()),
            headers: Vec::new(),
        })
        .collect()
}

// A valid batch of `count` small records.
fn simple(count: i32, codec: Codec) -> Vec<u8> {
    batch(&header(count), codec, &encode(&records(count)))
}

fn validate(records: &mut [u8], rules: &ValidationRules) -> Result<ValidBatch, BatchRejection> {
    validate_records(records, rules, NOW_MS, &mut Scratch::default())
}

fn append_time() -> ValidationRules {
    ValidationRules { timestamp_type: TimestampType::LogAppendTime, ..ValidationRules::default() }
}

#[test]
fn c_041_a_batch_above_max_message_bytes_is_too_large() {
    let mut fits = simple(10, Codec::None);
    let rules = ValidationRules { max_message_bytes: fits.len(), ..ValidationRules::default() };
    assert!(validate(&mut fits, &rules).is_ok());
    let rules = ValidationRules { max_message_bytes: fits.len() - 1, ..rules };
    let refused = validate(&mut fits, &rules).expect_err("too large");
    assert_eq!(refused.error_code, error_code::MESSAGE_TOO_LARGE);
    let rules = ValidationRules { segment_bytes: fits.len() - 1, ..ValidationRules::default() };
    let refused = validate(&mut fits, &rules).expect_err("larger than a segment");
    assert_eq!(refused.error_code, error_code::RECORD_LIST_TOO_LARGE);
}

#[test]
fn c_042_an_unset_max_timestamp_is_recomputed_from_the_records() {
    for codec in CODECS {
        for claimed in [-1, 0, NOW_MS + 1, i64::MAX] {
            let claims = BatchHeader { max_timestamp: claimed, ..header(5) };
            let mut bytes = batch(&claims, codec, &encode(&records(5)));
            let valid = validate(&mut bytes, &ValidationRules::default()).expect("valid");
            assert_eq!(valid.max_timestamp, NOW_MS + 4);
            assert_eq!(valid.max_timestamp_offset_delta, 4);
            assert!(valid.is_rewritten);
            check_crc(&bytes).expect("a CRC that fits");
            let stored = BatchHeader::parse(&bytes).expect("a header");
            assert_eq!(stored.max_timestamp, NOW_MS + 4);
            let mut scratch = Scratch::default();
            let found = find_timestamp(&bytes, &stored, NOW_MS + 3, 0, &mut scratch);
            assert_eq!(found.expect("good").map(|found| found.offset), Some(3));
        }
    }
}

#[test]
fn c_043_log_append_time_is_reported_for_the_response() {
    let valid = validate(&mut simple(3, Codec::None), &append_time()).expect("valid");
    assert_eq!(valid.log_append_time_ms, NOW_MS);
    let create = ValidationRules::default();
    let valid = validate(&mut simple(3, Codec::None), &create).expect("valid");
    assert_eq!(valid.log_append_time_ms, -1);
}

#[test]
fn c_044_log_append_time_replaces_bogus_client_timestamps() {
    for codec in CODECS {
        let bogus = BatchHeader { base_timestamp: i64::MAX - 9, max_timestamp: 7, ..header(3) };
        let mut bytes = batch(&bogus, codec, &encode(&records(3)));
        let valid = validate(&mut bytes, &append_time()).expect("valid");
        assert_eq!((valid.max_timestamp, valid.max_timestamp_offset_delta), (NOW_MS, 2));
        let stored = BatchHeader::parse(&bytes).expect("a header");
        assert_eq!(stored.max_timestamp, NOW_MS);
        let found = find_timestamp(&bytes, &stored, NOW_MS, 0, &mut Scratch::default());
        assert_eq!(found.expect("good").map(|found| found.timestamp), Some(NOW_MS));
    }
}

#[test]
fn c_045_every_rewrite_leaves_a_crc_that_fits_for_all_codecs_and_timestamp_types() {
    for codec in CODECS {
        for rules in [ValidationRules::default(), append_time()] {
            for claimed in [-1, NOW_MS + 2] {
                let claims = BatchHeader { max_timestamp: claimed, ..header(3) };
                let mut bytes = batch(&claims, codec, &encode(&records(3)));
                let valid = validate(&mut bytes, &rules).expect("valid");
                stamp(&mut bytes, 1_000_000, 7);
                check_crc(&bytes).expect("a CRC that fits");
                let stored = BatchHeader::parse(&bytes).expect("a header");
                assert_eq!(stored.timestamp_type(), rules.timestamp_type);
                assert_eq!((stored.attributes, stored.codec()), (valid.attributes, Some(codec)));
                assert_eq!((stored.base_offset, stored.partition_leader_epoch), (1_000_000, 7));
            }
        }
    }
}

#[test]
fn c_047_c_048_keyless_records_on_a_compacted_topic_are_listed_one_by_one() {
    let rules = ValidationRules { is_compacted: true, ..ValidationRules::default() };
    for codec in CODECS {
        let mut keyless = records(6);
        keyless[1].key = None;
        keyless[4].key = None;
        let mut bytes = batch(&header(6), codec, &encode(&keyless));
        let refused = validate(&mut bytes, &rules).expect_err("keyless");
        assert_eq!(refused.error_code, error_code::INVALID_RECORD);
        let at_fault: Vec<i32> = refused.record_errors.iter().map(|e| e.batch_index).collect();
        assert_eq!(at_fault, [1, 4]);
        assert!(refused.record_errors.iter().all(|error| error.message.is_some()));
        assert!(validate(&mut simple(6, codec), &rules).is_ok());
    }
}

#[test]
fn c_048_timestamps_out_of_bounds_are_listed_one_by_one() {
    let rules = ValidationRules {
        timestamp_before_max_ms: 1000,
        timestamp_after_max_ms: 1000,
        ..ValidationRules::default()
    };
    let mut late = records(5);
    late[1].timestamp_delta = 1001;
    late[3].timestamp_delta = -1001;
    late[4].timestamp_delta = -1000;
    let mut bytes = batch(&header(5), Codec::None, &encode(&late));
    let refused = validate(&mut bytes, &rules).expect_err("out of bounds");
    assert_eq!(refused.error_code, error_code::INVALID_TIMESTAMP);
    let at_fault: Vec<i32> = refused.record_errors.iter().map(|e| e.batch_index).collect();
    assert_eq!(at_fault, [1, 3]);
}

#[test]
fn c_048_a_record_without_timestamp_does_not_hide_one_that_is_too_old() {
    let rules = ValidationRules { timestamp_before_max_ms: 1000, ..ValidationRules::default() };
    let mut old = records(3);
    old[0].timestamp_delta = -1 - NOW_MS;
    old[1].timestamp_delta = 5 - NOW_MS;
    let mut bytes = batch(&header(3), Codec::None, &encode(&old));
    let refused = validate(&mut bytes, &rules).expect_err("too old");
    let at_fault: Vec<i32> = refused.record_errors.iter().map(|e| e.batch_index).collect();
    assert_eq!((refused.error_code, at_fault), (error_code::INVALID_TIMESTAMP, vec![1]));
}

#[test]
fn c_053_sequences_wrap_behind_the_largest_int32() {
    assert_eq!(increment_sequence(i32::MAX, 1), 0);
    assert_eq!(increment_sequence(i32::MAX - 1, 3), 1);
    assert_eq!(increment_sequence(0, i32::MAX), i32::MAX);
    let near =
        BatchHeader { producer_id: 9, producer_epoch: 0, base_sequence: i32::MAX - 1, ..header(4) };
    let mut bytes = batch(&near, Codec::None, &encode(&records(4)));
    let valid = validate(&mut bytes, &ValidationRules::default()).expect("valid");
    assert_eq!((valid.producer_id, valid.base_sequence), (9, i32::MAX - 1));
    assert_eq!(BatchHeader::parse(&bytes).expect("a header").last_sequence(), 1);
}

#[test]
fn c_044_a_claimed_append_time_does_not_become_the_maximum_of_a_create_time_topic() {
    let claim = BatchHeader { attributes: 8, max_timestamp: NOW_MS + 1000, ..header(3) };
    let mut bytes = batch(&claim, Codec::None, &encode(&records(3)));
    let valid = validate(&mut bytes, &ValidationRules::default()).expect("valid");
    assert_eq!((valid.max_timestamp, valid.max_timestamp_offset_delta), (NOW_MS + 2, 2));
    let stored = BatchHeader::parse(&bytes).expect("a header");
    assert_eq!(stored.timestamp_type(), TimestampType::CreateTime);
}

#[test]
fn c_055_a_control_batch_from_a_client_is_an_invalid_record() {
    for attributes in [0x20, 0x30] {
        let control = BatchHeader { attributes, ..header(1) };
        let mut bytes = batch(&control, Codec::None, &encode(&records(1)));
        let refused = validate(&mut bytes, &ValidationRules::default()).expect_err("control");
        assert_eq!(refused.error_code, error_code::INVALID_RECORD);
    }
}

#[test]
fn c_057_snappy_is_read_raw_framed_and_empty() {
    let plain = encode(&records(3));
    let raw = snap::raw::Encoder::new().compress_vec(&plain).expect("compresses");
    let mut as_raw = header(3).encode().to_vec();
    as_raw.extend_from_slice(&raw);
    as_raw[22] = 2;
    as_raw[8..12].copy_from_slice(&(49 + raw.len() as i32).to_be_bytes());
    ms_wire::batch::write_crc(&mut as_raw);
    assert!(validate(&mut as_raw, &ValidationRules::default()).is_ok());
    assert!(validate(&mut simple(3, Codec::Snappy), &ValidationRules::default()).is_ok());
    let mut nothing = batch(&header(1), Codec::Snappy, &[]);
    assert!(validate(&mut nothing, &ValidationRules::default()).is_err());
}

#[test]
fn a_batch_that_decompresses_to_much_is_left_to_a_worker_untouched() {
    for codec in CODECS {
        let claims = BatchHeader { max_timestamp: -1, ..header(1000) };
        let mut bytes = batch(&claims, codec, &encode(&records(1000)));
        let before = bytes.clone();
        let (rules, mut scratch) = (ValidationRules::default(), Scratch::default());
        let mut within = |bytes: &mut [u8], output| {
            let mut budget = Budget::of_output(output);
            let valid = validate_within(bytes, &rules, NOW_MS, &mut scratch, &mut budget);
            (valid.expect("valid").is_some(), budget.output)
        };
        let (is_valid, left) = within(&mut bytes, 5000);
        assert_eq!((is_valid, left), if codec == Codec::None { (true, 5000) } else { (false, 0) });
        if codec != Codec::None {
            assert_eq!(bytes, before);
        }
        let plain = encode(&records(1000)).len();
        let taken = if codec == Codec::None { 0 } else { plain };
        assert_eq!(within(&mut bytes, 50_000), (true, 50_000 - taken));
    }
}

#[test]
fn a_decompression_bomb_is_refused_with_little_memory() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let mut bomb = records(1);
        bomb[0].value = Some(vec![0; 20 << 20]);
        let mut bytes = batch(&header(1), codec, &encode(&bomb));
        let rules = ValidationRules { max_message_bytes: 1 << 30, ..ValidationRules::default() };
        let generous = validate(&mut bytes.clone(), &rules);
        // Only zstd makes more of its bytes than the ratio allows.
        assert_eq!(generous.is_err(), codec == Codec::Zstd, "{codec:?}: {generous:?}");
        let rules = ValidationRules { max_message_bytes: bytes.len(), ..rules };
        let refused = validate(&mut bytes, &rules);
        let is_above_limit = 64 * rules.max_message_bytes.max(1 << 16) < 20 << 20;
        assert_eq!(refused.is_err(), is_above_limit || codec == Codec::Zstd, "{codec:?}");
    }
}

#[test]
fn the_batches_of_a_request_report_so_many_record_errors_together() {
    let rules = ValidationRules { is_compacted: true, ..ValidationRules::default() };
    let mut budget = Budget { output: usize::MAX, errors: 5 };
    let mut reported = Vec::new();
    for codec in [Codec::None, Codec::Zstd, Codec::Lz4] {
        let mut records = records(3);
        records.iter_mut().for_each(|record| record.key = None);
        let mut bytes = batch(&header(3), codec, &encode(&records));
        let mut scratch = Scratch::default();
        let refused = validate_within(&mut bytes, &rules, NOW_MS, &mut scratch, &mut budget);
        let refused = refused.expect_err("no keys");
        assert_eq!(refused.error_code, ms_wire::error_code::INVALID_RECORD);
        reported.push(refused.record_errors.len());
    }
    assert_eq!(reported, [3, 2, 1]);
}

#[test]
fn what_an_answer_says_beside_the_code_depends_on_who_refuses_in_kafka() {
    let rules = ValidationRules::default();
    let says = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = simple(2, Codec::None);
        change(&mut bytes);
        let refused = validate(&mut bytes, &rules).expect_err("a changed batch");
        (refused.has_words, refused.is_of_log)
    };
    let put = |at: usize, value: i32| {
        move |bytes: &mut Vec<u8>| bytes[at..at + 4].copy_from_slice(&value.to_be_bytes())
    };
    assert_eq!(says(&|bytes| bytes.truncate(20)), (false, false), "too short for a batch");
    assert_eq!(says(&put(8, 0)), (true, false), "a length that no batch has");
    assert_eq!(says(&|bytes| bytes[16] = 3), (true, false), "a magic that no batch has");
    assert_eq!(says(&put(17, 7)), (false, false), "a wrong checksum");
    assert_eq!(says(&put(4, 7)), (false, true), "a base offset");
    let compacted = ValidationRules { is_compacted: true, ..rules };
    let mut keyless = records(1);
    keyless[0].key = None;
    let mut bytes = batch(&header(1), Codec::None, &encode(&keyless));
    let refused = validate(&mut bytes, &compacted).expect_err("no key");
    assert_eq!((refused.has_words, refused.is_of_log), (true, true), "a record");
}
