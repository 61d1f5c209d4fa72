//! The walk over the records of a batch and the verdict on them in the plainest way: one record
//! after the other, each decoded.

use ms_wire::batch::{BatchHeader, NO_TIMESTAMP, TimestampType};
use ms_wire::compression::Codec;
use ms_wire::cursor::Cursor;
use ms_wire::error_code;
use ms_wire::produce_response::RecordError;
use ms_wire::validate::{BatchRejection, MAX_RECORD_ERRORS, ValidationRules};
use ms_wire::walk::RecordHead;

/// The records in front of the first that is malformed, and what is wrong then.
pub struct Walked {
    pub heads: Vec<RecordHead>,
    pub error: Option<String>,
}

pub fn walk(bytes: &[u8], header: &BatchHeader) -> Walked {
    let append_time = match header.timestamp_type() {
        TimestampType::CreateTime => None,
        TimestampType::LogAppendTime => Some(header.max_timestamp),
    };
    let (declared, mut heads, mut at) = (header.record_count, Vec::new(), 0);
    let error = loop {
        let found = heads.len() as i32;
        let rest = &bytes[at..];
        let malformed = Some(format!("record {found} is malformed"));
        if found >= declared {
            let is_whole = rest.is_empty();
            break (!is_whole).then(|| "bytes are left behind the last record".to_owned());
        }
        if rest.is_empty() {
            break Some(format!("{declared} records are declared, {found} are there"));
        }
        let mut cursor = Cursor::new(rest);
        let Ok(len) = cursor.varint() else {
            let is_endless = rest.len() >= 5;
            let endless = format!("the length of record {found} does not end");
            break if is_endless { Some(endless) } else { malformed };
        };
        let body = usize::try_from(len).ok().and_then(|len| cursor.take(len).ok());
        let Some((delta, offset_delta, has_key)) = body.and_then(record) else { break malformed };
        let timestamp = append_time.unwrap_or(header.base_timestamp.wrapping_add(delta));
        heads.push(RecordHead { index: found, offset_delta, timestamp, has_key });
        at += cursor.position();
    };
    Walked { heads, error }
}

fn record(body: &[u8]) -> Option<(i64, i32, bool)> {
    let mut cursor = Cursor::new(body);
    let bytes = |cursor: &mut Cursor<'_>| {
        let len = cursor.varint().ok()?;
        cursor.take(usize::try_from(len).unwrap_or(0)).ok()?;
        Some(len >= 0)
    };
    cursor.i8().ok()?;
    let timestamp_delta = cursor.varlong().ok()?;
    let offset_delta = cursor.varint().ok()?;
    let has_key = bytes(&mut cursor)?;
    bytes(&mut cursor)?;
    for _ in 0..usize::try_from(cursor.varint().ok()?).ok()? {
        bytes(&mut cursor)?.then_some(())?;
        bytes(&mut cursor)?;
    }
    (cursor.remaining() == 0).then_some((timestamp_delta, offset_delta, has_key))
}

