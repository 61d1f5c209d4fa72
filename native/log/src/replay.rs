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
        self.replay_from(None, self.sealed.len(), visitor).map(|_| ())
    }

    /// The same when the log was opened. The segments whose index is still to be written get the state at their ends.
    pub(crate) fn replay(
        &mut self,
        checkpoint: Option<&PartitionCheckpoint>,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<(), LogError> {
        let waiting = self.sealed.iter().position(|segment| self.flush.is_waiting(segment));
        let states = self.replay_from(checkpoint, waiting.unwrap_or(self.sealed.len()), visitor)?;
        for (number, producers) in states {
            self.flush.set_producers(&self.sealed[number], producers);
        }
        Ok(())
    }

    /// Replays from a snapshot in front of segment `before`. Returns the states at the ends of those that wait for an index.
    fn replay_from(
        &self,
        checkpoint: Option<&PartitionCheckpoint>,
        before: usize,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<Vec<(usize, Vec<u8>)>, LogError> {
        let base_index = self.segment_start(before).base_index;
        let holds = |found: &&PartitionCheckpoint| {
            let point = &found.written;
            self.term(point.index) == Some(point.term)
                && self.offset_after(point.index).is_ok_and(|offset| offset == point.offset)
                && (before == self.sealed.len() || point.index < base_index)
        };
        if let Some(found) = checkpoint.filter(holds) {
            visitor.snapshot(&found.producers);
            let number = self.segment_of_index(found.written.index + 1);
            let resumes = self.segment_start(number) == found.start;
            let from = if resumes { found.written.position } else { HEADER_BYTES };
            // The segment may not be the one of the checkpoint: what the snapshot has is passed over.
            return self.visit(number, from, found.written.offset, visitor);
        }
        for number in (0..before).rev() {
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
        let deleted =
            index::read_deleted(self.disk.as_ref(), &self.dir).map_err(at("read", &self.dir))?;
        let is_within = |tail: &index::IndexTail| {
            tail.group_id == self.identity.group_id && tail.end.next_index <= self.last_index() + 1
        };
        let (producers, from) = match deleted.filter(is_within) {
            Some(index::IndexTail { producers: Some(producers), end, .. }) => {
                (producers, (end.next_index, end.end_offset))
            }
            _ => (Vec::new(), (0, 0)),
        };
        visitor.snapshot(&producers);
        self.visit(self.segment_of_index(from.0), HEADER_BYTES, from.1, visitor)
    }

    /// Visits the batches from a place on, headers only. Damaged parts are passed over.
    fn visit(
        &self,
        first: usize,
        from: u32,
        least_offset: u64,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<Vec<(usize, Vec<u8>)>, LogError> {
        let (mut from, mut states) = (u64::from(from), Vec::new());
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
            if self.sealed.get(number).is_some_and(|sealed| self.flush.is_waiting(sealed)) {
                states.push((number, visitor.encode()));
            }
            from = u64::from(HEADER_BYTES);
        }
        Ok(states)
    }

    fn segment_start(&self, number: usize) -> crate::segment::SegmentStart {
        self.sealed.get(number).map_or(self.active.start, |sealed| sealed.start)
    }
}
