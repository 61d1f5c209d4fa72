//! The walk over records that look alike against one that decodes each of them.

mod common;
mod reference;
mod stretches;

use common::{CODECS, NOW_MS, TestRecord, batch, encode, header};
use ms_wire::batch::{BatchHeader, HEADER_BYTES, TimestampType, check_crc};
use ms_wire::compression::Codec;
use ms_wire::validate::{Scratch, ValidBatch, ValidationRules, validate_records};
use ms_wire::walk::{Step, walk_records};
use proptest::collection::vec;
use proptest::prelude::*;
use stretches::{Damage, Pace, Stretch, any_damage, any_stretch, damaged, plain, records_of};

fn any_header() -> impl Strategy<Value = BatchHeader> {
    let base = prop_oneof![
        3 => Just(NOW_MS),
        1 => prop::sample::select(vec![-1, 0, -40, i64::MIN, i64::MAX - 40, i64::MAX / 2]),
    ];
    let max = prop::sample::select(vec![-1, NOW_MS, NOW_MS + 40, i64::MAX]);
    // LogAppendTime, of a transaction, and a bit that means nothing.
    let attributes = prop::sample::select(vec![0, 0, 0, 0, 8, 0x10, 0x98]);
    (base, max, attributes).prop_map(|(base_timestamp, max_timestamp, attributes)| BatchHeader {
        base_timestamp,
        max_timestamp,
        attributes,
        ..header(1)
    })
}