/// What validation makes of the records of a batch whose header is in order: largest timestamp and
/// the offset delta of the first record with it. `header` has the codec.
pub fn validate(
    bytes: &[u8],
    header: &BatchHeader,
    rules: &ValidationRules,
    now: i64,
) -> Result<(i64, i32), BatchRejection> {
    let Walked { heads, error } = walk(bytes, &header.with_create_time());
    let is_plain = header.codec() == Some(Codec::None);
    if let Some(RecordHead { index, offset_delta, .. }) =
        heads.iter().find(|head| head.offset_delta != head.index)
    {
        let message = format!("record {index} has offset delta {offset_delta}");
        let unknown = error_code::UNKNOWN_SERVER_ERROR;
        return Err(refusal(if is_plain { error_code::INVALID_RECORD } else { unknown }, message));
    }
    if let Some(message) = error {
        let is_unknown = is_plain && message.ends_with("does not end");
        let unknown = error_code::UNKNOWN_SERVER_ERROR;
        return Err(refusal(
            if is_unknown { unknown } else { error_code::INVALID_RECORD },
            message,
        ));
    }
    let is_out_of_bounds = |timestamp: i64| {
        let age = now.wrapping_sub(timestamp);
        let is_late = age.wrapping_neg() > rules.timestamp_after_max_ms;
        timestamp != NO_TIMESTAMP && (age > rules.timestamp_before_max_ms || is_late)
    };
    let is_create = rules.timestamp_type == TimestampType::CreateTime;
    let is_claim = header.timestamp_type() == TimestampType::LogAppendTime
        && (!is_create
            || header.max_timestamp == NO_TIMESTAMP
            || is_out_of_bounds(header.max_timestamp));
    let is_late = |time: i64| is_claim || is_create && is_out_of_bounds(time);
    let set = || heads.iter().map(|head| head.timestamp).filter(|&time| time != NO_TIMESTAMP);
    let max = heads.iter().map(|head| head.timestamp).max().unwrap_or(NO_TIMESTAMP);
    let max = max.max(NO_TIMESTAMP);
    let is_keyless = |head: &RecordHead| rules.is_compacted && !head.has_key;
    // Whether anything is looked for is told by the extremes, which differs for times so wild that
    // the difference to now is none.
    if heads.iter().any(is_keyless) || set().min().is_some_and(is_late) || is_late(max) {
        let at_fault = heads.iter().filter(|&head| is_keyless(head) || is_late(head.timestamp));
        let at_fault: Vec<&RecordHead> = at_fault.take(MAX_RECORD_ERRORS).collect();
        if let Some(refused) = refused_records(&at_fault, is_keyless) {
            return Err(refused);
        }
    }
    if !is_create {
        return Ok((now, header.last_offset_delta));
    }
    let first = heads.iter().find(|head| head.timestamp == max && max != NO_TIMESTAMP);
    Ok((max, first.map_or(header.last_offset_delta, |head| head.offset_delta)))
}

fn refusal(error_code: i16, message: String) -> BatchRejection {
    BatchRejection {
        error_code,
        message: message.into(),
        has_words: false,
        is_of_log: true,
        record_errors: Vec::new(),
    }
}

fn refused_records(
    at_fault: &[&RecordHead],
    is_keyless: impl Fn(&RecordHead) -> bool,
) -> Option<BatchRejection> {
    let error = |&head: &&RecordHead| RecordError {
        batch_index: head.index,
        message: Some(match is_keyless(head) {
            true => "a compacted topic accepts no record without a key".to_owned(),
            false => {
                format!("timestamp {} is out of range or not the producer's", head.timestamp)
            }
        }),
    };
    let (code, message) = match at_fault.iter().all(|&head| is_keyless(head)) {
        true => (error_code::INVALID_RECORD, "records were refused"),
        false => (error_code::INVALID_TIMESTAMP, "records have an invalid timestamp"),
    };
    let record_errors: Vec<RecordError> = at_fault.iter().map(error).collect();
    let refusal = refusal(code, message.to_owned());
    (!at_fault.is_empty()).then_some(BatchRejection { has_words: true, record_errors, ..refusal })
}

/// The header of an accepted batch as the log holds it, but for the CRC.
pub fn stored(header: &BatchHeader, rules: &ValidationRules, max_timestamp: i64) -> BatchHeader {
    if rules.timestamp_type == header.timestamp_type() && max_timestamp == header.max_timestamp {
        return *header;
    }
    // The bits that mean something, without that of LogAppendTime.
    let attributes = header.attributes & 0x77;
    let append_time = match rules.timestamp_type {
        TimestampType::CreateTime => 0,
        TimestampType::LogAppendTime => 8,
    };
    BatchHeader { attributes: attributes | append_time, max_timestamp, ..*header }
}
