//! Many connections at once, in chunks of any size: every record arrives once, in the order of its connection.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::Shutdown;

use common::Broker;
use common::client::Client;
use common::frames::{batch, fetch, fetched, gzip, produce, produced};
use ms_reactor::DataPlaneConfig;
use ms_wire::batch::BatchHeader;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");
const PRODUCERS: usize = 6;
const REQUESTS: usize = 150;
const PARTITIONS: i32 = 2;

/// A small generator, the same numbers for a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// All requests of a producer, and its value for each partition in order.
fn requests(producer: usize) -> Vec<u8> {
    let mut numbers = Numbers(producer as u64 + 1);
    let mut stream = Vec::new();
    for n in 0..REQUESTS {
        let len = [10, 300, 9_000, 150_000][numbers.below(4)];
        let mut value = format!("{producer} {n} ").into_bytes();
        value.resize(value.len() + numbers.below(len), b'.');
        let plain = batch(&[&value]);
        let records = if numbers.below(5) == 0 { gzip(&plain) } else { plain };
        let partition = (n % PARTITIONS as usize) as i32;
        let acks = [1, -1][numbers.below(2)];
        let frame = produce(9, n as i32, acks, TOPIC, &[(partition, Some(&records))]);
        stream.extend_from_slice(&(frame.len() as u32).to_be_bytes());
        stream.extend_from_slice(&frame);
    }
    stream
}

fn run_producer(port: u16, producer: usize) {
    let mut client = Client::connect(port);
    let mut writer = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let stream = requests(producer);
        let mut numbers = Numbers(99 + producer as u64);
        let mut rest = stream.as_slice();
        while !rest.is_empty() {
            let bound = [3, 200, 70_000, 1 << 20][numbers.below(4)];
            let (chunk, tail) = rest.split_at((1 + numbers.below(bound)).min(rest.len()));
            writer.write_all(chunk).unwrap();
            rest = tail;
        }
    });
    for n in 0..REQUESTS {
        let answer = produced(&client.receive(), 9);
        assert_eq!((answer[0].correlation_id, answer[0].error_code), (n as i32, 0));
    }
    sender.join().unwrap();
    client.stream.shutdown(Shutdown::Both).unwrap();
}

/// Reads a partition to the end by long polls: producer and number of each record, in order.
fn consume(port: u16, partition: i32, expected: usize) -> Vec<(usize, usize)> {
    let mut client = Client::connect(port);
    let mut found = Vec::new();
    let mut next = 0;
    let mut numbers = Numbers(7);
    while found.len() < expected {
        let max_bytes = [1, 20_000, 1 << 20][numbers.below(3)];
        let options = FetchOptions { max_wait_ms: 5_000, min_bytes: 1, ..FetchOptions::default() };
        let wanted = [FetchPartition::new(partition, next, max_bytes)];
        let answer = fetched(&client.ask(&fetch(12, 1, options, TOPIC, &wanted)), 12);
        let part = &answer.partitions[0];
        assert_eq!(part.error_code, 0);
        let mut rest = part.records.as_slice();
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest).unwrap();
            assert_eq!(header.base_offset, next);
            let (whole, tail) = rest.split_at(header.size());
            ms_wire::batch::check_crc(whole).unwrap();
            found.push(producer_and_number(whole));
            next = header.last_offset() + 1;
            rest = tail;
        }
    }
    found
}

fn producer_and_number(batch: &[u8]) -> (usize, usize) {
    let mut records = batch[61..].to_vec();
    if batch[22] & 7 == 1 {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(records.as_slice()).read_to_end(&mut plain).unwrap();
        records = plain;
    }
    let text: Vec<u8> = records.iter().copied().skip_while(|byte| !byte.is_ascii_digit()).collect();
    // The length of a record may look like a digit: the value ends its two numbers with spaces.
    let fields: Vec<_> = text.split(|byte| *byte == b' ').take(2).collect();
    let number = |bytes: &[u8]| String::from_utf8_lossy(bytes).parse::<usize>();
    let producer = fields[0].last().map(|byte| usize::from(byte - b'0')).unwrap();
    (producer, number(fields[1]).unwrap())
}

#[test]
fn every_record_arrives_once_and_in_the_order_of_its_connection() {
    for (reactors, recv_bytes) in [(1, 1 << 16), (3, 1 << 16), (3, 1 << 20)] {
        let config = DataPlaneConfig { reactors, recv_bytes, ..DataPlaneConfig::default() };
        let broker = Broker::start_with(config);
        broker.with_topic("orders", [7; 16], PARTITIONS);
        let port = broker.port;
        let per_partition = PRODUCERS * REQUESTS / PARTITIONS as usize;
        std::thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                scope.spawn(move || run_producer(port, producer));
            }
            for partition in 0..PARTITIONS {
                scope.spawn(move || {
                    let found = consume(port, partition, per_partition);
                    for producer in 0..PRODUCERS {
                        let of_one: Vec<_> =
                            found.iter().filter(|(p, _)| *p == producer).map(|(_, n)| *n).collect();
                        let expected: Vec<_> = (partition as usize..REQUESTS).step_by(2).collect();
                        assert_eq!(of_one, expected, "producer {producer}");
                    }
                });
            }
        });
        assert_eq!(broker.stat("poolBytes"), 0);
        assert_eq!(broker.stat("malformedFrames"), 0);
    }
}
