//! Requests that name very many partitions: another thread works on them, and nobody can tell but by the time it takes.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::frames::{
    LogConfig, batch, correlation_id, fetch, fetch_many, fetched, framed, header, produce, produced,
};
use common::{Broker, PATIENCE, REACTORS, TempDir, TestTopic};
use ms_log::sim::SimDisk;
use ms_reactor::DataPlaneConfig;
use ms_wire::batch::write_crc;
use ms_wire::error_code;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");
const MOST: i32 = 65_535;

/// Partitions of which the last is `index`, and the others are not there.
fn many(count: i32, index: i32) -> Vec<FetchPartition> {
    let absent = (0..count).map(|i| FetchPartition::new(-1 - i, 0, 1 << 20));
    absent.chain([FetchPartition::new(index, 0, 1 << 20)]).collect()
}

/// A Produce to partition 0 behind others that are not there.
fn large_produce(correlation_id: i32, acks: i16, records: &[u8]) -> Vec<u8> {
    let absent = (0..100).map(|i| (-1 - i, None));
    let all: Vec<_> = absent.chain([(0, Some(records))]).collect();
    produce(9, correlation_id, acks, TOPIC, &all)
}

fn long_poll() -> FetchOptions<'static> {
    FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..FetchOptions::default() }
}

#[test]
fn large_requests_among_others_are_answered_in_order() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 2);
        let mut client = broker.connect();
        let records = batch(&[b"x"]);
        let frames = [
            produce(9, 1, 1, TOPIC, &[(0, Some(&records))]),
            fetch(12, 2, long_poll(), TOPIC, &many(600, 1)),
            large_produce(3, -1, &records),
            header(3, 9, 4),
            fetch(12, 5, FetchOptions::default(), TOPIC, &many(MOST, 0)),
            produce(9, 6, 1, TOPIC, &[(0, Some(&records))]),
        ];
        client.raw(&framed(&frames));
        assert_eq!(correlation_id(&client.receive()), 1);
        // What is behind the long poll goes on.
        broker.respond(&broker.await_request(3), b"");
        client.expect_silence();
        broker.connect().ask(&produce(9, 1, 1, TOPIC, &[(1, Some(&records))]));
        let first = fetched(&client.receive(), 12);
        assert_eq!((first.partitions.len(), first.partitions[0].base_offsets()), (601, vec![0]));
        let large = produced(&client.receive(), 9).pop().unwrap();
        assert_eq!((large.correlation_id, large.error_code, large.base_offset), (3, 0, 1));
        assert_eq!(correlation_id(&client.receive()), 4);
        let second = fetched(&client.receive(), 12);
        assert_eq!(second.partitions.len(), MOST as usize + 1);
        assert_eq!(second.partitions[0].base_offsets(), [0, 1]);
        assert_eq!(produced(&client.receive(), 9)[0].base_offset, 2);
    }
}

#[test]
fn the_sequences_of_a_producer_stay_in_order() {
    let sequenced = |sequence: i32| {
        let mut batch = batch(&[b"x"]);
        batch[43..51].copy_from_slice(&7_i64.to_be_bytes());
        batch[51..53].copy_from_slice(&0_i16.to_be_bytes());
        batch[53..57].copy_from_slice(&sequence.to_be_bytes());
        write_crc(&mut batch);
        batch
    };
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let synced = LogConfig { flush_messages: 1, ..LogConfig::default() };
        let hosted = [Some(broker.open("orders", [7; 16], 0, &synced))];
        let (name, id) = ("orders", [7; 16]);
        broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: false }]);
        let mut client = broker.connect();
        let frames: Vec<_> = (0..40)
            .map(|i| match i % 3 {
                0 => produce(9, i, -1, TOPIC, &[(0, Some(&sequenced(i)))]),
                _ => large_produce(i, -1, &sequenced(i)),
            })
            .collect();
        client.raw(&framed(&frames));
        for i in 0..40 {
            let done = produced(&client.receive(), 9).pop().unwrap();
            assert_eq!((done.correlation_id, done.error_code), (i, 0));
            assert_eq!(done.base_offset, i64::from(i));
        }
    }
}

