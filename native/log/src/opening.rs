//! Puts a log together from its segments, oldest first.

use crate::checkpoint::{LogPoint, PartitionCheckpoint};
use crate::entry::EntryKind;
use crate::epochs::{Epoch, EpochTable};
use crate::error::{LogError, at};
use crate::log::PartitionLog;
use crate::log_start::DurableStart;
use crate::maps::ControlFrame;
use crate::marks;
use crate::recover_segment::{Loaded, Loader};
use crate::recovery::{Damage, OpenLog, Recovery};
use crate::ring::EntryRing;
use crate::segment::{
    ActiveSegment, BEHIND_DAMAGE, INDEX_END, SealedSegment, SegmentEnd, SegmentStart,
};
use crate::truncate;
use ms_wire::frame;
use std::sync::Arc;

/// A log on its way: segments are added oldest first.
pub(crate) struct Opening<'a> {
    how: &'a OpenLog<'a>,
    checkpoint: Option<&'a PartitionCheckpoint>,
    loader: Loader<'a>,
    report: Recovery,
    sealed: Vec<Arc<SealedSegment>>,
    /// Sealed segments whose index must be written.
    unsealed: Vec<Arc<SealedSegment>>,
    active: Option<ActiveSegment>,
    epochs: EpochTable,
    ring: EntryRing,
    /// Readable end of what was added, and whether damage lies behind it.
    end: Option<SegmentEnd>,
    gap: bool,
    /// A torn tail was cut: what comes later is set aside.
    cut: bool,
    /// Truncations so far, and whether this one was counted.
    truncations: u64,
    is_counted: bool,
    /// What is claimed whatever died.
    durable: LogPoint,
    /// The largest log start that is known, before the log was read.
    log_start: u64,
    /// The least that follows damage.
    resume: SegmentStart,
}

