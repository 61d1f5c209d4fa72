//! What a Kafka 4.4.0 broker answered to crafted batches, against what validation answers.

use ms_wire::batch::{self, TimestampType};
use ms_wire::error_code;
use ms_wire::recode::from_hex;
use ms_wire::validate::{Scratch, ValidationRules, validate_records};

struct Case {
    name: &'static str,
    rules: ValidationRules,
    error_code: i16,
    has_append_time: bool,
    record_errors: Vec<i32>,
    records: Vec<u8>,
}

// Kafka stores records whose offset deltas are not 0, 1, 2, ...; then a consumer meets offsets
// twice or not at all.
const STRICTER: [&str; 3] = ["offset-deltas-equal", "offset-delta-gap", "offset-delta-negative"];

// Where Kafka fails without having looked, and we say what it is.
const CLEARER: [&str; 3] = ["length-20-short-batch", "snappy-empty", "snappy-raw-empty"];

fn rules(topic: &str, produce_version: i16) -> ValidationRules {
    let mut rules = ValidationRules { produce_version, ..ValidationRules::default() };
    match topic {
        "plain" => {}
        "append-time" => rules.timestamp_type = TimestampType::LogAppendTime,
        "bounds" => rules.timestamp_before_max_ms = 3_600_000,
        "compact" => rules.is_compacted = true,
        "small" => rules.max_message_bytes = 1000,
        other => panic!("{other}"),
    }
    rules
}

fn cases() -> (i64, Vec<Case>) {
    let mut lines = include_str!("../testdata/kafka-verdicts.txt").lines();
    let now_ms = lines.next().and_then(|line| line.split(' ').nth(2)).expect("the time");
    let cases = lines.map(case).collect();
    (now_ms.parse().expect("milliseconds"), cases)
}

fn case(line: &'static str) -> Case {
    let words: Vec<&str> = line.split(' ').collect();
    let list = |word: &str| -> Vec<i32> {
        word.split(',').filter(|w| *w != "-").map(|w| w.parse().expect("an index")).collect()
    };
    Case {
        name: words[0],
        rules: rules(words[1], words[2].parse().expect("a version")),
        error_code: words[3].parse().expect("a code"),
        has_append_time: words[4] == "a",
        record_errors: list(words[5]),
        records: from_hex(words[6].trim_matches('-')).expect("hexadecimal"),
    }
}

#[test]
fn each_batch_meets_the_same_fate_as_in_kafka() {
    let (now_ms, cases) = cases();
    assert!(cases.len() > 120);
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for mut case in cases {
        let outcome = validate_records(&mut case.records, &case.rules, now_ms, &mut scratch);
        let (code, errors, has_time) = match &outcome {
            Ok(valid) => (0, Vec::new(), valid.log_append_time_ms >= 0),
            Err(rejection) => {
                let errors = rejection.record_errors.iter().map(|e| e.batch_index).collect();
                (rejection.error_code, errors, false)
            }
        };
        let is_same_code = match case.error_code {
            error_code::UNKNOWN_SERVER_ERROR if CLEARER.contains(&case.name) => code > 0,
            _ if STRICTER.contains(&case.name) => code == error_code::INVALID_RECORD,
            expected => code == expected,
        };
        // Record errors exist from version 8 on.
        let is_same_list = case.rules.produce_version < 8 || errors == case.record_errors;
        if !is_same_code || !is_same_list || has_time != case.has_append_time {
            wrong.push(format!("{}: {code} {errors:?}, Kafka {}", case.name, case.error_code));
        }
        if let Ok(valid) = outcome {
            batch::check_crc(&case.records[valid.range]).expect("a CRC that fits");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_inside_a_compressed_batch_counts_only_where_it_is_checked() {
    let (now_ms, cases) = cases();
    let mut scratch = Scratch::default();
    let mut accepted = Vec::new();
    for case in cases {
        let mut outcome = |check_compressed: bool, records: &[u8]| {
            let (rules, mut sent) =
                (ValidationRules { check_compressed, ..case.rules }, records.to_vec());
            let valid = validate_records(&mut sent, &rules, now_ms, &mut scratch);
            valid.map(|valid| (valid, sent)).map_err(|rejection| rejection.error_code)
        };
        let checked = outcome(true, &case.records);
        let unchecked = outcome(false, &case.records);
        let (Err(code), Ok((valid, stored))) = (&checked, &unchecked) else {
            // Only what is inside compressed batches may make a difference.
            assert_eq!(checked.is_ok(), unchecked.is_ok(), "{}", case.name);
            continue;
        };
        assert_ne!(valid.attributes & 7, 0, "{} is compressed", case.name);
        assert_eq!(stored, &case.records, "{} is stored as it came", case.name);
        assert_eq!(
            valid.max_timestamp,
            batch::BatchHeader::parse(stored).expect("one").max_timestamp
        );
        if !STRICTER.contains(&case.name) && !CLEARER.contains(&case.name) {
            assert_eq!(*code, case.error_code, "{}", case.name);
        }
        // Its checksum is looked at all the same.
        let mut torn = case.records.clone();
        torn[42] ^= 1;
        assert_eq!(outcome(false, &torn).err(), Some(error_code::CORRUPT_MESSAGE));
        accepted.push(case.name);
    }
    for inside in ["garbage", "cut", "empty", "key-beyond", "compact-keyless"] {
        let name = format!("gzip-{inside}");
        assert!(accepted.contains(&name.as_str()), "{name} not in {accepted:?}");
    }
}