#[test]
fn a_session_of_many_partitions_tells_what_changed() {
    for reactors in REACTORS {
        let config = DataPlaneConfig { reactors, ..DataPlaneConfig::default() };
        // So many partitions, each synced by itself, would be a test of the disk.
        let broker = Broker::start_on(Arc::new(SimDisk::new()), TempDir::new(), config);
        broker.with_topic("orders", [7; 16], 520);
        let (mut client, mut producer) = (broker.connect(), broker.connect());
        let all: Vec<_> = (0..520).map(|p| FetchPartition::new(p, 0, 1 << 20)).collect();
        let (opening, records) = (FetchOptions { session_epoch: 0, ..long_poll() }, batch(&[b"x"]));
        let opening = FetchOptions { max_wait_ms: 0, ..opening };
        let answer = fetched(&client.ask(&fetch(12, 1, opening, TOPIC, &all)), 12);
        assert_eq!(answer.partitions.len(), 520);
        let session_id = answer.session_id;
        assert_ne!(session_id, 0);
        // Small requests of it, which wait and are woken.
        for (session_epoch, partition) in [(1, 3), (2, 519)] {
            let options = FetchOptions { session_id, session_epoch, ..long_poll() };
            let moved = [FetchPartition::new(3, 1, 1 << 20)];
            let named: &[_] = if session_epoch == 1 { &[] } else { &[(TOPIC, &moved[..])] };
            client.send(&fetch_many(12, 1, options, named, &[]));
            client.expect_silence();
            producer.ask(&produce(9, 1, 1, TOPIC, &[(partition, Some(&records))]));
            let answer = fetched(&client.receive(), 12);
            assert_eq!((answer.error_code, answer.partitions.len()), (0, 1));
            assert_eq!(answer.partitions[0].partition, partition);
            assert_eq!(answer.partitions[0].base_offsets(), [0]);
        }
        let old = FetchOptions { session_id, session_epoch: 2, ..FetchOptions::default() };
        let answer = fetched(&client.ask(&fetch_many(12, 1, old, &[], &[])), 12);
        assert_eq!(answer.error_code, error_code::INVALID_FETCH_SESSION_EPOCH);
    }
}

#[test]
fn clients_that_leave_during_the_work_leave_nothing_behind() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let often = vec![(0, None); MOST as usize];
        let frames = [
            produce(9, 1, 1, TOPIC, &often),
            fetch(12, 2, FetchOptions::default(), TOPIC, &many(MOST, 0)),
            fetch(12, 3, long_poll(), TOPIC, &many(600, 0)),
        ];
        for i in 0..9 {
            let mut client = broker.connect();
            client.send(&frames[i % frames.len()]);
        }
        let records = batch(&[b"x"]);
        let mut client = broker.connect();
        let answer = client.ask(&large_produce(1, 1, &records));
        assert_eq!(produced(&answer, 9).pop().unwrap().base_offset, 0);
        broker.await_stat("connections", |count| count == 1);
        broker.await_stat("poolBytes", |bytes| bytes == 0);
    }
}

#[test]
fn a_stop_answers_those_that_wait_and_ends_the_others() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut waiting = broker.connect();
        waiting.send(&fetch(12, 1, long_poll(), TOPIC, &many(600, 0)));
        broker.await_stat("fetchRequests", |count| count == 1);
        let request = fetch(12, 1, FetchOptions::default(), TOPIC, &many(MOST, 0));
        let mut others: Vec<_> = (0..20).map(|_| broker.connect()).collect();
        others.iter_mut().for_each(|other| other.send(&request));
        broker.plane.shutdown(PATIENCE);
        assert_eq!(fetched(&waiting.receive(), 12).partitions.len(), 601);
        waiting.expect_closed();
        others.iter_mut().for_each(|other| other.expect_end());
    }
}

#[test]
fn large_answers_reach_a_slow_reader_whole() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let records = batch(&[&[b'x'; 500_000]]);
        let mut client = broker.connect();
        for _ in 0..4 {
            client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        }
        let frames: Vec<_> =
            (0..3).map(|i| fetch(12, i, FetchOptions::default(), TOPIC, &many(MOST, 0))).collect();
        let mut writer = client.stream.try_clone().unwrap();
        let bytes = framed(&frames);
        let sender = std::thread::spawn(move || {
            std::io::Write::write_all(&mut writer, &bytes).unwrap();
        });
        // The answers are larger than every buffer on the way; the reader begins late.
        broker.connect().ask(&large_produce(1, 1, &batch(&[b"x"])));
        for i in 0..3 {
            let answer = client.receive();
            assert_eq!(correlation_id(&answer), i);
            let answer = fetched(&answer, 12);
            assert_eq!(answer.partitions.len(), MOST as usize + 1);
            assert_eq!(answer.partitions[0].base_offsets(), [0, 1]);
        }
        sender.join().unwrap();
    }
}
