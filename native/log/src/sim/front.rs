//! A disk in front of another one: what it changes is written down, everything else goes through. But for `sync_all`,
//! which is unsupported: files would not hear of it, and one may keep a write to itself.

use crate::disk::{DirEntry, DirLock, Disk, File, OpenMode, PageCache, Space};
use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;

/// What a disk in front of another changes.
pub trait DiskFront: Send + Sync {
    /// What is given out for a file that was opened.
    fn opened(&self, _path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        file
    }
    /// Comes before the names in a folder are made durable.
    fn before_sync_dir(&self, _path: &Path) {}
}

/// What a file in front of another changes.
pub trait FileFront: Send + Sync {
    /// Comes before a call, which is not made after an error.
    fn before(&self, _file: &dyn File, _call: FileCall) -> io::Result<()> {
        Ok(())
    }
    /// Takes the place of a write.
    fn write(&self, file: &dyn File, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        file.write_vectored_at(parts, offset)
    }
}

/// A call of which a front hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileCall {
    /// [`File::write_vectored_at`].
    Write,
    /// [`File::read_at`].
    Read,
    /// [`File::read_cached_at`].
    ReadCached,
    /// [`File::sync_data`].
    Sync,
    /// [`File::truncate`].
    Truncate,
    /// [`File::len`].
    Len,
}

/// A disk with a front.
pub struct FrontedDisk<F>(pub Arc<dyn Disk>, pub F);

/// A file with a front.
pub struct FrontedFile<F>(pub Arc<dyn File>, pub F);

impl<F: DiskFront> Disk for FrontedDisk<F> {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        Ok(self.1.opened(path, self.0.open(path, mode)?))
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
        self.1.before_sync_dir(path);
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

impl<F: FileFront> FrontedFile<F> {
    fn before(&self, call: FileCall) -> io::Result<&dyn File> {
        self.1.before(&*self.0, call)?;
        Ok(&*self.0)
    }
}

impl<F: FileFront> File for FrontedFile<F> {
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.1.write(self.before(FileCall::Write)?, parts, offset)
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.before(FileCall::Read)?.read_at(buf, offset)
    }
    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.before(FileCall::ReadCached)?.read_cached_at(buf, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.before(FileCall::Sync)?.sync_data()
    }
    fn check_written(&self) -> io::Result<()> {
        self.0.check_written()
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.before(FileCall::Truncate)?.truncate(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.before(FileCall::Len)?.len()
    }
    fn modified_ms(&self) -> io::Result<i64> {
        self.0.modified_ms()
    }
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.0.allocate(offset, len)
    }
    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()> {
        self.0.start_writeback(offset, len)
    }
    fn write_back(&self, offset: u64, len: u64) -> io::Result<()> {
        self.0.write_back(offset, len)
    }
    fn forget_cached(&self) -> io::Result<()> {
        self.0.forget_cached()
    }
    fn raw_fd(&self) -> Option<RawFd> {
        self.0.raw_fd()
    }
}
