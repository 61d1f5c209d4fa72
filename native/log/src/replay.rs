//! Producer state from the log: the newest snapshot that it holds, and the batches behind it.

use crate::checkpoint::PartitionCheckpoint;
use crate::error::{LogError, at};
use crate::index::{self, IndexTail};
use crate::log::PartitionLog;
use crate::recovery::BatchVisitor;
use crate::segment::HEADER_BYTES;
use crate::walk::{Depth, Step, Walker};
use ms_wire::frame::FrameHeader;
use std::collections::BTreeMap;

/// A producer snapshot, and the batches that it does not have.
struct Snapshot {
    producers: Vec<u8>,
    /// The segment and the place from which on they are, and the first offset of them.
    number: usize,
    position: u32,
    offset: u64,
}

impl Default for Snapshot {
    /// Of a log from its beginning.
    fn default() -> Self {
        Snapshot { producers: Vec::new(), number: 0, position: HEADER_BYTES, offset: 0 }
    }
}

/// The state at the ends of segments, by their position among the sealed ones.
type States = BTreeMap<usize, Vec<u8>>;

impl PartitionLog {
    /// Gives `visitor` the newest producer snapshot and every batch behind it, up to the log end. Waits for the disk.
    pub fn replay_batches(&self, visitor: &mut dyn BatchVisitor) -> Result<(), LogError> {
        self.replay_from(None, visitor).map(|_| ())
    }

    /// The same when the log was opened. The segments whose index is still to be written get the state at their ends.
    pub(crate) fn replay(
        &mut self,
        checkpoint: Option<&PartitionCheckpoint>,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<(), LogError> {
        let mut states = self.replay_from(checkpoint, visitor)?;
        for number in (0..self.sealed.len()).rev() {
            if !states.contains_key(&number) && self.flush.is_waiting(&self.sealed[number]) {
                states.extend(self.states_up_to(number, visitor.fresh().as_mut())?);
            }
        }
        for (number, producers) in states {
            self.flush.set_producers(&self.sealed[number], producers);
        }
        Ok(())
    }

    /// Returns the states at the ends of those that wait for an index, as far as the replay came by there.
    fn replay_from(
        &self,
        checkpoint: Option<&PartitionCheckpoint>,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<States, LogError> {
        let newest = match checkpoint.and_then(|found| self.snapshot_of(found)) {
            Some(snapshot) => Some(snapshot),
            None => self.snapshot_before(self.sealed.len())?,
        };
        let from = newest.unwrap_or_default();
        visitor.snapshot(&from.producers);
        self.visit(&from, self.sealed.len(), visitor)
    }

    /// The states at the ends of the segments that wait for an index, from the newest snapshot before one of them to that.
    fn states_up_to(
        &self,
        number: usize,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<States, LogError> {
        let newest = self.snapshot_before(number)?;
        // What was before the oldest segment nobody knows.
        if newest.is_none() && self.first_index() > 1 {
            return Ok(States::new());
        }
        let from = newest.unwrap_or_default();
        visitor.snapshot(&from.producers);
        self.visit(&from, number, visitor)
    }

    fn snapshot_of(&self, found: &PartitionCheckpoint) -> Option<Snapshot> {
        let point = &found.written;
        let holds = self.term(point.index) == Some(point.term)
            && self.offset_after(point.index).is_ok_and(|offset| offset == point.offset);
        let number = self.segment_of_index(point.index + 1);
        // The segment may not be the one of the checkpoint: what the snapshot has is passed over.
        let resumes = self.segment_start(number) == found.start;
        holds.then(|| Snapshot {
            producers: found.producers.clone(),
            number,
            position: if resumes { point.position } else { HEADER_BYTES },
            offset: point.offset,
        })
    }

    /// The newest snapshot in the index of a segment before one, or in that of the newest that was deleted.
    fn snapshot_before(&self, number: usize) -> Result<Option<Snapshot>, LogError> {
        for number in (0..number).rev() {
            let sealed = &self.sealed[number];
            let tail = index::read_tail(self.disk.as_ref(), &sealed.path);
            let tail = tail.map_err(at("read", &sealed.path))?;
            let tail = tail.filter(|tail| tail.start == sealed.start && tail.end == sealed.end);
            if let Some(producers) = tail.and_then(|tail| tail.producers) {
                let (number, offset) = (number + 1, 0);
                return Ok(Some(Snapshot { producers, number, position: HEADER_BYTES, offset }));
            }
        }
        let deleted =
            index::read_deleted(self.disk.as_ref(), &self.dir).map_err(at("read", &self.dir))?;
        // A producer of whom nothing is known may go on anywhere; one of whom something is missing may not.
        let is_whole = |tail: &IndexTail| {
            tail.group_id == self.identity.group_id
                && (self.first_index()..=self.last_index() + 1).contains(&tail.end.next_index)
        };
        let Some(IndexTail { producers: Some(producers), end, .. }) = deleted.filter(is_whole)
        else {
            return Ok(None);
        };
        let number = self.segment_of_index(end.next_index);
        Ok(Some(Snapshot { producers, number, position: HEADER_BYTES, offset: end.end_offset }))
    }

    /// Visits the batches behind a snapshot, headers only, to the end of segment `last`. Damaged parts are passed over.
    fn visit(
        &self,
        snapshot: &Snapshot,
        last: usize,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<States, LogError> {
        let (mut from, mut states) = (u64::from(snapshot.position), States::new());
        for number in snapshot.number..=last {
            let segment = self.open_segment(number)?;
            let (file, end) = (segment.file.as_ref(), u64::from(segment.end.size));
            if from < end {
                let mut walker = Walker::new(file, Depth::Headers, from, end, i32::MAX as u32);
                while let Step::Frame { header, .. } =
                    walker.step().map_err(at("read", segment.path))?
                {
                    if let FrameHeader::Data(batch) = &header
                        && batch.base_offset as u64 >= snapshot.offset
                    {
                        visitor.batch(batch);
                    }
                }
            }
            if self.sealed.get(number).is_some_and(|sealed| self.flush.is_waiting(sealed)) {
                states.insert(number, visitor.encode());
            }
            from = u64::from(HEADER_BYTES);
        }
        Ok(states)
    }

    fn segment_start(&self, number: usize) -> crate::segment::SegmentStart {
        self.sealed.get(number).map_or(self.active.start, |sealed| sealed.start)
    }
}
