//! The walk over records that look alike against one that decodes each of them.

mod common;
mod reference;
mod stretches;

use common::{CODECS, NOW_MS, TestRecord, batch, encode, header};
use ms_wire::batch::{BatchHeader, TimestampType};
use ms_wire::compression::Codec;
use ms_wire::validate::{Scratch, ValidationRules, validate_records};
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
    let attributes = prop_oneof![4 => Just(0), 1 => Just(8)];
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

fn check_verdict(
    bytes: &[u8],
    header: &BatchHeader,
    rules: &ValidationRules,
    scratch: &mut Scratch,
) {
    let mut whole = batch(header, Codec::None, bytes);
    let verdict = match validate_records(&mut whole, rules, NOW_MS, scratch) {
        Ok(valid) => Ok((valid.max_timestamp, valid.max_timestamp_offset_delta)),
        Err(refused) => {
            let indices = refused.record_errors.iter().map(|error| error.batch_index).collect();
            Err((refused.error_code, refused.message.into_owned(), indices))
        }
    };
    assert_eq!(verdict, reference::validate(bytes, header, rules, NOW_MS));
}

proptest! {
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
            check_verdict(&bytes, &header, &rules, &mut scratch);
        }
    }
}

// A record of each kind in the middle of a run, and each of its bits.
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
    for (which, bytes) in (0..6).flat_map(|which| [(which, 1), (which, 4)]) {
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
        for bit in 0..8 * records[at].len().min(100) {
            let mut bytes = records.concat();
            bytes[start + bit / 8] ^= 1 << (bit % 8);
            check_walk(&bytes, &header, Codec::None, &mut scratch);
            check_verdict(&bytes, &header, &rules, &mut scratch);
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
    check_verdict(&records.concat(), &header, &rules, &mut scratch);
    // A key of 64 bytes, where all have less.
    let stretch = Stretch { count: 80, key: Some((63, 0)), value: Some((9, 9)), ..plain() };
    let mut records = records_of(&[stretch]);
    assert_eq!(records[50][5], 126);
    records[50].insert(6, 200);
    (records[50][0], records[50][5]) = (records[50][0] + 2, 128);
    check_walk(&records.concat(), &header, Codec::None, &mut scratch);
    check_verdict(&records.concat(), &header, &rules, &mut scratch);
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
            check_verdict(&records, &header, &rules, &mut scratch);
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
    check_verdict(&bytes, &header(count), &rules, &mut Scratch::default());
}
