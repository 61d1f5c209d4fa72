//! Sending large parts of files by `sendfile`: the socket is given the pages of the page cache, and nothing is copied. Small
//! ones are cheaper to copy: a client that keeps up is woken for every few pages.

use std::io::{self, Write};
#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd, RawFd};

use mio::net::TcpStream;
use ms_log::FileRange;

/// Parts of files go out by their pages while so much of them is left, those that follow each other taken together. Measured
/// over loopback, processor time by copying against by pages: at 128 KiB 0.97 and 1.14 (two machines), at 256 KiB 1.11 and
/// 1.2, at 512 KiB 1.5, at 1 MiB 1.8.
pub const WHOLE_MIN: usize = 96 << 10;
/// And so much of one at once: padding of the log divides what is read into parts.
pub const PIECE_MIN: usize = 48 << 10;

/// What becomes of the next bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// So many are sent by their pages.
    Pages(usize),
    /// They would be, if more might be sent.
    Later,
    /// They are copied.
    Copied,
}

/// How to send the next `len` bytes of a file, of `whole` in all parts that follow each other, if at most `max` may be sent.
pub fn piece(len: usize, whole: usize, max: usize) -> Piece {
    if whole < WHOLE_MIN || len < PIECE_MIN {
        Piece::Copied
    } else if len.min(max) < PIECE_MIN {
        Piece::Later
    } else {
        Piece::Pages(len.min(max))
    }
}

/// Where answers go.
pub trait Sink: Write {
    /// Sends `head` and behind it `len` bytes of a file, all, some or nothing of both, without copying those of the file:
    /// how many bytes. `WouldBlock` when there is room for none. `None`: it cannot, or would have to wait for the disk.
    fn send_file(&mut self, head: &[u8], file: &FileRange, len: usize)
    -> Option<io::Result<usize>>;
}

impl Sink for TcpStream {
    #[cfg(target_os = "linux")]
    fn send_file(
        &mut self,
        head: &[u8],
        file: &FileRange,
        len: usize,
    ) -> Option<io::Result<usize>> {
        let fd = file.file.raw_fd()?;
        if !is_at_hand(file, fd, len) {
            return None;
        }
        let socket = self.as_raw_fd();
        let sent_of_head = match retry(|| crate::sys::send_ahead(socket, head)) {
            Ok(sent) if sent == head.len() => sent,
            other => return Some(other),
        };
        Some(match retry(|| crate::sys::send_file(socket, fd, file.position, len)) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(sent) => Ok(sent_of_head + sent),
            // What keeps it from sending the file is for the next call to say.
            Err(error) if sent_of_head > 0 && (is_full(&error) || is_unable(&error)) => {
                Ok(sent_of_head)
            }
            Err(error) if is_unable(&error) => return None,
            Err(error) => Err(error),
        })
    }

    /// Others have such a call too, but none that says what is in memory.
    #[cfg(not(target_os = "linux"))]
    fn send_file(&mut self, _: &[u8], _: &FileRange, _: usize) -> Option<io::Result<usize>> {
        None
    }
}

/// Whether `sendfile` need not wait for the disk: every page is in the page cache, and the outermost have been read, which
/// one that the kernel reads ahead has not yet. Between this and the sending the kernel may take one away; the reactor then
/// waits for the disk.
#[cfg(target_os = "linux")]
fn is_at_hand(FileRange { file, position, .. }: &FileRange, fd: RawFd, len: usize) -> bool {
    let is_read = |at| matches!(file.read_cached_at(&mut [0], at), Ok(1));
    crate::sys::is_cached(fd, *position, len)
        && is_read(*position)
        && is_read(position + len as u64 - 1)
}

#[cfg(target_os = "linux")]
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// The file system has no pages to give, or the call is forbidden.
#[cfg(target_os = "linux")]
fn is_unable(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::ENOSYS | libc::EPERM | libc::EOPNOTSUPP)
    )
}

