//! A stop is in time, however much there is to be made durable.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::frames::{LogConfig, batch, produce, produced};
use common::{Broker, PATIENCE, TempDir, TestTopic};
use ms_log::hard_state::HardStateLog;
use ms_log::sim::{DiskFront, FileCall, FileFront, FrontedDisk, FrontedFile};
use ms_log::{File, RealDisk};
use ms_reactor::DataPlaneConfig;
use ms_wire::topic::TopicKey;
use parking_lot::{Condvar, Mutex};

const PARTITIONS: i32 = 160;
const SYNC: Duration = Duration::from_millis(100);

#[test]
fn what_could_be_synced_in_time_is_a_clean_stop() {
    for is_written in [false, true] {
        let broker = Broker::start(1);
        broker.with_topic("orders", [7; 16], PARTITIONS);
        if is_written {
            let mut client = broker.connect();
            client.send(&to_all(&batch(&[b"value"])));
            client.receive();
        }
        broker.plane.shutdown(PATIENCE);
        assert!(!broker.has_said("stop"));
        assert!(was_clean(&broker.stop()));
    }
}

#[test]
fn a_stop_does_not_wait_for_a_sync_that_does_not_end() {
    let (slow, broker) = start_on_slow();
    broker.with_topic("orders", [7; 16], PARTITIONS);
    let mut client = broker.connect();
    client.send(&to_all(&batch(&[b"value"])));
    client.receive();
    slow.hold(true);
    let began = Instant::now();
    broker.plane.shutdown(Duration::from_millis(300));
    let (took, has_said) = (began.elapsed(), broker.has_said("the stop is out of time"));
    // Who fails while it is held would wait for ever.
    slow.hold(false);
    assert!(took < PATIENCE / 2 && has_said, "{took:?}");
    // What was acknowledged is in the files, and the next one goes on behind it.
    let again = Broker::start_in(broker.stop(), DataPlaneConfig::default());
    again.with_topic("orders", [7; 16], PARTITIONS);
    let mut client = again.connect();
    client.send(&to_all(&batch(&[b"value"])));
    assert!(produced(&client.receive(), 9).iter().all(|it| it.base_offset == 1));
}

#[test]
fn a_stop_over_a_slow_disk_is_in_time_and_not_a_clean_one() {
    let (slow, broker) = start_on_slow();
    broker.with_topic("orders", [7; 16], PARTITIONS);
    // What nobody wrote to needs no sync.
    let mut client = broker.connect();
    client.send(&to_all(&batch(&[b"value"])));
    assert_eq!(produced(&client.receive(), 9).len(), PARTITIONS as usize);
    slow.is(true);
    broker.plane.shutdown(Duration::from_millis(400));
    // Begun are those that there was time for, and no more.
    assert!(slow.count() < PARTITIONS as usize, "{} syncs", slow.count());
    // A thread of the stop that is late, on a busy machine, says so when it ends.
    broker.await_line("not everything is known to be durable");
    slow.is(false);
    let dir = broker.stop();
    assert!(!was_clean(&dir));
    let again = Broker::start_in(dir, DataPlaneConfig::default());
    assert_eq!(again.with_topic("orders", [7; 16], PARTITIONS).len(), PARTITIONS as usize);
}

#[test]
fn a_stop_does_not_wait_for_what_the_flusher_has_queued() {
    let (slow, broker) = start_on_slow();
    let (name, id) = ("orders", [7; 16]);
    let synced = LogConfig { flush_messages: 1, ..LogConfig::default() };
    let hosted: Vec<_> = (0..PARTITIONS).map(|p| Some(broker.open(name, id, p, &synced))).collect();
    broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: false }]);
    slow.is(true);
    let mut client = broker.connect();
    client.send(&to_all(&batch(&[b"value"])));
    // The first of them is at the disk, the others are queued behind it.
    slow.await_sync();
    broker.plane.shutdown(Duration::from_millis(400));
    assert!(slow.count() < PARTITIONS as usize, "{} syncs", slow.count());
    slow.is(false);
    assert!(!was_clean(&broker.stop()));
}

/// A Produce of the same records to every partition.
fn to_all(records: &[u8]) -> Vec<u8> {
    let all: Vec<_> = (0..PARTITIONS).map(|p| (p, Some(records))).collect();
    produce(9, 1, 1, TopicKey::Name(b"orders"), &all)
}

fn start_on_slow() -> (Slow, Broker) {
    let slow = Slow::default();
    let disk = Arc::new(FrontedDisk(Arc::new(RealDisk), slow.clone()));
    let config = DataPlaneConfig { reactors: 1, ..DataPlaneConfig::default() };
    (slow, Broker::start_on(disk, TempDir::new(), config))
}

fn was_clean(dir: &TempDir) -> bool {
    HardStateLog::open(Arc::new(RealDisk), &dir.0).unwrap().1.clean
}

/// Once it is slow, each fdatasync takes its time.
#[derive(Clone, Default)]
struct Slow(Arc<SlowSyncs>);

#[derive(Default)]
struct SlowSyncs {
    is_slow: AtomicBool,
    count: Mutex<usize>,
    changed: Condvar,
    is_held: Mutex<bool>,
    let_go: Condvar,
}

impl Slow {
    fn is(&self, is_slow: bool) {
        self.0.is_slow.store(is_slow, Ordering::SeqCst);
    }

    /// Syncs wait until they are let go.
    fn hold(&self, is_held: bool) {
        *self.0.is_held.lock() = is_held;
        self.0.let_go.notify_all();
    }

    /// How many slow syncs were begun.
    fn count(&self) -> usize {
        *self.0.count.lock()
    }

    fn await_sync(&self) {
        let mut count = self.0.count.lock();
        let began = Instant::now();
        while *count == 0 {
            let late = self.0.changed.wait_until(&mut count, began + PATIENCE).timed_out();
            assert!(!late, "nothing is synced");
        }
    }
}

impl DiskFront for Slow {
    fn opened(&self, _path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(FrontedFile(file, self.clone()))
    }
}

impl FileFront for Slow {
    fn before(&self, _file: &dyn File, call: FileCall) -> io::Result<()> {
        if call == FileCall::Sync && self.0.is_slow.load(Ordering::SeqCst) {
            *self.0.count.lock() += 1;
            self.0.changed.notify_all();
            std::thread::sleep(SYNC);
        }
        let mut is_held = self.0.is_held.lock();
        while call == FileCall::Sync && *is_held {
            self.0.let_go.wait(&mut is_held);
        }
        Ok(())
    }
}