impl<'a> Opening<'a> {
    pub fn new(
        how: &'a OpenLog<'a>,
        checkpoint: Option<&'a PartitionCheckpoint>,
        (truncations, kept): (u64, LogPoint),
        log_start: u64,
        indexes: &'a [u64],
    ) -> Opening<'a> {
        let claim = match checkpoint {
            Some(found) if how.same_boot => found.written,
            Some(found) => found.flushed,
            None => kept,
        };
        let resume = SegmentStart {
            base_offset: claim.offset,
            base_index: claim.index.min(INDEX_END) + 1,
            prev_term: claim.term,
        };
        Opening {
            how,
            checkpoint,
            loader: Loader { how, checkpoint, claim, indexes },
            report: Recovery::default(),
            sealed: Vec::new(),
            unsealed: Vec::new(),
            active: None,
            epochs: EpochTable::default(),
            ring: EntryRing::new(1),
            end: None,
            gap: false,
            cut: false,
            truncations,
            is_counted: false,
            durable: checkpoint.map_or(kept, |found| found.flushed),
            log_start: log_start.max(checkpoint.map_or(0, |found| found.log_start)),
            resume,
        }
    }

    /// Adds a segment; `next` is the one behind it.
    pub fn add(&mut self, base_offset: u64, next: Option<u64>) -> Result<(), LogError> {
        if self.cut {
            return self.set_aside(base_offset);
        }
        let (previous, mut ring) = (self.end, EntryRing::new(1));
        let loaded = self.loader.load(base_offset, next, previous.as_ref(), &mut ring)?;
        let joins = !self.gap && previous.is_none_or(|end| end.joins(&loaded.start()));
        if !joins && !self.continues(&loaded, base_offset)? {
            return Ok(());
        }
        self.seal_last();
        self.ring = ring;
        self.report.checked_bytes += loaded.checked_bytes();
        self.note_epochs(&loaded);
        self.end = Some(*loaded.end());
        match loaded {
            Loaded::Trusted(segment) => self.sealed.push(Arc::new(segment)),
            Loaded::Whole { segment, .. } => self.active = Some(segment),
            Loaded::Torn { segment, tail, .. } => {
                self.count_truncation()?;
                self.cut = true;
                let flags = if joins { 0 } else { BEHIND_DAMAGE };
                self.active = Some(self.loader.cut(segment, &tail, flags, &mut self.report)?);
            }
            Loaded::Damaged { segment, tail, .. } => {
                self.report.damage.push(Damage {
                    segment: base_offset,
                    position: u64::from(segment.end.size),
                    from_offset: segment.end.end_offset,
                    to_offset: segment.end.end_offset,
                });
                self.gap = true;
                self.resume = tail.resume(&segment, self.resume);
                self.seal(segment);
            }
        }
        Ok(())
    }

    /// What was the last segment so far is not.
    fn seal_last(&mut self) {
        if let Some(segment) = self.active.take() {
            self.report.rebuilt_indexes += 1;
            let sealed = self.seal(segment);
            self.unsealed.push(sealed);
        }
    }

    fn seal(&mut self, segment: ActiveSegment) -> Arc<SealedSegment> {
        let sealed = Arc::new(segment.seal(&self.how.disk, &self.how.descriptors));
        self.sealed.push(sealed.clone());
        sealed
    }

    /// Whether a segment that does not join the one before belongs to the log. A hole that damage explains is closed;
    /// another one is damage below the claim, and above it the end of the log.
    fn continues(&mut self, loaded: &Loaded, base_offset: u64) -> Result<bool, LogError> {
        let (start, Some(end)) = (loaded.start(), self.end) else { return Ok(true) };
        if start.base_offset < end.end_offset || start.base_index < end.next_index {
            self.set_aside(base_offset)?;
            return Ok(false);
        }
        let claimed = self.gap
            || base_offset <= self.loader.claim.segment
            || self.how.same_boot
            || matches!(loaded, Loaded::Trusted(_))
            || self.loader.is_behind_damage(base_offset)?;
        if !claimed {
            self.cut = true;
            self.set_aside(base_offset)?;
            return Ok(false);
        }
        if !self.gap {
            self.report.damage.push(Damage {
                segment: self.last_start().map_or(base_offset, |last| last.base_offset),
                position: u64::from(end.size),
                from_offset: end.end_offset,
                to_offset: start.base_offset,
            });
        }
        self.close_gap(start.base_offset);
        Ok(true)
    }

    fn last_start(&self) -> Option<SegmentStart> {
        let active = self.active.as_ref().map(|active| active.start);
        active.or(self.sealed.last().map(|last| last.start))
    }

    /// What follows damage is known now.
    fn close_gap(&mut self, to_offset: u64) {
        if let Some(last) = self.report.damage.last_mut()
            && self.gap
        {
            last.to_offset = to_offset;
        }
        self.gap = false;
    }

    /// The checkpoint claims more than there will be: from now on it says nothing, but that what was durable still is.
    fn count_truncation(&mut self) -> Result<(), LogError> {
        if !self.is_counted {
            let (disk, dir) = (self.how.disk.as_ref(), self.how.dir);
            // It only has to be another one.
            self.truncations = self.truncations.wrapping_add(1);
            truncate::write_count(disk, dir, self.truncations, &self.durable)?;
            self.is_counted = true;
        }
        Ok(())
    }

    fn set_aside(&mut self, base_offset: u64) -> Result<(), LogError> {
        self.count_truncation()?;
        let path = self.loader.set_aside(base_offset)?;
        self.report.set_aside.push(path);
        Ok(())
    }

    /// The terms of a segment by its own frames: a checkpoint may know others, of frames that are lost, and lack those that were
    /// let go of and are back.
    fn note_epochs(&mut self, loaded: &Loaded) {
        let (start, controls) = (loaded.start(), loaded.controls());
        self.note_hole(&start);
        // Behind damage the header of the segment knows of terms whose frames cannot be read.
        if self.end.is_some_and(|end| !end.joins(&start)) && start.prev_term > 0 {
            self.epochs.note(start.prev_term, start.base_index - 1, start.base_offset);
        }
        let begins_term = controls
            .first()
            .is_some_and(|frame| frame.index == start.base_index && frame.term > start.prev_term);
        if start.prev_term > 0 && !begins_term {
            self.epochs.note(start.prev_term, start.base_index, start.base_offset);
        }
        for frame in controls {
            self.epochs.note(frame.term, frame.index, frame.base_offset);
        }
    }

    /// What is in front of a segment and cannot be read, or was deleted, only the checkpoint knows.
    fn note_hole(&mut self, start: &SegmentStart) {
        let from = self.end.map_or(0, |end| end.next_index);
        let known = self.checkpoint.map_or(&[][..], |found| found.epochs.list());
        let is_within = |epoch: &&Epoch| {
            (from..start.base_index).contains(&epoch.start_index)
                && epoch.start_offset <= start.base_offset
                && epoch.term <= start.prev_term
        };
        for epoch in known.iter().filter(is_within) {
            self.epochs.note(epoch.term, epoch.start_index, epoch.start_offset);
        }
    }

    /// The log, of which nothing was synced.
    pub fn finish(mut self) -> Result<(PartitionLog, Recovery), LogError> {
        let how = self.how;
        // The last segment that was found is the one that grows, unless it is damaged or was set aside.
        let active = match self.active.take() {
            Some(active) if !self.loader.is_short(&active.end) => active,
            Some(active) => {
                self.seal(active);
                self.next_segment()?
            }
            None => self.next_segment()?,
        };
        let active = self.not_below_log_start(active)?;
        let last = active.end.next_index - 1;
        // Of the same index, padding may be lost that the checkpoint claims: what is written there next is none.
        let is_beyond = |written: &LogPoint| {
            let (segment, size) = (active.start.base_offset, active.end.size);
            written.index > last || written.segment == segment && written.position > size
        };
        if self.checkpoint.is_some_and(|found| is_beyond(&found.written)) {
            self.count_truncation()?;
        }
        let (disk, descriptors) = (how.disk.clone(), how.descriptors.clone());
        let (dir, identity, options) = (how.dir, how.identity, how.options);
        let mut log = PartitionLog::from_parts(disk, descriptors, dir, identity, options, active);
        self.epochs.truncate_from(last + 1);
        // Behind damage the header of the segment knows of terms whose frames cannot be read.
        let SegmentEnd { last_term, end_offset, .. } = log.active.end;
        if !self.sealed.is_empty() && self.epochs.term_at_index(last) < Some(last_term) {
            self.epochs.truncate_from(last);
            self.epochs.note(last_term, last, end_offset);
        }
        log.sealed_bytes = self.sealed.iter().map(|sealed| u64::from(sealed.end.size)).sum();
        log.sealed = self.sealed;
        log.truncations = self.truncations;
        self.epochs.drop_below(log.first_index());
        log.epochs = self.epochs;
        if self.ring.next_index() == last + 1 {
            log.ring = self.ring;
        }
        let known = how.hard_state.map_or(0, |state| state.commit);
        self.report.lost_committed = known.saturating_sub(last);
        self.report.commit = known.min(last);
        if !self.report.damage.is_empty() {
            let readable = log.active.start.base_index - 1;
            self.report.commit = self.report.commit.max(readable.min(last));
        }
        let oldest =
            log.sealed.first().map_or(log.active.start.base_offset, |s| s.start.base_offset);
        let committed = log.committed_log_start(self.report.commit)?;
        log.log_start = oldest.max(self.log_start).max(committed).min(log.log_end_offset());
        // As far as it was made durable before, or, after a crash of the system, as it can be read.
        let found = if how.same_boot { oldest.max(self.log_start) } else { log.log_start };
        log.durable_start = DurableStart::new(found.min(log.log_start));
        log.ring.need_from(self.report.commit + 1);
        for segment in self.unsealed {
            log.flush.rolled(segment, None, None);
        }
        // After a crash of the system what can be read is what is on the disk.
        let durable = match self.checkpoint {
            _ if !how.same_boot => log.end_point(),
            Some(found) => found.flushed,
            None => LogPoint::default(),
        };
        let is_as_it_was = self.report.set_aside.is_empty()
            && !self.is_counted
            && self.checkpoint.is_some_and(|found| found.flushed == log.end_point());
        log.flush.found(durable, is_as_it_was && log.flush.is_nothing_sealed());
        log.note_log_start();
        Ok((log, self.report))
    }

    /// A log that lost its tail may end below its start. As in Kafka it then goes on at the log start, empty: what was
    /// deleted does not come back, and no offset is used twice.
    fn not_below_log_start(&mut self, active: ActiveSegment) -> Result<ActiveSegment, LogError> {
        if active.end.end_offset >= self.log_start {
            return Ok(active);
        }
        self.count_truncation()?;
        let (how, disk) = (self.how, self.how.disk.as_ref());
        let start = SegmentStart {
            base_offset: self.log_start,
            base_index: active.end.next_index,
            prev_term: active.end.last_term,
        };
        let next = ActiveSegment::create(disk, how.dir, start, &how.identity, 0, None, how.now_ms)?;
        next.file.sync_data().map_err(at("sync", &next.path))?;
        disk.sync_dir(how.dir).map_err(at("sync", how.dir))?;
        let mark = marks::LOG_START;
        marks::write(disk, how.dir, mark, self.log_start)
            .map_err(at("write", &how.dir.join(mark)))?;
        let older = self.sealed.drain(..).map(|sealed| sealed.path.clone());
        for path in older.chain([active.path]) {
            disk.remove_file(&path).map_err(at("remove", &path))?;
        }
        self.unsealed.clear();
        self.ring = EntryRing::new(start.base_index);
        Ok(next)
    }

    /// A new segment behind everything that was found or is claimed. What is claimed and was not found is damage.
    fn next_segment(&mut self) -> Result<ActiveSegment, LogError> {
        let end = self.end;
        if let Some((last, end)) = self.sealed.last().zip(end)
            && !self.gap
            && self.loader.is_short(&end)
        {
            self.report.damage.push(Damage {
                segment: last.start.base_offset,
                position: u64::from(end.size),
                from_offset: end.end_offset,
                to_offset: self.loader.claim.offset,
            });
            self.gap = true;
        }
        let mut start = self.resume;
        if let Some(end) = end {
            start.base_offset = start.base_offset.max(end.end_offset);
            start.base_index = start.base_index.max(end.next_index);
            start.prev_term = start.prev_term.max(end.last_term);
        }
        // A segment without a readable record would have the same name as its successor.
        if self.sealed.last().is_some_and(|last| last.start.base_offset == start.base_offset) {
            start.base_offset += 1;
        }
        let joins = !self.gap && end.is_none_or(|end| end.joins(&start));
        self.note_hole(&start);
        self.close_gap(start.base_offset);
        let (how, flags) = (self.how, if joins { 0 } else { BEHIND_DAMAGE });
        let (disk, identity) = (how.disk.as_ref(), &how.identity);
        self.ring = EntryRing::new(start.base_index);
        ActiveSegment::create(disk, how.dir, start, identity, flags, None, how.now_ms)
    }
}

impl PartitionLog {
    /// The offset in the newest committed SetLogStart that is still in the log, or 0.
    fn committed_log_start(&self, commit: u64) -> Result<u64, LogError> {
        for number in (0..=self.sealed.len()).rev() {
            let (controls, size) = match self.sealed.get(number) {
                Some(sealed) => (&sealed.controls, sealed.end.size),
                None => (&self.active.maps.controls, self.active.end.size),
            };
            let is_within = |frame: &ControlFrame| frame.position.saturating_add(frame.len) <= size;
            let newest = controls
                .iter()
                .rev()
                .find(|frame| frame.kind == EntryKind::SetLogStart && frame.index <= commit)
                .filter(|frame| is_within(frame));
            if let Some(control) = newest {
                let segment = self.open_segment(number)?;
                let mut bytes = vec![0; control.len as usize];
                let position = u64::from(control.position);
                crate::read_exact_at(segment.file.as_ref(), &mut bytes, position)
                    .map_err(at("read", segment.path))?;
                return Ok(frame::set_log_start_offset(&bytes).map_or(0, |offset| offset as u64));
            }
        }
        Ok(0)
    }
}
