//! What must be synced, taken out under the lock and done without it.

use crate::checkpoint::LogPoint;
use crate::descriptors::Unsynced;
use crate::disk::{Disk, File};
use crate::error::{LogError, at};
use crate::index;
use crate::log::PartitionLog;
use crate::segment::SealedSegment;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A disk that takes a gigabyte a second is busy with so much for some milliseconds.
const PIECE_BYTES: u64 = 4 << 20;
/// How often what was appended meanwhile is written in pieces as well: it is less each time, unless the disk is behind.
const ROUNDS: usize = 4;

/// A sealed segment that is not durable yet, and the producer state at its end.
struct Sealing {
    segment: Arc<SealedSegment>,
    /// What it was written by, so that an error of the writeback is told to whoever syncs it; `None` if that was an earlier
    /// process.
    file: Option<Arc<Unsynced>>,
    producers: Option<Arc<Vec<u8>>>,
}

/// What of a log is durable.
#[derive(Default)]
pub(crate) struct FlushState {
    flushed: LogPoint,
    sealing: Vec<Sealing>,
    /// The folder has names that were not synced.
    folder: bool,
    job_out: bool,
    /// Rises with every truncation: what a job of before synced may not be what is there now.
    truncations: u64,
}

/// Files and folders of one log to make durable. Runs without the lock, on a thread that may wait.
pub struct FlushJob {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    group_id: u64,
    sealing: Vec<Sealing>,
    folder: bool,
    active: Arc<dyn File>,
    active_path: PathBuf,
    up_to: LogPoint,
    truncations: u64,
}

/// Outcome of a [`FlushJob`], to be given to [`PartitionLog::flushed`].
pub struct Flushed {
    up_to: LogPoint,
    truncations: u64,
    /// Next index after the last sealed segment of the job.
    sealed_below: u64,
    /// The folder was to be synced.
    folder: bool,
    outcome: Result<Done, LogError>,
}

impl Flushed {
    /// It was not to go on, and says nothing of how long a sync takes.
    pub fn is_left_off(&self) -> bool {
        matches!(self.outcome, Ok(Done::LeftOff))
    }

    /// A sync failed: what it had to write may be gone, whoever asks next.
    pub fn is_failed_sync(&self) -> bool {
        self.outcome.as_ref().is_err_and(LogError::is_failed_sync)
    }
}

/// What has become of a job without an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    All,
    /// It was not to go on. Nothing counts as durable that did not before.
    LeftOff,
}

impl FlushState {
    /// Everything up to `point` is durable, and nothing else is there.
    pub fn all_durable(&mut self, point: LogPoint) {
        self.flushed = point;
        self.sealing.clear();
        self.folder = false;
    }

    /// What recovery found: durable up to `point`; the names of what is there may not be, unless it is as it was when that
    /// was flushed.
    pub fn found(&mut self, point: LogPoint, is_as_it_was: bool) {
        self.flushed = point;
        self.folder = !is_as_it_was;
    }

    /// Whether no sealed segment waits for its sync.
    pub fn is_nothing_sealed(&self) -> bool {
        self.sealing.iter().all(|sealing| sealing.segment.is_removed())
    }

    /// Whether a sealed segment waits for its sync.
    pub fn is_waiting(&self, segment: &Arc<SealedSegment>) -> bool {
        self.sealing.iter().any(|sealing| Arc::ptr_eq(&sealing.segment, segment))
    }

    /// The producer state at the end of a segment that recovery found without an index.
    pub fn set_producers(&mut self, segment: &Arc<SealedSegment>, producers: Vec<u8>) {
        let is_it = |sealing: &&mut Sealing| Arc::ptr_eq(&sealing.segment, segment);
        if let Some(sealing) = self.sealing.iter_mut().find(is_it) {
            sealing.producers = Some(Arc::new(producers));
        }
    }

    /// A segment was sealed and a new file begun.
    pub fn rolled(
        &mut self,
        segment: Arc<SealedSegment>,
        file: Option<Arc<Unsynced>>,
        producers: Option<Vec<u8>>,
    ) {
        self.forget_removed();
        self.sealing.push(Sealing { segment, file, producers: producers.map(Arc::new) });
        self.folder = true;
    }

