//! A data plane and raw clients for whole-crate tests. TypeScript's part is played by `Broker`.
#![allow(dead_code)] // Each test binary uses a part of it.

pub mod client;
pub mod frames;
mod temp_dir;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ms_log::{Disk, RealDisk};
use ms_reactor::packed::{NO_HANDLE, PackedReader, answer_flag, command, kind};
use ms_reactor::{ConnectionId, DataPlane, DataPlaneConfig, ListenerConfig, ListenerKind};
use parking_lot::{Condvar, Mutex};

use client::Client;
pub use temp_dir::TempDir;

/// Nothing in these tests takes so long, however busy the machine is; a wait that does is a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Every test of behaviour runs with one and with three reactors.
pub const REACTORS: [usize; 2] = [1, 3];

/// The APIs that the tests' TypeScript answers: Metadata and ApiVersions among them.
pub const CONTROL_APIS: [(i16, i16, i16); 4] = [(3, 0, 13), (18, 0, 4), (10, 0, 6), (12, 0, 4)];

/// A data plane on a directory of its own.
pub struct Broker {
    pub plane: DataPlane,
    pub port: u16,
    pub dir: TempDir,
    waker: Arc<Waker>,
    queue: Mutex<VecDeque<Entry>>,
    next_token: AtomicU32,
}

#[derive(Default)]
struct Waker {
    is_awake: Mutex<bool>,
    changed: Condvar,
}

/// An entry of `drain`.
#[derive(Debug, Clone)]
pub struct Entry {
    pub kind: u8,
    pub error_code: i16,
    pub token: u32,
    pub index: u32,
    pub generation: u32,
    pub payload: Vec<u8>,
    pub request: Option<Request>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
    pub connection: ConnectionId,
    pub seq: u32,
    pub frame: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosted {
    pub index: u32,
    pub generation: u32,
}

/// A topic for the topology: name, id, and the hosted partitions.
pub struct TestTopic<'a> {
    pub name: &'a str,
    pub id: [u8; 16],
    pub partitions: &'a [Option<Hosted>],
    pub is_internal: bool,
}

impl Broker {
    pub fn start(reactors: usize) -> Self {
        Self::start_with(DataPlaneConfig { reactors, ..DataPlaneConfig::default() })
    }

    /// `config` needs neither directory nor listeners nor APIs.
    pub fn start_with(config: DataPlaneConfig) -> Self {
        let dir = TempDir::new();
        Self::start_in(dir, config)
    }

    pub fn start_in(dir: TempDir, config: DataPlaneConfig) -> Self {
        Self::start_on(Arc::new(RealDisk), dir, config)
    }