#[cfg(target_os = "linux")]
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream as Client};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use ms_log::sim::{FileCall, FileFront, FrontedFile};
    use ms_log::{Disk, OpenMode, RealDisk};

    use super::*;

    const HEAD: &[u8] = b"head";

    fn content() -> Vec<u8> {
        (0..600_000_u32).map(|i| (i % 251) as u8).collect()
    }

    fn range(name: &str, position: u64, len: u32) -> FileRange {
        let path = std::env::temp_dir().join(format!("ms-send-{}-{name}", std::process::id()));
        std::fs::write(&path, content()).unwrap();
        let file: Arc<dyn ms_log::File> = RealDisk.open(Path::new(&path), OpenMode::Read).unwrap();
        std::fs::remove_file(&path).unwrap();
        FileRange { file, position, len }
    }

    fn connected() -> (TcpStream, Client) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        (TcpStream::from_std(socket), client)
    }

    #[test]
    fn only_much_of_a_large_part_goes_by_its_pages() {
        let mib = 1 << 20;
        assert_eq!(piece(mib, mib, 160 << 10), Piece::Pages(160 << 10));
        assert_eq!(piece(mib, mib, (48 << 10) - 1), Piece::Later);
        assert_eq!(piece(WHOLE_MIN, WHOLE_MIN, mib), Piece::Pages(WHOLE_MIN));
        assert_eq!(piece(WHOLE_MIN - 1, WHOLE_MIN - 1, mib), Piece::Copied);
        assert_eq!(piece(100_000, mib, mib), Piece::Pages(100_000));
        assert_eq!(piece((48 << 10) - 1, mib, mib), Piece::Copied);
    }

    /// The kernel has `cachestat`: without it nothing goes by its pages, and there is nothing to test.
    fn is_possible() -> bool {
        let file = range("possible", 0, 600_000);
        crate::sys::is_cached(file.file.raw_fd().unwrap(), 0, 600_000)
    }

    #[test]
    fn the_head_and_the_bytes_of_the_file_arrive_until_there_is_no_more_room() {
        if !is_possible() {
            return;
        }
        let (mut socket, mut client) = connected();
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let file = range("order", 1001, 500_000);
        let whole = [HEAD, &content()[1001..501_001]].concat();
        let mut expected = Vec::new();
        // Nobody reads: at some time the socket is full.
        loop {
            match socket.send_file(HEAD, &file, 500_000).unwrap() {
                Ok(sent) => expected.extend_from_slice(&whole[..sent]),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        assert!(expected.len() > HEAD.len() && expected.len() % whole.len() != 0);
        let mut received = vec![0; expected.len()];
        client.read_exact(&mut received).unwrap();
        assert!(received == expected);
        drop(socket);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn what_is_not_in_the_page_cache_is_left_to_others() {
        if !is_possible() {
            return;
        }
        let (mut socket, mut client) = connected();
        let behind_the_end = range("cold", 590_000, 300_000);
        assert!(socket.send_file(HEAD, &behind_the_end, 300_000).is_none());
        assert!(socket.send_file(HEAD, &behind_the_end, 10_000).is_some());
        drop(socket);
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), HEAD.len() + 10_000, "nor was the head sent twice");
    }

    /// After so many reads the kernel has the page, and has not read it yet.
    struct Ahead(AtomicUsize);

    impl FileFront for Ahead {
        fn before(&self, _: &dyn ms_log::File, call: FileCall) -> io::Result<()> {
            let update = |left: usize| left.checked_sub(1);
            match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, update) {
                Err(_) if call == FileCall::ReadCached => Err(io::ErrorKind::WouldBlock.into()),
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn what_the_kernel_still_reads_ahead_is_left_to_others_too() {
        if !is_possible() {
            return;
        }
        for (reads, is_sent) in [(0, false), (1, false), (2, true)] {
            let (mut socket, _client) = connected();
            let mut file = range("ahead", 0, 300_000);
            file.file = Arc::new(FrontedFile(file.file, Ahead(reads.into())));
            assert_eq!(socket.send_file(HEAD, &file, 300_000).is_some(), is_sent);
        }
    }

    #[test]
    fn who_has_left_is_an_error() {
        let (mut socket, client) = connected();
        drop(client);
        let file = range("left", 0, 600_000);
        for _ in 0..1000 {
            match socket.send_file(HEAD, &file, 600_000) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return assert_ne!(error.kind(), io::ErrorKind::WouldBlock),
                None => return assert!(!is_possible()),
            }
        }
        panic!("nobody takes it");
    }
}
