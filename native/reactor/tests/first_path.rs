//! The thinnest true path: a partition opened by a command, a control request, a Produce and a Fetch.

#![allow(clippy::unwrap_used)]

mod common;

use common::frames::{batch, fetch, fetched, header, produce, produced};
use common::{Broker, REACTORS};
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");

#[test]
fn one_connection_asks_produces_and_fetches() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();

        client.send(&header(3, 9, 41));
        let request = broker.await_request(3);
        assert_eq!((request.api_version, request.correlation_id), (9, 41));
        broker.respond(&request, b"metadata");
        assert_eq!(client.receive(), [&41_i32.to_be_bytes()[..], b"metadata"].concat());

        let records = batch(&[b"first", b"second"]);
        let answer = client.ask(&produce(9, 42, 1, TOPIC, &[(0, Some(&records))]));
        let produced = produced(&answer, 9);
        assert_eq!(produced.len(), 1);
        assert_eq!((produced[0].correlation_id, produced[0].error_code), (42, 0));
        assert_eq!(produced[0].base_offset, 0);

        let wanted = FetchPartition::new(0, 0, 1 << 20);
        let answer = client.ask(&fetch(12, 43, FetchOptions::default(), TOPIC, &[wanted]));
        let fetched = fetched(&answer, 12);
        assert_eq!(fetched.correlation_id, 43);
        let part = &fetched.partitions[0];
        assert_eq!((part.error_code, part.high_watermark), (0, 2));
        assert_eq!(part.base_offsets(), [0]);
        assert_eq!(part.records[21..], records[21..]);
    }
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    let records = batch(&[b"kept"]);
    client.ask(&produce(9, 1, -1, TOPIC, &[(0, Some(&records))]));
    let dir = broker.stop();

    let broker = Broker::start_in(dir, Default::default());
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    let wanted = FetchPartition::new(0, 0, 1 << 20);
    let answer = client.ask(&fetch(4, 2, FetchOptions::default(), TOPIC, &[wanted]));
    assert_eq!(fetched(&answer, 4).partitions[0].base_offsets(), [0]);
    let answer = client.ask(&produce(3, 3, 1, TOPIC, &[(0, Some(&records))]));
    assert_eq!(produced(&answer, 3)[0].base_offset, 1);
}
