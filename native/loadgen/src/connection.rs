//! One blocking connection that keeps a number of requests in flight.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::requests::CORRELATION_ID_AT;

/// Enough for an answer to a fetch of a megabyte.
const BUFFER_BYTES: usize = 2 << 20;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    correlation_id: i32,
}

impl Connection {
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], filled: 0, correlation_id: 0 })
    }

    /// Sends one request; the frame gets the next correlation id.
    pub fn send(&mut self, frame: &mut [u8]) -> io::Result<()> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let id = self.correlation_id.to_be_bytes();
        frame[CORRELATION_ID_AT..CORRELATION_ID_AT + 4].copy_from_slice(&id);
        self.stream.write_all(frame)
    }

    /// Waits for at least one answer and hands each that has arrived to `take`, without its length prefix.
    /// Returns their number.
    pub fn receive(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut answers = 0;
        while answers == 0 {
            let read = self.stream.read(&mut self.buffer[self.filled..])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.filled += read;
            let mut at = 0;
            while let Some(length) = self.frame_at(at) {
                if self.filled - at < 4 + length {
                    self.make_room(4 + length);
                    break;
                }
                take(&self.buffer[at + 4..at + 4 + length]);
                at += 4 + length;
                answers += 1;
            }
            self.buffer.copy_within(at..self.filled, 0);
            self.filled -= at;
        }
        Ok(answers)
    }

    fn frame_at(&self, at: usize) -> Option<usize> {
        let bytes = self.buffer[..self.filled].get(at..at + 4)?;
        let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Some(length as usize)
    }

    fn make_room(&mut self, bytes: usize) {
        if self.buffer.len() < bytes + BUFFER_BYTES {
            self.buffer.resize(bytes + BUFFER_BYTES, 0);
        }
    }
}
