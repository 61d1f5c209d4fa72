//! Batches that Kafka's own producer code compressed: their records, and look-ups by time.

use ms_wire::batch::{BatchHeader, check_crc};
use ms_wire::recode::from_hex;
use ms_wire::records::{
    OffsetAndTimestamp, RecordIter, find_timestamp, max_timestamp_record, plain_records,
};
use ms_wire::validate::{Scratch, ValidationRules, validate_records};

const BASE_MS: i64 = 1_700_000_000_000;

fn batches() -> Vec<(&'static str, i32, Vec<u8>)> {
    let lines = include_str!("../testdata/batches.txt").lines();
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let bytes = from_hex(words[2]).expect("hexadecimal");
            (words[0], words[1].parse().expect("a count"), bytes)
        })
        .collect()
}

fn expected_timestamp(i: i32) -> i64 {
    BASE_MS + i64::from(i * 7 % 50)
}

#[test]
fn records_of_every_codec_are_those_that_were_appended() {
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    for (name, count, batch) in batches() {
        check_crc(&batch).expect("a CRC that fits");
        let header = BatchHeader::parse(&batch).expect("a header");
        assert_eq!((header.size(), header.record_count), (batch.len(), count), "{name}");
        let plain = plain_records(&batch, &header, &mut scratch, &mut out).expect("plain records");
        let mut found = 0;
        for (i, record) in RecordIter::new(&header, plain).enumerate() {
            let (record, i) = (record.expect("a record"), i as i32);
            assert_eq!((record.offset, record.timestamp), (i64::from(i), expected_timestamp(i)));
            let key = (i % 3 != 0).then(|| format!("key-{i}"));
            assert_eq!(record.key, key.as_deref().map(str::as_bytes));
            let filler = "x".repeat((i % 40) as usize);
            let value = (i % 10 != 9).then(|| format!("value-{i}-{filler}"));
            assert_eq!(record.value, value.as_deref().map(str::as_bytes));
            let headers: Vec<_> = record.headers().collect();
            let h = [i as u8];
            let all = [(b"h".as_slice(), Some(h.as_slice())), (b"n".as_slice(), None)];
            assert_eq!(headers, if i % 4 == 0 { all.to_vec() } else { vec![] });
            found += 1;
        }
        assert_eq!(found, count, "{name}");
    }
}

#[test]
fn batches_of_every_codec_are_accepted_unchanged() {
    let mut scratch = Scratch::default();
    for (name, count, batch) in batches() {
        let mut records = batch.clone();
        let valid =
            validate_records(&mut records, &ValidationRules::default(), BASE_MS, &mut scratch)
                .expect("a valid batch");
        assert_eq!((valid.record_count, valid.is_rewritten), (count, false), "{name}");
        assert_eq!(records, batch, "{name}");
        assert_eq!(valid.max_timestamp, if count == 1 { BASE_MS } else { BASE_MS + 49 });
        assert_eq!(valid.max_timestamp_offset_delta, if count == 1 { 0 } else { 7 });
    }
}

#[test]
fn records_are_found_by_time() {
    let mut scratch = Scratch::default();
    for (name, count, batch) in batches() {
        let header = BatchHeader::parse(&batch).expect("a header");
        for timestamp in BASE_MS - 1..BASE_MS + 51 {
            for min_offset in [0, 8] {
                let first = (0..count)
                    .find(|&i| i64::from(i) >= min_offset && expected_timestamp(i) >= timestamp)
                    .map(|i| OffsetAndTimestamp {
                        offset: i64::from(i),
                        timestamp: expected_timestamp(i),
                    });
                let found = find_timestamp(&batch, &header, timestamp, min_offset, &mut scratch);
                assert_eq!(found.expect("a good batch"), first, "{name} {timestamp} {min_offset}");
            }
        }
        let max = max_timestamp_record(&batch, &header, &mut scratch).expect("a good batch");
        assert_eq!(max.map(|found| found.offset), Some(if count == 1 { 0 } else { 7 }));
    }
}
