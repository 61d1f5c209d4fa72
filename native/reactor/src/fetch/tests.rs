//! Fetches that wait, and their answers.
#![allow(clippy::unwrap_used)]

use ms_partition::PartitionConfig;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::fetch_response_reader::FetchResponse;
use ms_wire::topic::TopicKey;

use crate::by_hand::frames::{batch, fetch, fetched, produce};
use crate::by_hand::{ByHand, TOPIC};
use crate::conn::REQUEST_BYTES_MAX;
use crate::slots::Slot;

const KEY: TopicKey<'static> = TopicKey::Name(TOPIC.as_bytes());

#[test]
fn a_partition_that_is_named_often_is_waited_for_once() {
    let mut hand = ByHand::new();
    hand.with_topic(PartitionConfig::default());
    let (mut consumer, mut producer) = (hand.connect(), hand.connect());
    let options = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
    let mut often = vec![FetchPartition::new(0, 7, 1 << 20); 20_000];
    often.push(FetchPartition::new(0, 0, 1 << 20));
    hand.carried(&consumer, &[fetch(12, 1, options, KEY, &often)]);
    hand.reactor.finish_gathered();
    hand.large();
    let records = batch(&[b"x"]);
    hand.gather(&mut producer, &[produce(9, 1, 1, KEY, &[(0, Some(&records))])]);
    hand.reactor.finish_gathered();
    assert_eq!(hand.reactor.turn.due.len(), 1);
    hand.reactor.wake_due();
    let answer = fetched(&hand.frames(&mut consumer, 1)[0], 12);
    assert_eq!(answer.partitions.len(), 1);
    assert_eq!(answer.partitions[0].base_offsets(), [0]);
}

#[test]
fn what_small_requests_of_a_large_session_keep_is_bounded() {
    let mut hand = ByHand::new();
    hand.with_topic(PartitionConfig::default());
    let mut consumer = hand.connect();
    let options = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
    let ask = |session_id, session_epoch, partitions: &[FetchPartition]| {
        let options = FetchOptions { session_id, session_epoch, ..options };
        fetch(12, 1, options, KEY, partitions)
    };
    // As many as a fetch may wait for, one of them there.
    let all: Vec<_> = (0..4097).map(|p| FetchPartition::new(p, 0, 1000)).collect();
    let opening = FetchOptions { session_epoch: 0, max_wait_ms: 0, ..options };
    hand.carried(&consumer, &[fetch(12, 1, opening, KEY, &all)]);
    hand.reactor.finish_gathered();
    hand.large();
    let id = fetched(&hand.frames(&mut consumer, 1)[0], 12).session_id;
    assert!(id > 0);
    let empty: Vec<_> = (1..=60).map(|epoch| ask(id, epoch, &[])).collect();
    hand.gather(&mut consumer, &empty);
    hand.reactor.finish_gathered();
    // Those that may not wait are looked at again, to be answered.
    hand.large();
    hand.large();
    let connection = hand.reactor.connections[consumer.local as usize].as_ref().unwrap();
    let waiting = connection.slots.iter().filter(|(_, slot)| matches!(slot, Slot::Fetch(_)));
    let waiting = waiting.count();
    assert!((1..20).contains(&waiting), "{waiting}");
    assert!(connection.slots.bytes() <= REQUEST_BYTES_MAX);
}

/// How many aborted transactions each partition of an answer lists, and whether its reader has diverged.
fn listed(frame: &[u8]) -> Vec<(Option<usize>, bool)> {
    // Behind the correlation id.
    let response = FetchResponse::parse(frame, 12, 5).unwrap();
    let partitions = response.topics().flat_map(|topic| topic.partitions());
    partitions.map(|it| (it.aborted_count, it.diverging_epoch.is_some())).collect()
}

#[test]
fn aborted_transactions_are_listed_to_who_asks_and_has_not_diverged() {
    let mut hand = ByHand::new();
    let partition = hand.with_partitions(3, PartitionConfig::default()).remove(0);
    let mut consumer = hand.connect();
    for (isolation_level, last_fetched_epoch, expected) in [
        (0, -1, (None, false)),
        (1, -1, (Some(0), false)),
        (1, partition.leader_epoch(), (None, true)),
    ] {
        let options = FetchOptions { isolation_level, ..Default::default() };
        let offset = if expected.1 { 100 } else { 0 };
        let of = FetchPartition { last_fetched_epoch, ..FetchPartition::new(0, offset, 1000) };
        hand.gather(&mut consumer, &[fetch(12, 1, options, KEY, &[of])]);
        hand.reactor.finish_gathered();
        assert_eq!(listed(&hand.frames(&mut consumer, 1)[0]), [expected]);
    }
    // As in Kafka, nor of a partition whose first batch is larger than what is asked for.
    let mut producer = hand.connect();
    let records = batch(&[b"x"]);
    let to_all = [0, 1, 2].map(|index| (index, Some(&records[..])));
    hand.gather(&mut producer, &[produce(9, 1, 1, KEY, &to_all)]);
    hand.reactor.finish_gathered();
    let sizes = [(0, 1000), (1, 10), (2, 0)].map(|(p, size)| FetchPartition::new(p, 0, size));
    let options = FetchOptions { isolation_level: 1, ..Default::default() };
    hand.gather(&mut consumer, &[fetch(12, 1, options, KEY, &sizes)]);
    hand.reactor.finish_gathered();
    let expected = [Some(0), None, Some(0)].map(|count| (count, false));
    assert_eq!(listed(&hand.frames(&mut consumer, 1)[0]), expected);
}

#[test]
fn a_fetch_of_much_that_is_not_there_is_answered_at_once() {
    let mut hand = ByHand::new();
    hand.with_topic(PartitionConfig::default());
    let mut consumer = hand.connect();
    let options = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
    let all: Vec<_> = (-9_000..1).map(|p| FetchPartition::new(p, 0, 1000)).collect();
    hand.carried(&consumer, &[fetch(12, 1, options, KEY, &all)]);
    hand.reactor.finish_gathered();
    hand.large();
    let answer = fetched(&hand.frames(&mut consumer, 1)[0], 12);
    assert_eq!(answer.partitions.len(), all.len());
    // What is not there comes last.
    assert_eq!(answer.partitions[0].partition, 0);
    assert_eq!(answer.partitions[1].partition, -9_000);
}
