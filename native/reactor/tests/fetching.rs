//! Fetch: long polls, limits of bytes, errors, topics by id.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::frames::{LogConfig, batch, fetch, fetch_many, fetched, produce, produced};
use common::{Broker, REACTORS, TestTopic};
use ms_reactor::packed::command;
use ms_wire::error_code;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");
const LARGE: i32 = 1 << 20;

fn long_poll(min_bytes: i32) -> FetchOptions<'static> {
    FetchOptions { max_wait_ms: 60_000, min_bytes, ..FetchOptions::default() }
}

#[test]
fn a_long_poll_ends_with_the_first_record() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 2);
        // As many consumers as it takes to have some on every reactor.
        let mut consumers: Vec<_> = (0..4).map(|_| broker.connect()).collect();
        let wanted = [FetchPartition::new(0, 0, LARGE), FetchPartition::new(1, 0, LARGE)];
        for consumer in &mut consumers {
            consumer.send(&fetch(12, 1, long_poll(1), TOPIC, &wanted));
        }
        consumers[0].expect_silence();
        let mut producer = broker.connect();
        let records = batch(&[b"x"]);
        producer.ask(&produce(9, 1, 1, TOPIC, &[(1, Some(&records))]));
        for consumer in &mut consumers {
            let answer = fetched(&consumer.receive(), 12);
            assert_eq!(answer.partitions.len(), 2);
            assert_eq!(answer.partitions[0].base_offsets(), []);
            assert_eq!(answer.partitions[1].base_offsets(), [0]);
        }
    }
}

#[test]
fn a_long_poll_waits_for_min_bytes() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 2);
        let mut consumer = broker.connect();
        let records = batch(&[&[b'x'; 100]]);
        let min_bytes = 3 * records.len() as i32;
        let wanted = [FetchPartition::new(0, 0, LARGE), FetchPartition::new(1, 0, LARGE)];
        consumer.send(&fetch(12, 1, long_poll(min_bytes), TOPIC, &wanted));
        let mut producer = broker.connect();
        producer.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        producer.ask(&produce(9, 2, 1, TOPIC, &[(1, Some(&records))]));
        consumer.expect_silence();
        producer.ask(&produce(9, 3, 1, TOPIC, &[(0, Some(&records))]));
        let answer = fetched(&consumer.receive(), 12);
        assert_eq!(answer.partitions[0].base_offsets(), [0, 1]);
        assert_eq!(answer.partitions[1].base_offsets(), [0]);
    }
}

/// C-069: a fetch at the end of a log is answered without records when its time is over.
#[test]
fn a_long_poll_ends_after_its_time() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 1);
    let mut consumer = broker.connect();
    let options = FetchOptions { max_wait_ms: 120, min_bytes: 1, ..FetchOptions::default() };
    let asked = Instant::now();
    let answer = consumer.ask(&fetch(12, 1, options, TOPIC, &[FetchPartition::new(0, 0, LARGE)]));
    assert!(asked.elapsed() >= Duration::from_millis(100), "{:?}", asked.elapsed());
    let part = &fetched(&answer, 12).partitions[0];
    assert_eq!((part.error_code, part.high_watermark, part.records.len()), (0, 0, 0));
}

/// C-062, C-063, C-076
#[test]
fn bytes_are_bounded_in_whole_batches_but_the_first_is_always_given() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 2);
        let mut client = broker.connect();
        let records = batch(&[&[b'x'; 1000]]);
        let len = records.len() as i32;
        for partition in [0, 0, 0, 1, 1, 1] {
            client.ask(&produce(9, 1, 1, TOPIC, &[(partition, Some(&records))]));
        }
        let offsets = |options: FetchOptions<'_>, max: [i32; 2]| {
            let mut client = broker.connect();
            let wanted = [FetchPartition::new(0, 0, max[0]), FetchPartition::new(1, 0, max[1])];
            let answer = fetched(&client.ask(&fetch(12, 1, options, TOPIC, &wanted)), 12);
            [answer.partitions[0].base_offsets(), answer.partitions[1].base_offsets()]
        };
        let with_max = |max_bytes| FetchOptions { max_bytes, ..FetchOptions::default() };
        assert_eq!(offsets(with_max(LARGE), [LARGE, LARGE]), [vec![0, 1, 2], vec![0, 1, 2]]);
        assert_eq!(offsets(with_max(1), [LARGE, LARGE]), [vec![0], vec![]]);
        assert_eq!(offsets(with_max(LARGE), [1, LARGE]), [vec![0], vec![0, 1, 2]]);
        assert_eq!(offsets(with_max(LARGE), [2 * len, 2 * len + 5]), [vec![0, 1], vec![0, 1]]);
        assert_eq!(offsets(with_max(4 * len), [LARGE, LARGE]), [vec![0, 1, 2], vec![0]]);
        assert_eq!(offsets(with_max(3 * len), [i32::MAX, LARGE]), [vec![0, 1, 2], vec![]]);
    }
}

