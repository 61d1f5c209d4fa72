//! The order of answers, the gate, and requests that want no answer.
#![allow(clippy::unwrap_used)]

mod common;

use common::frames::{
    LogConfig, batch, correlation_id, fetch, fetched, framed, gzip, header, produce, produced,
};
use common::{Broker, REACTORS, TestTopic};
use ms_reactor::packed::answer_flag;
use ms_wire::error_code;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");

/// C-014
#[test]
fn pipelined_requests_of_mixed_cost_are_answered_in_order() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 3);
        let mut client = broker.connect();
        let records = batch(&[b"x"]);
        let long_poll = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
        let frames = [
            produce(9, 1, 1, TOPIC, &[(0, Some(&records)), (2, Some(&records))]),
            fetch(12, 2, long_poll, TOPIC, &[FetchPartition::new(1, 0, 1 << 20)]),
            produce(9, 3, -1, TOPIC, &[(0, Some(&records))]),
            header(3, 9, 4),
            produce(7, 5, 1, TOPIC, &[(0, Some(&records))]),
        ];
        client.raw(&framed(&frames));
        // The control request reaches TypeScript although the fetch before it waits.
        let request = broker.await_request(3);
        broker.respond(&request, b"");
        assert_eq!(correlation_id(&client.receive()), 1);
        // Nothing may overtake the fetch; another connection ends its wait.
        client.expect_silence();
        let mut other = broker.connect();
        other.ask(&produce(9, 1, 1, TOPIC, &[(1, Some(&records))]));
        for expected in 2..=5 {
            assert_eq!(correlation_id(&client.receive()), expected);
        }
    }
}

#[test]
fn fifty_requests_in_one_write_get_fifty_answers() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        broker.plane.publish_answer(18, 0, &[0, 0, 0, 0, 0, 0]);
        let mut client = broker.connect();
        let records = batch(&[b"x"]);
        let frames: Vec<_> = (0..200)
            .map(|i| match i % 2 {
                0 => produce(9, i, 1, TOPIC, &[(0, Some(&records))]),
                _ => header(18, 0, i),
            })
            .collect();
        client.raw(&framed(&frames));
        for expected in 0..200 {
            assert_eq!(correlation_id(&client.receive()), expected);
        }
    }
}

#[test]
fn nothing_behind_a_control_request_is_parsed_before_its_answer() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let hosted = broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();
        let records = batch(&[b"x"]);
        let frames = [
            header(10, 0, 1),
            header(12, 0, 2),
            produce(9, 3, 1, TOPIC, &[(0, Some(&records))]),
            produce(9, 4, 1, TOPIC, &[(0, Some(&records))]),
        ];
        client.raw(&framed(&frames));
        let first = broker.await_request(10);
        client.expect_silence();
        broker.await_stat("controlRequests", |count| count == 1);
        assert_eq!(broker.stat("produceRequests"), 0);
        assert_eq!(hosted.len(), 1);
        broker.respond(&first, b"one");
        broker.respond(&broker.await_request(12), b"two");
        for expected in 1..=4 {
            assert_eq!(correlation_id(&client.receive()), expected);
        }
    }
}

#[test]
fn an_answer_may_close_mute_or_say_nothing() {
    let broker = Broker::start(1);
    let mut client = broker.connect();
    client.send(&header(10, 0, 1));
    broker.respond_with(&broker.await_request(10), answer_flag::NO_ANSWER, b"");
    client.send(&header(10, 0, 2));
    broker.respond_with(&broker.await_request(10), answer_flag::MUTE, &[0, 0, 0, 2]);
    assert_eq!(correlation_id(&client.receive()), 2);
    client.send(&header(10, 0, 3));
    broker.respond_with(&broker.await_request(10), answer_flag::CLOSE_AFTER, &[0, 0, 0, 3]);
    assert_eq!(correlation_id(&client.receive()), 3);
    client.expect_closed();
}

#[test]
fn an_answer_to_a_connection_that_is_gone_is_dropped() {
    let broker = Broker::start(1);
    let mut client = broker.connect();
    client.send(&header(10, 0, 1));
    let request = broker.await_request(10);
    broker.plane.close_connection(request.connection);
    client.expect_closed();
    let mut next = broker.connect();
    next.send(&header(10, 0, 9));
    let of_next = broker.await_request(10);
    assert_eq!(of_next.connection.slot, request.connection.slot);
    broker.respond(&request, b"stale");
    broker.respond(&of_next, b"");
    assert_eq!(correlation_id(&next.receive()), 9);
}

