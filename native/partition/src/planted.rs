//! Faults on purpose, for the crash suite to find: a checker that reports nothing proves nothing unless it reports these.
//! Compiled in only by the feature `planted-faults`; the environment variable MEMORYSTREAMER_FAULT chooses one:
//! `ack-before-write`, `drop-producer-snapshot` or `cut-one-batch`. The metadata log and internal topics are spared.

use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;

use ms_log::{
    DirEntry, DirLock, Disk, EntryKind, File, LogError, OpenMode, PageCache, PartitionLog, Space,
};
use parking_lot::Mutex;

use crate::api::PartitionSpec;
use crate::producers::Producers;

/// The disk of a partition: one that acknowledges writes of segments before they are made, if that is the fault.
pub(crate) fn disk(real: &Arc<dyn Disk>, spec: &PartitionSpec) -> Arc<dyn Disk> {
    if is_planted("ack-before-write", spec) {
        Arc::new(LateDisk(Arc::clone(real)))
    } else {
        Arc::clone(real)
    }
}

/// Spoils what recovery has found.
pub(crate) fn recovered(
    spec: &PartitionSpec,
    log: &mut PartitionLog,
    producers: &mut Producers,
) -> Result<(), LogError> {
    if is_planted("drop-producer-snapshot", spec) {
        *producers = Producers::default();
    }
    if is_planted("cut-one-batch", spec) {
        cut_last_batch(log)?;
        // As a recovery that never saw it: a retry would otherwise wait for an offset that nobody has.
        *producers = Producers::default();
        log.replay_batches(producers)?;
    }
    Ok(())
}

fn is_planted(fault: &str, spec: &PartitionSpec) -> bool {
    let is_spared = spec.config.is_internal || spec.fsync_always;
    !is_spared && std::env::var("MEMORYSTREAMER_FAULT").is_ok_and(|chosen| chosen == fault)
}

fn cut_last_batch(log: &mut PartitionLog) -> Result<(), LogError> {
    let mut entries = Vec::with_capacity(1);
    for index in (log.first_index()..=log.last_index()).rev() {
        entries.clear();
        log.entries(index, index + 1, 0, &mut entries)?;
        if entries.first().is_some_and(|entry| entry.kind == EntryKind::Data) {
            return log.truncate_from(index);
        }
    }
    Ok(())
}

struct LateDisk(Arc<dyn Disk>);

/// Keeps the newest write to itself until the next call, or for ever if the process is killed before.
struct LateFile {
    real: Arc<dyn File>,
    held: Mutex<Option<(Vec<u8>, u64)>>,
}

impl LateFile {
    fn catch_up(&self) -> io::Result<&Arc<dyn File>> {
        if let Some((bytes, offset)) = self.held.lock().take() {
            self.real.write_vectored_at(&[IoSlice::new(&bytes)], offset)?;
        }
        Ok(&self.real)
    }
}

impl File for LateFile {
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.catch_up()?;
        *self.held.lock() =
            Some((parts.iter().flat_map(|part| part.iter().copied()).collect(), offset));
        Ok(())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.catch_up()?.read_at(buf, offset)
    }

    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.catch_up()?.read_cached_at(buf, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.catch_up()?.sync_data()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.catch_up()?.truncate(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.catch_up()?.len()
    }

    fn modified_ms(&self) -> io::Result<i64> {
        self.real.modified_ms()
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.real.allocate(offset, len)
    }

    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()> {
        self.real.start_writeback(offset, len)
    }

    fn raw_fd(&self) -> Option<RawFd> {
        self.real.raw_fd()
    }
}

impl Disk for LateDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let real = self.0.open(path, mode)?;
        if path.extension().is_none_or(|extension| extension != "log") {
            return Ok(real);
        }
        Ok(Arc::new(LateFile { real, held: Mutex::new(None) }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.0.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.remove_dir_all(path)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.0.list_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.0.exists(path)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.0.space(path)
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>> {
        self.0.lock_dir(dir)
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        self.0.boot_id()
    }

    fn page_cache(&self) -> Option<PageCache> {
        self.0.page_cache()
    }
}
