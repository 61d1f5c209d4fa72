//! Cutting torn tails and setting files aside.

use crate::disk::{Disk, File, read_exact_at, replace_file};
use crate::error::{LogError, at};
use crate::index;
use crate::recover_segment::{Loader, Tail};
use crate::recovery::{Recovery, is_missing};
use crate::segment::{ActiveSegment, file_name};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

impl Loader<'_> {
    /// Cuts a torn tail, durably. What may be valid in it is copied aside first. One that lost its header is begun again,
    /// with `flags`.
    pub fn cut(
        &self,
        segment: ActiveSegment,
        tail: &Tail,
        flags: u32,
        report: &mut Recovery,
    ) -> Result<ActiveSegment, LogError> {
        let (size, path) = (u64::from(segment.end.size), &segment.path);
        let disk = self.how.disk.as_ref();
        if tail.follow.is_some() {
            let copy = self.free_name(path)?;
            copy_tail(disk, segment.file.as_ref(), size, tail.len, &copy)
                .map_err(at("write", &copy))?;
            report.set_aside.push(copy);
        }
        report.cut_bytes += tail.len - size;
        if size == 0 {
            let (how, start) = (self.how, segment.start);
            let (dir, identity) = (how.dir, &how.identity);
            let again = ActiveSegment::create(disk, dir, start, identity, flags, None, how.now_ms)?;
            again.file.sync_data().map_err(at("sync", path))?;
            return Ok(again);
        }
        segment.file.truncate(size).map_err(at("cut", path))?;
        // New frames must not mix with what was cut, should they be lost too.
        segment.file.sync_data().map_err(at("sync", path))?;
        Ok(segment)
    }

    /// Renames a segment that does not continue the log, durably; its index files go.
    pub fn set_aside(&self, base_offset: u64) -> Result<PathBuf, LogError> {
        let path = self.how.dir.join(file_name(base_offset, "log"));
        let disk = self.how.disk.as_ref();
        let (lines, times) = index::paths(&path);
        for path in [lines, times] {
            match disk.remove_file(&path) {
                Err(error) if is_missing(&error) => {}
                other => other.map_err(at("remove", &path))?,
            }
        }
        let aside = self.free_name(&path)?;
        disk.rename(&path, &aside).map_err(at("rename", &path))?;
        disk.sync_dir(self.how.dir).map_err(at("sync", self.how.dir))?;
        Ok(aside)
    }

    fn free_name(&self, log: &Path) -> Result<PathBuf, LogError> {
        let mut number = 0;
        loop {
            let suffix = if number == 0 { "log.cut".into() } else { format!("log.cut{number}") };
            let path = log.with_extension(suffix);
            if !self.how.disk.exists(&path).map_err(at("look at", &path))? {
                return Ok(path);
            }
            number += 1;
        }
    }
}

fn copy_tail(disk: &dyn Disk, file: &dyn File, from: u64, to: u64, path: &Path) -> io::Result<()> {
    let mut bytes = vec![0; (to - from) as usize];
    read_exact_at(file, &mut bytes, from)?;
    replace_file(disk, path, &[IoSlice::new(&bytes)])
}
