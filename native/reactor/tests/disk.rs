//! What a slow or failing disk does to clients and to the stop.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use common::client::Client;
use common::frames::{LogConfig, batch, fetch, fetched, header, partition_spec, produce, produced};
use common::{Broker, PATIENCE, REACTORS, TempDir, TestTopic};
use ms_log::hard_state::HardStateLog;
use ms_log::sim::SimDisk;
use ms_log::{Disk, OpenMode, checkpoint};
use ms_reactor::DataPlaneConfig;
use ms_reactor::packed::{command, kind};
use ms_wire::error_code;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");

/// A broker on a disk in memory with one partition, and the partition's segment.
fn start(disk: &SimDisk, config: DataPlaneConfig, log: &LogConfig) -> (Broker, PathBuf) {
    let dir = TempDir::new();
    let segment = dir.0.join("orders-0/00000000000000000000.log");
    let broker = Broker::start_on(Arc::new(disk.clone()), dir, config);
    let hosted = [Some(broker.open("orders", [7; 16], 0, log))];
    let (name, id) = ("orders", [7; 16]);
    broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: false }]);
    (broker, segment)
}

/// A file whose syncs wait, until it is dropped: a test that fails before the broker's threads can end.
struct Held<'a>(&'a SimDisk, &'a Path);

impl Held<'_> {
    fn hold<'a>(disk: &'a SimDisk, path: &'a Path) -> Held<'a> {
        disk.hold(path);
        Held(disk, path)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release(self.1);
    }
}

fn send(client: &mut Client, number: i32, value: &[u8]) {
    client.send(&produce(9, number, 1, TOPIC, &[(0, Some(&batch(&[value])))]));
}

fn answer(client: &mut Client) -> (i32, i16, i64) {
    let produced = &produced(&client.receive(), 9)[0];
    (produced.correlation_id, produced.error_code, produced.base_offset)
}

#[test]
fn who_produces_more_than_the_disk_takes_waits_and_others_do_not() {
    for reactors in REACTORS {
        let disk = SimDisk::new();
        let config = DataPlaneConfig { reactors, dirty_mib: 1, ..DataPlaneConfig::default() };
        let (broker, segment) = start(&disk, config, &LogConfig::default());
        disk.hold(&segment);
        let (mut producer, mut other) = (broker.connect(), broker.connect());
        let value = vec![b'v'; 600 << 10];
        for number in 0..2 {
            send(&mut producer, number, &value);
            assert_eq!(answer(&mut producer), (number, 0, i64::from(number)));
        }
        // More than 1 MiB waits for the disk: this one is not taken up.
        send(&mut producer, 2, &value);
        broker.await_stat("bytesIn", |bytes| bytes >= 3 * (600 << 10));
        let wanted = FetchPartition::new(0, 0, 1 << 20);
        for number in 0..2 {
            let frame = fetch(12, number, FetchOptions::default(), TOPIC, &[wanted]);
            let fetched = fetched(&other.ask(&frame), 12);
            assert_eq!((fetched.correlation_id, fetched.partitions[0].high_watermark), (number, 2));
        }
        assert_eq!(broker.stat("produceRequests"), 2);
        disk.release(&segment);
        assert_eq!(answer(&mut producer), (2, 0, 2));
    }
}

#[test]
fn who_waits_for_a_sync_does_not_wait_for_that_of_a_sealed_segment() {
    let disk = SimDisk::new();
    let rolling = LogConfig { segment_bytes: 1 << 20, ..LogConfig::default() };
    let (broker, segment) = start(&disk, DataPlaneConfig::default(), &rolling);
    let synced = LogConfig { flush_messages: 1, ..LogConfig::default() };
    let hosted = [Some(broker.open("synced", [8; 16], 0, &synced))];
    let (name, id) = ("synced", [8; 16]);
    broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: false }]);
    let held = Held::hold(&disk, &segment);
    let (mut producer, mut waiting) = (broker.connect(), broker.connect());
    for number in 0..2 {
        send(&mut producer, number, &vec![b'v'; 600 << 10]);
        assert_eq!(answer(&mut producer), (number, 0, i64::from(number)));
    }
    let key = TopicKey::Name(b"synced");
    waiting.send(&produce(9, 1, -1, key, &[(0, Some(&batch(&[b"value"])))]));
    assert_eq!(answer(&mut waiting), (1, 0, 0));
    assert!(disk.is_unsynced(&segment));
    drop(held);
    let began = Instant::now();
    while disk.is_unsynced(&segment) {
        assert!(began.elapsed() < PATIENCE, "nobody syncs it");
        std::thread::yield_now();
    }
}

