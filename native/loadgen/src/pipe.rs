//! One connection that keeps a number of requests in flight without ever blocking.

use std::io::{self, IoSlice, Read, Write};
use std::rc::Rc;

use mio::net::TcpStream;

use crate::fetched::Walk;
use crate::requests::{CORRELATION_ID_AT, HEAD_BYTES, set_fetch_offset};

/// Enough for an answer to a fetch of a megabyte.
const BUFFER_BYTES: usize = 2 << 20;

pub struct Pipe {
    pub stream: TcpStream,
    /// The frames to send, in rotation; only the head of each is copied and changed.
    frames: Vec<Rc<Vec<u8>>>,
    next: usize,
    /// Where the next fetch reads; its frame is this connection's own.
    walk: Option<Walk>,
    depth: usize,
    in_flight: usize,
    correlation_id: i32,
    head: [u8; HEAD_BYTES],
    /// Bytes of the current frame that are sent; `None` between frames.
    sent: Option<usize>,
    buffer: Vec<u8>,
    filled: usize,
}

impl Pipe {
    pub fn new(stream: TcpStream, frames: Vec<Rc<Vec<u8>>>, start: usize, depth: usize) -> Self {
        Self {
            stream,
            next: start % frames.len(),
            frames,
            walk: None,
            depth,
            in_flight: 0,
            correlation_id: 0,
            head: [0; HEAD_BYTES],
            sent: None,
            buffer: vec![0; BUFFER_BYTES],
            filled: 0,
        }
    }

    /// Reads with its one frame, which is a fetch, from place to place.
    pub fn walking(mut self, walk: Walk) -> Self {
        self.walk = Some(walk);
        self
    }

    /// Sends until enough is in flight or the socket takes no more.
    pub fn pump(&mut self) -> io::Result<()> {
        loop {
            let Some(sent) = self.sent else {
                if self.in_flight >= self.depth {
                    return Ok(());
                }
                self.begin();
                continue;
            };
            let frame = &self.frames[self.next];
            let parts = if sent < HEAD_BYTES {
                [IoSlice::new(&self.head[sent..]), IoSlice::new(&frame[HEAD_BYTES..])]
            } else {
                [IoSlice::new(&frame[sent..]), IoSlice::new(&[])]
            };
            match self.stream.write_vectored(&parts) {
                Ok(count) if sent + count == frame.len() => {
                    self.sent = None;
                    self.next = (self.next + 1) % self.frames.len();
                }
                Ok(count) => self.sent = Some(sent + count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn begin(&mut self) {
        if let Some(walk) = &mut self.walk {
            let frame = Rc::make_mut(&mut self.frames[self.next]);
            set_fetch_offset(frame.as_mut_slice(), walk.next());
        }
        self.correlation_id = self.correlation_id.wrapping_add(1);
        self.head.copy_from_slice(&self.frames[self.next][..HEAD_BYTES]);
        self.head[CORRELATION_ID_AT..].copy_from_slice(&self.correlation_id.to_be_bytes());
        self.sent = Some(0);
        self.in_flight += 1;
    }

    /// Hands each answer that has arrived to `take`, without its length prefix, until the socket is empty.
    pub fn drain(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let mut at = 0;
            while let Some(len) = frame_len(&self.buffer[at..self.filled]) {
                if self.filled - at < len {
                    self.make_room(len);
                    break;
                }
                take(&self.buffer[at + 4..at + len]);
                at += len;
                self.in_flight -= 1;
            }
            self.buffer.copy_within(at..self.filled, 0);
            self.filled -= at;
        }
    }

    fn make_room(&mut self, bytes: usize) {
        if self.buffer.len() < bytes + BUFFER_BYTES {
            self.buffer.resize(bytes + BUFFER_BYTES, 0);
        }
    }
}

fn frame_len(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|prefix| 4 + u32::from_be_bytes(*prefix) as usize)
}
