//! A disk in memory that costs as little as one can: files are buffers with room to spare, names are the simulated disk's.

use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;

use ms_log::sim::SimDisk;
use ms_log::{DirEntry, DirLock, Disk, File, OpenMode, Space};
use parking_lot::Mutex;

/// Room of a file from its start, so that no append makes it grow.
const ROOM: usize = 8 << 20;

#[derive(Default)]
pub struct MemoryDisk {
    names: SimDisk,
}

struct MemoryFile {
    bytes: Mutex<Vec<u8>>,
}

impl Disk for MemoryDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        // A file is opened once: there is no second process and no segment is sealed.
        self.names.open(path, mode)?;
        Ok(Arc::new(MemoryFile { bytes: Mutex::new(Vec::with_capacity(ROOM)) }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.names.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.names.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.names.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.names.remove_dir_all(path)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.names.list_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.names.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.names.exists(path)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.names.space(path)
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>> {
        self.names.lock_dir(dir)
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        self.names.boot_id()
    }
}

impl File for MemoryFile {
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut bytes = self.bytes.lock();
        let mut at = offset as usize;
        for part in parts {
            let end = at + part.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(part);
            at = end;
        }
        Ok(())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = self.bytes.lock();
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read_at(buf, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn check_written(&self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.bytes.lock().resize(len as usize, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().len() as u64)
    }

    fn modified_ms(&self) -> io::Result<i64> {
        Ok(0)
    }

    fn allocate(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn start_writeback(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn write_back(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn raw_fd(&self) -> Option<RawFd> {
        None
    }
}
