//! What an answer to a fetch of one partition says.

use ms_wire::fetch_response_reader::FetchResponse;
use ms_wire::header::{FETCH, parse_response_header};

use crate::requests::FETCH_VERSION;

/// The one partition of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    pub error_code: i16,
    pub high_watermark: i64,
    pub record_bytes: u64,
}

impl Fetched {
    /// `None` when the bytes are no answer to a fetch.
    pub fn read(answer: &[u8]) -> Option<Self> {
        let (_, body) = parse_response_header(answer, FETCH, FETCH_VERSION).ok()?;
        let response = FetchResponse::parse(answer, FETCH_VERSION, body).ok()?;
        let partition = response.topics().next()?.partitions().next()?;
        Some(Self {
            error_code: if response.error_code == 0 {
                partition.error_code
            } else {
                response.error_code
            },
            high_watermark: partition.high_watermark,
            record_bytes: partition.records.map_or(0, |records| records.len() as u64),
        })
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

    #[test]
    fn a_walk_begins_again_before_a_stride_that_is_not_whole() {
        let mut walk = Walk::new(10, 35, 1, 2);
        assert_eq!([walk.next(), walk.next(), walk.next(), walk.next()], [10, 20, 0, 10]);
    }

    #[test]
    fn bytes_that_are_no_answer_are_refused() {
        assert_eq!(Fetched::read(&[0; 7]), None);
    }
}
