//! The system calls that std does not have. The only file of this crate with unsafe code; each block passes pointers that
//! outlive the call, with lengths taken from the slices they belong to, and checks the result.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Flags of Linux's `sync_file_range`, as `linux/fs.h` has them.
const SYNC_WAIT_BEFORE: libc::c_uint = 1;
const SYNC_WRITE: libc::c_uint = 2;
const SYNC_WAIT_AFTER: libc::c_uint = 4;

/// Largest number of parts in one `pwritev` (IOV_MAX).
pub(crate) const MAX_PARTS: usize = 1024;

/// One `pwritev`; may write less than it was given. At most [`MAX_PARTS`] parts.
pub(crate) fn pwritev(fd: BorrowedFd<'_>, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
    let count = parts.len().min(MAX_PARTS) as libc::c_int;
    // SAFETY: IoSlice is ABI-compatible with iovec; `parts` and what it points to live over the call.
    let written = unsafe {
        libc::pwritev(fd.as_raw_fd(), parts.as_ptr().cast(), count, offset as libc::off_t)
    };
    size_or_error(written)
}

/// Processor time of the calling thread.
pub(crate) fn thread_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is written to and outlives the call; it stays zero should the call fail.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// One `preadv2` with RWF_NOWAIT: only what is in the page cache. A file system that cannot do it reads as usual.
#[cfg(target_os = "linux")]
pub(crate) fn pread_cached(
    fd: BorrowedFd<'_>,
    buf: &mut [u8],
    offset: u64,
) -> io::Result<Option<usize>> {
    let part = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
    // SAFETY: `part` describes `buf`, which is borrowed mutably over the call.
    let read =
        unsafe { libc::preadv2(fd.as_raw_fd(), &part, 1, offset as libc::off_t, libc::RWF_NOWAIT) };
    match size_or_error(read) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(None),
        other => other.map(Some),
    }
}

/// There is no such call here: read as usual.
#[cfg(not(target_os = "linux"))]
pub(crate) fn pread_cached(
    _fd: BorrowedFd<'_>,
    _buf: &mut [u8],
    _offset: u64,
) -> io::Result<Option<usize>> {
    Ok(None)
}

/// Reserves blocks for a range without changing the length.
#[cfg(target_os = "linux")]
pub(crate) fn allocate(fd: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<()> {
    // SAFETY: no pointers.
    let done = unsafe {
        libc::fallocate(
            fd.as_raw_fd(),
            libc::FALLOC_FL_KEEP_SIZE,
            offset as libc::off_t,
            len as libc::off_t,
        )
    };
    match zero_or_error(done) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(()),
        other => other,
    }
}

/// Not available here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn allocate(_fd: BorrowedFd<'_>, _offset: u64, _len: u64) -> io::Result<()> {
    Ok(())
}

/// Starts writeback of a range and does not wait.
pub(crate) fn start_writeback(fd: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<()> {
    sync_range(fd, offset, len, SYNC_WRITE)
}

/// Has a range written, and waits for that and for what was on its way.
pub(crate) fn write_back(fd: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<()> {
    unless_refused(sync_range(fd, offset, len, SYNC_WAIT_BEFORE | SYNC_WRITE | SYNC_WAIT_AFTER))
}

/// A sandbox may not have the call; the sync behind it does all.
pub(crate) fn unless_refused(result: io::Result<()>) -> io::Result<()> {
    const REFUSALS: [i32; 3] = [libc::ENOSYS, libc::EPERM, libc::EOPNOTSUPP];
    match result {
        Err(error) if error.raw_os_error().is_some_and(|code| REFUSALS.contains(&code)) => Ok(()),
        other => other,
    }
}

#[cfg(target_os = "linux")]
fn sync_range(fd: BorrowedFd<'_>, offset: u64, len: u64, how: libc::c_uint) -> io::Result<()> {
    let (offset, len) = (offset as libc::off64_t, len as libc::off64_t);
    // SAFETY: no pointers.
    zero_or_error(unsafe { libc::sync_file_range(fd.as_raw_fd(), offset, len, how) })
}

/// Not available here: the sync does it all.
#[cfg(not(target_os = "linux"))]
fn sync_range(_fd: BorrowedFd<'_>, _offset: u64, _len: u64, _how: libc::c_uint) -> io::Result<()> {
    Ok(())
}

/// Syncs the file system of an open file. Linux tells an error of a writeback since the file was opened (5.8).
#[cfg(target_os = "linux")]
pub(crate) fn sync_all(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers.
    zero_or_error(unsafe { libc::syncfs(fd.as_raw_fd()) })
}

/// Not available here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_all(_fd: BorrowedFd<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Tells an error of the writeback of an open file that was not told yet, which a sync of the file system may not.
#[cfg(target_os = "linux")]
pub(crate) fn check_written(fd: BorrowedFd<'_>) -> io::Result<()> {
    sync_range(fd, 0, 0, SYNC_WAIT_BEFORE)
}

/// Not available here, and not called: neither is `sync_all`.
#[cfg(not(target_os = "linux"))]
pub(crate) fn check_written(_fd: BorrowedFd<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Drops the clean pages of a file from the page cache.
#[cfg(target_os = "linux")]
pub(crate) fn forget_cached(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers.
    match unsafe { libc::posix_fadvise(fd.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Not available here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn forget_cached(_fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(())
}

/// Takes an exclusive flock, or fails with `WouldBlock`.
pub(crate) fn lock_exclusive(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers.
    zero_or_error(unsafe { libc::flock(fd.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) })
}

/// How many files the process may have open; `None` without a limit.
pub(crate) fn open_files_max() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` lives over the call.
    let done = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    (done == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// Bytes of a page of memory.
pub fn page_bytes() -> u64 {
    // SAFETY: no pointers.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

/// (available, total) bytes of the file system of `path`.
pub(crate) fn space(path: &Path) -> io::Result<(u64, u64)> {
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a zero byte; `stat` is large enough and only read when the call filled it.
    let stat = unsafe {
        zero_or_error(libc::statvfs(path.as_ptr(), stat.as_mut_ptr()))?;
        stat.assume_init()
    };
    let block = stat.f_frsize as u64;
    Ok((block * stat.f_bavail as u64, block * stat.f_blocks as u64))
}

fn size_or_error(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

fn zero_or_error(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
