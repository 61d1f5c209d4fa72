//! Incremental fetch sessions (KIP-227).
#![allow(clippy::unwrap_used)]

mod common;

use common::client::Client;
use common::frames::{Fetched, batch, fetch_many, fetched, produce};
use common::{Broker, REACTORS};
use ms_reactor::DataPlaneConfig;
use ms_wire::error_code;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const VERSION: i16 = 12;
const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");
const LARGE: i32 = 1 << 20;

/// One Fetch of a session.
struct Step<'a> {
    id: i32,
    epoch: i32,
    partitions: &'a [FetchPartition],
    forgotten: &'a [i32],
    max_wait_ms: i32,
    max_bytes: i32,
    version: i16,
}

impl Default for Step<'_> {
    fn default() -> Self {
        let (id, epoch, max_wait_ms, max_bytes) = (0, 0, 0, i32::MAX);
        Step {
            id,
            epoch,
            partitions: &[],
            forgotten: &[],
            max_wait_ms,
            max_bytes,
            version: VERSION,
        }
    }
}

impl Step<'_> {
    fn frame(&self) -> Vec<u8> {
        let options = FetchOptions {
            session_id: self.id,
            session_epoch: self.epoch,
            max_wait_ms: self.max_wait_ms,
            min_bytes: 1,
            max_bytes: self.max_bytes,
            ..FetchOptions::default()
        };
        let key = if self.version >= 13 { TopicKey::Id([7; 16]) } else { TOPIC };
        let topics: &[_] = if self.partitions.is_empty() { &[] } else { &[(key, self.partitions)] };
        let forgotten: &[_] =
            if self.forgotten.is_empty() { &[] } else { &[(key, self.forgotten)] };
        fetch_many(self.version, 1, options, topics, forgotten)
    }

    fn ask(&self, client: &mut Client) -> Fetched {
        fetched(&client.ask(&self.frame()), self.version)
    }
}

fn at(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition::new(partition, offset, LARGE)
}

fn append(client: &mut Client, partition: i32) {
    let records = batch(&[b"x"]);
    client.ask(&produce(9, 1, 1, TOPIC, &[(partition, Some(&records))]));
}

fn named(answer: &Fetched) -> Vec<i32> {
    answer.partitions.iter().map(|part| part.partition).collect()
}

#[test]
fn an_incremental_answer_names_only_what_changed() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 3);
        let (mut client, mut producer) = (broker.connect(), broker.connect());
        let all = [at(0, 0), at(1, 0), at(2, 0)];
        let answer = Step { partitions: &all, ..Step::default() }.ask(&mut client);
        assert_eq!(named(&answer), [0, 1, 2]);
        let id = answer.session_id;
        assert_ne!(id, 0);
        append(&mut producer, 1);
        let answer = Step { id, epoch: 1, ..Step::default() }.ask(&mut client);
        assert_eq!((named(&answer), answer.session_id), (vec![1], id));
        assert_eq!(answer.partitions[0].base_offsets(), [0]);
        // From another connection, perhaps of another reactor.
        let mut other = broker.connect();
        let moved = [at(1, 1)];
        let answer = Step { id, epoch: 2, partitions: &moved, ..Step::default() }.ask(&mut other);
        assert_eq!(named(&answer), []);
    }
}

/// C-064
#[test]
fn an_empty_request_of_a_session_is_a_long_poll() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 2);
        let (mut client, mut producer) = (broker.connect(), broker.connect());
        let all = [at(0, 0), at(1, 0)];
        let id = Step { partitions: &all, ..Step::default() }.ask(&mut client).session_id;
        client.send(&Step { id, epoch: 1, max_wait_ms: 60_000, ..Step::default() }.frame());
        client.expect_silence();
        append(&mut producer, 0);
        assert_eq!(named(&fetched(&client.receive(), VERSION)), [0]);
    }
}

/// C-066
#[test]
fn forgotten_partitions_are_no_longer_served() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 2);
    let (mut client, mut producer) = (broker.connect(), broker.connect());
    let all = [at(0, 0), at(1, 0)];
    let id = Step { partitions: &all, ..Step::default() }.ask(&mut client).session_id;
    append(&mut producer, 0);
    append(&mut producer, 1);
    let answer = Step { id, epoch: 1, forgotten: &[0], ..Step::default() }.ask(&mut client);
    assert_eq!(named(&answer), [1]);
    // A session without partitions ends.
    let answer = Step { id, epoch: 2, forgotten: &[1], ..Step::default() }.ask(&mut client);
    assert_eq!((named(&answer), answer.session_id), (vec![], 0));
    let answer = Step { id, epoch: 3, ..Step::default() }.ask(&mut client);
    assert_eq!(answer.error_code, error_code::FETCH_SESSION_ID_NOT_FOUND);
}

