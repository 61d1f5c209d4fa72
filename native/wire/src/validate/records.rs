//! What a leader checks in each record of a batch: one pass, and a second one when single records are at fault.

use crate::batch::{BatchHeader, NO_TIMESTAMP, TimestampType};
use crate::compression::Codec;
use crate::error_code;
use crate::produce_response::RecordError;
use crate::walk::{RecordHead, RecordRow, Scratch, Step, Visitor, WalkError, walk_within};

use super::{BatchRejection, Budget, ValidationRules};

/// What a pass over good records leaves to know.
pub struct Found {
    pub max_timestamp: i64,
    /// Offset delta of the first record with that timestamp; of the last record when none has one.
    pub delta: i32,
}

/// Checks each record of a batch with a good header, within the budget, which it lowers.
pub fn check_records(
    batch: &[u8],
    header: &BatchHeader,
    rules: &ValidationRules,
    now_ms: i64,
    scratch: &mut Scratch,
    (limit, budget): (usize, &mut Budget),
) -> Result<Found, CheckError> {
    let check = RecordCheck {
        header: &header.with_create_time(),
        rules,
        now_ms,
        is_append_time_claimed: claims_append_time(header, rules, now_ms),
    };
    let mut seen = Seen::new(header.last_offset_delta);
    let output = limit.min(budget.output);
    let mut left = output;
    let walked = walk_within(batch, check.header, &mut left, scratch, &mut seen);
    let Seen { found, min_timestamp, is_keyless, wrong_delta } = seen;
    budget.output -= output - left;
    walked.map_err(|error| walk_error(&error, header))?;
    if let Some(RecordHead { index, offset_delta, .. }) = wrong_delta {
        let message = format!("record {index} has offset delta {offset_delta}");
        // Kafka takes it from a plain batch, and fails at it in a compressed one.
        let is_plain = header.codec() == Some(Codec::None);
        return Err(match is_plain {
            true => BatchRejection::of_log(message).into(),
            false => BatchRejection::failed_in_log(message).into(),
        });
    }
    // The second pass says which records are out of bounds.
    let is_suspect = is_keyless && rules.is_compacted
        || min_timestamp != i64::MAX && check.timestamp_fault(min_timestamp)
        || check.timestamp_fault(found.max_timestamp);
    if is_suspect {
        list_record_errors(batch, (limit, budget), scratch, &check)?;
    }
    Ok(found)
}

/// What the first pass finds out: extremes in bounds mean that every record is.
struct Seen {
    found: Found,
    min_timestamp: i64,
    is_keyless: bool,
    wrong_delta: Option<RecordHead>,
}

impl Seen {
    fn new(last_offset_delta: i32) -> Self {
        Self {
            found: Found { max_timestamp: NO_TIMESTAMP, delta: last_offset_delta },
            min_timestamp: i64::MAX,
            is_keyless: false,
            wrong_delta: None,
        }
    }
}

impl Visitor for &mut Seen {
    const TAKES_ROWS: bool = true;

    #[inline(always)]
    fn visit(&mut self, record: RecordHead) -> Step {
        let RecordHead { index, offset_delta, timestamp, has_key } = record;
        if offset_delta != index {
            self.wrong_delta = Some(record);
            return Step::Stop;
        }
        self.visit_row(&RecordRow {
            min_timestamp: timestamp,
            max_timestamp: timestamp,
            max_timestamp_offset_delta: offset_delta,
            has_key,
        });
        Step::Next
    }

    #[inline(always)]
    fn visit_row(&mut self, row: &RecordRow) {
        if row.max_timestamp > self.found.max_timestamp {
            let (max_timestamp, delta) = (row.max_timestamp, row.max_timestamp_offset_delta);
            self.found = Found { max_timestamp, delta };
        }
        // One that was never set must not hide another that is too old.
        if row.min_timestamp != NO_TIMESTAMP {
            self.min_timestamp = self.min_timestamp.min(row.min_timestamp);
        }
        self.is_keyless |= !row.has_key;
    }
}

