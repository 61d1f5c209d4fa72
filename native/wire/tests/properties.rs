//! What must hold for any bytes and any values.

mod common;

use common::{CODECS, NOW_MS, TestRecord, batch, encode, header};
use ms_wire::batch::{BatchHeader, TimestampType, check_crc};
use ms_wire::compression::{Codec, CodecScratch, compress, decompress};
use ms_wire::cursor::Cursor;
use ms_wire::frame::{FrameHeader, check_frame};
use ms_wire::header::parse_request_header;
use ms_wire::put::{
    put_compact_nullable_string, put_nullable_string, put_unsigned_varint, put_varint, put_varlong,
};
use ms_wire::recode::{Part, recode};
use ms_wire::records::{RecordIter, find_timestamp};
use ms_wire::validate::{Scratch, ValidationRules, validate_records};
use ms_wire::walk::{Step, output_estimate, walk_records};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const PARTS: [Part; 4] = [Part::Request, Part::Response, Part::RequestHeader, Part::ResponseHeader];

fn any_record() -> impl Strategy<Value = TestRecord> {
    let bytes = || option::of(vec(any::<u8>(), 0..200));
    let headers = vec((vec(any::<u8>(), 0..20), option::of(vec(any::<u8>(), 0..20))), 0..4);
    (-5000_i64..5000, bytes(), bytes(), headers).prop_map(
        |(timestamp_delta, key, value, headers)| TestRecord {
            timestamp_delta,
            offset_delta: 0,
            key,
            value,
            headers,
        },
    )
}

fn any_records() -> impl Strategy<Value = Vec<TestRecord>> {
    vec(any_record(), 1..50).prop_map(|mut records| {
        for (i, record) in records.iter_mut().enumerate() {
            record.offset_delta = i as i32;
        }
        records
    })
}

fn any_codec() -> impl Strategy<Value = Codec> {
    prop::sample::select(CODECS.to_vec())
}

fn any_rules() -> impl Strategy<Value = ValidationRules> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 0_i64..6000).prop_map(
        |(is_compacted, is_append_time, check_compressed, after)| ValidationRules {
            is_compacted,
            check_compressed,
            timestamp_type: if is_append_time {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            timestamp_after_max_ms: after,
            ..ValidationRules::default()
        },
    )
}

// Every decoder over the same bytes; only that none panics or hangs is asked.
fn decode_all(bytes: &[u8]) {
    let _ = parse_request_header(bytes);
    let _ = FrameHeader::parse(bytes);
    let _ = check_frame(bytes);
    for api_key in [0, 1] {
        for version in -1..20 {
            for part in PARTS {
                let _ = recode(api_key, version, part, bytes);
            }
        }
    }
    let mut scratch = Scratch::default();
    let _ =
        validate_records(&mut bytes.to_vec(), &ValidationRules::default(), NOW_MS, &mut scratch);
    if let Ok(header) = BatchHeader::parse(bytes) {
        let _ = walk_records(bytes, &header, 1 << 20, &mut scratch, |_| Step::Next);
        let _ = find_timestamp(bytes, &header, NOW_MS, 0, &mut scratch);
        let _ = output_estimate(bytes, &header);
        for record in RecordIter::new(&header, bytes).flatten() {
            let _ = record.headers().count();
        }
    }
    for codec in CODECS {
        let _ = decompress(codec, bytes, 1 << 16, &mut CodecScratch::default(), &mut Vec::new());
    }
}

