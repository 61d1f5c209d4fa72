//! For tests: a reactor whose steps the test takes one by one, and no other thread.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use mio::Events;
use ms_log::{Disk, RealDisk};
use ms_partition::{Handle, Partition, PartitionConfig, PartitionSpec};

use crate::config::DataPlaneConfig;
use crate::hub::{Accepted, Answer, Message};
use crate::ids::Seq;
use crate::packed::kind;
use crate::plane::Prepared;
use crate::reactor::Reactor;
use crate::shared::Shared;
use frames::{correlation_id, framed};
use temp_dir::TempDir;

#[allow(dead_code)]
#[path = "../tests/common/frames.rs"]
pub mod frames;
#[path = "../tests/common/temp_dir.rs"]
pub mod temp_dir;

/// A topic for the topology: name, id, and the hosted partitions.
pub struct TestTopic<'a> {
    pub name: &'a str,
    pub id: [u8; 16],
    pub partitions: &'a [Option<Handle>],
    pub is_internal: bool,
}

pub const TOPIC: &str = "orders";
const TOPIC_ID: [u8; 16] = [7; 16];

pub struct ByHand {
    pub reactor: Reactor,
    pub shared: Arc<Shared>,
    listener: TcpListener,
    _lock: Box<dyn ms_log::DirLock>,
    _dir: TempDir,
}

/// The client's end of a connection.
pub struct Peer {
    pub local: u32,
    pub stream: std::net::TcpStream,
}

impl ByHand {
    pub fn new() -> Self {
        Self::with_control_bytes(1000)
    }

    /// One that takes control requests of so many bytes.
    pub fn with_control_bytes(max_control_request_bytes: usize) -> Self {
        let disk = Arc::new(RealDisk);
        Self::over(disk, |config| config.max_control_request_bytes = max_control_request_bytes)
    }

    /// One that coalesces turns over so long.
    pub fn with_coalescing(least: Duration) -> Self {
        Self::over(Arc::new(RealDisk), |config| config.coalesce_us = least.as_micros() as u64)
    }

    /// One that keeps its partitions on this disk.
    pub fn on_disk(disk: Arc<dyn Disk>) -> Self {
        Self::over(disk, |_| {})
    }

    fn over(disk: Arc<dyn Disk>, adjust: impl FnOnce(&mut DataPlaneConfig)) -> Self {
        let dir = TempDir::new();
        let mut config = DataPlaneConfig {
            log_dir: dir.0.clone(),
            control_apis: vec![(2, 0, 11), (10, 0, 6)],
            max_control_request_bytes: 1000,
            ..DataPlaneConfig::default()
        };
        adjust(&mut config);
        let Prepared { shared, mut polls, lock } =
            Prepared::new(config, disk, Box::new(|| {})).unwrap();
        let reactor = Reactor::new(Arc::clone(&shared), 0, polls.remove(0));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        Self { reactor, shared, listener, _lock: lock, _dir: dir }
    }

    /// Opens a partition of `TOPIC`, under a handle that may be one that is in use.
    pub fn open(&self, index: i32, handle: Handle, config: PartitionConfig) -> Arc<Partition> {
        let spec = PartitionSpec {
            topic_id: TOPIC_ID,
            topic_name: TOPIC.to_owned(),
            partition_index: index,
            group_id: index as u64 + 1,
            config,
            watch_commits: false,
            fsync_always: false,
        };
        Partition::open(&self.shared.env, spec, handle).unwrap()
    }

    /// `TOPIC` with one partition, announced.
    pub fn with_topic(&self, config: PartitionConfig) -> Arc<Partition> {
        self.with_partitions(1, config).remove(0)
    }

    pub fn with_partitions(&self, count: i32, config: PartitionConfig) -> Vec<Arc<Partition>> {
        let mut handles = Vec::new();
        let open = |index| {
            let handle = self.shared.hub.registry.reserve();
            let partition = self.open(index, handle, config);
            self.shared.hub.registry.insert(handle, Arc::clone(&partition));
            handles.push(Some(handle));
            partition
        };
        let opened = (0..count).map(open).collect();
        let (name, id, partitions) = (TOPIC, TOPIC_ID, &handles[..]);
        let topic = TestTopic { name, id, partitions, is_internal: false };
        let image = frames::topology(0, &[topic], 0);
        let next = self.shared.topology.load().updated(&image, &self.shared.hub.registry).unwrap();
        self.shared.topology.store(Arc::new(next));
        opened
    }

    /// A connection that the reactor has taken over.
    pub fn connect(&mut self) -> Peer {
        let stream = std::net::TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        let (accepted, address) = self.listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let admission = self.shared.connections.admit(address.ip()).unwrap();
        assert_eq!(self.shared.enter_least(), 0);
        let stream_of_reactor = mio::net::TcpStream::from_std(accepted);
        let accepted = Accepted { stream: stream_of_reactor, listener: 0, address, admission };
        self.reactor.adopt(accepted);
        let address = stream.local_addr().ok();
        let mut connections = self.reactor.connections.iter().flatten();
        let of_peer = connections.find(|c| c.stream.peer_addr().ok() == address).unwrap();
        let local = of_peer.id.local();
        Peer { local, stream }
    }