#[test]
fn a_stop_is_not_clean_when_a_sync_failed() {
    for is_failing in [false, true] {
        let disk = SimDisk::new();
        let (broker, segment) = start(&disk, DataPlaneConfig::default(), &LogConfig::default());
        let mut client = broker.connect();
        send(&mut client, 1, b"value");
        assert_eq!(answer(&mut client), (1, 0, 0));
        if is_failing {
            disk.break_file(&segment);
        }
        let dir = broker.stop();
        let (_, last) = HardStateLog::open(Arc::new(disk), &dir.0).unwrap();
        assert_eq!(last.clean, !is_failing);
    }
}

#[test]
fn a_sync_that_fails_in_an_opening_takes_the_directory_off_line() {
    let disk = SimDisk::new();
    let log = LogConfig { flush_messages: 1, ..LogConfig::default() };
    let (broker, segment) = start(&disk, DataPlaneConfig::default(), &log);
    let dir = broker.stop();
    // What is durable is not known any more, so that it is synced.
    disk.remove_file(&dir.0.join("checkpoint")).unwrap();
    disk.lose_on_sync(&segment);
    let broker = Broker::start_on(Arc::new(disk), dir, DataPlaneConfig::default());
    let payload = partition_spec("orders", [7; 16], 0, 7001, &log);
    for _ in 0..2 {
        let token = broker.submit(command::OPEN_PARTITION, 0, None, &payload);
        assert_eq!(broker.await_done(token).error_code, error_code::KAFKA_STORAGE_ERROR);
    }
    let event = broker.await_entry(|entry| entry.kind == kind::LOG_DIRECTORY);
    assert_eq!(event.payload[0], 2, "off-line");
}

#[test]
fn what_an_opening_that_fails_has_mended_is_said() {
    let disk = SimDisk::new();
    let (broker, segment) = start(&disk, DataPlaneConfig::default(), &LogConfig::default());
    let mut client = broker.connect();
    send(&mut client, 1, b"value");
    assert_eq!(answer(&mut client), (1, 0, 0));
    let dir = broker.stop();
    let len = disk.open(&segment, OpenMode::Read).unwrap().len().unwrap();
    disk.corrupt(&segment, len - 1, |bytes| bytes[0] ^= 1);
    disk.remove_file(&dir.0.join("checkpoint")).unwrap();
    let hard_state = dir.0.join("hard-state.log");
    let broker = Broker::start_on(Arc::new(disk.clone()), dir, DataPlaneConfig::default());
    disk.break_file(&hard_state);
    let payload = partition_spec("orders", [7; 16], 0, 7001, &LogConfig::default());
    let token = broker.submit(command::OPEN_PARTITION, 0, None, &payload);
    assert_eq!(broker.await_done(token).error_code, error_code::KAFKA_STORAGE_ERROR);
    assert!(broker.has_said("orders-0: cut a torn tail"));
}

#[test]
fn what_a_start_cuts_off_the_hard_state_log_is_said_and_damage_is_an_error() {
    let disk = SimDisk::new();
    let (mut broker, _) = start(&disk, DataPlaneConfig::default(), &LogConfig::default());
    assert!(!broker.has_said("the hard-state log"));
    // The mark of the stop, which is the last record; then the first one.
    let mut copies = Vec::new();
    for (from_end, level, what, copy) in [
        (true, 40, "ends in", "hard-state.log.cut"),
        (false, 50, "is damaged", "hard-state.log.damaged0"),
        (false, 50, "is damaged", "hard-state.log.damaged1"),
    ] {
        let dir = broker.stop();
        let path = dir.0.join("hard-state.log");
        let len = disk.open(&path, OpenMode::Read).unwrap().len().unwrap();
        disk.corrupt(&path, if from_end { len - 1 } else { 0 }, |bytes| bytes[0] ^= 1);
        let copy = dir.0.join(copy);
        broker = Broker::start_on(Arc::new(disk.clone()), dir, DataPlaneConfig::default());
        let line = broker.await_entry(|entry| entry.kind == kind::LOG);
        let text = String::from_utf8_lossy(&line.payload);
        assert!(text.contains(what) && text.contains(copy.to_str().unwrap()), "{text}");
        let cut = disk.open(&copy, OpenMode::Read).unwrap().len().unwrap();
        assert!(text.contains(&format!(" {cut} bytes")), "{text}");
        assert_eq!(line.payload[0], level);
        copies.push((copy, cut));
        // Of damage each copy stays.
        for (copy, cut) in &copies[copies.len().saturating_sub(2)..] {
            assert_eq!(disk.open(copy, OpenMode::Read).unwrap().len().unwrap(), *cut);
        }
    }
}