proptest! {
    #[test]
    fn no_decoder_panics_on_any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        decode_all(&bytes);
    }

    #[test]
    fn no_decoder_panics_on_a_damaged_message(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let lines: Vec<&str> = include_str!("../testdata/messages.txt").lines().collect();
        let hex = pick.get(&lines).rsplit(' ').next().expect("hexadecimal");
        let mut bytes = ms_wire::recode::from_hex(hex).expect("hexadecimal");
        if !bytes.is_empty() {
            *at.get_mut(&mut bytes) = byte;
        }
        decode_all(&bytes);
    }

    #[test]
    fn no_decoder_panics_on_a_damaged_batch(records in any_records(), codec in any_codec(), at in any::<prop::sample::Index>(), byte in any::<u8>(), fix_crc: bool) {
        let mut bytes = batch(&header(records.len() as i32), codec, &encode(&records));
        *at.get_mut(&mut bytes) = byte;
        if fix_crc {
            ms_wire::batch::write_crc(&mut bytes);
        }
        decode_all(&bytes);
    }

    #[test]
    fn varints_come_back(a: i32, b: i64, c: u32) {
        let mut out = Vec::new();
        put_varint(&mut out, a);
        put_varlong(&mut out, b);
        put_unsigned_varint(&mut out, c);
        let mut cursor = Cursor::new(&out);
        prop_assert_eq!((cursor.varint(), cursor.varlong(), cursor.unsigned_varint()), (Ok(a), Ok(b), Ok(c)));
        prop_assert_eq!(cursor.remaining(), 0);
    }

    #[test]
    fn strings_come_back(text in option::of(vec(any::<u8>(), 0..400))) {
        let mut out = Vec::new();
        put_nullable_string(&mut out, text.as_deref());
        put_compact_nullable_string(&mut out, text.as_deref());
        let mut cursor = Cursor::new(&out);
        prop_assert_eq!(cursor.nullable_string(), Ok(text.as_deref()));
        prop_assert_eq!(cursor.compact_nullable_string(), Ok(text.as_deref()));
    }

    #[test]
    fn compressed_bytes_come_back(bytes in vec(0_u8..8, 0..100_000), codec in any_codec()) {
        let (mut packed, mut out) = (Vec::new(), Vec::new());
        compress(codec, &bytes, &mut packed).expect("compresses");
        let mut scratch = CodecScratch::default();
        decompress(codec, &packed, bytes.len(), &mut scratch, &mut out).expect("decompresses");
        prop_assert_eq!(&out, &bytes);
        if !bytes.is_empty() {
            out.clear();
            prop_assert!(decompress(codec, &packed, bytes.len() - 1, &mut scratch, &mut out).is_err());
        }
    }

    #[test]
    fn validation_agrees_with_a_plain_reading_of_the_records(records in any_records(), codec in any_codec(), rules in any_rules()) {
        let mut bytes = batch(&header(records.len() as i32), codec, &encode(&records));
        let outcome = validate_records(&mut bytes, &rules, NOW_MS, &mut Scratch::default());
        let is_create = rules.timestamp_type == TimestampType::CreateTime;
        if codec != Codec::None && !rules.check_compressed {
            prop_assert!(outcome.is_ok());
            return Ok(());
        }
        let at_fault: Vec<i32> = records.iter().filter(|record| {
            let is_late = is_create && record.timestamp_delta > rules.timestamp_after_max_ms;
            is_late || rules.is_compacted && record.key.is_none()
        }).map(|record| record.offset_delta).collect();
        match outcome {
            Ok(valid) => {
                prop_assert!(at_fault.is_empty());
                check_crc(&bytes).expect("a CRC that fits");
                let max = records.iter().map(|record| record.timestamp_delta).max().unwrap_or(0);
                prop_assert_eq!(valid.max_timestamp, if is_create { NOW_MS + max } else { NOW_MS });
                prop_assert_eq!(BatchHeader::parse(&bytes).expect("a header").max_timestamp, valid.max_timestamp);
            }
            Err(refused) => {
                let listed: Vec<i32> = refused.record_errors.iter().map(|e| e.batch_index).collect();
                prop_assert_eq!(listed, at_fault);
            }
        }
    }

    // Records larger than the window through which compressed batches are read take another path.
    #[test]
    fn large_records_in_compressed_batches_are_walked(sizes in vec(0_usize..200_000, 1..4), codec in any_codec()) {
        let records: Vec<TestRecord> = sizes.iter().enumerate().map(|(i, &size)| TestRecord {
            offset_delta: i as i32,
            key: Some(vec![7; size / 3]),
            value: Some(vec![b'x'; size]),
            headers: vec![(b"name".to_vec(), Some(vec![1; size / 7])), (b"null".to_vec(), None)],
            ..TestRecord::default()
        }).collect();
        let bytes = batch(&header(records.len() as i32), codec, &encode(&records));
        let parsed = BatchHeader::parse(&bytes).expect("a header");
        let mut seen = Vec::new();
        walk_records(&bytes, &parsed, 1 << 24, &mut Scratch::default(), |head| {
            seen.push((head.offset_delta, head.has_key));
            Step::Next
        }).expect("good records");
        let expected: Vec<_> = (0..records.len() as i32).map(|i| (i, true)).collect();
        prop_assert_eq!(seen, expected);
    }
}
