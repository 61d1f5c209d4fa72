//! The system calls of this crate that have no safe wrapper. Each block says why it is sound.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
use std::io;
use std::mem::MaybeUninit;
#[cfg(target_os = "linux")]
use std::os::fd::RawFd;

/// Blocks every signal in the calling thread, so that signal handlers run on the thread of JavaScript.
pub fn block_signals() {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigfillset` initialises the set it is given; the old mask is not asked for.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
    }
}

/// Blocks of memory from this size on go back to the system as soon as they are free.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_MAPPING_BYTES: libc::c_int = 256 << 10;
/// Free memory at the end of a heap that is kept.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 512 << 10;

/// Has the C library give memory back that is free. By itself it learns from every large block that is freed to keep more,
/// up to 64 MiB for each of its heaps. Best effort.
pub fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: both set a number of the allocator, at any time.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}

/// How long a reactor may run before the scheduler looks at others that wait.
#[cfg(target_os = "linux")]
const SLICE_NS: u64 = 100_000;

/// Asks the scheduler for short slices for the calling thread: it gives others their turn sooner, and is itself served
/// sooner when it wakes up while they run. Needs Linux 6.12 and no privilege; without it nothing changes. Best effort.
pub fn prefer_short_slices() {
    #[cfg(target_os = "linux")]
    {
        /// `struct sched_attr` of its first version, which every kernel takes.
        #[repr(C)]
        #[derive(Default)]
        struct SchedAttr {
            size: u32,
            policy: u32,
            flags: u64,
            nice: i32,
            priority: u32,
            runtime: u64,
            deadline: u64,
            period: u64,
        }
        let size = size_of::<SchedAttr>() as u32;
        let mut attr = SchedAttr { size, ..SchedAttr::default() };
        // SAFETY: both calls are given a live structure of the size that they are told, for the calling thread.
        unsafe {
            if libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) != 0 {
                return;
            }
            // Of the ordinary policy only: another one was chosen by somebody who knows better.
            if attr.policy == libc::SCHED_OTHER as u32 {
                attr.runtime = SLICE_NS;
                libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0);
            }
        }
    }
}

/// Has the calling thread sleep no longer than it asks for: by itself Linux adds up to 50 µs, so that several timers end
/// at once. Best effort.
pub fn sleep_to_the_point() {
    // SAFETY: sets a number of the calling thread.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong);
    }
}

/// How much lower the priority of a thread is that gives way.
#[cfg(target_os = "linux")]
const NICE: libc::c_int = 10;

/// Lowers the priority of the calling thread: it gets a tenth of what others get where they want the same processor. Best
/// effort.
pub fn give_way() {
    // SAFETY: the call takes no pointers. On Linux each thread has a priority of its own.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::nice(NICE);
    }
}

/// What Linux calls a huge page on x86-64 and most others.
const HUGE_PAGE: usize = 2 << 20;

/// A buffer, and where in it its last `len` bytes begin: at a huge page, if they fill half of one. To pages of 4 KiB the
/// processor must find the way 512 times as often, and in a virtual machine the way is twice as long. Best effort.
pub fn buffer_in_huge_pages(len: usize) -> (Vec<u8>, usize) {
    if len < HUGE_PAGE / 2 {
        return (vec![0; len], 0);
    }
    let pages = len.next_multiple_of(HUGE_PAGE);
    // What lies around them is never touched, and so takes no memory.
    let mut buffer = vec![0_u8; pages + HUGE_PAGE];
    let address = buffer.as_ptr() as usize;
    let start = address.next_multiple_of(HUGE_PAGE) - address;
    #[cfg(target_os = "linux")]
    // SAFETY: the range lies inside the buffer, and the advice changes no contents.
    unsafe {
        libc::madvise(buffer.as_mut_ptr().add(start).cast(), pages, libc::MADV_HUGEPAGE);
    }
    buffer.truncate(start + len);
    (buffer, start)
}

/// Whether the page cache has a page for each of these bytes of a file, read or being read (`cachestat`, Linux 6.5). Where
/// the system cannot say: no.
#[cfg(target_os = "linux")]
pub fn is_cached(file: RawFd, position: u64, len: usize) -> bool {
    /// The number of the call on x86-64, arm64 and most others; where it is no call the answer is no.
    const SYS_CACHESTAT: libc::c_long = 451;
    /// `struct cachestat`: pages in the cache, dirty, in writeback, evicted, recently evicted.
    type CacheStat = [u64; 5];
    let (range, mut stat): ([u64; 2], CacheStat) = ([position, len as u64], [0; 5]);
    // SAFETY: both are live and of the sizes that the call reads and writes.
    let done = unsafe {
        libc::syscall(SYS_CACHESTAT, file, range.as_ptr(), stat.as_mut_ptr(), 0 as libc::c_uint)
    };
    let page = page_bytes();
    let pages = (position + len as u64).div_ceil(page) - position / page;
    done == 0 && stat[0] >= pages
}

#[cfg(target_os = "linux")]
fn page_bytes() -> u64 {
    // SAFETY: no pointers.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

/// Sends bytes that more follow at once: no packet of their own.
#[cfg(target_os = "linux")]
pub fn send_ahead(socket: RawFd, bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    let flags = libc::MSG_MORE | libc::MSG_NOSIGNAL;
    // SAFETY: the bytes live over the call.
    let sent = unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), flags) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Sends bytes of a file without copying them; 0 at its end.
#[cfg(target_os = "linux")]
pub fn send_file(socket: RawFd, file: RawFd, position: u64, len: usize) -> io::Result<usize> {
    let mut at = position as libc::off_t;
    // SAFETY: `at` lives over the call.
    let sent = unsafe { libc::sendfile(socket, file, &raw mut at, len) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_begins_at_a_huge_page() {
        for len in [1 << 20, 2 << 20, 3 << 20] {
            let (buffer, start) = buffer_in_huge_pages(len);
            assert_eq!(buffer.len() - start, len);
            assert_eq!((buffer.as_ptr() as usize + start) % HUGE_PAGE, 0);
        }
        let (buffer, start) = buffer_in_huge_pages(64 << 10);
        assert_eq!((buffer.len(), start), (64 << 10, 0));
    }
}