/// Why the records are not taken.
pub enum CheckError {
    /// More comes out than the walk was allowed to read.
    TooLarge,
    Rejected(BatchRejection),
}

impl From<BatchRejection> for CheckError {
    fn from(rejection: BatchRejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<CheckError> for BatchRejection {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::TooLarge => Self::too_large(),
            CheckError::Rejected(rejection) => rejection,
        }
    }
}

fn walk_error(error: &WalkError, header: &BatchHeader) -> CheckError {
    let is_plain = header.codec() == Some(Codec::None);
    let of_log = || CheckError::Rejected(BatchRejection::of_log(error.to_string()));
    match error {
        WalkError::TooLarge { .. } => CheckError::TooLarge,
        WalkError::EndlessLength(_) if !is_plain => of_log(),
        WalkError::Corrupt { .. } | WalkError::EndlessLength(_) => {
            CheckError::Rejected(BatchRejection::failed_in_log(error.to_string()))
        }
        _ => of_log(),
    }
}

struct RecordCheck<'a> {
    // Of CreateTime: what the records say counts, whatever the batch claims.
    header: &'a BatchHeader,
    rules: &'a ValidationRules,
    now_ms: i64,
    is_append_time_claimed: bool,
}

impl RecordCheck<'_> {
    fn timestamp_fault(&self, timestamp: i64) -> bool {
        self.is_append_time_claimed
            || self.rules.timestamp_type == TimestampType::CreateTime
                && is_out_of_bounds(timestamp, self.rules, self.now_ms)
    }
}

// A producer may not claim the broker's clock. As Kafka, a CreateTime topic lets it pass when the
// time it claims is in bounds; the batch is stored as one of CreateTime then.
fn claims_append_time(header: &BatchHeader, rules: &ValidationRules, now_ms: i64) -> bool {
    header.timestamp_type() == TimestampType::LogAppendTime
        && (rules.timestamp_type == TimestampType::LogAppendTime
            || header.max_timestamp == NO_TIMESTAMP
            || is_out_of_bounds(header.max_timestamp, rules, now_ms))
}

// A timestamp that was never set has no bounds.
fn is_out_of_bounds(timestamp: i64, rules: &ValidationRules, now_ms: i64) -> bool {
    let age = now_ms.wrapping_sub(timestamp);
    timestamp != NO_TIMESTAMP
        && (age > rules.timestamp_before_max_ms
            || age.wrapping_neg() > rules.timestamp_after_max_ms)
}

fn list_record_errors(
    batch: &[u8],
    (limit, budget): (usize, &mut Budget),
    scratch: &mut Scratch,
    check: &RecordCheck<'_>,
) -> Result<(), CheckError> {
    let (mut errors, mut has_timestamp_error) = (Vec::new(), false);
    let errors_max = budget.errors.max(1);
    let output = limit.min(budget.output);
    let mut left = output;
    let walked = walk_within(batch, check.header, &mut left, scratch, |record: RecordHead| {
        let message = if check.rules.is_compacted && !record.has_key {
            "a compacted topic accepts no record without a key".to_owned()
        } else if check.timestamp_fault(record.timestamp) {
            has_timestamp_error = true;
            format!("timestamp {} is out of range or not the producer's", record.timestamp)
        } else {
            return Step::Next;
        };
        errors.push(RecordError { batch_index: record.index, message: Some(message) });
        if errors.len() < errors_max { Step::Next } else { Step::Stop }
    });
    budget.output -= output - left;
    budget.errors = budget.errors.saturating_sub(errors.len());
    walked.map_err(|error| walk_error(&error, check.header))?;
    if errors.is_empty() {
        return Ok(());
    }
    let (error_code, message) = if has_timestamp_error {
        (error_code::INVALID_TIMESTAMP, "records have an invalid timestamp")
    } else {
        (error_code::INVALID_RECORD, "records were refused")
    };
    let rejection = BatchRejection {
        error_code,
        message: message.into(),
        has_words: true,
        is_of_log: true,
        record_errors: errors,
    };
    Err(rejection.into())
}