#[test]
fn a_stop_gives_back_the_space_ahead_and_writes_down_where_the_logs_end() {
    let disk = SimDisk::new();
    let (broker, segment) = start(&disk, DataPlaneConfig::default(), &LogConfig::default());
    let mut client = broker.connect();
    send(&mut client, 1, &vec![b'v'; 300 << 10]);
    assert_eq!(answer(&mut client), (1, 0, 0));
    let began = Instant::now();
    let len = disk.open(&segment, OpenMode::Read).unwrap().len().unwrap();
    while disk.tended(&segment).0 == len {
        assert!(began.elapsed() < PATIENCE, "no space is taken");
        std::thread::yield_now();
    }
    let dir = broker.stop();
    assert_eq!(disk.tended(&segment).0, len);
    let places = checkpoint::read(&disk, &dir.0).unwrap();
    let ends: Vec<_> = places.values().map(|it| u64::from(it.flushed.position)).collect();
    assert_eq!(ends, [len]);
}

#[test]
fn a_stop_syncs_what_came_after_a_sync_that_nobody_heard_of() {
    let disk = SimDisk::new();
    let log = LogConfig { flush_messages: 1, ..LogConfig::default() };
    let (broker, segment) = start(&disk, DataPlaneConfig::default(), &log);
    let mut client = broker.connect();
    client.send(&header(3, 9, 1));
    let request = broker.await_request(3);
    broker.respond(&request, b"");
    client.receive();
    disk.hold(&segment);
    for number in 0..2 {
        // The second comes while the first one's sync is under way.
        send(&mut client, number, b"value");
        broker.await_stat("produceBatches", |count| count > number as u64);
    }
    // The stop would wait for its answers.
    broker.plane.close_connection(request.connection);
    client.expect_closed();
    std::thread::scope(|scope| {
        scope.spawn(|| broker.plane.shutdown(PATIENCE));
        while std::net::TcpStream::connect(("127.0.0.1", broker.port)).is_ok() {
            std::thread::yield_now();
        }
        // The reactor has ended, or is about to: it takes no message any more.
        disk.release(&segment);
    });
    assert!(!disk.is_unsynced(&segment));
    let (_, last) = HardStateLog::open(Arc::new(disk), &broker.dir.0).unwrap();
    assert!(last.clean);
}

#[test]
fn a_hard_state_log_that_fails_takes_the_directory_off_line_and_a_full_disk_does_not() {
    let disk = SimDisk::new();
    let log = LogConfig { flush_messages: 1, ..LogConfig::default() };
    let (broker, _) = start(&disk, DataPlaneConfig::default(), &log);
    let mut client = broker.connect();
    send(&mut client, 1, b"value");
    assert_eq!(answer(&mut client), (1, 0, 0));
    // Its next record meets a full disk.
    disk.set_full(true);
    let event = broker.await_entry(|entry| entry.kind == kind::LOG_DIRECTORY);
    assert_eq!(event.payload[0], 1, "short of space");
    disk.set_full(false);
    let event = broker.await_entry(|entry| entry.kind == kind::LOG_DIRECTORY);
    assert_eq!(event.payload[0], 0, "in order again");
    send(&mut client, 2, b"value");
    assert_eq!(answer(&mut client), (2, 0, 1));

    disk.break_file(&broker.dir.0.join("hard-state.log"));
    send(&mut client, 3, b"value");
    assert_eq!(answer(&mut client), (3, 0, 2));
    let event = broker.await_entry(|entry| entry.kind == kind::LOG_DIRECTORY);
    assert_eq!(event.payload[0], 2, "off-line");
    send(&mut client, 4, b"value");
    assert_eq!(answer(&mut client).1, error_code::KAFKA_STORAGE_ERROR);
}
