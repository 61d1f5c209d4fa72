//! The system calls of this crate that have no safe wrapper. Each block says why it is sound.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Blocks every signal in the calling thread, so that signal handlers run on the thread of JavaScript.
pub fn block_signals() {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigfillset` initialises the set it is given; the old mask is not asked for.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
    }
}

/// Asks for huge pages behind a buffer that lives as long as its reactor. Best effort.
pub fn advise_huge_pages(buffer: &mut [u8]) {
    #[cfg(target_os = "linux")]
    {
        let page = 4096_usize;
        let start = buffer.as_ptr() as usize;
        let aligned = start.next_multiple_of(page);
        let end = (start + buffer.len()) & !(page - 1);
        if aligned < end {
            // SAFETY: the range lies inside the buffer, and the advice changes no contents.
            unsafe {
                libc::madvise(aligned as *mut libc::c_void, end - aligned, libc::MADV_HUGEPAGE);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = buffer;
}
