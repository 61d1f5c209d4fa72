//! Cutting the log at an index, as a follower does when its leader's log differs.

use crate::bytes::Reader;
use crate::checkpoint::{LogPoint, put_point, read_point};
use crate::disk::{Disk, File, OpenMode};
use crate::entry::Entry;
use crate::error::{LogError, at};
use crate::index;
use crate::log::PartitionLog;
use crate::marks::{self, TRUNCATIONS};
use crate::ring::EntryRing;
use crate::segment::{ActiveSegment, SegmentEnd};
use crate::tend::Behind;
use std::io;
use std::path::Path;
use std::sync::Arc;

impl PartitionLog {
    /// Drops the entries from `index` on, durably. Waits for the disk. The caller has seen to it that none of them is
    /// applied; producer state is rolled back by [`PartitionLog::replay_batches`]. After an error the log must be opened
    /// again.
    pub fn truncate_from(&mut self, index: u64) -> Result<(), LogError> {
        let (first, last) = (self.first_index(), self.last_index());
        if index > last {
            return Ok(());
        }
        if index < first {
            return Err(LogError::IndexOutOfRange { index, first, last });
        }
        let (_, position) = self.find(index)?;
        let number = self.segment_of_index(index);
        self.usable = false;
        let nothing = LogPoint::default();
        write_count(self.disk.as_ref(), &self.dir, self.truncations + 1, &nothing)?;
        self.truncations += 1;
        self.drop_segments_above(number)?;
        self.cut_last(number, position)?;
        self.epochs.truncate_from(index);
        self.flush.truncated(self.active.point(), self.active.start.base_index);
        self.cut_log_start();
        self.version += 1;
        self.usable = true;
        Ok(())
    }

    /// Removes the files above a segment, the newest first, and the index of the one that grows again; durably.
    fn drop_segments_above(&mut self, number: usize) -> Result<(), LogError> {
        // Nor does a flush that is out write their indexes any more.
        self.sealed.iter().skip(number).for_each(|sealed| sealed.remove());
        let above = self.sealed.get(number + 1..).unwrap_or_default();
        let mut logs: Vec<_> = above.iter().rev().map(|segment| segment.path.clone()).collect();
        if number < self.sealed.len() {
            logs.insert(0, self.active.path.clone());
        }
        for log in &logs {
            remove_all(self.disk.as_ref(), log, true)?;
        }
        if let Some(grows) = self.sealed.get(number) {
            remove_all(self.disk.as_ref(), &grows.path, false)?;
        }
        self.disk.sync_dir(&self.dir).map_err(at("sync", &self.dir))
    }

    /// Cuts the segment that is the last one now, and reads it again.
    fn cut_last(&mut self, number: usize, position: u32) -> Result<(), LogError> {
        let (start, path) = match self.sealed.get(number) {
            Some(sealed) => (sealed.start, sealed.path.clone()),
            None => (self.active.start, self.active.path.clone()),
        };
        if let Some(sealed) = self.sealed.get(number) {
            sealed.grows_again();
        }
        let file = self.disk.open(&path, OpenMode::Write).map_err(at("open", &path))?;
        file.truncate(u64::from(position)).map_err(at("cut", &path))?;
        file.sync_data().map_err(at("sync", &path))?;
        let crc = header_crc_of(file.as_ref()).map_err(at("read", &path))?;
        let end = SegmentEnd::empty(&start, crc);
        let created = self.active.created_ms;
        let mut segment = ActiveSegment::new(start, end, path.clone(), file, created);
        let trust = self.sealed.get(number).map_or(&self.active.trust, |sealed| &sealed.trust);
        segment.trust = Arc::new(trust.cut(position, &start));
        let mut ring = EntryRing::new(start.base_index);
        let interval = self.options.index_interval_bytes;
        let noted = |entry: &Entry, position: u32| ring.push(entry, position);
        index::note_all(&mut segment, u64::from(position), interval, noted)
            .map_err(at("read", &path))?;
        self.sealed.truncate(number);
        self.sealed_bytes = self.sealed.iter().map(|sealed| u64::from(sealed.end.size)).sum();
        segment.started = segment.end.size;
        (self.active, self.ring, self.behind) = (segment, ring, Behind::default());
        Ok(())
    }
}

/// How often the log in a folder was cut, and the place before which nothing was.
pub(crate) fn read_count(disk: &dyn Disk, dir: &Path) -> Result<(u64, LogPoint), LogError> {
    // Unreadable: equal to no checkpoint's, so that none is believed.
    let found = marks::read_with(disk, dir, TRUNCATIONS, u64::MAX >> 1)?;
    let (count, kept) = found.unwrap_or_default();
    Ok((count, read_point(&mut Reader(&kept)).unwrap_or_default()))
}

/// Writes both durably.
pub(crate) fn write_count(
    disk: &dyn Disk,
    dir: &Path,
    count: u64,
    kept: &LogPoint,
) -> Result<(), LogError> {
    let mut bytes = Vec::new();
    put_point(&mut bytes, kept);
    marks::write_with(disk, dir, TRUNCATIONS, count, &bytes)
        .map_err(at("write", &dir.join(TRUNCATIONS)))
}

fn remove_all(disk: &dyn Disk, log: &Path, log_too: bool) -> Result<(), LogError> {
    let (lines, times) = index::paths(log);
    let log = log_too.then(|| log.to_path_buf());
    for path in log.into_iter().chain([lines, times]) {
        match disk.remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(at("remove", &path))?,
        }
    }
    Ok(())
}

fn header_crc_of(file: &dyn File) -> io::Result<u32> {
    let mut head = [0; 21];
    crate::read_exact_at(file, &mut head, 0)?;
    Ok(crate::segment::header_crc(&head))
}
