//! What a turn has received and appended: a fetch of the same reactor that waited for it is answered from the receive
//! buffer, without reading it back from the file.

use std::ops::Range;

use ms_partition::Handle;

/// An answer holds at most so many copied bytes: a client that does not take them must not pin more.
const COPY_MAX: u64 = 16 << 10;

/// Batches of this turn in the receive buffer, of partitions for which somebody waited.
#[derive(Default)]
pub struct Fresh {
    batches: Vec<FreshBatch>,
}

struct FreshBatch {
    partition: Handle,
    base_offset: i64,
    next_offset: i64,
    range: Range<usize>,
}

impl Fresh {
    /// A batch that was appended with this base offset; `range` is its place in the receive buffer.
    pub fn push(
        &mut self,
        partition: Handle,
        base_offset: i64,
        last_offset_delta: i32,
        range: Range<usize>,
    ) {
        let next_offset = base_offset + i64::from(last_offset_delta) + 1;
        self.batches.push(FreshBatch { partition, base_offset, next_offset, range });
    }

    /// Where the `len` bytes of the log from `offset` on lie, if all of them do. What begins at an offset and is as long
    /// is the same: a log has one batch for an offset, and these follow each other.
    pub fn ranges(&self, partition: Handle, offset: i64, len: u64) -> Option<Vec<Range<usize>>> {
        if len == 0 || len > COPY_MAX || self.batches.is_empty() {
            return None;
        }
        let (mut next, mut found, mut ranges) = (offset, 0, Vec::new());
        for batch in self.batches.iter().filter(|batch| batch.partition == partition) {
            if found < len && batch.base_offset == next {
                found += batch.range.len() as u64;
                next = batch.next_offset;
                ranges.push(batch.range.clone());
            }
        }
        (found == len).then_some(ranges)
    }

    /// The receive buffer is filled anew.
    pub fn clear(&mut self) {
        self.batches.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PARTITION: Handle = Handle { index: 3, generation: 4 };

    fn fresh() -> Fresh {
        let mut fresh = Fresh::default();
        fresh.push(PARTITION, 10, 1, 100..150);
        fresh.push(Handle { generation: 5, ..PARTITION }, 12, 0, 200..210);
        fresh.push(PARTITION, 12, 0, 300..310);
        // Another reactor has appended 13.
        fresh.push(PARTITION, 14, 0, 400..410);
        fresh
    }

    #[test]
    fn batches_that_follow_each_other_are_found() {
        let fresh = fresh();
        assert_eq!(fresh.ranges(PARTITION, 10, 60), Some(vec![100..150, 300..310]));
        for (offset, range) in [(10, 100..150), (14, 400..410)] {
            let found = fresh.ranges(PARTITION, offset, range.len() as u64).unwrap();
            assert_eq!(found.first(), Some(&range));
        }
    }

    #[test]
    fn what_is_not_here_as_a_whole_is_read_from_the_file() {
        let fresh = fresh();
        for (offset, len) in [(10, 70), (10, 40), (9, 50), (11, 50), (13, 10), (10, 0)] {
            assert_eq!(fresh.ranges(PARTITION, offset, len), None, "{offset} {len}");
        }
        let other = Handle { index: 2, ..PARTITION };
        assert_eq!(fresh.ranges(other, 10, 50), None);
        let mut large = Fresh::default();
        large.push(PARTITION, 0, 0, 0..COPY_MAX as usize + 1);
        assert_eq!(large.ranges(PARTITION, 0, COPY_MAX + 1), None);
    }
}