    /// A file was, or is about to be, made or removed: the names in the folder are not durable as they are.
    pub fn names_changed(&mut self) {
        self.folder = true;
    }

    /// The log was cut, durably, at `end`, in a segment that begins at `base_index`: older ones still wait for their sync.
    pub fn truncated(&mut self, end: LogPoint, base_index: u64) {
        self.truncations += 1;
        self.sealing.retain(|sealing| sealing.segment.end.next_index <= base_index);
        let is_beyond = self.flushed.index > end.index
            || self.flushed.segment == end.segment && self.flushed.position > end.position;
        if self.sealing.is_empty() {
            self.all_durable(end);
        } else if is_beyond {
            // As after an opening: what recovery found is durable, although some of it waits for an index.
            self.flushed = end;
        }
    }

    /// Durable up to here.
    pub fn point(&self) -> LogPoint {
        self.flushed
    }

    /// Segments that end at or below an index need no sync any more.
    fn forget_below(&mut self, index: u64) {
        self.sealing.retain(|sealing| sealing.segment.end.next_index > index);
    }

    fn forget_removed(&mut self) {
        self.sealing.retain(|sealing| !sealing.segment.is_removed());
    }
}

impl PartitionLog {
    /// What has been written and not synced: files and folders, for a thread that may wait. `None` when all is durable or
    /// a job of this log is still out.
    pub fn flush_job(&mut self) -> Option<FlushJob> {
        if self.flush.job_out || self.is_all_synced() {
            return None;
        }
        self.flush.job_out = true;
        self.flush.forget_removed();
        let up_to = self.active.point();
        self.all_started();
        let state = &mut self.flush;
        let copy = |sealing: &Sealing| Sealing {
            segment: sealing.segment.clone(),
            file: sealing.file.clone(),
            producers: sealing.producers.clone(),
        };
        Some(FlushJob {
            disk: self.disk.clone(),
            dir: self.dir.clone(),
            group_id: self.identity.group_id,
            sealing: state.sealing.iter().map(copy).collect(),
            folder: std::mem::take(&mut state.folder),
            active: self.active.file.clone(),
            active_path: self.active.path.clone(),
            up_to,
            truncations: state.truncations,
        })
    }

    /// Whether the outcome of a job is still to come.
    pub fn is_flush_out(&self) -> bool {
        self.flush.job_out
    }

    /// Takes the outcome of a job. An error means that the log directory must go off-line: a failed fsync is never repeated.
    /// Unless no more files may be open: then what was not opened is synced by the next job.
    pub fn flushed(&mut self, done: Flushed) -> Result<(), LogError> {
        let state = &mut self.flush;
        state.job_out = false;
        match done.outcome {
            Ok(Done::All) => {}
            Ok(Done::LeftOff) => {
                state.folder |= done.folder;
                return Ok(());
            }
            Err(error) => {
                state.folder |= done.folder;
                return Err(error);
            }
        }
        // What a truncation removed meanwhile was made durable by the truncation itself.
        if done.truncations == state.truncations {
            state.flushed = done.up_to;
            state.forget_below(done.sealed_below);
            self.version += 1;
            self.note_log_start();
        }
        Ok(())
    }

    /// Everything is durable, names too, and no job is out that may hear otherwise.
    pub fn is_durable(&self) -> bool {
        self.is_all_synced() && !self.flush.job_out
    }

    fn is_all_synced(&self) -> bool {
        let state = &self.flush;
        state.flushed == self.active.point() && state.is_nothing_sealed() && !state.folder
    }

    /// Every entry at or below is durable, its file's directory entry included.
    pub fn flushed_index(&self) -> u64 {
        self.flush.flushed.index
    }

    /// Written bytes that no finished flush covers.
    pub fn unflushed_bytes(&self) -> u64 {
        let sealing = self.flush.sealing.iter().filter(|sealing| !sealing.segment.is_removed());
        let sealing = sealing.map(|sealing| u64::from(sealing.segment.end.size));
        let flushed = self.flush.flushed;
        let done = if flushed.segment == self.active.start.base_offset {
            u64::from(flushed.position)
        } else {
            0
        };
        sealing.sum::<u64>() + u64::from(self.active.end.size) - done
    }

