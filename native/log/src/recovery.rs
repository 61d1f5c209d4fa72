//! Opening a log: what is believed, what is cut as a torn tail, what is damage.
//!
//! A place is *claimed* when it is known that everything before it must be there: the checkpoint's written place if nothing
//! can be lost (same boot, or a clean stop), else its flushed place; of a segment with a whole `.index` its end. What is
//! missing or bad below a claim is damage, and stays. Above it, it is a torn tail if
//! - nothing can be lost: nothing valid follows, and it may be the last write of one turn of the last segment;
//! - else: always. Pages reach the disk in any order, so valid frames may follow; they are set aside first.

use crate::checkpoint::{LogPoint, PartitionCheckpoint};
use crate::disk::{Disk, OpenMode};
use crate::entry::EntryKind;
use crate::epochs::EpochTable;
use crate::error::{LogError, at};
use crate::hard_state::HardState;
use crate::identity;
use crate::log::PartitionLog;
use crate::marks;
use crate::options::{LogIdentity, LogOptions};
use crate::recover_segment::{Loaded, Loader};
use crate::ring::EntryRing;
use crate::segment::{
    ActiveSegment, HEADER_BYTES, SealedSegment, SegmentEnd, SegmentStart, file_name, parse_name,
};
use crate::truncate;
use ms_wire::batch::BatchHeader;
use ms_wire::frame;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What opening needs.
pub struct OpenLog<'a> {
    pub disk: Arc<dyn Disk>,
    pub dir: &'a Path,
    pub identity: LogIdentity,
    pub options: LogOptions,
    /// This partition's part of the checkpoint file, if any.
    pub checkpoint: Option<&'a PartitionCheckpoint>,
    /// Nothing written can be lost: the same boot of the operating system, or a clean stop.
    pub same_boot: bool,
    /// The group's last hard state, for its commit index.
    pub hard_state: Option<HardState>,
    /// fsync mode: sync what is found before it is counted as persisted.
    pub sync_on_open: bool,
    pub now_ms: i64,
}

/// Rebuilds the producer state while a log is read.
pub trait BatchVisitor {
    /// Called once, before the batches: the newest snapshot that the log holds, empty if it holds none.
    fn snapshot(&mut self, producers: &[u8]);
    /// A data frame behind the snapshot, in order.
    fn batch(&mut self, header: &BatchHeader);
}

/// A part of a segment that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Base offset of the segment.
    pub segment: u64,
    /// Where in the file it begins.
    pub position: u64,
    /// First offset that cannot be read.
    pub from_offset: u64,
    /// First offset after it that can.
    pub to_offset: u64,
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes cut as a torn tail.
    pub cut_bytes: u64,
    /// Files set aside (`….cut`) before something that may be valid was cut.
    pub set_aside: Vec<PathBuf>,
    /// Damage found: to be reported; reads there answer a storage error.
    pub damage: Vec<Damage>,
    /// Index files to be written again (by the next flush job).
    pub rebuilt_indexes: u32,
    /// What Raft is told: min(hard state's commit, last index). Beyond damage everything counts as committed: its entries
    /// cannot be given to anyone any more.
    pub commit: u64,
    /// The hard state knew of a higher commit: so many entries are provably lost.
    pub lost_committed: u64,
    /// Bytes of frames whose CRC was checked.
    pub checked_bytes: u64,
}

impl PartitionLog {
    /// Opens what is in the folder by the recovery rules; `visitor` gets the producer snapshot and every batch behind it. A
    /// folder without metadata and segments, left by a creation that was cut short, becomes an empty log. Waits for the
    /// disk.
    pub fn open(
        how: OpenLog<'_>,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<(PartitionLog, Recovery), LogError> {
        let found = identity::read_identity(how.disk.as_ref(), how.dir)?;
        if found.is_some_and(|found| found != how.identity) {
            return Err(LogError::WrongIdentity { path: how.dir.to_path_buf() });
        }
        let disk = how.disk.as_ref();
        let log_start = marks::read(disk, how.dir, marks::LOG_START, 0)?.unwrap_or(0);
        let mut segments = list_segments(disk, how.dir, log_start)?;
        drop_unborn(disk, how.dir, &mut segments)?;
        if found.is_none() {
            if segments.is_empty() {
                visitor.snapshot(&[]);
                let log =
                    PartitionLog::create(how.disk, how.dir, how.identity, how.options, how.now_ms)?;
                return Ok((log, Recovery::default()));
            }
            // Whose they are is in the segment headers too, and checked there.
            identity::write(how.disk.as_ref(), how.dir, &how.identity)?;
        }
        let truncations = truncate::read_count(how.disk.as_ref(), how.dir)?;
        let checkpoint = how.checkpoint.filter(|found| {
            found.group_id == how.identity.group_id && found.truncations == truncations
        });
        let mut opening = Opening::new(&how, checkpoint, truncations, log_start);
        for (number, base_offset) in segments.iter().enumerate() {
            opening.add(*base_offset, number + 1 == segments.len())?;
        }
        let (log, report) = opening.finish()?;
        log.replay(checkpoint, visitor)?;
        Ok((log, report))
    }
}