/// C-066
#[test]
fn epochs_ids_and_kinds_of_topic_names_are_checked() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();
        let all = [at(0, 0)];
        let id = Step { partitions: &all, ..Step::default() }.ask(&mut client).session_id;
        let code = |step: Step<'_>, client: &mut Client| step.ask(client).error_code;
        let unknown = Step { id: id ^ 1, epoch: 1, ..Step::default() };
        assert_eq!(code(unknown, &mut client), error_code::FETCH_SESSION_ID_NOT_FOUND);
        let ahead = Step { id, epoch: 2, ..Step::default() };
        assert_eq!(code(ahead, &mut client), error_code::INVALID_FETCH_SESSION_EPOCH);
        let by_id = Step { id, epoch: 1, version: 13, ..Step::default() };
        assert_eq!(code(by_id, &mut client), error_code::FETCH_SESSION_TOPIC_ID_ERROR);
        assert_eq!(code(Step { id, epoch: 1, ..Step::default() }, &mut client), 0);
        let again = Step { id, epoch: 1, ..Step::default() };
        assert_eq!(code(again, &mut client), error_code::INVALID_FETCH_SESSION_EPOCH);
        // The final epoch closes the session and is served without one.
        let last = Step { id, epoch: -1, partitions: &all, ..Step::default() }.ask(&mut client);
        assert_eq!((last.error_code, last.session_id, named(&last)), (0, 0, vec![0]));
        let gone = Step { id, epoch: 2, ..Step::default() };
        assert_eq!(code(gone, &mut client), error_code::FETCH_SESSION_ID_NOT_FOUND);
    }
}

/// C-067
#[test]
fn partitions_with_records_move_to_the_end_so_that_none_starves() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 3);
    let (mut client, mut producer) = (broker.connect(), broker.connect());
    for partition in [0, 0, 0, 1, 1, 1, 2, 2, 2] {
        append(&mut producer, partition);
    }
    let all = [at(0, 0), at(1, 0), at(2, 0)];
    // Only one batch fits into an answer.
    let answer = Step { partitions: &all, max_bytes: 1, ..Step::default() }.ask(&mut client);
    let id = answer.session_id;
    let with_records = |answer: &Fetched| {
        let full = answer.partitions.iter().filter(|part| !part.records.is_empty());
        full.map(|part| part.partition).collect::<Vec<_>>()
    };
    assert_eq!(with_records(&answer), [0]);
    let mut seen = Vec::new();
    for epoch in 1..=6 {
        let answer = Step { id, epoch, max_bytes: 1, ..Step::default() }.ask(&mut client);
        seen.extend(with_records(&answer));
    }
    assert_eq!(seen, [0, 1, 2, 0, 1, 2]);
}

/// C-065: an error is named in every answer until it is gone.
#[test]
fn a_partition_with_an_error_is_always_named() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    let all = [at(0, 0), at(4, 0)];
    let id = Step { partitions: &all, ..Step::default() }.ask(&mut client).session_id;
    for epoch in 1..4 {
        let answer = Step { id, epoch, ..Step::default() }.ask(&mut client);
        assert_eq!(named(&answer), [4]);
    }
}

#[test]
fn a_topic_created_later_is_found_by_its_session() {
    let broker = Broker::start(1);
    let mut client = broker.connect();
    let all = [at(0, 0)];
    let step = Step { partitions: &all, version: 13, ..Step::default() };
    let answer = step.ask(&mut client);
    assert_eq!(answer.partitions[0].error_code, error_code::UNKNOWN_TOPIC_ID);
    let id = answer.session_id;
    broker.with_topic("orders", [7; 16], 1);
    let answer = Step { id, epoch: 1, version: 13, ..Step::default() }.ask(&mut client);
    assert_eq!((named(&answer), answer.partitions[0].error_code), (vec![0], 0));
}

/// C-068
#[test]
fn the_number_of_sessions_is_bounded() {
    for reactors in REACTORS {
        let config = DataPlaneConfig { reactors, fetch_session_slots: 10, ..Default::default() };
        let broker = Broker::start_with(config);
        broker.with_topic("orders", [7; 16], 2);
        let mut client = broker.connect();
        let mut ids = Vec::new();
        for _ in 0..1200 {
            ids.push(
                Step { partitions: &[at(0, 0)], ..Step::default() }.ask(&mut client).session_id,
            );
        }
        assert_eq!(broker.stat("fetchSessions"), 10);
        // Without a slot a fetch is served without a session; young sessions are not evicted.
        assert_eq!(ids.iter().filter(|id| **id != 0).count(), 10);
        let larger = [at(0, 0), at(1, 0)];
        assert_eq!(Step { partitions: &larger, ..Step::default() }.ask(&mut client).session_id, 0);
        let answer = Step { id: ids[3], epoch: 1, ..Step::default() }.ask(&mut client);
        assert_eq!(answer.error_code, 0);
    }
}