    pub fn start_on(disk: Arc<dyn Disk>, dir: TempDir, mut config: DataPlaneConfig) -> Self {
        config.log_dir = dir.0.clone();
        config.spin_us = 0;
        config.control_apis = CONTROL_APIS.to_vec();
        let listener = |id, kind| ListenerConfig { id, kind, host: "127.0.0.1".into(), port: 0 };
        config.listeners =
            vec![listener(0, ListenerKind::Kafka), listener(1, ListenerKind::Closed)];
        let waker = Arc::new(Waker::default());
        let waker_of_plane = Arc::clone(&waker);
        let wake = Box::new(move || {
            *waker_of_plane.is_awake.lock() = true;
            waker_of_plane.changed.notify_all();
        });
        let plane = DataPlane::with_disk(config, disk, wake).unwrap();
        let port = plane.listen(0).unwrap();
        let (queue, next_token) = (Mutex::default(), AtomicU32::new(1));
        Self { plane, port, dir, waker, queue, next_token }
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.port)
    }

    /// Stops cleanly and keeps the directory.
    pub fn stop(self) -> TempDir {
        self.plane.shutdown(PATIENCE);
        let Broker { plane, dir, .. } = self;
        drop(plane);
        dir
    }

    /// The next entry for which `wanted` holds; others are kept.
    pub fn await_entry(&self, wanted: impl Fn(&Entry) -> bool) -> Entry {
        let deadline = Instant::now() + PATIENCE;
        loop {
            {
                let mut queue = self.queue.lock();
                if let Some(at) = queue.iter().position(&wanted) {
                    return queue.remove(at).unwrap();
                }
            }
            if !self.drain() {
                let mut is_awake = self.waker.is_awake.lock();
                while !*is_awake {
                    let timed_out =
                        self.waker.changed.wait_until(&mut is_awake, deadline).timed_out();
                    assert!(!timed_out, "no such entry; there are {:?}", self.queue.lock());
                }
                *is_awake = false;
            }
        }
    }

    /// Whether a line of the log so far is about this.
    pub fn has_said(&self, what: &str) -> bool {
        while self.drain() {}
        self.queue.lock().iter().any(|entry| says(entry, what))
    }

    /// Waits for a line of the log that is about this.
    pub fn await_line(&self, what: &str) {
        self.await_entry(|entry| says(entry, what));
    }

    /// Takes what waits; false when there was nothing.
    pub fn drain(&self) -> bool {
        let mut buffer = vec![0; 1 << 16];
        let len = match self.plane.drain(&mut buffer) {
            0 => return false,
            n if n < 0 => {
                buffer = vec![0; n.unsigned_abs()];
                self.plane.drain(&mut buffer) as usize
            }
            n => n as usize,
        };
        let mut reader = PackedReader::new(&buffer[..len]);
        while reader.remaining() > 0 {
            self.queue.lock().push_back(read_entry(reader.entry().unwrap()));
        }
        true
    }

    pub fn await_request(&self, api_key: i16) -> Request {
        let is_wanted =
            |entry: &Entry| entry.request.as_ref().is_some_and(|r| r.api_key == api_key);
        self.await_entry(is_wanted).request.unwrap()
    }

    /// A client whose connection TypeScript has seen.
    pub fn connect_announced(&self) -> Client {
        let mut client = self.connect();
        client.send(&frames::header(3, 0, 1));
        let announced = self.await_entry(|entry| entry.kind == kind::CONNECTED);
        let request = self.await_request(3);
        assert_eq!(announced.index, request.connection.slot);
        self.respond(&request, b"");
        client.receive();
        client
    }

    /// Answers a control request with its correlation id and this body.
    pub fn respond(&self, request: &Request, body: &[u8]) {
        self.respond_with(request, 0, &[&request.correlation_id.to_be_bytes(), body].concat());
    }

    pub fn respond_with(&self, request: &Request, flags: u8, payload: &[u8]) {
        assert_eq!(self.plane.respond(&packed_answer(request, flags, payload)), Ok(1));
    }

    /// Part of an answer whose rest comes by `respond_with`.
    pub fn respond_part(&self, request: &Request, part: &[u8]) {
        let packed = packed_answer(request, answer_flag::PART, part);
        assert_eq!(self.plane.respond(&packed), Ok(0));
    }

    pub fn submit(&self, kind: u16, flags: u16, hosted: Option<Hosted>, payload: &[u8]) -> u32 {
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let hosted = hosted.unwrap_or(Hosted { index: NO_HANDLE, generation: 0 });
        let mut entry = Vec::new();
        entry.extend_from_slice(&kind.to_le_bytes());
        entry.extend_from_slice(&flags.to_le_bytes());
        entry.extend_from_slice(&token.to_le_bytes());
        entry.extend_from_slice(&hosted.index.to_le_bytes());
        entry.extend_from_slice(&hosted.generation.to_le_bytes());
        entry.extend_from_slice(payload);
        let packed = with_len(&entry);
        assert_eq!(self.plane.submit(&packed), Ok(packed.len()));
        token
    }

    pub fn await_done(&self, token: u32) -> Entry {
        self.await_entry(|entry| entry.kind == kind::DONE && entry.token == token)
    }

    /// Opens (creates) a partition and waits until it leads.
    pub fn open(
        &self,
        topic: &str,
        id: [u8; 16],
        partition: i32,
        config: &frames::LogConfig,
    ) -> Hosted {
        self.open_with(topic, id, partition, config, 0)
    }

    pub fn open_with(
        &self,
        topic: &str,
        id: [u8; 16],
        partition: i32,
        config: &frames::LogConfig,
        flags: u16,
    ) -> Hosted {
        let group = u64::from(id[0]) * 1000 + partition as u64 + 1;
        let payload = frames::partition_spec(topic, id, partition, group, config);
        let token = self.submit(command::OPEN_PARTITION, flags, None, &payload);
        let done = self.await_done(token);
        assert_eq!(done.error_code, 0, "the partition was not opened");
        let hosted = Hosted { index: done.index, generation: done.generation };
        self.await_entry(|entry| {
            entry.kind == kind::ROLE && entry.index == hosted.index && entry.payload[4] == 1
        });
        hosted
    }

    pub fn publish(&self, kind: u8, topics: &[TestTopic<'_>]) {
        self.plane.publish_topology(&frames::topology(kind, topics, self.port)).unwrap();
    }

    /// One topic with so many partitions, opened and announced.
    pub fn with_topic(&self, name: &str, id: [u8; 16], partitions: i32) -> Vec<Hosted> {
        let hosted: Vec<_> = (0..partitions)
            .map(|p| self.open(name, id, p, &frames::LogConfig::default()))
            .collect();
        let all: Vec<_> = hosted.iter().copied().map(Some).collect();
        self.publish(1, &[TestTopic { name, id, partitions: &all, is_internal: false }]);
        hosted
    }

    /// Waits until a counter of `stats` is as wanted: a reactor counts what it did in a turn when it is over.
    pub fn await_stat(&self, name: &str, is_wanted: impl Fn(u64) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_wanted(self.stat(name)) {
            assert!(Instant::now() < deadline, "{name} is {}", self.stat(name));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A counter of `stats`.
    pub fn stat(&self, name: &str) -> u64 {
        let stats = self.plane.stats();
        let (_, rest) = stats.split_once(&format!("\"{name}\":")).unwrap();
        rest.split([',', '}']).next().unwrap().parse().unwrap()
    }
}

/// Whether this is a line of the log that is about it.
fn says(entry: &Entry, what: &str) -> bool {
    entry.kind == kind::LOG && String::from_utf8_lossy(&entry.payload).contains(what)
}

fn packed_answer(request: &Request, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut entry = Vec::new();
    entry.extend_from_slice(&request.connection.slot.to_le_bytes());
    entry.extend_from_slice(&request.connection.generation.to_le_bytes());
    entry.extend_from_slice(&request.seq.to_le_bytes());
    entry.push(flags);
    if flags & answer_flag::MUTE != 0 {
        entry.extend_from_slice(&50_u32.to_le_bytes());
    }
    entry.extend_from_slice(payload);
    with_len(&entry)
}

fn with_len(entry: &[u8]) -> Vec<u8> {
    [&(entry.len() as u32).to_le_bytes(), entry].concat()
}

fn read_entry(mut reader: PackedReader<'_>) -> Entry {
    let kind = reader.u8().unwrap();
    reader.u8().unwrap();
    if kind == kind::REQUEST {
        let api_key = reader.u16().unwrap() as i16;
        let api_version = reader.u16().unwrap() as i16;
        reader.u16().unwrap();
        let correlation_id = reader.i32().unwrap();
        let (slot, generation) = (reader.u32().unwrap(), reader.u32().unwrap());
        reader.u32().unwrap();
        let seq = reader.u32().unwrap();
        let connection = ConnectionId { slot, generation };
        let frame = reader.rest().to_vec();
        let request = Request { api_key, api_version, correlation_id, connection, seq, frame };
        let (error_code, token, index, payload) = (0, 0, slot, Vec::new());
        return Entry {
            kind,
            error_code,
            token,
            index,
            generation,
            payload,
            request: Some(request),
        };
    }
    let error_code = reader.u16().unwrap() as i16;
    let (token, index) = (reader.u32().unwrap(), reader.u32().unwrap());
    let generation = reader.u32().unwrap();
    let payload = reader.rest().to_vec();
    Entry { kind, error_code, token, index, generation, payload, request: None }
}
