//! Which segments retention removes, and their deletion.

use crate::disk::{Disk, OpenMode};
use crate::error::is_no_space;
use crate::index;
use crate::log::PartitionLog;
use crate::marks;
use crate::segment::SealedSegment;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What retention would do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Propose SetLogStart to this offset; after its commit `set_log_start` and `delete_segments_below`.
    pub new_log_start: u64,
    /// The active segment goes too: roll first.
    pub roll_first: bool,
}

/// Files of segments that left the log.
pub struct DeleteJob {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Oldest first.
    segments: VecDeque<Arc<SealedSegment>>,
    log_start: u64,
    /// The segment that is the oldest now: its header says where offsets and indexes are.
    oldest: PathBuf,
}

/// One segment as retention sees it.
struct Candidate {
    bytes: u64,
    end_offset: u64,
    /// `None`: no record has a time, and the disk does not tell.
    newest_ms: Option<i64>,
}

impl PartitionLog {
    /// What retention would remove now, as Kafka decides: whole segments from the oldest, below the high watermark, by time
    /// (largest timestamp; the time of the last write when no record has one) and by size (as long as what stays is not
    /// smaller than the limit). -1 = no limit. Asks the disk for the time of a segment without timestamps.
    pub fn retention_candidates(
        &self,
        now_ms: i64,
        retention_ms: i64,
        retention_bytes: i64,
        high_watermark: u64,
    ) -> Option<RetentionPlan> {
        let old = |segment: &Candidate| {
            let age_ms = segment.newest_ms.map(|newest_ms| now_ms.saturating_sub(newest_ms));
            retention_ms >= 0 && age_ms.is_some_and(|age_ms| age_ms > retention_ms)
        };
        let mut excess = match u64::try_from(retention_bytes) {
            Ok(limit) => self.size_bytes().saturating_sub(limit),
            Err(_) => 0,
        };
        let mut plan = None;
        // By time and by size are two passes in Kafka; the oldest segments go in both, so the longer one decides.
        let mut by_time = true;
        for number in 0..=self.sealed.len() {
            let segment = self.candidate(number);
            let is_active = number == self.sealed.len();
            if segment.end_offset > high_watermark || (is_active && !self.active.has_data()) {
                break;
            }
            by_time = by_time && old(&segment);
            let by_size = retention_bytes >= 0 && excess >= segment.bytes && excess > 0;
            if !by_time && !by_size {
                break;
            }
            excess = excess.saturating_sub(segment.bytes);
            plan = Some(RetentionPlan { new_log_start: segment.end_offset, roll_first: is_active });
        }
        plan.filter(|plan| {
            plan.new_log_start > self.log_start || self.has_deletable() || self.waits_to_delete()
        })
    }

    fn candidate(&self, number: usize) -> Candidate {
        let (end, next_offset) = match self.sealed.get(number) {
            Some(sealed) => {
                let next = self.sealed.get(number + 1).map_or(&self.active.start, |s| &s.start);
                (sealed.end, next.base_offset)
            }
            None => (self.active.end, self.active.end.end_offset),
        };
        let written = || {
            let segment = self.open_segment(number).ok()?;
            segment.file.modified_ms().ok()
        };
        let told = Some(end.max_timestamp).filter(|&timestamp| timestamp >= 0);
        let newest_ms = told.or_else(written);
        Candidate { bytes: u64::from(end.size), end_offset: next_offset, newest_ms }
    }

    /// Whether whole sealed segments lie below the durable log start.
    pub fn has_deletable(&self) -> bool {
        self.count_deletable() > 0
    }

    /// Whether such would lie below it after a flush.
    pub fn waits_to_delete(&self) -> bool {
        !self.has_deletable() && self.count_below(self.log_start) > 0
    }

    /// Not those that wait for their sync: their producer state is in the index that is written after it.
    fn count_deletable(&self) -> usize {
        let count = self.count_below(self.durable_start.offset());
        self.sealed[..count].iter().take_while(|segment| !self.flush.is_waiting(segment)).count()
    }

    /// How many segments end at or below an offset.
    fn count_below(&self, offset: u64) -> usize {
        let ends = |number: usize| {
            self.sealed.get(number + 1).map_or(&self.active.start, |s| &s.start).base_offset
        };
        (0..self.sealed.len()).take_while(|&number| ends(number) <= offset).count()
    }

    /// Takes the segments wholly below the durable log start out of the log; the job unlinks them without the lock. They are
    /// durable themselves: a recovery that found one of them torn, before the log start is on the disk, would cut the log there.
    pub fn delete_segments_below(&mut self) -> Option<DeleteJob> {
        let log_start = self.durable_start.offset();
        let count = self.count_deletable();
        if count == 0 {
            return None;
        }
        let segments: VecDeque<_> = self.sealed.drain(..count).collect();
        self.sealed_bytes -= segments.iter().map(|it| u64::from(it.end.size)).sum::<u64>();
        let first = self.first_index();
        self.epochs.drop_below(first);
        self.version += 1;
        Some(DeleteJob {
            disk: self.disk.clone(),
            dir: self.dir.clone(),
            segments,
            log_start,
            oldest: self.sealed.first().map_or(&self.active.path, |oldest| &oldest.path).clone(),
        })
    }
}

impl DeleteJob {
    /// Makes what stays and the log start durable, then unlinks the files: whatever dies, what is left below the log start
    /// is known not to belong to the log. Where a full disk has no space for that, the oldest goes first, durably, until it
    /// has. Handles that are still open stay readable. After an error of a full disk what is left can be tried again; another
    /// one takes the log directory off-line.
    pub fn run(&mut self) -> io::Result<()> {
        match self.remove_all() {
            // The folder was renamed: the topic was deleted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Takes over what a later job was to remove.
    pub fn join(&mut self, later: DeleteJob) {
        self.segments.extend(later.segments);
        (self.log_start, self.oldest) = (later.log_start, later.oldest);
    }

    fn remove_all(&mut self) -> io::Result<()> {
        // By a handle of its own: an error of the disk is told to each handle once, and the flusher must not miss it.
        self.disk.open(&self.oldest, OpenMode::Read)?.sync_data()?;
        // Its name too, before the log start may reach the disk.
        self.disk.sync_dir(&self.dir)?;
        let mut is_marked = self.mark()?;
        while let Some(segment) = self.segments.front() {
            index::keep_deleted(self.disk.as_ref(), &segment.path)?;
            let (_, times) = index::paths(&segment.path);
            remove(self.disk.as_ref(), &segment.path)?;
            remove(self.disk.as_ref(), &times)?;
            if !is_marked {
                // Nothing tells a recovery that it is removed but that neither it is there nor what was before it.
                self.disk.sync_dir(&self.dir)?;
            }
            self.segments.pop_front();
            is_marked = is_marked || self.mark()?;
        }
        Ok(())
    }

    /// Makes the log start durable and says so, unless the disk is full.
    fn mark(&self) -> io::Result<bool> {
        match marks::write(self.disk.as_ref(), &self.dir, marks::LOG_START, self.log_start) {
            Err(error) if !is_no_space(&error) => Err(error),
            written => Ok(written.is_ok()),
        }
    }
}

fn remove(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
