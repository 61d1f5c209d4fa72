//! Opening a log: what is believed, what is cut as a torn tail, what is damage.
//!
//! A place is *claimed* when it is known that everything before it must be there: the checkpoint's written place if nothing
//! can be lost (same boot, or a clean stop), else its flushed place; that of the checkpoint before when the last recovery cut
//! something and no other was written since; of a segment with a whole `.index` its end. What is missing or bad below a claim
//! is damage, and stays. Above it, it is a torn tail if
//! - nothing can be lost: nothing valid follows, and it may be the last write of one turn of the last segment;
//! - else: always. Pages reach the disk in any order, so valid frames may follow; they are set aside first.
//!
//! Behind damage a new segment begins, and its header says so: a later opening, which may know less, decides the same.

use crate::checkpoint::PartitionCheckpoint;
use crate::descriptors::Descriptors;
use crate::disk::{DirEntry, Disk, OpenMode, read_exact_at};
use crate::error::{LogError, at};
use crate::hard_state::HardState;
use crate::identity;
use crate::index;
use crate::log::PartitionLog;
use crate::marks;
use crate::opening::Opening;
use crate::options::{LogIdentity, LogOptions};
use crate::segment::{HEADER_BYTES, INDEX_END, file_name, parse_name};
use crate::truncate;
use ms_wire::batch::BatchHeader;
use ms_wire::frame::{self, ControlKind, FrameHeader};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What opening needs.
pub struct OpenLog<'a> {
    pub disk: Arc<dyn Disk>,
    /// Shared with the other logs of the directory.
    pub descriptors: Arc<Descriptors>,
    pub dir: &'a Path,
    pub identity: LogIdentity,
    /// `partition.metadata` was read, and says this identity.
    pub is_own: bool,
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
    /// The state behind the last batch, as [`BatchVisitor::snapshot`] is given it.
    fn encode(&self) -> Vec<u8>;
    /// One that has seen nothing, for a part of the log.
    fn fresh(&self) -> Box<dyn BatchVisitor>;
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
        let disk = how.disk.as_ref();
        // What is not in the list is not looked for: of most partitions that is nearly all.
        let names = Names::of(disk, how.dir)?;
        let found = match how.is_own {
            true => Some(how.identity),
            false if names.has(identity::NAME) => identity::read_identity(disk, how.dir)?,
            false => None,
        };
        if found.is_some_and(|found| found != how.identity) {
            return Err(LogError::WrongIdentity { path: how.dir.to_path_buf() });
        }
        let log_start = match names.has(marks::LOG_START) {
            true => marks::read(disk, how.dir, marks::LOG_START, 0)?.unwrap_or(0),
            false => 0,
        };
        let (mut segments, indexes) = names.sweep(disk, how.dir, log_start)?;
        drop_unborn(disk, how.dir, &mut segments)?;
        if found.is_none() {
            if segments.is_empty() {
                visitor.snapshot(&[]);
                let OpenLog { disk, descriptors, dir, identity, options, now_ms, .. } = how;
                let log = PartitionLog::create(disk, descriptors, dir, identity, options, now_ms)?;
                return Ok((log, Recovery::default()));
            }
            // Whose they are is in the segment headers too, and checked there.
            identity::write(how.disk.as_ref(), how.dir, &how.identity)?;
        }
        let (truncations, kept) = match names.has(marks::TRUNCATIONS) {
            true => truncate::read_count(how.disk.as_ref(), how.dir)?,
            false => Default::default(),
        };
        let checkpoint = how.checkpoint.filter(|found| {
            found.group_id == how.identity.group_id
                && found.truncations == truncations
                && found.written.index.max(found.flushed.index) < INDEX_END
                && found.end.is_possible(&found.start)
        });
        let mut opening = Opening::new(&how, checkpoint, (truncations, kept), log_start, &indexes);
        for (number, base_offset) in segments.iter().enumerate() {
            opening.add(*base_offset, segments.get(number + 1).copied())?;
        }
        let (mut log, report) = opening.finish()?;
        log.replay(checkpoint, visitor)?;
        if how.sync_on_open
            && let Some(job) = log.flush_job()
        {
            log.flushed(job.run())?;
        }
        Ok((log, report))
    }
}

