//! The disk of the operating system.

use crate::disk::{DirEntry, DirLock, Disk, File, OpenMode, PageCache, Space};
use crate::pieces::Pieces;
use crate::sys;
use std::fs;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// The operating system's disk. Files are opened with O_CLOEXEC.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

struct RealFile {
    file: fs::File,
    pieces: Pieces,
}

struct RealLock {
    _file: fs::File,
}

impl DirLock for RealLock {}

impl Disk for RealDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(RealFile { file: open(path, mode)?, pieces: Pieces::default() }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(DirEntry { name, is_dir: entry.file_type()?.is_dir() });
            }
        }
        Ok(entries)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }

    fn sync_all(&self, path: &Path) -> io::Result<()> {
        sys::sync_all(fs::File::open(path)?.as_fd())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let (available, total) = sys::space(path)?;
        Ok(Space { available, total })
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>> {
        let file = open(&dir.join(".lock"), OpenMode::Create)?;
        sys::lock_exclusive(file.as_fd())?;
        Ok(Box::new(RealLock { _file: file }))
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        u128::from_str_radix(&digits, 16)
            .map(u128::to_be_bytes)
            .map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn page_cache(&self) -> Option<PageCache> {
        page_cache_of(&fs::read_to_string("/proc/vmstat").ok()?, sys::page_bytes())
    }
}

/// From the text of `/proc/vmstat`, which counts pages.
fn page_cache_of(vmstat: &str, page_bytes: u64) -> Option<PageCache> {
    let bytes = |name: &str| {
        let pages = vmstat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(pages.parse::<u64>().ok()? * page_bytes)
    };
    Some(PageCache {
        dirty: bytes("nr_dirty")?,
        in_writeback: bytes("nr_writeback")?,
        background: bytes("nr_dirty_background_threshold")?,
    })
}

impl File for RealFile {
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.pieces.write_all(parts, offset, |piece, at| self.write_piece(piece, at))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        retry(|| self.file.read_at(buf, offset))
    }

    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match retry(|| sys::pread_cached(self.file.as_fd(), buf, offset))? {
            Some(read) => Ok(read),
            None => self.read_at(buf, offset),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn check_written(&self) -> io::Result<()> {
        sys::check_written(self.file.as_fd())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn modified_ms(&self) -> io::Result<i64> {
        let time = self.file.metadata()?.modified()?;
        Ok(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64))
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        sys::allocate(self.file.as_fd(), offset, len)
    }

    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()> {
        sys::start_writeback(self.file.as_fd(), offset, len)
    }

    fn write_back(&self, offset: u64, len: u64) -> io::Result<()> {
        sys::write_back(self.file.as_fd(), offset, len)
    }

    fn forget_cached(&self) -> io::Result<()> {
        sys::forget_cached(self.file.as_fd())
    }

    fn raw_fd(&self) -> Option<RawFd> {
        Some(self.file.as_raw_fd())
    }
}

impl RealFile {
    /// One `pwritev`; may write less than it was given.
    fn write_piece(&self, piece: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        let len = piece.iter().map(|part| part.len()).sum();
        let started = self.pieces.is_timed(at, len).then(sys::thread_nanos);
        let written = retry(|| sys::pwritev(self.file.as_fd(), piece, at))?;
        if let Some(started) = started {
            self.pieces.took(at, written, sys::thread_nanos().saturating_sub(started));
        }
        Ok(written)
    }
}

fn open(path: &Path, mode: OpenMode) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    match mode {
        OpenMode::Read => {}
        OpenMode::Write => {
            options.write(true);
        }
        OpenMode::Create => {
            options.write(true).create(true).truncate(false);
        }
        OpenMode::CreateNew => {
            options.write(true).create_new(true);
        }
    }
    options.open(path)
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{read_all, replace_file};

    fn folder(name: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("ms-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn reads_what_the_page_cache_holds() {
        let text = "nr_dirtied 7\nnr_dirty 3\nnr_dirty_threshold 9\nnr_dirty_background_threshold 5\nnr_writeback_temp 8\nnr_writeback 1\n";
        let read = PageCache { dirty: 12288, in_writeback: 4096, background: 20480 };
        assert_eq!(page_cache_of(text, 4096), Some(read));
        assert_eq!(page_cache_of("nr_dirty 3\n", 4096), None);
        assert_eq!(page_cache_of("nr_dirty x\nnr_dirty_background_threshold 5\n", 4096), None);
        if cfg!(target_os = "linux") {
            assert!(RealDisk.page_cache().unwrap().background > 0);
        }
    }

    #[test]
    fn writes_many_parts_and_reads_them_back() {
        let dir = folder("parts");
        let file = RealDisk.open(&dir.join("a"), OpenMode::CreateNew).unwrap();
        let bytes: Vec<u8> = (0..3000u32).map(|i| i as u8).collect();
        // More parts than one pwritev takes, and some that are empty.
        let mut parts: Vec<IoSlice<'_>> =
            bytes.iter().map(|b| IoSlice::new(std::slice::from_ref(b))).collect();
        [0, 1023, 1024, 2000].into_iter().for_each(|at| parts.insert(at, IoSlice::new(&[])));
        parts.extend([IoSlice::new(&[]); 2000]);
        file.write_vectored_at(&parts, 5).unwrap();
        let mut back = vec![0; 3000];
        assert_eq!(file.read_at(&mut back, 5).unwrap(), 3000);
        assert_eq!(back, bytes);
        assert_eq!(file.read_cached_at(&mut back[..10], 5).unwrap(), 10);
        assert_eq!(file.read_cached_at(&mut back, 3005).unwrap(), 0);
        file.allocate(3005, 1 << 20).unwrap();
        assert_eq!(file.len().unwrap(), 3005);
        file.truncate(4).unwrap();
        assert_eq!(file.len().unwrap(), 4);
        file.start_writeback(0, 4).unwrap();
        file.write_back(0, 4).unwrap();
        file.check_written().unwrap();
        // What was not written stays, and the rest comes from the disk.
        file.write_vectored_at(&[IoSlice::new(b"abcd")], 2).unwrap();
        for _ in 0..2 {
            file.forget_cached().unwrap();
            assert_eq!(file.read_at(&mut back, 2).unwrap(), 4);
            assert_eq!(&back[..4], b"abcd");
            file.sync_data().unwrap();
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn only_what_may_be_left_to_the_sync_is() {
        for (code, is_left) in [(libc::ENOSYS, true), (libc::EPERM, true), (libc::EIO, false)] {
            let result = sys::unless_refused(Err(io::Error::from_raw_os_error(code)));
            assert_eq!(result.is_ok(), is_left);
        }
    }

    #[test]
    fn a_large_write_is_made_in_pieces() {
        let dir = folder("pieces");
        let file = RealDisk.open(&dir.join("a"), OpenMode::CreateNew).unwrap();
        let bytes: Vec<u8> = (0..3 << 19).map(|i: u32| (i >> 9) as u8).collect();
        let (first, rest) = bytes.split_at((1 << 19) + 7);
        file.write_vectored_at(&[IoSlice::new(first), IoSlice::new(rest)], 100).unwrap();
        let mut back = vec![0; bytes.len()];
        crate::read_exact_at(file.as_ref(), &mut back, 100).unwrap();
        assert!(back == bytes);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_second_lock_of_a_folder_is_refused_until_the_first_is_dropped() {
        let dir = folder("lock");
        let first = RealDisk.lock_dir(&dir).unwrap();
        let refused = RealDisk.lock_dir(&dir).err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(first);
        RealDisk.lock_dir(&dir).unwrap();
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn replaces_a_file_as_a_whole() {
        let dir = folder("replace");
        let path = dir.join("checkpoint");
        replace_file(&RealDisk, &path, &[IoSlice::new(b"long first text")]).unwrap();
        replace_file(&RealDisk, &path, &[IoSlice::new(b"sec"), IoSlice::new(b"ond")]).unwrap();
        assert_eq!(read_all(&RealDisk, &path, 100).unwrap(), b"second");
        assert_eq!(
            read_all(&RealDisk, &path, 3).err().unwrap().kind(),
            io::ErrorKind::FileTooLarge
        );
        RealDisk.sync_all(&dir).unwrap();
        assert!(RealDisk.space(&dir).unwrap().total > 0);
        assert_eq!(RealDisk.boot_id().unwrap(), RealDisk.boot_id().unwrap());
        fs::remove_dir_all(dir).unwrap();
    }
}