/// C-061
#[test]
fn a_fetch_inside_a_batch_gets_the_whole_batch() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    let records = batch(&[b"0", b"1", b"2", b"3"]);
    client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
    client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
    for (offset, expected) in [(0, vec![0, 4]), (2, vec![0, 4]), (4, vec![4]), (7, vec![4])] {
        let wanted = [FetchPartition::new(0, offset, LARGE)];
        let answer = client.ask(&fetch(12, 1, FetchOptions::default(), TOPIC, &wanted));
        assert_eq!(fetched(&answer, 12).partitions[0].base_offsets(), expected);
    }
}

#[test]
fn errors_of_a_partition_are_answered_at_once() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();
        let records = batch(&[b"0", b"1"]);
        client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        let code = |client: &mut common::client::Client, wanted: FetchPartition| {
            let answer = client.ask(&fetch(12, 1, long_poll(1000), TOPIC, &[wanted]));
            fetched(&answer, 12).partitions[0].error_code
        };
        let at = |offset| FetchPartition::new(0, offset, LARGE);
        assert_eq!(code(&mut client, at(3)), error_code::OFFSET_OUT_OF_RANGE);
        assert_eq!(code(&mut client, at(-1)), error_code::OFFSET_OUT_OF_RANGE);
        let mut ahead = at(0);
        ahead.current_leader_epoch = 99;
        assert_eq!(code(&mut client, ahead), error_code::UNKNOWN_LEADER_EPOCH);
        let mut behind = at(0);
        behind.current_leader_epoch = 0;
        assert_eq!(code(&mut client, behind), error_code::FENCED_LEADER_EPOCH);
        let unknown = FetchPartition::new(5, 0, LARGE);
        assert_eq!(code(&mut client, unknown), error_code::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

/// C-069
#[test]
fn below_the_log_start_the_answer_says_where_the_log_begins() {
    let broker = Broker::start(1);
    let hosted = broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    let records = batch(&[b"0", b"1"]);
    client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
    let token = broker.submit(command::DELETE_RECORDS, 0, Some(hosted[0]), &2_i64.to_le_bytes());
    assert_eq!(broker.await_done(token).payload, 2_i64.to_le_bytes());
    let wanted = [FetchPartition::new(0, 1, LARGE)];
    let answer = client.ask(&fetch(12, 1, FetchOptions::default(), TOPIC, &wanted));
    let part = &fetched(&answer, 12).partitions[0];
    assert_eq!((part.error_code, part.log_start_offset), (error_code::OFFSET_OUT_OF_RANGE, 2));
}

#[test]
fn topics_are_found_by_id_and_unknown_ones_refused() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();
        let records = batch(&[b"x"]);
        let key = TopicKey::Id([7; 16]);
        let answer = client.ask(&produce(13, 1, 1, key, &[(0, Some(&records))]));
        assert_eq!(produced(&answer, 13)[0].error_code, 0);
        let unknown = TopicKey::Id([8; 16]);
        let answer = client.ask(&produce(13, 1, 1, unknown, &[(0, Some(&records))]));
        assert_eq!(produced(&answer, 13)[0].error_code, error_code::UNKNOWN_TOPIC_ID);
        let part = [FetchPartition::new(0, 0, LARGE)];
        let topics: [(_, &[_]); 2] = [(key, &part), (unknown, &part)];
        let answer = client.ask(&fetch_many(18, 1, FetchOptions::default(), &topics, &[]));
        let answer = fetched(&answer, 18);
        assert_eq!(answer.partitions[0].base_offsets(), [0]);
        assert_eq!(answer.partitions[1].error_code, error_code::UNKNOWN_TOPIC_ID);
    }
}

#[test]
fn a_partition_led_elsewhere_is_refused_with_a_hint() {
    let broker = Broker::start(1);
    let topic = TestTopic { name: "orders", id: [7; 16], partitions: &[None], is_internal: false };
    broker.publish(1, &[topic]);
    let mut client = broker.connect();
    let wanted = [FetchPartition::new(0, 0, LARGE)];
    let key = TopicKey::Id([7; 16]);
    let answer = client.ask(&fetch(16, 1, FetchOptions::default(), key, &wanted));
    let part = &fetched(&answer, 16).partitions[0];
    assert_eq!(part.error_code, error_code::NOT_LEADER_OR_FOLLOWER);
    assert_eq!(part.leader, Some((1, 1)));
    let records = batch(&[b"x"]);
    let answer = client.ask(&produce(12, 1, 1, TOPIC, &[(0, Some(&records))]));
    assert_eq!(produced(&answer, 12)[0].error_code, error_code::NOT_LEADER_OR_FOLLOWER);
}

