//! The only way to the disk: everything in this crate goes through [`Disk`] and [`File`], so that tests can lose, tear
//! and reorder what was not synced, and fail any single call.

use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Reading only; the file must exist.
    Read,
    /// Reading and writing; the file must exist.
    Write,
    /// Reading and writing; created when it does not exist, contents kept when it does.
    Create,
    /// Reading and writing; it is an error when the file exists.
    CreateNew,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name without its folder. Names that are not UTF-8 are left out of listings: they are none of ours.
    pub name: String,
    /// Whether the name is a folder.
    pub is_dir: bool,
}

/// Space of the file system that holds a path, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What may still be written by an unprivileged process.
    pub available: u64,
    /// Size of the file system.
    pub total: u64,
}

/// What the page cache of the whole machine holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCache {
    /// Written and not yet on its way to a disk.
    pub dirty: u64,
    /// On its way.
    pub in_writeback: u64,
    /// From so much on the kernel begins by itself.
    pub background: u64,
}

/// A lock on a log directory, given up when it is dropped or the process ends.
pub trait DirLock: Send + Sync {}

/// A disk. Paths are absolute or relative to the process; a method that fails has changed nothing it can help.
pub trait Disk: Send + Sync {
    /// Opens a file. Costs a system call and, for `Create*`, a directory update: never on a hot path.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>>;
    /// Creates a folder and what is missing above it.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Renames a file or folder; a file at `to` is replaced. Durable only after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Unlinks a file; open handles of it stay readable.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder and everything in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Names in a folder, in no particular order.
    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// Makes the names in a folder durable (fsync of the folder).
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes everything on the file system of `path` durable, contents and names, whoever wrote it (syncfs). `Unsupported`
    /// where that cannot be relied on.
    fn sync_all(&self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Whether a file or folder of this name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Free and total space of the file system of `path`.
    fn space(&self, path: &Path) -> io::Result<Space>;
    /// Takes `<dir>/.lock` exclusively, or fails with `WouldBlock` when another process (or this one) holds it.
    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>>;
    /// Identity of this boot of the operating system: files written in it have lost nothing, whatever process died.
    fn boot_id(&self) -> io::Result<[u8; 16]>;
    /// What the page cache holds; `None` where nobody knows.
    fn page_cache(&self) -> Option<PageCache> {
        None
    }
}

/// An open file. All methods take an offset of their own; nothing depends on a cursor, so that any thread may read.
pub trait File: Send + Sync {
    /// Writes all of `parts`, one behind the other, at `offset`: one `pwritev` for each piece (`pieces.rs`), unless the kernel
    /// writes less than it was given. After an error any prefix may have been written.
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Reads at most `buf.len()` bytes at `offset`; 0 at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// As [`File::read_at`], but only from the page cache: `WouldBlock` when the disk would have to be asked.
    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Makes the contents and the length durable (fdatasync). A failure must not be repeated: the pages may be gone.
    fn sync_data(&self) -> io::Result<()>;
    /// An error of the writeback of the file since it was opened that this handle was not told of, and nothing else: for who has
    /// had everything written by [`Disk::sync_all`]. Waits only for what is on its way.
    fn check_written(&self) -> io::Result<()>;
    /// Cuts or extends the file to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file holds no byte.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Time of the last modification, milliseconds since 1970.
    fn modified_ms(&self) -> io::Result<i64>;
    /// Reserves space for a range without changing the length. Best effort: a file system that cannot says yes.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Starts writeback of the range without waiting for it. Best effort.
    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Has the range written and waits for it. No sync, which is still needed; but an error is one of a sync.
    fn write_back(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Lets go of what the page cache holds of the file and need not write: what is read next comes from the disk. Best effort.
    fn forget_cached(&self) -> io::Result<()> {
        Ok(())
    }
    /// The descriptor, for the reactor's own system calls; `None` in memory.
    fn raw_fd(&self) -> Option<RawFd>;
}

/// Reads exactly `buf.len()` bytes, or fails with `UnexpectedEof`.
pub fn read_exact_at(file: &dyn File, buf: &mut [u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(&mut buf[done..], offset + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => done += n,
        }
    }
    Ok(())
}

/// The whole contents of a file. Fails with `FileTooLarge` above `limit`, before anything is allocated.
pub fn read_all(disk: &dyn Disk, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = disk.open(path, OpenMode::Read)?;
    let len = file.len()?;
    if len > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; len as usize];
    read_exact_at(file.as_ref(), &mut bytes, 0)?;
    Ok(bytes)
}

/// Replaces a file as a whole and durably: new file beside it, fsync, rename, fsync of the folder.
pub fn replace_file(disk: &dyn Disk, path: &Path, parts: &[IoSlice<'_>]) -> io::Result<()> {
    let temporary = write_beside(disk, path, parts)?;
    put_in_place(disk, &temporary, path)
}

/// The first half of [`replace_file`]: a failure leaves the old file as it is.
pub(crate) fn write_beside(
    disk: &dyn Disk,
    path: &Path,
    parts: &[IoSlice<'_>],
) -> io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let file = disk.open(&temporary, OpenMode::Create)?;
    file.truncate(0)?;
    file.write_vectored_at(parts, 0)?;
    file.sync_data()?;
    Ok(temporary)
}

/// The other half: after a failure it is not known which file has the name.
pub(crate) fn put_in_place(disk: &dyn Disk, temporary: &Path, path: &Path) -> io::Result<()> {
    disk.rename(temporary, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new(".")))
}