/// Base offsets of the segments, ascending. Removes what an interrupted write or deletion left: temporary files, segments
/// wholly below the log start, index files without a segment.
fn list_segments(disk: &dyn Disk, dir: &Path, log_start: u64) -> Result<Vec<u64>, LogError> {
    let names = disk.list_dir(dir).map_err(at("list", dir))?;
    let mut segments: Vec<u64> =
        names.iter().filter_map(|entry| parse_name(&entry.name, "log")).collect();
    segments.sort_unstable();
    let deleted = segments.partition_point(|&base| base <= log_start).saturating_sub(1);
    let mut swept = deleted > 0;
    for base in segments.drain(..deleted) {
        let path = dir.join(file_name(base, "log"));
        disk.remove_file(&path).map_err(at("remove", &path))?;
    }
    for entry in names {
        let of = parse_name(&entry.name, "index").or(parse_name(&entry.name, "timeindex"));
        let orphan = of.is_some_and(|base| segments.binary_search(&base).is_err());
        if orphan || entry.name.ends_with(".tmp") {
            let path = dir.join(&entry.name);
            disk.remove_file(&path).map_err(at("remove", &path))?;
            swept = true;
        }
    }
    // An index must not come back beside a new segment of the same name.
    if swept {
        disk.sync_dir(dir).map_err(at("sync", dir))?;
    }
    Ok(segments)
}

/// Removes newest segments that are too short for a header: their creation was cut short, and they hold nothing.
fn drop_unborn(disk: &dyn Disk, dir: &Path, segments: &mut Vec<u64>) -> Result<(), LogError> {
    while let [_, .., base] = segments[..] {
        let path = dir.join(file_name(base, "log"));
        let file = disk.open(&path, OpenMode::Read).map_err(at("open", &path))?;
        if file.len().map_err(at("look at", &path))? >= u64::from(HEADER_BYTES) {
            return Ok(());
        }
        disk.remove_file(&path).map_err(at("remove", &path))?;
        segments.pop();
    }
    Ok(())
}

/// A log on its way: segments are added oldest first.
struct Opening<'a> {
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
    /// The largest log start that is known, before the log was read.
    log_start: u64,
    /// The least that follows damage.
    resume: SegmentStart,
}

