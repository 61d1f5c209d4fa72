//! What an answer to a fetch of one partition says.

use ms_wire::cursor::{Cursor, WireError};

/// The one partition of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    pub error_code: i16,
    pub high_watermark: i64,
    pub record_bytes: u64,
}

impl Fetched {
    /// Reads the start of an answer, as far as the length of its records. `None` when the bytes are no answer to a fetch.
    pub fn read(answer: &[u8]) -> Option<Self> {
        Self::parse(&mut Cursor::new(answer)).ok()
    }

    // Fetch v12 of one partition. The readers of the data plane want the records as well.
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        let _correlation_id = cursor.i32()?;
        cursor.skip_tagged_fields()?;
        let _throttle_time_ms = cursor.i32()?;
        let session_error = cursor.i16()?;
        let _session_id = cursor.i32()?;
        if session_error != 0 {
            return Ok(Self { error_code: session_error, high_watermark: -1, record_bytes: 0 });
        }
        let _topics = cursor.unsigned_varint()?;
        let _name = cursor.compact_string()?;
        let _partitions = cursor.unsigned_varint()?;
        let _partition = cursor.i32()?;
        let error_code = cursor.i16()?;
        let high_watermark = cursor.i64()?;
        let (_last_stable_offset, _log_start_offset) = (cursor.i64()?, cursor.i64()?);
        let aborted = cursor.unsigned_varint()?.saturating_sub(1);
        for _ in 0..aborted {
            let (_producer_id, _first_offset) = (cursor.i64()?, cursor.i64()?);
            cursor.skip_tagged_fields()?;
        }
        let _preferred_read_replica = cursor.i32()?;
        let record_bytes = u64::from(cursor.unsigned_varint()?.saturating_sub(1));
        Ok(Self { error_code, high_watermark, record_bytes })
    }
}

/// Walks a partition in even strides from somewhere to its end and on from its start, so that requests in flight ask
/// for successive places.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    offset: i64,
    stride: i64,
    end: i64,
}

impl Walk {
    /// `start` of `of` walkers, spread evenly over the strides below `end`.
    pub fn new(stride: i64, end: i64, start: usize, of: usize) -> Self {
        let strides = end / stride;
        Self { offset: strides * start as i64 / of as i64 * stride, stride, end }
    }

    pub fn next(&mut self) -> i64 {
        let offset = if self.offset + self.stride > self.end { 0 } else { self.offset };
        self.offset = offset + self.stride;
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ms_wire::fetch_response::{FetchPartitionResponse, FetchResponseWriter};
    use ms_wire::header::{FETCH, put_response_header};
    use ms_wire::topic::TopicKey;

    #[test]
    fn a_walk_begins_again_before_a_stride_that_is_not_whole() {
        let mut walk = Walk::new(10, 35, 1, 2);
        assert_eq!([walk.next(), walk.next(), walk.next(), walk.next()], [10, 20, 0, 10]);
    }

    #[test]
    fn the_length_of_the_records_is_read_before_they_are_there() {
        let mut answer = Vec::new();
        put_response_header(&mut answer, FETCH, 12, 1);
        let writer = FetchResponseWriter::start(&mut answer, 12, 0, 0, 0, 1);
        writer.topic(&mut answer, TopicKey::Name(b"t"), 1);
        let refusal = FetchPartitionResponse::error(3, 0);
        let partition = FetchPartitionResponse { high_watermark: 77, ..refusal };
        writer.partition(&mut answer, &partition, Some(1 << 20));
        let expected = Fetched { error_code: 0, high_watermark: 77, record_bytes: 1 << 20 };
        assert_eq!(Fetched::read(&answer), Some(expected));
    }

    #[test]
    fn bytes_that_are_no_answer_are_refused() {
        assert_eq!(Fetched::read(&[0; 7]), None);
    }
}