fn any_rules() -> impl Strategy<Value = ValidationRules> {
    let bound = || prop_oneof![4 => Just(i64::MAX), 1 => 0_i64..200, 1 => 8000_i64..9000, 1 => NOW_MS - 90..NOW_MS];
    (any::<bool>(), prop::bool::weighted(0.2), bound(), bound()).prop_map(
        |(is_compacted, is_append_time, before, after)| ValidationRules {
            is_compacted,
            timestamp_type: match is_append_time {
                true => TimestampType::LogAppendTime,
                false => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: before,
            timestamp_after_max_ms: after,
            max_message_bytes: usize::MAX,
            ..ValidationRules::default()
        },
    )
}

fn of_count(header: &BatchHeader, count: i32) -> BatchHeader {
    BatchHeader { record_count: count, last_offset_delta: count - 1, ..*header }
}

// Also every record alone, and a stop at one of them.
fn check_walk(bytes: &[u8], header: &BatchHeader, codec: Codec, scratch: &mut Scratch) {
    let whole = batch(header, codec, bytes);
    let parsed = BatchHeader::parse(&whole).expect("a header");
    let expected = reference::walk(bytes, header);
    for stop in [usize::MAX, expected.heads.len() / 2] {
        let mut heads = Vec::new();
        let walked = walk_records(&whole, &parsed, 1 << 30, scratch, |head| {
            heads.push(head);
            if heads.len() > stop { Step::Stop } else { Step::Next }
        });
        let is_stopped = stop < expected.heads.len();
        let count = if is_stopped { stop + 1 } else { expected.heads.len() };
        assert_eq!(heads, expected.heads[..count]);
        let error = walked.err().map(|error| error.to_string());
        assert_eq!(error, expected.error.clone().filter(|_| !is_stopped));
    }
}

// The whole answer, and what becomes of the bytes.
fn check_verdict(
    bytes: &[u8],
    header: &BatchHeader,
    rules: &ValidationRules,
    codec: Codec,
    scratch: &mut Scratch,
) {
    let produced = batch(header, codec, bytes);
    let header = BatchHeader::parse(&produced).expect("a header");
    let mut whole = produced.clone();
    let verdict = validate_records(&mut whole, rules, NOW_MS, scratch);
    let expected = reference::validate(bytes, &header, rules, NOW_MS);
    let stored = match &expected {
        Ok((max_timestamp, _)) => reference::stored(&header, rules, *max_timestamp),
        Err(_) => header,
    };
    let expected = expected.map(|(max_timestamp, max_timestamp_offset_delta)| ValidBatch {
        max_timestamp_offset_delta,
        log_append_time_ms: match rules.timestamp_type {
            TimestampType::CreateTime => -1,
            TimestampType::LogAppendTime => NOW_MS,
        },
        max_timestamp,
        is_rewritten: stored != header,
        ..ValidBatch::from_header(&stored)
    });
    assert_eq!(verdict, expected);
    check_crc(&whole).expect("a CRC that fits");
    let left = BatchHeader::parse(&whole).expect("a header");
    assert_eq!(BatchHeader { crc: header.crc, ..left }, stored);
    assert!(whole[HEADER_BYTES..] == produced[HEADER_BYTES..], "the records are as produced");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_that_look_alike_are_read_as_if_each_was_decoded(
        stretches in vec(any_stretch(), 1..6),
        damages in vec(any_damage(), 0..6),
        header in any_header(),
        rules in any_rules(),
        codec in prop::sample::select(CODECS.to_vec()),
    ) {
        let records = records_of(&stretches);
        let mut scratch = Scratch::default();
        for damage in damages.iter().chain([&Damage::None]) {
            let (bytes, declared) = damaged(&stretches, &records, damage);
            let header = of_count(&header, declared);
            check_walk(&bytes, &header, codec, &mut scratch);
            check_walk(&bytes, &header, Codec::None, &mut scratch);
            check_verdict(&bytes, &header, &rules, codec, &mut scratch);
            check_verdict(&bytes, &header, &rules, Codec::None, &mut scratch);
        }
    }
}

// A record of each kind in the middle of a run, and each of its bits that says where others are.
#[test]
fn no_bit_of_a_record_in_a_run_goes_unnoticed() {
    let mut kinds = vec![
        plain(),
        Stretch { key: None, value: Some((70, 0)), timestamp: 100, ..plain() },
        Stretch { value: None, ..plain() },
        Stretch { key: Some((1, 60)), value: Some((30, 90)), ..plain() },
        Stretch { key: None, value: Some((30, 90)), timestamp: -100, ..plain() },
        Stretch { headers: vec![(3, Some(2)), (0, None), (70, Some(1))], ..plain() },
        Stretch { value: Some((0, 9)), headers: vec![(3, Some(70))], ..plain() },
        Stretch { padding: [1; 6], ..plain() },
        Stretch { value: Some((8170, 40)), ..plain() },
    ];
    for (which, bytes) in (0..6).flat_map(|which| [1, 2, 4].map(|bytes| (which, bytes))) {
        let mut padding = [0; 6];
        padding[which] = bytes;
        kinds.push(Stretch { padding, ..plain() });
        kinds.push(Stretch { padding, value: Some((20, 20)), ..plain() });
    }
    let mut scratch = Scratch::default();
    for stretch in kinds {
        let records = records_of(&[stretch]);
        let header = header(records.len() as i32);
        let rules = ValidationRules { is_compacted: true, ..ValidationRules::default() };
        let at = records.len() - 9;
        let start = records[..at].concat().len();
        let size = records[at].len();
        let is_length = |byte: &usize| *byte < 60 || *byte + 20 >= size;
        for bit in (0..size).filter(is_length).flat_map(|byte| 8 * byte..8 * byte + 8) {
            let mut bytes = records.concat();
            bytes[start + bit / 8] ^= 1 << (bit % 8);
            check_walk(&bytes, &header, Codec::None, &mut scratch);
            check_verdict(&bytes, &header, &rules, CODECS[bit % CODECS.len()], &mut scratch);
        }
    }
}

// Records that would fit into the run if what is the second byte of the varint were what follows it.
#[test]
fn a_varint_that_becomes_longer_ends_a_run() {
    let (rules, mut scratch) = (ValidationRules::default(), Scratch::default());
    // An offset delta of 64 in one byte; the null key behind it is its second one.
    let stretch = Stretch { count: 80, key: None, value: None, pace: Pace::Still, ..plain() };
    let mut records = records_of(&[Stretch { headers: vec![(2, Some(2))], ..stretch }]);
    records[64] = records[63].clone();
    assert_eq!(records[63][3], 126);
    records[64][3] = 128;
    let header = header(80);
    check_walk(&records.concat(), &header, Codec::None, &mut scratch);
    check_verdict(&records.concat(), &header, &rules, Codec::None, &mut scratch);
    // A key of 64 bytes, where all have less.
    let stretch = Stretch { count: 80, key: Some((63, 0)), value: Some((9, 9)), ..plain() };
    let mut records = records_of(&[stretch]);
    assert_eq!(records[50][5], 126);
    records[50].insert(6, 200);
    (records[50][0], records[50][5]) = (records[50][0] + 2, 128);
    check_walk(&records.concat(), &header, Codec::None, &mut scratch);
    check_verdict(&records.concat(), &header, &rules, Codec::None, &mut scratch);
}

// All that are too old are in the first run, with some that have none.
#[test]
fn timestamps_about_minus_one_and_the_largest_are_what_they_are() {
    let (unbound, mut scratch) = (ValidationRules::default(), Scratch::default());
    let stretch = Stretch { pace: Pace::Every(3), count: 300, ..plain() };
    for (base_timestamp, timestamp) in
        [(-30, 0), (-1, 0), (0, 0), (0, -1), (9, -10), (i64::MAX - 20, 0), (i64::MIN, -1)]
    {
        let records = records_of(&[Stretch { timestamp, ..stretch.clone() }]).concat();
        for before in [i64::MAX, NOW_MS - 20] {
            let rules = ValidationRules {
                timestamp_before_max_ms: before,
                timestamp_after_max_ms: i64::MAX,
                ..unbound
            };
            let header = BatchHeader { base_timestamp, ..header(300) };
            check_walk(&records, &header, Codec::None, &mut scratch);
            for codec in CODECS {
                check_verdict(&records, &header, &rules, codec, &mut scratch);
            }
        }
    }
}

/// What is unlike in one record of many.
type Change = fn(&mut TestRecord);

// Those around the end of what is decompressed at a time, and one far behind it.
#[test]
fn a_record_at_the_border_of_a_window_counts_as_any_other() {
    const WINDOW_BYTES: usize = 64 << 10;
    let changes: [Change; 6] = [
        |record| record.timestamp_delta += 10,
        |record| record.timestamp_delta -= 30,
        |record| record.timestamp_delta = 70,
        |record| record.key = None,
        |record| record.offset_delta += 1,
        |record| record.value = Some(vec![1; 70_000]),
    ];
    let rules = ValidationRules {
        is_compacted: true,
        timestamp_before_max_ms: 5,
        timestamp_after_max_ms: 35,
        ..ValidationRules::default()
    };
    let mut scratch = Scratch::default();
    for (value_bytes, varying) in [(100, 0), (100, 7), (30, 3)] {
        let record = |i: usize| TestRecord {
            timestamp_delta: 20 + i as i64 / 5 % 7,
            offset_delta: i as i32,
            key: Some(b"key".to_vec()),
            value: Some(vec![i as u8; value_bytes + i * i * varying / 11 % (varying + 1)]),
            ..TestRecord::default()
        };
        let records: Vec<TestRecord> = (0..170_000 / (value_bytes + 12)).map(record).collect();
        let border = (0..records.len()).find(|&i| encode(&records[..=i]).len() > WINDOW_BYTES);
        let border = border.expect("more than a window");
        for at in (border - 2..=border + 2).chain([records.len() - 3]) {
            for change in changes {
                let mut records = records.clone();
                change(&mut records[at]);
                let (bytes, header) = (encode(&records), header(records.len() as i32));
                for codec in CODECS {
                    check_verdict(&bytes, &header, &rules, codec, &mut scratch);
                }
            }
        }
    }
}

// In runs of their own, in rows of one, and where an offset delta takes another byte.
#[test]
fn the_first_of_many_records_with_the_largest_timestamp_is_named() {
    let (rules, mut scratch) = (ValidationRules::default(), Scratch::default());
    for first in [0, 1, 63, 64, 65, 400, 511, 512, 513, 8191, 8192, 8999] {
        for value_bytes in [vec![9], vec![9, 9, 10], vec![4, 90]] {
            let record = |i: usize| TestRecord {
                timestamp_delta: if i < first { i as i64 % 40 } else { 40 - i as i64 % 2 },
                offset_delta: i as i32,
                value: Some(vec![7; value_bytes[i % value_bytes.len()]]),
                ..TestRecord::default()
            };
            let records: Vec<TestRecord> = (0..9000).map(record).collect();
            let bytes = encode(&records);
            for codec in CODECS {
                check_verdict(&bytes, &header(9000), &rules, codec, &mut scratch);
            }
        }
    }
}

// Kafka answers these in one way for a plain batch and in another for a compressed one.
#[test]
fn a_length_without_an_end_and_a_wrong_offset_delta_depend_on_the_codec() {
    let (rules, mut scratch) = (ValidationRules::default(), Scratch::default());
    let records = records_of(&[plain()]);
    let mut wrong_delta = records.clone();
    wrong_delta[30] = records[29].clone();
    let mut endless = records.clone();
    endless[30] = vec![0xff; 6];
    for (records, code_of_plain, code) in [(wrong_delta, 87, -1), (endless, -1, 87)] {
        let bytes = records.concat();
        for codec in CODECS {
            let header = header(40);
            check_verdict(&bytes, &header, &rules, codec, &mut scratch);
            let refused =
                validate_records(&mut batch(&header, codec, &bytes), &rules, NOW_MS, &mut scratch);
            let expected = if codec == Codec::None { code_of_plain } else { code };
            assert_eq!(refused.map_err(|refused| refused.error_code), Err(expected));
        }
    }
}

// As many as need four bytes for an offset delta.
#[test]
fn a_batch_of_more_than_a_million_records_is_walked() {
    let count = (1 << 20) + 1000;
    let mut bytes = Vec::new();
    for i in 0..count {
        let (timestamp_delta, value) = (i64::from(i >> 12), Some(vec![7]));
        let record =
            TestRecord { timestamp_delta, offset_delta: i, value, ..TestRecord::default() };
        bytes.extend_from_slice(&encode(&[record]));
    }
    let rules = ValidationRules { max_message_bytes: usize::MAX, ..ValidationRules::default() };
    check_walk(&bytes, &header(count), Codec::None, &mut Scratch::default());
    for codec in [Codec::None, Codec::Lz4] {
        check_verdict(&bytes, &header(count), &rules, codec, &mut Scratch::default());
    }
}
