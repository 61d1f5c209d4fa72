//! A stop is in time, however much there is to be made durable.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::frames::{LogConfig, batch, produce};
use common::{Broker, PATIENCE, TempDir, TestTopic};
use ms_log::hard_state::HardStateLog;
use ms_log::{DirEntry, DirLock, Disk, File, OpenMode, RealDisk, Space};
use ms_reactor::DataPlaneConfig;
use ms_wire::topic::TopicKey;
use parking_lot::{Condvar, Mutex};

const PARTITIONS: i32 = 160;
const SYNC: Duration = Duration::from_millis(100);

#[test]
fn what_could_be_synced_in_time_is_a_clean_stop() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], PARTITIONS);
    assert!(was_clean(&broker.stop()));
}

#[test]
fn a_stop_over_a_slow_disk_is_in_time_and_not_a_clean_one() {
    let disk = Arc::new(SlowDisk::default());
    let config = DataPlaneConfig { reactors: 1, ..DataPlaneConfig::default() };
    let broker = Broker::start_on(Arc::clone(&disk) as Arc<dyn Disk>, TempDir::new(), config);
    broker.with_topic("orders", [7; 16], PARTITIONS);
    disk.is_slow.store(true, Ordering::SeqCst);
    let began = Instant::now();
    broker.plane.shutdown(Duration::from_millis(400));
    // One after the other the syncs of all partitions would take 16 s.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    disk.is_slow.store(false, Ordering::SeqCst);
    let dir = broker.stop();
    assert!(!was_clean(&dir));
    let again = Broker::start_in(dir, DataPlaneConfig::default());
    assert_eq!(again.with_topic("orders", [7; 16], PARTITIONS).len(), PARTITIONS as usize);
}

#[test]
fn a_stop_does_not_wait_for_what_the_flusher_has_queued() {
    let disk = Arc::new(SlowDisk::default());
    let config = DataPlaneConfig { reactors: 1, ..DataPlaneConfig::default() };
    let broker = Broker::start_on(Arc::clone(&disk) as Arc<dyn Disk>, TempDir::new(), config);
    let (name, id) = ("orders", [7; 16]);
    let synced = LogConfig { flush_messages: 1, ..LogConfig::default() };
    let hosted: Vec<_> = (0..PARTITIONS).map(|p| Some(broker.open(name, id, p, &synced))).collect();
    broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: false }]);
    disk.is_slow.store(true, Ordering::SeqCst);
    let records = batch(&[b"value"]);
    let all: Vec<_> = (0..PARTITIONS).map(|p| (p, Some(records.as_slice()))).collect();
    let mut client = broker.connect();
    client.send(&produce(9, 1, 1, TopicKey::Name(b"orders"), &all));
    // The first of them is at the disk, the others are queued behind it.
    disk.await_sync();
    let began = Instant::now();
    broker.plane.shutdown(Duration::from_millis(400));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    disk.is_slow.store(false, Ordering::SeqCst);
    assert!(!was_clean(&broker.stop()));
}

fn was_clean(dir: &TempDir) -> bool {
    HardStateLog::open(Arc::new(RealDisk), &dir.0).unwrap().1.clean
}

/// A disk on which, once it is slow, each fdatasync takes its time.
#[derive(Default)]
struct SlowDisk {
    is_slow: Arc<AtomicBool>,
    slow_syncs: Arc<SlowSyncs>,
}

/// How many slow ones were begun.
#[derive(Default)]
struct SlowSyncs {
    count: Mutex<usize>,
    changed: Condvar,
}

struct SlowFile {
    file: Arc<dyn File>,
    is_slow: Arc<AtomicBool>,
    slow_syncs: Arc<SlowSyncs>,
}

impl SlowDisk {
    fn await_sync(&self) {
        let mut count = self.slow_syncs.count.lock();
        let began = Instant::now();
        while *count == 0 {
            let late = self.slow_syncs.changed.wait_until(&mut count, began + PATIENCE).timed_out();
            assert!(!late, "nothing is synced");
        }
    }
}

impl Disk for SlowDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let file = RealDisk.open(path, mode)?;
        let slow_syncs = Arc::clone(&self.slow_syncs);
        Ok(Arc::new(SlowFile { file, is_slow: Arc::clone(&self.is_slow), slow_syncs }))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_dir_all(path)
    }
    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        RealDisk.list_dir(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        RealDisk.space(path)
    }
    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>> {
        RealDisk.lock_dir(dir)
    }
    fn boot_id(&self) -> io::Result<[u8; 16]> {
        RealDisk.boot_id()
    }
}

impl File for SlowFile {
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.file.write_vectored_at(parts, offset)
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_cached_at(buf, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        if self.is_slow.load(Ordering::SeqCst) {
            *self.slow_syncs.count.lock() += 1;
            self.slow_syncs.changed.notify_all();
            std::thread::sleep(SYNC);
        }
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