#[test]
fn an_internal_topic_takes_nothing_from_a_client() {
    let broker = Broker::start(1);
    let config = LogConfig { is_internal: true, ..LogConfig::default() };
    let hosted = [Some(broker.open("__consumer_offsets", [9; 16], 0, &config))];
    let (name, id) = ("__consumer_offsets", [9; 16]);
    broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: true }]);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    let key = TopicKey::Name(b"__consumer_offsets");
    let answer = client.ask(&produce(9, 1, 1, key, &[(0, Some(&records))]));
    assert_eq!(produced(&answer, 9)[0].error_code, error_code::INVALID_TOPIC_EXCEPTION);
}

#[test]
fn a_deleted_topic_ends_its_long_polls() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let hosted = broker.with_topic("orders", [7; 16], 1);
        let mut consumer = broker.connect();
        consumer.send(&fetch(12, 1, long_poll(1), TOPIC, &[FetchPartition::new(0, 0, LARGE)]));
        consumer.expect_silence();
        let token = broker.submit(command::DELETE_PARTITION, 0, Some(hosted[0]), b"");
        assert_eq!(broker.await_done(token).error_code, 0);
        let code = fetched(&consumer.receive(), 12).partitions[0].error_code;
        assert_eq!(code, error_code::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

#[test]
fn a_large_answer_reaches_a_slow_reader_whole() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut producer = broker.connect();
        let records = batch(&[&[b'x'; 500_000]]);
        for _ in 0..20 {
            producer.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        }
        let mut consumer = broker.connect();
        let wanted = [FetchPartition::new(0, 0, i32::MAX)];
        let request = fetch(12, 1, FetchOptions::default(), TOPIC, &wanted);
        for _ in 0..3 {
            consumer.send(&request);
        }
        // The answers are larger than every buffer on the way; the reader begins late.
        producer.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        for _ in 0..3 {
            let offsets = fetched(&consumer.receive(), 12).partitions[0].base_offsets();
            assert!(offsets.len() >= 20 && offsets[19] == 19, "{offsets:?}");
        }
    }
}

#[test]
fn sealed_segments_are_read_too() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let config = LogConfig { segment_bytes: 100_000, ..LogConfig::default() };
        let hosted = [Some(broker.open("orders", [7; 16], 0, &config))];
        let (name, id) = ("orders", [7; 16]);
        broker.publish(1, &[TestTopic { name, id, partitions: &hosted, is_internal: false }]);
        let mut client = broker.connect();
        let records = batch(&[&[b'x'; 30_000]]);
        for _ in 0..20 {
            let answer = client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
            assert_eq!(produced(&answer, 9)[0].error_code, 0);
        }
        let mut next = 0;
        while next < 20 {
            let wanted = [FetchPartition::new(0, next, LARGE)];
            let answer = client.ask(&fetch(12, 1, long_poll(1), TOPIC, &wanted));
            let offsets = fetched(&answer, 12).partitions[0].base_offsets();
            assert_eq!(offsets.first(), Some(&next));
            next = offsets.last().unwrap() + 1;
        }
    }
}

#[test]
fn thousands_of_long_polls_that_ended_early_leave_nothing_behind() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 1);
    let (mut consumer, mut producer) = (broker.connect(), broker.connect());
    let options = FetchOptions { max_wait_ms: i32::MAX, min_bytes: 1, ..FetchOptions::default() };
    let records = batch(&[b"x"]);
    // The second half takes longer than the second after which the reactor cleans up.
    let began = Instant::now();
    let mut offset = 0;
    while offset < 5_000 || began.elapsed() < Duration::from_millis(2_500) {
        let wanted = [FetchPartition::new(0, offset, LARGE)];
        consumer.send(&fetch(12, 1, options, TOPIC, &wanted));
        producer.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        let answer = fetched(&consumer.receive(), 12);
        assert_eq!(answer.partitions[0].base_offsets(), [offset]);
        offset += 1;
    }
    // One long poll of which nothing was cleaned away.
    consumer.send(&fetch(12, 1, options, TOPIC, &[FetchPartition::new(0, offset, LARGE)]));
    producer.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
    assert_eq!(fetched(&consumer.receive(), 12).partitions[0].base_offsets(), [offset]);
}
