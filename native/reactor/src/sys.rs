//! The system calls of this crate that have no safe wrapper. Each block says why it is sound.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
#[cfg(target_os = "linux")]
use std::io;
use std::mem::MaybeUninit;
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
const OWN_MAPPING_BYTES: usize = 256 << 10;
/// Free memory at the end of a heap that is kept.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 512 << 10;

/// Has the C library give memory back that is free. By itself it learns from every large block that is freed to keep more,
/// up to 64 MiB for each of its heaps. Best effort.
pub fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: both set a number of the allocator, at any time.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES as libc::c_int);
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

/// What Linux calls a huge page on x86-64 and most others. To pages of 4 KiB the processor must find the way 512 times as
/// often, and in a virtual machine the way is twice as long.
pub const HUGE_PAGE: usize = 2 << 20;

/// The memory of this process: blocks of `OWN_MAPPING_BYTES` and more are mappings of their own, which go back to the system
/// as soon as they are free. They begin with a page: into and out of bytes that do not, the kernel copies a tenth slower, and
/// the C library puts 16 bytes of its own in front of a block. One that consists of huge pages lies in such, as far as the
/// system has any. What nobody writes to takes no memory.
pub struct LargeBlocks;

// SAFETY: a block is `is_own` when it is given, moved and freed, or never, as that depends on its layout only; what is not is
// the system allocator's. A mapping is zeroed, as large as asked for, and of nobody else.
unsafe impl GlobalAlloc for LargeBlocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_own(layout) {
            return map(layout.size());
        }
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_own(layout) {
            return map(layout.size());
        }
        // SAFETY: as the caller vouches.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_own(layout) {
            // SAFETY: `map` gave it, and the caller uses it no more.
            unsafe { unmap(block, layout.size()) };
        } else {
            // SAFETY: as the caller vouches.
            unsafe { System.dealloc(block, layout) };
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller vouches for size and alignment.
        let larger = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if !is_own(layout) && !is_own(larger) {
            // SAFETY: as the caller vouches.
            return unsafe { System.realloc(block, layout, size) };
        }
        // The pages move, not what is in them; but nothing says that they would begin at a huge page.
        #[cfg(target_os = "linux")]
        if is_own(layout) && is_own(larger) && !size.is_multiple_of(HUGE_PAGE) {
            // SAFETY: a mapping that `map` gave, as large as its layout says. When it fails the block is as it was.
            let moved =
                unsafe { libc::mremap(block.cast(), layout.size(), size, libc::MREMAP_MAYMOVE) };
            return if moved == libc::MAP_FAILED { std::ptr::null_mut() } else { moved.cast() };
        }
        // SAFETY: two blocks, each as large as its layout says; the old one is given up only when there is a new one.
        unsafe {
            let moved = self.alloc(larger);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// No system has smaller pages.
const PAGE_BYTES_LEAST: usize = 4096;

fn is_own(layout: Layout) -> bool {
    cfg!(target_os = "linux")
        && layout.size() >= OWN_MAPPING_BYTES
        && layout.align() <= PAGE_BYTES_LEAST
}

/// A mapping of so many bytes, null when there is none to be had.
fn map(size: usize) -> *mut u8 {
    let has_huge_pages = size.is_multiple_of(HUGE_PAGE);
    let around = if has_huge_pages { HUGE_PAGE } else { 0 };
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
    let Some(mapped) = size.checked_add(around) else { return std::ptr::null_mut() };
    // SAFETY: a new mapping, wherever there is room. What lies around the huge pages is inside it, and unmapped again.
    unsafe {
        let start = libc::mmap(std::ptr::null_mut(), mapped, access, kind, -1, 0).cast::<u8>();
        if start.cast() == libc::MAP_FAILED {
            return std::ptr::null_mut();
        }
        if !has_huge_pages {
            return start;
        }
        let before = start.align_offset(HUGE_PAGE);
        let block = start.add(before);
        unmap(start, before);
        unmap(block.add(size), around - before);
        #[cfg(target_os = "linux")]
        libc::madvise(block.cast(), size, libc::MADV_HUGEPAGE);
        block
    }
}

/// # Safety
///
/// Nobody uses these bytes of a mapping any more.
unsafe fn unmap(start: *mut u8, size: usize) {
    if size > 0 {
        // SAFETY: the caller vouches for it.
        unsafe { libc::munmap(start.cast(), size) };
    }
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
    let page = ms_log::page_bytes();
    let pages = (position + len as u64).div_ceil(page) - position / page;
    done == 0 && stat[0] >= pages
}

/// Has the system read these bytes of a file into the page cache. Advice only.
#[cfg(target_os = "linux")]
pub fn will_need(file: RawFd, position: u64, len: usize) {
    let (position, len) = (position as libc::off_t, len as libc::off_t);
    // SAFETY: no memory is involved.
    unsafe { libc::posix_fadvise(file, position, len, libc::POSIX_FADV_WILLNEED) };
}

/// Other systems read ahead as they see fit.
#[cfg(not(target_os = "linux"))]
pub fn will_need(_: RawFd, _: u64, _: usize) {}

/// Bytes that a socket has received and that nobody has read; `None` where the system cannot say.
pub fn unread_bytes(socket: RawFd) -> Option<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: the call writes one number, which lives over it.
    let done = unsafe { libc::ioctl(socket, libc::FIONREAD, &raw mut count) };
    usize::try_from(count).ok().filter(|_| done == 0)
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

    fn address(block: &[u8]) -> usize {
        block.as_ptr() as usize
    }

    #[test]
    fn a_large_block_begins_with_a_page_and_one_of_huge_pages_with_such() {
        for (bytes, begin) in
            [(OWN_MAPPING_BYTES, 4096), (1_300_001, 4096), (2 * HUGE_PAGE, HUGE_PAGE)]
        {
            let blocks: Vec<Vec<u8>> = (0..3).map(|_| vec![0; bytes]).collect();
            for block in &blocks {
                assert_eq!((block.capacity(), address(block) % begin), (bytes, 0));
                assert!(block.iter().all(|byte| *byte == 0));
            }
        }
    }

    #[test]
    fn a_block_keeps_its_bytes_when_it_grows_and_shrinks() {
        let sizes = [100, 300_000, 700_000, HUGE_PAGE, 5_000_000, 2 * HUGE_PAGE, 400_000, 60];
        let mut block: Vec<u8> = Vec::new();
        for size in sizes {
            let kept = block.len().min(size);
            block.truncate(size);
            block.reserve_exact(size - kept);
            block.shrink_to(size);
            assert_eq!(block.capacity(), size);
            (kept..size).for_each(|at| block.push(at as u8));
            assert!(block.iter().enumerate().all(|(at, byte)| *byte == at as u8));
        }
    }

    #[test]
    fn more_than_there_is_is_refused() {
        for bytes in [isize::MAX as usize, (1 << 60) / HUGE_PAGE * HUGE_PAGE] {
            assert!(Vec::<u8>::new().try_reserve_exact(bytes).is_err());
        }
    }
}
