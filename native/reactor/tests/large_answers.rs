//! Long answers of TypeScript, which come part by part: a client gets all of one, or nothing of it.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::thread::JoinHandle;

use common::client::Client;
use common::frames::{fetch, fetched, header};
use common::{Broker, PATIENCE, REACTORS, Request};
use ms_reactor::packed::answer_flag;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const METADATA: i16 = 3;
/// More than the buffers of two sockets hold.
const MANY: usize = 150;

/// An answer to a request of this correlation id, in so many parts of various lengths.
fn parts_of(correlation_id: i32, count: usize) -> Vec<Vec<u8>> {
    let lens = [70_000, 65_536, 1, 200_000, 81_920];
    let part = |i: usize| (0..lens[i % lens.len()]).map(move |j| (i * 31 + j % 251) as u8);
    let parts = (0..count).map(|i| part(i).collect());
    std::iter::once(correlation_id.to_be_bytes().to_vec()).chain(parts).collect()
}

fn give(broker: &Broker, request: &Request, parts: &[Vec<u8>]) {
    parts.iter().for_each(|part| broker.respond_part(request, part));
}

fn answer(broker: &Broker, request: &Request, parts: &[Vec<u8>]) {
    let (last, before) = parts.split_last().unwrap();
    give(broker, request, before);
    broker.respond_with(request, 0, last);
}

fn ask(broker: &Broker, correlation_id: i32) -> (Client, Request) {
    let mut client = broker.connect();
    client.send(&header(METADATA, 9, correlation_id));
    (client, broker.await_request(METADATA))
}

/// Sends a request that needs nearly all the room that there is.
fn send_large_request(client: &Client, correlation_id: i32) -> JoinHandle<()> {
    let mut stream = client.stream.try_clone().unwrap();
    let mut frame = header(METADATA, 9, correlation_id);
    frame.resize(4_000_000, 0);
    let framed = [&(frame.len() as u32).to_be_bytes()[..], &frame].concat();
    std::thread::spawn(move || stream.write_all(&framed).unwrap())
}

#[test]
fn an_answer_in_parts_is_what_it_is_in_one_piece() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        for count in [0, 1, 4, MANY] {
            let (mut client, request) = ask(&broker, 7);
            let parts = parts_of(7, count);
            answer(&broker, &request, &parts);
            assert!(client.receive() == parts.concat(), "of {count} parts");
            // And in one piece, on the same connection.
            client.send(&header(METADATA, 9, 7));
            broker.respond_with(&broker.await_request(METADATA), 0, &parts.concat());
            assert!(client.receive() == parts.concat(), "of {count} parts");
        }
    }
}

#[test]
fn answers_in_parts_keep_their_place_among_others() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();
        let options = FetchOptions { max_wait_ms: 500, min_bytes: 1, ..FetchOptions::default() };
        let from = [FetchPartition::new(0, 0, 1 << 20)];
        let poll = |id| fetch(12, id, options, TopicKey::Name(b"orders"), &from);
        client.send(&poll(1));
        client.send(&header(METADATA, 9, 2));
        client.send(&poll(3));
        client.send(&header(METADATA, 9, 4));
        let parts = [parts_of(2, MANY), parts_of(4, 3)];
        answer(&broker, &broker.await_request(METADATA), &parts[0]);
        assert_eq!(fetched(&client.receive(), 12).correlation_id, 1);
        assert!(client.receive() == parts[0].concat());
        answer(&broker, &broker.await_request(METADATA), &parts[1]);
        assert_eq!(fetched(&client.receive(), 12).correlation_id, 3);
        assert!(client.receive() == parts[1].concat());
    }
}

#[test]
fn parts_of_an_answer_that_is_given_up_are_not_sent() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let (mut client, request) = ask(&broker, 1);
        give(&broker, &request, &parts_of(1, 4));
        broker.respond_with(&request, answer_flag::NO_ANSWER | answer_flag::CLOSE_AFTER, b"");
        client.expect_closed();
    }
}

#[test]
fn who_leaves_in_the_middle_of_an_answer_leaves_room_for_others() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        for is_given in [false, true] {
            let (mut leaving, request) = ask(&broker, 1);
            let parts = parts_of(1, MANY);
            if is_given {
                answer(&broker, &request, &parts);
                leaving.stream.read_exact(&mut vec![0; 1_000_000]).unwrap();
            } else {
                give(&broker, &request, &parts[..4]);
            }
            let mut other = broker.connect();
            let sending = send_large_request(&other, 2);
            drop(leaving);
            let request_of_other = broker.await_request(METADATA);
            sending.join().unwrap();
            answer(&broker, &request_of_other, &parts_of(2, MANY));
            if !is_given {
                answer(&broker, &request, &parts[4..]);
            }
            assert!(other.receive() == parts_of(2, MANY).concat());
            drop(other);
            broker.await_stat("connections", |count| count == 0);
            broker.await_stat("poolBytes", |bytes| bytes == 0);
        }
    }
}

#[test]
fn a_stop_in_the_middle_sends_all_of_an_answer_or_nothing_of_it() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let (mut begun, request) = ask(&broker, 1);
        give(&broker, &request, &parts_of(1, 4));
        let (mut given, request) = ask(&broker, 2);
        let parts = parts_of(2, MANY);
        answer(&broker, &request, &parts);
        // It is on its way, and nobody takes the rest yet.
        let mut first = [0; 4];
        given.stream.read_exact(&mut first).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| broker.plane.shutdown(PATIENCE));
            begun.expect_closed();
            let mut rest = Vec::new();
            given.stream.read_to_end(&mut rest).unwrap();
            assert_eq!(u32::from_be_bytes(first) as usize, rest.len());
            assert!(rest == parts.concat());
        });
    }
}

#[test]
fn a_slow_reader_gets_all_of_it_while_others_wait_for_the_room() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let (mut slow, request) = ask(&broker, 1);
        let parts = parts_of(1, MANY);
        answer(&broker, &request, &parts);
        let mut other = broker.connect();
        let sending = send_large_request(&other, 2);
        // A heartbeat goes on meanwhile.
        let mut small = broker.connect();
        small.send(&header(12, 4, 3));
        broker.respond(&broker.await_request(12), b"");
        small.receive();
        let whole = parts.concat();
        let mut taken = vec![0; 4 + whole.len()];
        for piece in taken.chunks_mut(1 << 20) {
            slow.stream.read_exact(piece).unwrap();
        }
        assert!(taken[4..] == whole);
        broker.respond(&broker.await_request(METADATA), b"");
        sending.join().unwrap();
        assert_eq!(other.receive(), 2_i32.to_be_bytes());
    }
}
