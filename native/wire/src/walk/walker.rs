//! The walk itself: records that look like those before them in runs, all others one by one.

use super::{RecordHead, RecordRow, Step, Visitor, WalkError};
use crate::batch::{BatchHeader, TimestampType};
use crate::record_shape::{Each, Learner, Shape, Summarize};
use crate::stream_window::{WINDOW_BYTES, Window};
use crate::varint::{MAX_VARINT_BYTES, varint, varlong};

/// The place of a walk in a batch.
pub struct Walker<V> {
    declared: i32,
    found: i32,
    times: Times,
    is_stopped: bool,
    visit: V,
}

/// What makes a timestamp of a delta.
#[derive(Clone, Copy)]
struct Times {
    base: i64,
    // Under LogAppendTime every record has the batch's time.
    append_time: Option<i64>,
}

impl Times {
    #[inline(always)]
    fn at(&self, delta: i64) -> i64 {
        self.append_time.unwrap_or_else(|| self.base.wrapping_add(delta))
    }

    /// A delta of a few bytes makes a time that is later for a larger one, and never -1.
    fn is_ordered(&self) -> bool {
        (1 << 32..=i64::MAX - (1 << 32)).contains(&self.base)
    }
}

impl<V: Visitor> Walker<V> {
    pub fn new(header: &BatchHeader, visit: V) -> Self {
        let append_time = match header.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(header.max_timestamp),
        };
        assert!(append_time.is_none() || !V::TAKES_ROWS, "rows are of the records' own times");
        let times = Times { base: header.base_timestamp, append_time };
        Self { declared: header.record_count, found: 0, times, is_stopped: false, visit }
    }

    fn is_done(&self) -> bool {
        self.found >= self.declared || self.is_stopped
    }

    /// What is wrong behind the last record that was found; `is_empty` when nothing is there.
    pub fn finish(&self, is_empty: bool) -> Result<(), WalkError> {
        if self.is_stopped {
            Ok(())
        } else if self.found < self.declared && is_empty {
            Err(WalkError::Missing { declared: self.declared, found: self.found })
        } else if self.found < self.declared {
            Err(WalkError::Malformed(self.found))
        } else if !is_empty {
            Err(WalkError::Leftover)
        } else {
            Ok(())
        }
    }

    /// Walks the whole records at the start of `bytes` and returns how many bytes they take. What
    /// `shape` holds does not matter.
    #[inline]
    pub fn walk(&mut self, bytes: &[u8], shape: &mut Shape) -> Result<usize, WalkError> {
        let mut at = 0;
        let mut learner = Learner::new(shape, self.times.is_ordered());
        while !self.is_done() {
            if let Some((shape, most)) = learner.expected(self.declared - self.found) {
                let (count, taken) = self.run(shape, &bytes[at..], most);
                at += taken;
                learner.note_run(count, self.found, count == most);
                if count == most || self.is_done() {
                    continue;
                }
            }
            let mut body = at;
            let Some(len) = varint(bytes, &mut body) else {
                if bytes.len() - at >= MAX_VARINT_BYTES {
                    return Err(WalkError::EndlessLength(self.found));
                }
                break;
            };
            let Ok(len) = usize::try_from(len) else {
                return Err(WalkError::Malformed(self.found));
            };
            if len > bytes.len() - body {
                break;
            }
            let end = body + len;
            self.record(&bytes[body..end]).ok_or(WalkError::Malformed(self.found))?;
            learner.note(&bytes[at..end], self.declared - self.found);
            at = end;
        }
        Ok(at)
    }

    /// The records at the start of `bytes` that have a shape: how many, and their bytes.
    #[inline(always)]
    fn run(&mut self, shape: &Shape, bytes: &[u8], most: i32) -> (i32, usize) {
        if V::TAKES_ROWS {
            return self.run_in_a_row(shape, bytes, most);
        }
        let (first, has_key, times) = (self.found, shape.has_key(), self.times);
        let (visit, mut step) = (&mut self.visit, Step::Next);
        let mut each = Each(|number, delta| {
            let index = first + number;
            let timestamp = times.at(delta);
            step = visit.visit(RecordHead { index, offset_delta: index, timestamp, has_key });
            step == Step::Next
        });
        let run = shape.run(bytes, first, most, &mut each);
        self.found += run.count;
        self.is_stopped = step == Step::Stop;
        (run.count, run.bytes)
    }

    #[inline(always)]
    fn run_in_a_row(&mut self, shape: &Shape, bytes: &[u8], most: i32) -> (i32, usize) {
        let run = shape.run(bytes, self.found, most, &mut Summarize);
        if run.count > 0 {
            let (min, max, max_at) = run.extremes(shape);
            let row = RecordRow {
                min_timestamp: self.times.at(min),
                max_timestamp: self.times.at(max),
                max_timestamp_offset_delta: max_at,
                has_key: shape.has_key(),
            };
            self.visit.visit_row(&row);
            self.found += run.count;
        }
        (run.count, run.bytes)
    }

    /// One record without its length, which it must fill exactly. `None` when it does not.
    #[inline(always)]
    fn record(&mut self, body: &[u8]) -> Option<()> {
        // Attributes of records are not used by anyone.
        let mut at = 1;
        let timestamp_delta = varlong(body, &mut at)?;
        let offset_delta = varint(body, &mut at)?;
        let key_len = varint(body, &mut at)?;
        at += usize::try_from(key_len).unwrap_or(0);
        let value_len = varint(body, &mut at)?;
        at += usize::try_from(value_len).unwrap_or(0);
        let header_count = varint(body, &mut at)?;
        if header_count != 0 {
            skip_headers(body, &mut at, header_count)?;
        }
        if at != body.len() {
            return None;
        }
        self.emit(timestamp_delta, offset_delta, key_len >= 0);
        Some(())
    }

    #[inline(always)]
    fn emit(&mut self, timestamp_delta: i64, offset_delta: i32, has_key: bool) {
        let timestamp = self.times.at(timestamp_delta);
        let head = RecordHead { index: self.found, offset_delta, timestamp, has_key };
        self.found += 1;
        self.is_stopped = self.visit.visit(head) == Step::Stop;
    }

    /// Walks a whole batch that is decompressed into a window.
    pub fn walk_stream(
        &mut self,
        input: &mut Window<'_>,
        shape: &mut Shape,
    ) -> Result<(), WalkError> {
        while !self.is_done() {
            let used = self.walk(input.available(), shape)?;
            input.consume(used);
            if self.is_done() {
                break;
            }
            if used == 0 && input.available().len() == WINDOW_BYTES {
                self.large_record(input)?;
            } else if !input.fill()? {
                // What is left is a part of a record, or nothing.
                return self.finish(input.available().is_empty());
            }
        }
        let is_empty = self.is_stopped || (input.available().is_empty() && !input.fill()?);
        self.finish(is_empty)
    }

    /// One record that is larger than the window, skipped piece by piece.
    fn large_record(&mut self, input: &mut Window<'_>) -> Result<(), WalkError> {
        let malformed = WalkError::Malformed(self.found);
        let declared_len = input.varint(self.found)?;
        let before = input.left_to_read();
        input.byte(self.found)?;
        let timestamp_delta = input.varlong(self.found)?;
        let offset_delta = input.varint(self.found)?;
        let key_len = input.varint(self.found)?;
        input.skip(key_len, self.found)?;
        let value_len = input.varint(self.found)?;
        input.skip(value_len, self.found)?;
        let header_count = input.varint(self.found)?;
        if header_count < 0 {
            return Err(malformed);
        }
        for _ in 0..header_count {
            let name_len = input.varint(self.found)?;
            if name_len < 0 {
                return Err(malformed);
            }
            input.skip(name_len, self.found)?;
            let value_len = input.varint(self.found)?;
            input.skip(value_len, self.found)?;
        }
        if i64::try_from(before - input.left_to_read()) != Ok(i64::from(declared_len)) {
            return Err(malformed);
        }
        self.emit(timestamp_delta, offset_delta, key_len >= 0);
        Ok(())
    }
}

fn skip_headers(body: &[u8], at: &mut usize, count: i32) -> Option<()> {
    if usize::try_from(count).ok()? > body.len() {
        return None;
    }
    for _ in 0..count {
        *at += usize::try_from(varint(body, at)?).ok()?;
        *at += usize::try_from(varint(body, at)?).unwrap_or(0);
    }
    Some(())
}
