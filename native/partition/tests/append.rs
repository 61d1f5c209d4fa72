//! Turns, acknowledgements, reads and waiters of one partition.

mod common;

use common::*;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code;

#[test]
fn gives_contiguous_offsets_and_the_leader_epoch() {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(spec());
    assert!(partition.is_leader());
    assert_eq!(partition.leader_epoch(), 1);
    let results = turn(&partition, &[Batch::plain(3), Batch::plain(1), Batch::plain(2)]);
    let offsets: Vec<i64> = results.iter().map(|it| it.expect("answered").base_offset).collect();
    assert_eq!(offsets, [0, 3, 4]);
    assert_eq!(append(&partition, Batch::plain(1)), (0, 6));
    assert_eq!(partition.high_watermark(), 7);
    let batches = consume(&partition, 0);
    let read: Vec<_> =
        batches.iter().map(|it| (it.base_offset, it.partition_leader_epoch)).collect();
    assert_eq!(read, [(0, 1), (3, 1), (4, 1), (6, 1)]);
}

#[test]
fn opens_with_a_role_event_and_no_offset_for_the_no_op() {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(spec());
    let role = PartitionEvent::Role { leader_epoch: 1, is_leader: true, start_offset: 0 };
    assert_eq!(broker.events(), [role]);
    assert_eq!((partition.log_end_offset(), partition.high_watermark()), (0, 0));
    assert!(consume(&partition, 0).is_empty());
}

#[test]
fn a_large_turn_is_one_write_and_all_of_it_is_read_back() {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(spec());
    for _ in 0..5 {
        let before = broker.disk.calls();
        let results = turn(&partition, &vec![Batch::plain(1); 600]);
        assert!(results.iter().all(|it| it.is_some_and(|done| done.error_code == 0)));
        assert_eq!(broker.disk.calls() - before, 1);
    }
    assert_eq!(consume(&partition, 0).len(), 3000);
}

#[test]
fn wakes_each_waiter_once_and_only_when_the_high_watermark_moves() {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(spec());
    let (near, far) = (Waiter { reactor: 0, id: 1 }, Waiter { reactor: 1, id: 2 });
    let gone = Waiter { reactor: 1, id: 3 };
    for waiter in [near, far, gone] {
        assert!(partition.wait(waiter, 0));
    }
    partition.cancel_wait(gone);
    let mut bytes = Batch::plain(1).encode();
    let mut pending = [PendingAppend {
        bytes: &mut bytes,
        batch: Batch::plain(1).valid(),
        acks: 1,
        slot: ReplySlot { reactor: 0, id: 9 },
        origin: Origin::Client,
        result: None,
    }];
    let mut due = Vec::new();
    partition.append_turn(&mut pending, now_ms(), 0, &mut due);
    assert_eq!(due, [near]);
    assert_eq!(broker.woken(), [far]);
    assert!(!partition.wait(near, 0), "it moved already");
    assert!(partition.wait(near, 1));
}

#[test]
fn clients_may_not_write_internal_topics_and_coordinators_say_what_they_expect() {
    let broker = Broker::start(&SimDisk::new());
    let config = PartitionConfig { is_internal: true, ..PartitionConfig::default() };
    let partition = broker.open(PartitionSpec { config, ..spec() });
    let refused = append(&partition, Batch::plain(1));
    assert_eq!(refused, (error_code::INVALID_TOPIC_EXCEPTION, -1));
    let from = |leader_epoch, expected_base_offset| Origin::Coordinator {
        leader_epoch,
        expected_base_offset,
    };
    let codes = |origin| {
        turn_with(&partition, &[Batch::plain(2)], -1, origin, 0)[0].map(|it| it.error_code)
    };
    assert_eq!(codes(from(0, -1)), Some(error_code::FENCED_LEADER_EPOCH));
    assert_eq!(codes(from(2, -1)), Some(error_code::FENCED_LEADER_EPOCH));
    assert_eq!(codes(from(1, 5)), Some(error_code::OFFSET_OUT_OF_RANGE));
    assert_eq!(codes(from(1, 0)), Some(0));
    assert_eq!(codes(from(1, 2)), Some(0));
    assert_eq!(codes(from(1, -1)), Some(0));
    let chunk = partition.read_log(3, 1).expect("committed batches");
    assert_eq!((chunk.next_offset, chunk.high_watermark), (4, 6));
    assert_eq!(partition.read_barrier(), Ok(6));
}

#[test]
fn transactional_batches_are_never_accepted() {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(spec());
    let transactional = |epoch| Batch { attributes: 0x10, ..Batch::of(5, epoch, 0, 1) };
    assert_eq!(append(&partition, transactional(3)).0, error_code::INVALID_TXN_STATE);
    assert_eq!(append(&partition, Batch::of(5, 4, 0, 1)), (0, 0));
    assert_eq!(append(&partition, transactional(3)).0, error_code::INVALID_PRODUCER_EPOCH);
    assert_eq!(append(&partition, transactional(4)), (0, 0), "the retry of what is in the log");
    assert_eq!(append(&partition, transactional(5)).0, error_code::INVALID_TXN_STATE);
    assert_eq!(partition.log_end_offset(), 1);
}

#[test]
fn whether_compressed_batches_are_looked_into_is_the_same_whatever_a_topic_is_told() {
    for checks in [true, false] {
        let broker = Broker::start(&SimDisk::new());
        let mut env = std::sync::Arc::into_inner(broker.env).expect("nobody else has it");
        env.producer_check_compressed = checks;
        let broker = Broker { env: std::sync::Arc::new(env), ..broker };
        let partition = broker.open(spec());
        assert_eq!(partition.rules().check_compressed, checks);
        partition
            .configure(PartitionConfig { cleanup_compact: true, ..PartitionConfig::default() });
        let rules = **partition.rules();
        assert_eq!((rules.check_compressed, rules.is_compacted), (checks, true));
    }
}