    /// Sends frames, and has the reactor read and gather them.
    pub fn gather(&mut self, peer: &mut Peer, frames: &[Vec<u8>]) {
        self.send(peer, &framed(frames));
    }

    /// Sends no more than the beginning of a frame.
    pub fn begin(&mut self, peer: &mut Peer, head: &[u8], len: usize) {
        let prefix = i32::try_from(len).unwrap().to_be_bytes();
        self.send(peer, &[&prefix, head].concat());
    }

    /// Sends bytes, and waits until they have all arrived.
    pub fn arrive(&mut self, peer: &mut Peer, bytes: &[u8]) {
        peer.stream.write_all(bytes).unwrap();
        let connection = self.reactor.connections[peer.local as usize].as_mut().unwrap();
        let mut seen = vec![0; bytes.len()];
        while connection.stream.peek(&mut seen).is_ok_and(|len| len < bytes.len()) {
            std::thread::yield_now();
        }
    }

    /// Sends bytes, and has the reactor read once they have all arrived.
    pub fn send(&mut self, peer: &mut Peer, bytes: &[u8]) {
        self.arrive(peer, bytes);
        let connection = self.reactor.connections[peer.local as usize].as_mut().unwrap();
        connection.is_readable = true;
        self.reactor.ready.retain(|local| *local != peer.local);
        self.reactor.read_connection(peer.local);
    }

    /// The client says that it sends nothing more; the reactor's poller has told that when this returns.
    pub fn close_side(&mut self, peer: &Peer) {
        peer.stream.shutdown(Shutdown::Write).unwrap();
        let mut events = Events::with_capacity(16);
        let is_told = |it: &Reactor| {
            it.connections[peer.local as usize].as_ref().is_some_and(|it| it.is_read_closed)
        };
        while !is_told(&self.reactor) {
            self.reactor.poll.poll(&mut events, None).unwrap();
            self.reactor.take_events(&events);
        }
    }

    /// As if the frames had arrived in many pieces: they lie in the connection's own buffer.
    pub fn carried(&mut self, peer: &Peer, frames: &[Vec<u8>]) {
        let connection = self.reactor.connections[peer.local as usize].as_mut().unwrap();
        assert!(connection.carry.push(&framed(frames), &mut self.reactor.pool));
        connection.is_readable = false;
        self.reactor.ready.retain(|local| *local != peer.local);
        self.reactor.read_connection(peer.local);
    }

    /// Has the reactor look at each connection of its list once.
    pub fn read_ready(&mut self) {
        for local in std::mem::take(&mut self.reactor.ready) {
            self.reactor.read_connection(local);
        }
        self.reactor.receive_slice();
    }

    /// The workers do what they were given, and the reactor takes it back.
    pub fn work(&mut self) {
        self.shared.hub.work.run_queued();
        self.reactor.take_messages();
    }

    /// The thread for large requests does what it was given, and the reactor takes it back.
    pub fn large(&mut self) {
        self.run_large();
        self.reactor.take_messages();
    }

    /// It does what it was given.
    pub fn run_large(&self) {
        while self.run_one_large() {}
    }

    /// It does the first of that; false when there is nothing.
    pub fn run_one_large(&self) -> bool {
        self.shared.large.try_next().map(|job| job.run(&self.shared)).is_some()
    }

    /// TypeScript answers the control request of this number with nothing but its correlation id.
    pub fn respond(&mut self, peer: &Peer, seq: u32) {
        let connection = self.reactor.connections[peer.local as usize].as_ref().unwrap().id;
        let payload = 2_i32.to_be_bytes().to_vec();
        let answer = Answer { seq: Seq::from_u32(seq), flags: 0, mute_ms: 0, payload };
        self.reactor.take_message(Message::Respond { connection, answer });
    }

    /// The next frames that are sent to the client.
    pub fn frames(&mut self, peer: &mut Peer, count: usize) -> Vec<Vec<u8>> {
        // What is large takes several turns.
        while self.reactor.has_to_send() {
            self.reactor.flush_dirty();
        }
        let mut frames = Vec::new();
        for _ in 0..count {
            let mut prefix = [0; 4];
            peer.stream.read_exact(&mut prefix).unwrap();
            let mut frame = vec![0; u32::from_be_bytes(prefix) as usize];
            peer.stream.read_exact(&mut frame).unwrap();
            frames.push(frame);
        }
        frames
    }

    /// Their correlation ids.
    pub fn answers(&mut self, peer: &mut Peer, count: usize) -> Vec<i32> {
        let frames = self.frames(peer, count);
        frames.iter().map(|frame| correlation_id(frame)).collect()
    }

    /// What TypeScript is told now: frames and events, packed.
    pub fn told(&self) -> Vec<Vec<u8>> {
        let mut into = vec![0; 1 << 20];
        let len = usize::try_from(self.shared.hub.control.drain(&mut into).0).unwrap();
        let (mut rest, mut told) = (&into[..len], Vec::new());
        while let Some(prefix) = rest.first_chunk::<4>() {
            let (entry, behind) = rest[4..].split_at(u32::from_le_bytes(*prefix) as usize);
            told.push(entry.to_vec());
            rest = behind;
        }
        told
    }

    /// How many requests TypeScript is given now.
    pub fn control_requests(&self) -> usize {
        self.told().iter().filter(|entry| entry[0] == kind::REQUEST).count()
    }
}
