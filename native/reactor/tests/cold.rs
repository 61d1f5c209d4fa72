//! What is not in the page cache is read by a thread that may wait; who fetches it sees no difference.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use common::frames::{batch, fetch, fetched, produce, produced};
use common::{Broker, REACTORS, TempDir};
use ms_log::File;
use ms_log::sim::{DiskFront, FileCall, FileFront, FrontedDisk, FrontedFile, SimDisk};
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
fn filled(cache: &Cache, reactors: usize) -> Broker {
    let config = DataPlaneConfig { reactors, ..DataPlaneConfig::default() };
    let disk = Arc::new(FrontedDisk(Arc::new(SimDisk::new()), cache.clone()));
    let broker = Broker::start_on(disk, TempDir::new(), config);
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
        let cache = Cache::default();
        let broker = filled(&cache, reactors);
        let mut client = broker.connect();
        // All of it, the middle of it, and a first batch that is larger than the limit.
        for (offset, max_bytes) in [(0, 1 << 22), (17, 5 * VALUE_BYTES as i32), (39, 1)] {
            cache.is(WARM);
            let warm = client.ask(&from_offset(1, offset, max_bytes));
            let before = broker.stat("coldReads");
            cache.is(COLD);
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
        let cache = Cache::default();
        let broker = filled(&cache, reactors);
        let (mut client, mut other) = (broker.connect(), broker.connect());
        // The place of the records is known by now.
        client.ask(&from_offset(1, 3, VALUE_BYTES as i32));
        cache.is(BROKEN);
        client.send(&from_offset(2, 3, VALUE_BYTES as i32));
        client.expect_end();
        cache.is(WARM);
        let answer = fetched(&other.ask(&from_offset(3, 3, VALUE_BYTES as i32)), 12);
        assert_eq!(answer.partitions[0].error_code, 0);
        assert_eq!(answer.partitions[0].base_offsets()[0], 3);
    }
}

/// The page cache of a disk in memory.
#[derive(Clone, Default)]
struct Cache(Arc<AtomicU8>);

impl Cache {
    fn is(&self, state: u8) {
        self.0.store(state, Ordering::SeqCst);
    }
}

impl DiskFront for Cache {
    fn opened(&self, _path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(FrontedFile(file, self.clone()))
    }
}

impl FileFront for Cache {
    fn before(&self, _file: &dyn File, call: FileCall) -> io::Result<()> {
        match (call, self.0.load(Ordering::SeqCst)) {
            (FileCall::Read, BROKEN) => Err(io::Error::other("broken")),
            (FileCall::ReadCached, COLD | BROKEN) => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    }
}
