//! System calls that have no safe wrapper, most of them of `keep`. The only file of this crate with unsafe code; each block passes
//! what outlives the call, and checks the result.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Has the system take a huge page apart, and at once: it is told that this part of it is needed less than the rest. When a
/// part is unmapped instead, the rest is kept whole until memory is short. The contents stay.
pub fn split_around(page: &mut [u8]) -> io::Result<()> {
    // SAFETY: the range is borrowed, and the advice (Linux 5.4) changes no contents.
    let done = unsafe { libc::madvise(page.as_mut_ptr().cast(), page.len(), libc::MADV_COLD) };
    zero_or_error(done)
}

/// Gives a page of memory itself, not a copy, to a pipe, which has it also after it was unmapped here. Never waits.
pub fn give_page(pipe: BorrowedFd<'_>, page: &[u8]) -> io::Result<()> {
    let part = libc::iovec { iov_base: page.as_ptr().cast_mut().cast(), iov_len: page.len() };
    // SAFETY: `part` describes `page`, which the call only reads. What a reader of the pipe gets may change later; nobody
    // reads this one.
    let given =
        unsafe { libc::vmsplice(pipe.as_raw_fd(), &raw const part, 1, libc::SPLICE_F_NONBLOCK) };
    if given < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Asks for a pipe that holds so many bytes.
pub fn enlarge(pipe: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
    let bytes = libc::c_int::try_from(bytes).map_err(io::Error::other)?;
    // SAFETY: no pointers.
    let size = unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
    zero_or_error(size.min(0))
}

/// Waits until there is something to read, or an end. In `poll` with a time, as clients do that have more than one connection:
/// in `recv`, or without a time, it took 5 of 25 µs longer until the thread ran again (Linux 6.18, a virtual machine).
pub fn wait_readable(socket: BorrowedFd<'_>) -> io::Result<()> {
    const WAIT_MS: libc::c_int = 10_000;
    let mut waited = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    loop {
        // SAFETY: one entry, which is borrowed for the call.
        let ready = unsafe { libc::poll(&raw mut waited, 1, WAIT_MS) };
        let error = io::Error::last_os_error();
        match ready {
            0 => {}
            1.. => return Ok(()),
            _ if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return Err(error),
        }
    }
}

fn zero_or_error(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
