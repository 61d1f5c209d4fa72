//! Producer state from the log: the newest snapshot that it holds, and the batches behind it.

use crate::checkpoint::PartitionCheckpoint;
use crate::error::{LogError, at};
use crate::index;
use crate::log::PartitionLog;
use crate::recovery::BatchVisitor;
use crate::segment::HEADER_BYTES;
use crate::walk::{Depth, Step, Walker};
use ms_wire::frame::FrameHeader;

impl PartitionLog {
    /// Gives `visitor` the newest producer snapshot and every batch behind it, up to the log end. Waits for the disk.
    pub fn replay_batches(&self, visitor: &mut dyn BatchVisitor) -> Result<(), LogError> {
        self.replay(None, visitor)
    }

    pub(crate) fn replay(
        &self,
        checkpoint: Option<&PartitionCheckpoint>,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<(), LogError> {
        let holds = |found: &&PartitionCheckpoint| {
            let point = &found.written;
            self.term(point.index) == Some(point.term)
                && self.offset_after(point.index).is_ok_and(|offset| offset == point.offset)
        };
        if let Some(found) = checkpoint.filter(holds) {
            visitor.snapshot(&found.producers);
            let number = self.segment_of_index(found.written.index + 1);
            let resumes = self.segment_start(number) == found.start;
            let from = if resumes { found.written.position } else { HEADER_BYTES };
            // The segment may not be the one of the checkpoint: what the snapshot has is passed over.
            return self.visit(number, from, found.written.offset, visitor);
        }
        for number in (0..self.sealed.len()).rev() {
            let path = &self.sealed[number].path;
            let tail = index::read_tail(self.disk.as_ref(), path).map_err(at("read", path))?;
            let of_segment = |tail: &index::IndexTail| {
                tail.start == self.sealed[number].start && tail.end == self.sealed[number].end
            };
            if let Some(producers) = tail.filter(of_segment).and_then(|tail| tail.producers) {
                visitor.snapshot(&producers);
                return self.visit(number + 1, HEADER_BYTES, 0, visitor);
            }
        }
        visitor.snapshot(&[]);
        self.visit(0, HEADER_BYTES, 0, visitor)
    }

    /// Visits the batches from a place on, headers only. Damaged parts are passed over.
    fn visit(
        &self,
        first: usize,
        from: u32,
        least_offset: u64,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<(), LogError> {
        let mut from = u64::from(from);
        for number in first..=self.sealed.len() {
            let segment = self.open_segment(number)?;
            let (file, end) = (segment.file.as_ref(), u64::from(segment.end.size));
            if from < end {
                let mut walker = Walker::new(file, Depth::Headers, from, end, i32::MAX as u32);
                while let Step::Frame { header, .. } =
                    walker.step().map_err(at("read", segment.path))?
                {
                    if let FrameHeader::Data(batch) = &header
                        && batch.base_offset as u64 >= least_offset
                    {
                        visitor.batch(batch);
                    }
                }
            }
            from = u64::from(HEADER_BYTES);
        }
        Ok(())
    }

    fn segment_start(&self, number: usize) -> crate::segment::SegmentStart {
        self.sealed.get(number).map_or(self.active.start, |sealed| sealed.start)
    }
}