    /// The end of the log as a place.
    pub(crate) fn end_point(&self) -> LogPoint {
        self.active.point()
    }
}

impl FlushJob {
    /// Syncs the active file, before it has grown much, then the sealed ones, oldest first, then the folder, then writes the
    /// index files of sealed segments. Waits for the disk.
    pub fn run(self) -> Flushed {
        self.run_by(|file, _| file.sync_data().map(|()| Done::All), true)
    }

    /// As [`FlushJob::run`], written in pieces, each of which it waits for: others that sync find a short queue at the disk.
    /// Before each it asks whether it may go on; an answer of no leaves it off.
    pub fn run_while(self, may_go_on: impl Fn() -> bool) -> Flushed {
        let in_pieces = |file: &dyn File, size: u32| {
            let (mut written, mut end) = (0, u64::from(size));
            for _ in 0..ROUNDS {
                while written < end {
                    if !may_go_on() {
                        return Ok(Done::LeftOff);
                    }
                    let piece = PIECE_BYTES.min(end - written);
                    file.write_back(written, piece)?;
                    written += piece;
                }
                // An active file has grown meanwhile.
                end = file.len()?;
                if end < written + PIECE_BYTES {
                    break;
                }
            }
            file.sync_data().map(|()| Done::All)
        };
        self.run_by(in_pieces, true)
    }

    /// As [`FlushJob::run`], after the whole file system was synced since the job was made ([`Disk::sync_all`]): the files are
    /// only asked for errors.
    pub fn run_synced(self) -> Flushed {
        self.run_by(|file, _| file.check_written().map(|()| Done::All), false)
    }

    /// `sync` is given a file and how much of it there is to sync.
    fn run_by(
        self,
        sync: impl Fn(&dyn File, u32) -> io::Result<Done>,
        needs_names: bool,
    ) -> Flushed {
        let outcome = self.sync(sync, needs_names).and_then(|done| match done {
            Done::All => self.write_indexes().map(|()| done),
            Done::LeftOff => Ok(done),
        });
        Flushed {
            up_to: self.up_to,
            truncations: self.truncations,
            sealed_below: self.sealing.last().map_or(0, |last| last.segment.end.next_index),
            folder: self.folder,
            outcome,
        }
    }

    fn sync(
        &self,
        sync: impl Fn(&dyn File, u32) -> io::Result<Done>,
        needs_names: bool,
    ) -> Result<Done, LogError> {
        let of_active = sync(self.active.as_ref(), self.up_to.position);
        if of_active.map_err(at("sync", &self.active_path))? == Done::LeftOff {
            return Ok(Done::LeftOff);
        }
        for sealing in self.sealing.iter().filter(|sealing| !sealing.segment.is_removed()) {
            let path = &sealing.segment.path;
            let file = match &sealing.file {
                Some(unsynced) => Ok(unsynced.file.clone()),
                None => sealing.segment.open_to_write(),
            };
            match file.and_then(|file| {
                sealing.segment.trim(file.as_ref());
                sync(file.as_ref(), sealing.segment.end.size)
            }) {
                Ok(Done::All) => {}
                Ok(Done::LeftOff) => return Ok(Done::LeftOff),
                // A cut was faster: nothing is left to be durable.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(at("sync", path)(error)),
            }
        }
        if self.folder && needs_names {
            match self.disk.sync_dir(&self.dir) {
                // Renamed: the topic was deleted.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other.map_err(at("sync", &self.dir))?,
            }
        }
        Ok(Done::All)
    }

    fn write_indexes(&self) -> Result<(), LogError> {
        let left = self.sealing.iter().filter(|sealing| !sealing.segment.is_removed());
        for Sealing { segment, producers, .. } in left {
            let Ok(maps) = segment.maps() else { continue };
            let (disk, start, end) = (self.disk.as_ref(), &segment.start, &segment.end);
            let producers = producers.as_ref().map(|bytes| bytes.as_slice());
            let written =
                index::write(disk, &segment.path, self.group_id, start, end, &maps, producers);
            // An index can be rebuilt: on a full disk it is, at the next start.
            match written {
                Err(error)
                    if !crate::is_no_space(&error) && error.kind() != io::ErrorKind::NotFound =>
                {
                    return Err(at("write index of", &segment.path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
