//! New logs: the files of many are written one after the other, and then made durable together.

use crate::descriptors::Descriptors;
use crate::disk::{Disk, OpenMode};
use crate::error::{LogError, at};
use crate::identity;
use crate::log::PartitionLog;
use crate::options::{LogIdentity, LogOptions};
use crate::segment::{ActiveSegment, HEADER_BYTES, SegmentStart, parse_name};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl PartitionLog {
    /// Creates folder, `partition.metadata` and the first segment, durably. Waits for the disk. A folder that is there
    /// without a segment, left by a creation that was cut short, is filled.
    pub fn create(
        disk: Arc<dyn Disk>,
        descriptors: Arc<Descriptors>,
        dir: &Path,
        identity: LogIdentity,
        options: LogOptions,
        now_ms: i64,
    ) -> Result<PartitionLog, LogError> {
        let log = Self::create_unsynced(disk, descriptors, dir, identity, options, now_ms)?;
        let parent = dir.parent().unwrap_or(Path::new("."));
        sync_created(log.disk.as_ref(), parent, &[dir.to_path_buf()])?;
        Ok(log)
    }

    /// As [`PartitionLog::create`], but nothing of it is durable, and nothing may be appended, before [`sync_created`].
    pub fn create_unsynced(
        disk: Arc<dyn Disk>,
        descriptors: Arc<Descriptors>,
        dir: &Path,
        identity: LogIdentity,
        options: LogOptions,
        now_ms: i64,
    ) -> Result<PartitionLog, LogError> {
        disk.create_dir_all(dir).map_err(at("create", dir))?;
        let start = SegmentStart { base_offset: 0, base_index: 1, prev_term: 0 };
        let reserve = options.preallocate.then_some(options.segment_bytes);
        let active =
            ActiveSegment::create(disk.as_ref(), dir, start, &identity, 0, reserve, now_ms)?;
        identity::write_unsynced(disk.as_ref(), dir, &identity)?;
        let mut log = PartitionLog::from_parts(disk, descriptors, dir, identity, options, active);
        log.flush.all_durable(log.end_point());
        Ok(log)
    }
}

/// Makes folders in `log_dir` and everything in them durable, their names included. Waits for the disk. A folder that has
/// another name by now is somebody else's to sync. After an error nobody knows what is durable, and asking again would
/// not tell: the pages may be gone.
pub fn sync_created(disk: &dyn Disk, log_dir: &Path, dirs: &[PathBuf]) -> Result<(), LogError> {
    for dir in dirs {
        match sync_folder(disk, dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(at("sync", dir))?,
        }
    }
    disk.sync_dir(log_dir).map_err(at("sync", log_dir))
}

fn sync_folder(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for entry in disk.list_dir(dir)? {
        if !entry.is_dir {
            disk.open(&dir.join(&entry.name), OpenMode::Write)?.sync_data()?;
        }
    }
    disk.sync_dir(dir)
}

/// Whether no segment in a folder holds a frame behind its header: what a creation that was cut short may leave, whatever
/// else is in its files.
pub fn holds_nothing(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    for entry in disk.list_dir(dir)? {
        if parse_name(&entry.name, "log").is_some()
            && disk.open(&dir.join(&entry.name), OpenMode::Read)?.len()? > u64::from(HEADER_BYTES)
        {
            return Ok(false);
        }
    }
    Ok(true)
}