impl<'a> Opening<'a> {
    fn new(
        how: &'a OpenLog<'a>,
        checkpoint: Option<&'a PartitionCheckpoint>,
        truncations: u64,
        log_start: u64,
    ) -> Opening<'a> {
        let claim = match checkpoint {
            Some(found) if how.same_boot => found.written,
            Some(found) => found.flushed,
            None => LogPoint::default(),
        };
        let resume = SegmentStart {
            base_offset: claim.offset,
            base_index: claim.index + 1,
            prev_term: claim.term,
        };
        Opening {
            how,
            checkpoint,
            loader: Loader { how, checkpoint, claim },
            report: Recovery::default(),
            sealed: Vec::new(),
            unsealed: Vec::new(),
            active: None,
            epochs: checkpoint.map(|found| found.epochs.clone()).unwrap_or_default(),
            ring: EntryRing::new(1),
            end: None,
            gap: false,
            cut: false,
            truncations,
            is_counted: false,
            log_start: log_start.max(checkpoint.map_or(0, |found| found.log_start)),
            resume,
        }
    }

    fn add(&mut self, base_offset: u64, is_last: bool) -> Result<(), LogError> {
        if self.cut {
            return self.set_aside(base_offset);
        }
        let (previous, mut ring) = (self.end, EntryRing::new(1));
        let loaded = self.loader.load(base_offset, is_last, previous.as_ref(), &mut ring)?;
        if !self.continues(&loaded, base_offset)? {
            return Ok(());
        }
        self.seal_last();
        self.ring = ring;
        self.report.checked_bytes += loaded.checked_bytes();
        self.end = Some(*loaded.end());
        self.note_epochs(&loaded);
        match loaded {
            Loaded::Trusted(segment) => self.sealed.push(Arc::new(segment)),
            Loaded::Whole { segment, .. } => self.active = Some(segment),
            Loaded::Torn { segment, tail, .. } => {
                self.count_truncation()?;
                self.cut = true;
                self.active = Some(self.loader.cut(segment, &tail, &mut self.report)?);
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
                self.sealed.push(Arc::new(segment.seal(&self.how.disk)));
            }
        }
        Ok(())
    }

    /// What was the last segment so far is not.
    fn seal_last(&mut self) {
        if let Some(segment) = self.active.take() {
            self.report.rebuilt_indexes += 1;
            let sealed = Arc::new(segment.seal(&self.how.disk));
            self.unsealed.push(sealed.clone());
            self.sealed.push(sealed);
        }
    }

    /// Whether a segment goes on where the one before ended. A hole that damage explains is closed; another one is damage
    /// below the claim, and above it the end of the log.
    fn continues(&mut self, loaded: &Loaded, base_offset: u64) -> Result<bool, LogError> {
        let (start, Some(end)) = (loaded.start(), self.end) else { return Ok(true) };
        let fits = start.base_offset == end.end_offset
            && start.base_index == end.next_index
            && start.prev_term == end.last_term;
        if fits && !self.gap {
            return Ok(true);
        }
        if start.base_offset < end.end_offset || start.base_index < end.next_index {
            self.set_aside(base_offset)?;
            return Ok(false);
        }
        let claimed = base_offset <= self.loader.claim.segment || self.how.same_boot;
        if !self.gap && !claimed && !matches!(loaded, Loaded::Trusted(_)) {
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

    /// The checkpoint claims more than there will be: from now on it says nothing.
    fn count_truncation(&mut self) -> Result<(), LogError> {
        if !self.is_counted {
            truncate::write_count(self.how.disk.as_ref(), self.how.dir, self.truncations + 1)?;
            self.truncations += 1;
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

    fn note_epochs(&mut self, loaded: &Loaded) {
        let (start, controls) = (loaded.start(), loaded.controls());
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

    fn finish(mut self) -> Result<(PartitionLog, Recovery), LogError> {
        let how = self.how;
        // The last segment that was found is the one that grows, unless it is damaged or was set aside.
        let active = match self.active.take() {
            Some(active) if !self.loader.is_short(&active) => active,
            Some(active) => self.give_up(active)?,
            None => self.next_segment()?,
        };
        let active = self.not_below_log_start(active)?;
        let last = active.end.next_index - 1;
        if self.checkpoint.is_some_and(|found| found.written.index > last) {
            self.count_truncation()?;
        }
        let mut log =
            PartitionLog::from_parts(how.disk.clone(), how.dir, how.identity, how.options, active);
        self.epochs.truncate_from(last + 1);
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
        log.ring.need_from(self.report.commit + 1);
        for segment in self.unsealed {
            log.flush.rolled(segment, None);
        }
        // After a crash of the system what can be read is what is on the disk.
        let durable = match self.checkpoint {
            _ if !how.same_boot => log.end_point(),
            Some(found) => found.flushed,
            None => LogPoint::default(),
        };
        log.flush.found(durable);
        if how.sync_on_open
            && let Some(job) = log.flush_job()
        {
            log.flushed(job.run())?;
        }
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
        let next = ActiveSegment::create(disk, how.dir, start, &how.identity, None, how.now_ms)?;
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

    /// The last segment ends below the claim: it is kept as it is, and the log goes on behind the claim.
    fn give_up(&mut self, active: ActiveSegment) -> Result<ActiveSegment, LogError> {
        self.report.damage.push(Damage {
            segment: active.start.base_offset,
            position: u64::from(active.end.size),
            from_offset: active.end.end_offset,
            to_offset: self.loader.claim.offset,
        });
        (self.end, self.gap) = (Some(active.end), true);
        self.sealed.push(Arc::new(active.seal(&self.how.disk)));
        self.next_segment()
    }

    /// A new segment behind everything that was found or is claimed.
    fn next_segment(&mut self) -> Result<ActiveSegment, LogError> {
        let end = self.end;
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
        self.close_gap(start.base_offset);
        let (how, reserve) = (self.how, None);
        let disk = how.disk.as_ref();
        self.ring = EntryRing::new(start.base_index);
        ActiveSegment::create(disk, how.dir, start, &how.identity, reserve, how.now_ms)
    }
}

impl PartitionLog {
    /// The offset in the newest committed SetLogStart that is still in the log, or 0.
    fn committed_log_start(&self, commit: u64) -> Result<u64, LogError> {
        for number in (0..=self.sealed.len()).rev() {
            let controls = match self.sealed.get(number) {
                Some(sealed) => &sealed.controls,
                None => &self.active.maps.controls,
            };
            let newest = controls
                .iter()
                .rev()
                .find(|frame| frame.kind == EntryKind::SetLogStart && frame.index <= commit);
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

/// An error of the disk that means "there is no such file".
pub(crate) fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
