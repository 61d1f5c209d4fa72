//! What is not in the page cache is read by a thread that may wait; who fetches it sees no difference.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use common::frames::{batch, fetch, fetched, produce, produced};
use common::{Broker, REACTORS, TempDir};
use ms_log::sim::SimDisk;
use ms_log::{DirEntry, DirLock, Disk, File, OpenMode, Space};
use ms_reactor::DataPlaneConfig;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");
const BATCHES: i64 = 40;
const VALUE_BYTES: usize = 30_000;

/// Everything is in the page cache.
const WARM: u8 = 0;
/// Nothing is.
const COLD: u8 = 1;
/// Nor can it be read from the disk.
const BROKEN: u8 = 2;

/// A broker whose one partition has `BATCHES` batches.
fn filled(disk: &ColdDisk, reactors: usize) -> Broker {
    let config = DataPlaneConfig { reactors, ..DataPlaneConfig::default() };
    let broker = Broker::start_on(Arc::new(disk.clone()), TempDir::new(), config);
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    for number in 0..BATCHES {
        let value = vec![number as u8; VALUE_BYTES];
        let frame = produce(9, number as i32, 1, TOPIC, &[(0, Some(&batch(&[&value])))]);
        assert_eq!(produced(&client.ask(&frame), 9)[0].base_offset, number);
    }
    broker
}

fn from_offset(number: i32, offset: i64, max_bytes: i32) -> Vec<u8> {
    let wanted = [FetchPartition::new(0, offset, max_bytes)];
    fetch(12, number, FetchOptions::default(), TOPIC, &wanted)
}

#[test]
fn answers_are_those_of_a_warm_disk() {
    for reactors in REACTORS {
        let disk = ColdDisk::default();
        let broker = filled(&disk, reactors);
        let mut client = broker.connect();
        // All of it, the middle of it, and a first batch that is larger than the limit.
        for (offset, max_bytes) in [(0, 1 << 22), (17, 5 * VALUE_BYTES as i32), (39, 1)] {
            disk.is(WARM);
            let warm = client.ask(&from_offset(1, offset, max_bytes));
            let before = broker.stat("coldReads");
            disk.is(COLD);
            let cold = client.ask(&from_offset(1, offset, max_bytes));
            assert!(broker.stat("coldReads") > before);
            assert!(cold == warm, "from {offset}");
            let offsets = fetched(&cold, 12).partitions[0].base_offsets();
            assert_eq!(offsets[0], offset);
        }
        // What came behind in the same connection keeps its order.
        for number in 0..10 {
            client.send(&from_offset(number, i64::from(number), 2 * VALUE_BYTES as i32));
        }
        for number in 0..10 {
            let answer = fetched(&client.receive(), 12);
            assert_eq!(answer.correlation_id, number);
            assert_eq!(answer.partitions[0].base_offsets()[0], i64::from(number));
        }
    }
}

#[test]
fn bytes_that_were_announced_and_cannot_be_read_end_the_connection_alone() {
    for reactors in REACTORS {
        let disk = ColdDisk::default();
        let broker = filled(&disk, reactors);
        let (mut client, mut other) = (broker.connect(), broker.connect());
        // The place of the records is known by now.
        client.ask(&from_offset(1, 3, VALUE_BYTES as i32));
        disk.is(BROKEN);
        client.send(&from_offset(2, 3, VALUE_BYTES as i32));
        client.expect_end();
        disk.is(WARM);
        let answer = fetched(&other.ask(&from_offset(3, 3, VALUE_BYTES as i32)), 12);
        assert_eq!(answer.partitions[0].error_code, 0);
        assert_eq!(answer.partitions[0].base_offsets()[0], 3);
    }
}

/// A disk in memory whose page cache is what the test says.
#[derive(Clone, Default)]
struct ColdDisk {
    disk: SimDisk,
    state: Arc<AtomicU8>,
}

impl ColdDisk {
    fn is(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
    }
}

struct ColdFile {
    file: Arc<dyn File>,
    state: Arc<AtomicU8>,
}

impl Disk for ColdDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let file = self.disk.open(path, mode)?;
        Ok(Arc::new(ColdFile { file, state: Arc::clone(&self.state) }))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(path)
    }
    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.disk.list_dir(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        self.disk.space(path)
    }
    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>> {
        self.disk.lock_dir(dir)
    }
    fn boot_id(&self) -> io::Result<[u8; 16]> {
        self.disk.boot_id()
    }
}

impl File for ColdFile {
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.file.write_vectored_at(parts, offset)
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.state.load(Ordering::SeqCst) {
            BROKEN => Err(io::Error::other("broken")),
            _ => self.file.read_at(buf, offset),
        }
    }
    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.state.load(Ordering::SeqCst) {
            WARM => self.file.read_cached_at(buf, offset),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn modified_ms(&self) -> io::Result<i64> {
        self.file.modified_ms()
    }
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.file.allocate(offset, len)
    }
    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()> {
        self.file.start_writeback(offset, len)
    }
    fn raw_fd(&self) -> Option<RawFd> {
        self.file.raw_fd()
    }
}
