//! One connection that keeps a number of requests in flight without ever blocking.

use std::io::{self, IoSlice, Read, Write};
use std::rc::Rc;

use mio::net::TcpStream;
use socket2::SockRef;

use crate::fetched::Walk;
use crate::requests::{CORRELATION_ID_AT, HEAD_BYTES, set_fetch_offset};

/// Of a longer answer the rest is thrown away inside the kernel, so that reading costs next to nothing.
const WINDOW_BYTES: usize = 4096;
/// With a window of this size most of an answer is such a rest.
const SMALL_WINDOW_BYTES: usize = 256;
/// So much of an answer is looked at.
const LOOK_BYTES: usize = 192;
/// Bytes thrown away at a time.
const DISCARD_BYTES: usize = 8 << 20;

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
    window: Vec<u8>,
    filled: usize,
    /// Bytes of an answer that are not read any more.
    rest: usize,
    /// Requests that one frame is.
    bundle: usize,
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
            window: vec![0; WINDOW_BYTES],
            filled: 0,
            rest: 0,
            bundle: 1,
        }
    }

    /// Every frame consists of so many requests, and their answers are read one by one, length and body, as a plain client does:
    /// the broker polls while it waits for the next bundle, so that what the client takes for it is part of the figure.
    pub fn bundled(mut self, bundle: usize) -> Self {
        self.bundle = bundle;
        self
    }

    /// Reads with its one frame, which is a fetch, from place to place.
    pub fn walking(mut self, walk: Walk) -> Self {
        self.walk = Some(walk);
        self.window.truncate(SMALL_WINDOW_BYTES);
        self
    }

    /// Sends until enough is in flight or the socket takes no more.
    pub fn pump(&mut self) -> io::Result<()> {
        loop {
            let Some(sent) = self.sent else {
                if self.in_flight + self.bundle > self.depth {
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
        self.in_flight += self.bundle;
    }

    /// Hands the start of each answer that has arrived to `take`, without its length prefix, until the socket is empty.
    pub fn drain(
        &mut self,
        discarded: &mut Vec<u8>,
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        while self.bundle == 1 || self.in_flight > 0 {
            let received = if self.rest > 0 {
                let some = self.rest.min(DISCARD_BYTES);
                discarded.reserve(some);
                let unused = &mut discarded.spare_capacity_mut()[..some];
                SockRef::from(&self.stream).recv_with_flags(unused, libc::MSG_TRUNC)
            } else {
                let end = self.read_end();
                self.stream.read(&mut self.window[self.filled..end])
            };
            match received {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) if self.rest > 0 => self.rest -= count,
                Ok(count) => {
                    self.filled += count;
                    self.look(&mut take);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read_end(&self) -> usize {
        if self.bundle == 1 {
            return self.window.len();
        }
        frame_len(&self.window[..self.filled]).unwrap_or(4).min(self.window.len())
    }

    fn look(&mut self, take: &mut impl FnMut(&[u8])) {
        let mut at = 0;
        while let Some(len) = frame_len(&self.window[at..self.filled]) {
            let end = self.filled.min(at + len);
            if end - at < len.min(LOOK_BYTES) {
                break;
            }
            take(&self.window[at + 4..end]);
            self.in_flight -= 1;
            self.rest = len - (end - at);
            at = end;
        }
        self.window.copy_within(at..self.filled, 0);
        self.filled -= at;
    }
}

fn frame_len(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|prefix| 4 + u32::from_be_bytes(*prefix) as usize)
}
