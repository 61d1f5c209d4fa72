//! Queues of answers, and how they leave.

use std::io::Write;
use std::path::Path;

use ms_log::{Disk, OpenMode, RealDisk};

use super::*;

const MAX: usize = 256 << 10;

/// Takes so many bytes in each call, then is full once.
struct Socket {
    taken: Vec<u8>,
    room: usize,
    is_full: bool,
    /// How often it has sent of a file; `None`: it cannot.
    pieces: Option<usize>,
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_full = !self.is_full;
        if !self.is_full {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(self.room);
        self.taken.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Socket {
    fn send_file(
        &mut self,
        head: &[u8],
        file: &FileRange,
        len: usize,
    ) -> Option<io::Result<usize>> {
        *self.pieces.as_mut()? += 1;
        let mut bytes = head.to_vec();
        bytes.resize(head.len() + len, 0);
        file.file.read_at(&mut bytes[head.len()..], file.position).unwrap();
        Some(self.write(&bytes))
    }
}

fn file(name: &str, bytes: &[u8]) -> Arc<dyn ms_log::File> {
    let path = std::env::temp_dir().join(format!("ms-out-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let file = RealDisk.open(Path::new(&path), OpenMode::Read).unwrap();
    std::fs::remove_file(&path).unwrap();
    file
}

#[test]
fn bytes_and_files_leave_in_order_however_little_the_socket_takes() {
    let content: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let file = file("order", &content);
    let head: Vec<u8> = (0..3000_u32).map(|i| (i % 241) as u8).collect();
    let rooms = [1000, 3000, 4097, 65_536, 1 << 20];
    for (room, pieces) in rooms.into_iter().flat_map(|it| [(it, None), (it, Some(0))]) {
        let mut out = OutQueue::new();
        let mut expected = Vec::new();
        for (position, len) in [(99, 299_000), (0, 100_000), (50_000, 7)] {
            out.bytes().extend_from_slice(&head);
            out.push_file(&FileRange { file: Arc::clone(&file), position, len });
            out.push_block(b"block".to_vec());
            out.bytes().extend_from_slice(b"tail");
            expected.extend_from_slice(&head);
            expected.extend_from_slice(&content[position as usize..][..len as usize]);
            expected.extend_from_slice(b"blocktail");
        }
        let mut ready = OutQueue::new();
        ready.bytes().extend_from_slice(b"beh");
        ready.push_block(b"ind".to_vec());
        ready.push_file(&FileRange { file: Arc::clone(&file), position: 1, len: 2 });
        out.append(ready);
        expected.extend_from_slice(b"behind");
        expected.extend_from_slice(&content[1..3]);
        assert_eq!(out.len(), expected.len() as u64);
        let mut socket = Socket { taken: Vec::new(), room, is_full: false, pieces };
        let mut scratch = vec![0; 128 << 10];
        while !matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Done) {}
        assert!(socket.taken == expected, "with room {room}");
        assert_eq!(socket.pieces.is_some_and(|pieces| pieces > 0), pieces.is_some());
    }
}

#[test]
fn a_large_answer_changes_queues_in_blocks_and_leaves_in_order() {
    let content = [b'f'; 1000];
    let file = file("blocks", &content);
    let mut large = OutQueue::in_blocks();
    let start = ms_wire::header::start_frame(large.bytes());
    let mut expected = Vec::new();
    for i in 0..100_u8 {
        large.bytes().extend_from_slice(&[i; 5000]);
        expected.extend_from_slice(&[i; 5000]);
        large.part();
        if i % 40 == 7 {
            large.push_file(&FileRange { file: Arc::clone(&file), position: 0, len: 1000 });
            expected.extend_from_slice(&content);
        }
    }
    large.finish_frame(start, 3000);
    assert!(large.bytes.is_empty() && large.parts.len() > 7);
    expected.splice(0..0, (expected.len() as u32).to_be_bytes());
    for before in [&b""[..], b"before"] {
        let mut out = OutQueue::new();
        out.bytes().extend_from_slice(before);
        let mut same = OutQueue::in_blocks();
        for part in &large.parts {
            match part {
                Part::Block { block, .. } => same.bytes().extend_from_slice(block),
                Part::File(range) => same.push_file(range),
                Part::Bytes(_) => panic!("bytes that are not in a block"),
            }
            same.part();
        }
        out.append(same);
        assert!(out.bytes.len() == before.len());
        out.bytes().extend_from_slice(b"behind");
        let mut socket = Socket { taken: Vec::new(), room: 70_000, is_full: false, pieces: None };
        let mut scratch = vec![0; 128 << 10];
        while !matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Done) {}
        assert!(socket.taken == [before, &expected, b"behind"].concat());
    }
}

#[test]
fn one_flush_sends_no_more_than_it_may() {
    struct Eager(usize, bool);
    impl Write for Eager {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Sink for Eager {
        fn send_file(
            &mut self,
            head: &[u8],
            _: &FileRange,
            len: usize,
        ) -> Option<io::Result<usize>> {
            let sent = self.1.then_some(head.len() + len)?;
            self.0 += sent;
            Some(Ok(sent))
        }
    }
    let file = file("enough", &vec![0; 3 * MAX]);
    let queues = [(false, 0, false), (true, 100, false), (true, 100, true), (true, MAX + 5, true)];
    for (is_file, head, by_pages) in queues {
        let mut out = OutQueue::new();
        let len = (3 * MAX - head) as u32;
        if is_file {
            out.bytes().resize(head, 0);
            out.push_file(&FileRange { file: Arc::clone(&file), position: 0, len });
        } else {
            out.bytes().resize(3 * MAX, 0);
        }
        let (mut socket, mut scratch) = (Eager(0, by_pages), vec![0; 1 << 20]);
        for turn in 1..=2 {
            assert!(matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Enough));
            assert_eq!(socket.0, turn * MAX);
        }
        assert!(matches!(out.flush(&mut socket, &mut scratch, MAX), Flush::Done));
    }
}

#[test]
fn a_file_that_is_shorter_than_announced_ends_the_connection() {
    let mut out = OutQueue::new();
    out.push_file(&FileRange { file: file("short", b"abc"), position: 3, len: 1 });
    let mut socket = Socket { taken: Vec::new(), room: 10, is_full: false, pieces: None };
    assert!(matches!(out.flush(&mut socket, &mut [0; 1000], MAX), Flush::Failed));
}

#[test]
fn the_cold_reader_is_told_what_of_the_same_file_follows() {
    let (one, other) = (file("one", b"0123456789"), file("other", b"0123456789"));
    let part =
        |file: &Arc<dyn ms_log::File>, len| FileRange { file: Arc::clone(file), position: 0, len };
    let mut out = OutQueue::new();
    [(&one, 4), (&one, 3), (&one, 2), (&other, 5)]
        .iter()
        .for_each(|(file, len)| out.push_file(&part(file, *len)));
    for (max, expected) in [(100, (4, 5)), (6, (4, 2)), (3, (3, 0))] {
        let read = out.cold_read(&part(&one, 4), max);
        assert_eq!((read.range.len as usize, read.next), expected);
    }
}

#[test]
fn what_the_cold_reader_brings_takes_the_place_of_the_file() {
    let content = b"0123456789";
    let mut out = OutQueue::new();
    out.bytes().extend_from_slice(b"<");
    out.push_file(&FileRange { file: file("cold", content), position: 0, len: 10 });
    out.bytes().extend_from_slice(b">");
    let mut socket = Socket { taken: Vec::new(), room: 1, is_full: false, pieces: None };
    assert!(matches!(out.flush(&mut socket, &mut [0; 1], MAX), Flush::Blocked | Flush::Done));
    out.unblock(b"0123".to_vec());
    socket.room = 100;
    while !matches!(out.flush(&mut socket, &mut [0; 64], MAX), Flush::Done) {}
    assert_eq!(socket.taken, b"<0123456789>");
}
