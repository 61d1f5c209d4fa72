//! Faults on purpose, for the crash suite to find: a checker that reports nothing proves nothing unless it reports these.
//! Compiled in only by the feature `planted-faults`; the environment variable MEMORYSTREAMER_FAULT chooses one:
//! `ack-before-write`, `drop-producer-snapshot` or `cut-one-batch`. The metadata log and internal topics are spared.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use ms_log::sim::{DiskFront, FileCall, FileFront, FrontedDisk, FrontedFile};
use ms_log::{Disk, EntryKind, File, LogError, PartitionLog};
use parking_lot::Mutex;

use crate::api::PartitionSpec;
use crate::producers::Producers;

/// The disk of a partition: one that acknowledges writes of segments before they are made, if that is the fault.
pub(crate) fn disk(real: &Arc<dyn Disk>, spec: &PartitionSpec) -> Arc<dyn Disk> {
    if is_planted("ack-before-write", spec) {
        Arc::new(FrontedDisk(Arc::clone(real), LateDisk))
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

struct LateDisk;

/// Keeps the newest write to itself until the next call, or for ever if the process is killed before.
#[derive(Default)]
struct LateFile(Mutex<Option<(Vec<u8>, u64)>>);

impl DiskFront for LateDisk {
    fn opened(&self, path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        if path.extension().is_none_or(|extension| extension != "log") {
            return file;
        }
        Arc::new(FrontedFile(file, LateFile::default()))
    }
}

impl FileFront for LateFile {
    fn before(&self, file: &dyn File, _call: FileCall) -> io::Result<()> {
        match self.0.lock().take() {
            Some((bytes, offset)) => file.write_vectored_at(&[IoSlice::new(&bytes)], offset),
            None => Ok(()),
        }
    }

    fn write(&self, _file: &dyn File, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes = parts.iter().flat_map(|part| part.iter().copied()).collect();
        *self.0.lock() = Some((bytes, offset));
        Ok(())
    }
}
