//! One blocking connection with one request in flight.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;

use crate::requests::CORRELATION_ID_AT;
use crate::sys;

pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    correlation_id: i32,
}

impl Connection {
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::new(), correlation_id: 0 })
    }

    /// Sends one request; the frame gets the next correlation id.
    pub fn send(&mut self, frame: &mut [u8]) -> io::Result<()> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let id = self.correlation_id.to_be_bytes();
        frame[CORRELATION_ID_AT..CORRELATION_ID_AT + 4].copy_from_slice(&id);
        self.stream.write_all(frame)
    }

    /// Waits until there is something of an answer.
    pub fn wait(&self) -> io::Result<()> {
        sys::wait_readable(self.stream.as_fd())
    }

    /// Waits for one answer; without its length prefix.
    pub fn receive(&mut self) -> io::Result<&[u8]> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        self.answer.resize(u32::from_be_bytes(length) as usize, 0);
        self.stream.read_exact(&mut self.answer)?;
        Ok(&self.answer)
    }
}
