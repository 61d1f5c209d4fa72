//! Accepting connections: by reactor 0, for the reactor that has the fewest.

use std::fs::File;
use std::io;

use mio::{Interest, Registry, Token};

use crate::config::ListenerKind;
use crate::hub::{Accepted, Message};
use crate::listener::Acceptor;
use crate::reactor::{Reactor, WAKE};
use crate::shared::Stats;

/// Connections taken from one socket in one turn.
const ACCEPTS_PER_TURN: usize = 64;
/// How long nothing is accepted when the process has no descriptor left.
const PAUSE_MS: i64 = 10;

/// The listening sockets of a reactor.
#[derive(Default)]
pub struct Acceptors {
    all: Vec<Acceptor>,
    ready: Vec<bool>,
    /// Given up for a moment when there is no other descriptor.
    reserve: Option<File>,
    paused_until_ms: i64,
}

impl Acceptors {
    pub fn add(&mut self, registry: &Registry, mut acceptor: Acceptor) -> io::Result<()> {
        let token = Token(WAKE.0 - 1 - self.all.len());
        registry.register(&mut acceptor.socket, token, Interest::READABLE)?;
        self.all.push(acceptor);
        self.ready.push(true);
        if self.reserve.is_none() {
            self.reserve = spare_descriptor();
        }
        Ok(())
    }

    pub fn mark_ready(&mut self, token: Token) {
        if let Some(ready) = self.ready.get_mut(WAKE.0 - 1 - token.0.min(WAKE.0 - 1)) {
            *ready = true;
        }
    }

    /// Whether somebody waits to be accepted, and may be.
    pub fn is_ready(&self) -> bool {
        self.paused_until_ms == 0 && self.ready.contains(&true)
    }

    /// When a pause ends.
    pub fn resume_ms(&self) -> i64 {
        if self.paused_until_ms == 0 { i64::MAX } else { self.paused_until_ms }
    }

    pub fn close(&mut self) {
        self.all.clear();
        self.ready.clear();
    }
}

impl Reactor {
    pub fn accept(&mut self) {
        if self.acceptors.paused_until_ms > 0 && self.clock_ms >= self.acceptors.paused_until_ms {
            self.acceptors.paused_until_ms = 0;
        }
        if !self.acceptors.is_ready() {
            return;
        }
        for i in 0..self.acceptors.all.len() {
            if self.acceptors.ready[i] {
                self.accept_from(i);
            }
        }
    }

    fn accept_from(&mut self, i: usize) {
        for _ in 0..ACCEPTS_PER_TURN {
            match self.acceptors.all[i].socket.accept() {
                Ok((stream, address)) => self.admit(i, stream, address),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.acceptors.ready[i] = false;
                    return;
                }
                Err(error) if is_out_of_descriptors(&error) => return self.refuse_one(i),
                // The connection broke before it was accepted.
                Err(_) => {}
            }
        }
    }

    fn admit(&mut self, i: usize, stream: mio::net::TcpStream, address: std::net::SocketAddr) {
        let Acceptor { listener, kind, .. } = self.acceptors.all[i];
        if kind == ListenerKind::Closed || self.stopping.is_some() {
            return;
        }
        let Some(admission) = self.shared.connections.admit(address.ip()) else {
            return Stats::add(&self.shared.stats.connections_refused, 1);
        };
        let reactor = self.shared.enter_least();
        Stats::add(&self.shared.stats.connections_accepted, 1);
        let accepted = Accepted { stream, listener, address, admission };
        if reactor == usize::from(self.number) {
            self.adopt(accepted);
        } else {
            self.shared.hub.send(reactor, Message::Accepted(accepted));
        }
    }

    // Without a descriptor the connection cannot be accepted, and the poller would report it for ever: it is accepted with
    // the reserve and closed, and then nothing is accepted for a moment.
    fn refuse_one(&mut self, i: usize) {
        self.acceptors.reserve = None;
        drop(self.acceptors.all[i].socket.accept());
        self.acceptors.reserve = spare_descriptor();
        self.acceptors.paused_until_ms = self.clock_ms + PAUSE_MS;
        Stats::add(&self.shared.stats.connections_refused, 1);
    }
}

fn spare_descriptor() -> Option<File> {
    File::open("/dev/null").ok()
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}