/// The names in the folder of a log.
struct Names(Vec<DirEntry>);

impl Names {
    fn of(disk: &dyn Disk, dir: &Path) -> Result<Names, LogError> {
        disk.list_dir(dir).map(Names).map_err(at("list", dir))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|entry| entry.name == name)
    }

    /// Base offsets of the files with this suffix, ascending.
    fn bases(&self, suffix: &str) -> Vec<u64> {
        let mut bases: Vec<u64> =
            self.0.iter().filter_map(|entry| parse_name(&entry.name, suffix)).collect();
        bases.sort_unstable();
        bases
    }

    /// Base offsets of the segments, and of those that have an index. Removes what an interrupted write or deletion left:
    /// temporary files, segments wholly below the log start, index files without a segment.
    fn sweep(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        log_start: u64,
    ) -> Result<(Vec<u64>, Vec<u64>), LogError> {
        let (mut segments, indexes) = (self.bases("log"), self.bases("index"));
        let mut deleted = segments.partition_point(|&base| base <= log_start).saturating_sub(1);
        // A name alone says nothing: where no segment was begun, the log goes on in the one before. That can be where the
        // log ends, so not below its start, nor where there is an index, which is written after its segment was synced.
        let may_be_unborn = |base: u64| base == log_start && indexes.binary_search(&base).is_err();
        if deleted > 0
            && may_be_unborn(segments[deleted])
            && !has_header(disk, dir, segments[deleted])?
        {
            deleted -= 1;
        }
        let mut swept = deleted > 0;
        for base in segments.drain(..deleted) {
            let path = dir.join(file_name(base, "log"));
            disk.remove_file(&path).map_err(at("remove", &path))?;
        }
        let oldest = segments.first().copied().unwrap_or(0);
        for base in indexes.iter().filter(|&&base| base < oldest) {
            let path = dir.join(file_name(*base, "log"));
            index::keep_deleted(disk, &path).map_err(at("keep the index of", &path))?;
            swept = true;
        }
        for DirEntry { name, .. } in &self.0 {
            let index = parse_name(name, "index").filter(|&base| base >= oldest);
            let of = index.or(parse_name(name, "timeindex"));
            let orphan = of.is_some_and(|base| segments.binary_search(&base).is_err());
            if orphan || name.ends_with(".tmp") {
                let path = dir.join(name);
                disk.remove_file(&path).map_err(at("remove", &path))?;
                swept = true;
            }
        }
        // An index must not come back beside a new segment of the same name.
        if swept {
            disk.sync_dir(dir).map_err(at("sync", dir))?;
        }
        Ok((segments, indexes))
    }
}

/// Removes newest segments that are too short for a header: their creation was cut short, and they hold nothing. They must
/// not come back beside what the log gets now.
fn drop_unborn(disk: &dyn Disk, dir: &Path, segments: &mut Vec<u64>) -> Result<(), LogError> {
    let found = segments.len();
    while let [_, .., base] = segments[..] {
        let path = dir.join(file_name(base, "log"));
        let file = disk.open(&path, OpenMode::Read).map_err(at("open", &path))?;
        if file.len().map_err(at("look at", &path))? >= u64::from(HEADER_BYTES) {
            break;
        }
        disk.remove_file(&path).map_err(at("remove", &path))?;
        segments.pop();
    }
    match segments.len() < found {
        true => disk.sync_dir(dir).map_err(at("sync", dir)),
        false => Ok(()),
    }
}

/// Whether a segment file begins with a whole header.
fn has_header(disk: &dyn Disk, dir: &Path, base_offset: u64) -> Result<bool, LogError> {
    let path = dir.join(file_name(base_offset, "log"));
    let file = disk.open(&path, OpenMode::Read).map_err(at("open", &path))?;
    let mut bytes = [0; HEADER_BYTES as usize];
    match read_exact_at(file.as_ref(), &mut bytes, 0) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(at("read", &path)(error)),
    }
    let header = frame::check_frame(&bytes);
    Ok(matches!(header, Ok(FrameHeader::Control(it)) if it.kind == ControlKind::SegmentHeader))
}

/// An error of the disk that means "there is no such file".
pub(crate) fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