/// C-013
#[test]
fn a_produce_without_acks_gets_no_answer() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();
        let records = batch(&[b"x"]);
        client.send(&produce(9, 1, 0, TOPIC, &[(0, Some(&records))]));
        let answer = client.ask(&produce(9, 2, 1, TOPIC, &[(0, Some(&records))]));
        assert_eq!(produced(&answer, 9)[0].correlation_id, 2);
        assert_eq!(produced(&answer, 9)[0].base_offset, 1);
        // An error can only be told by closing.
        client.send(&produce(9, 3, 0, TOPIC, &[(0, Some(b"garbage"))]));
        client.expect_closed();
        let mut client = broker.connect();
        client.send(&produce(9, 3, 0, TopicKey::Name(b"missing"), &[(0, Some(&records))]));
        client.expect_closed();
    }
}

#[test]
fn acks_all_in_fsync_mode_waits_for_the_flusher_and_stays_in_order() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let config = LogConfig { flush_messages: 1, ..LogConfig::default() };
        let hosted = [Some(broker.open("orders", [7; 16], 0, &config))];
        let (name, id) = ("orders", [7; 16]);
        broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: false }]);
        let mut client = broker.connect();
        let records = batch(&[b"x"]);
        let frames: Vec<_> =
            (0..20).map(|i| produce(9, i, -1, TOPIC, &[(0, Some(&records))])).collect();
        client.raw(&framed(&frames));
        for expected in 0..20 {
            let answer = client.receive();
            let produced = &produced(&answer, 9)[0];
            assert_eq!((produced.correlation_id, produced.error_code), (expected, 0));
            assert_eq!(produced.base_offset, i64::from(expected));
        }
    }
}

#[test]
fn one_refused_partition_does_not_harm_the_others() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 4);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    let mut broken = records.clone();
    *broken.last_mut().unwrap() ^= 1;
    let partitions = [
        (0, Some(records.as_slice())),
        (1, Some(broken.as_slice())),
        (9, Some(records.as_slice())),
        (2, None),
        (3, Some(records.as_slice())),
    ];
    let answer = client.ask(&produce(9, 1, 1, TOPIC, &partitions));
    let codes: Vec<_> = produced(&answer, 9).iter().map(|p| p.error_code).collect();
    let expected = [
        error_code::NONE,
        error_code::CORRUPT_MESSAGE,
        error_code::UNKNOWN_TOPIC_OR_PARTITION,
        error_code::INVALID_RECORD,
        error_code::NONE,
    ];
    assert_eq!(codes, expected);
}

#[test]
fn a_read_behind_a_write_on_one_connection_sees_it() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    let frames = [
        produce(9, 1, 1, TOPIC, &[(0, Some(&records))]),
        fetch(12, 2, FetchOptions::default(), TOPIC, &[FetchPartition::new(0, 0, 1000)]),
    ];
    client.raw(&framed(&frames));
    client.receive();
    assert_eq!(fetched(&client.receive(), 12).partitions[0].base_offsets(), [0]);
}

#[test]
fn batches_validated_by_a_worker_keep_their_place() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 2);
        let mut client = broker.connect();
        let plain = batch(&[b"x"]);
        let large = gzip(&batch(&[&[b'y'; 400_000], b"z"]));
        let mut broken = batch(&[&[b'y'; 400_000], b"z"]);
        broken[61 + 6] ^= 0x55;
        let broken = gzip(&broken);
        let frames = [
            produce(9, 0, 1, TOPIC, &[(0, Some(&plain))]),
            produce(9, 1, 1, TOPIC, &[(0, Some(&large))]),
            produce(9, 2, 1, TOPIC, &[(0, Some(&plain))]),
            produce(9, 3, 1, TOPIC, &[(0, Some(&broken)), (1, Some(&plain)), (8, Some(&large))]),
            header(10, 0, 4),
            produce(9, 5, 1, TOPIC, &[(0, Some(&large))]),
        ];
        client.raw(&framed(&frames));
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(produced(&client.receive(), 9));
        }
        let offsets: Vec<_> = answers[..3].iter().map(|a| a[0].base_offset).collect();
        assert_eq!(offsets, [0, 1, 3]);
        let codes: Vec<_> = answers[3].iter().map(|p| p.error_code).collect();
        let (none, unknown) = (error_code::NONE, error_code::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(codes, [error_code::INVALID_RECORD, none, unknown]);
        broker.respond(&broker.await_request(10), b"");
        assert_eq!(correlation_id(&client.receive()), 4);
        assert_eq!(produced(&client.receive(), 9)[0].base_offset, 4);
        assert_eq!(broker.stat("poolBytes"), 0);
    }
}
