//! One scenario, ended in every way: restart, kill at any call, failure of any call, crash of the operating system. What
//! comes back must be what was there, and nothing acknowledged may be missing.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use common::*;
use ms_log::sim::{Fault, SimDisk};
use ms_log::{Disk, OpenMode};
use ms_partition::*;
use ms_wire::error_code::*;

const STEPS: i32 = 30;

fn config(flush_messages: i64) -> PartitionConfig {
    // A roll every few batches; retention deletes the oldest segments.
    PartitionConfig {
        segment_bytes: 700,
        retention_bytes: 2000,
        flush_messages,
        ..PartitionConfig::default()
    }
}

/// What a client knows.
#[derive(Default)]
struct Client {
    /// (base sequence, offset) of what was acknowledged.
    acknowledged: Vec<(i32, i64)>,
    /// The sequence to send next.
    sequence: i32,
}

impl Client {
    /// Sends the next batch; a batch that was not acknowledged is sent again.
    fn send(&mut self, broker: &Broker, partition: &Arc<Partition>) -> bool {
        let batch = Batch::of(1, 0, self.sequence, 2);
        let done = match turn_with(partition, &[batch], -1, Origin::Client, 1)[0] {
            Some(done) => done,
            None => {
                broker.work();
                let mut done = broker.done();
                let Some((_, done)) = done.pop() else { return false };
                done
            }
        };
        if done.error_code != NONE {
            return false;
        }
        self.acknowledged.push((self.sequence, done.base_offset));
        self.sequence += 2;
        true
    }

    /// The last five batches are duplicates still.
    fn check_window(&self, partition: &Arc<Partition>) {
        for &(sequence, offset) in self.acknowledged.iter().rev().take(5) {
            let retry = turn(partition, &[Batch::of(1, 0, sequence, 2)])[0];
            assert_eq!(retry.map(|it| (it.error_code, it.base_offset)), Some((NONE, offset)));
        }
    }

    /// Everything acknowledged is there, at its offset, once; the log is contiguous.
    fn check(&self, partition: &Partition, when: &str) {
        let log_start = partition.log_start_offset();
        let batches = consume(partition, log_start);
        let mut next = batches.first().map_or(partition.high_watermark(), |it| it.base_offset);
        for batch in &batches {
            assert_eq!(batch.base_offset, next, "contiguous {when}");
            next = batch.last_offset() + 1;
        }
        assert_eq!(next, partition.high_watermark(), "to the end {when}");
        for &(sequence, offset) in self.acknowledged.iter().filter(|it| it.1 >= log_start) {
            let found = batches.iter().filter(|it| it.base_sequence == sequence);
            let offsets: Vec<i64> = found.map(|it| it.base_offset).collect();
            assert_eq!(offsets, [offset], "sequence {sequence} {when}");
        }
    }
}

/// Sends, rolls, retains, deletes records, writes checkpoints; goes on through refusals.
fn scenario(broker: &Broker, partition: &Arc<Partition>, client: &mut Client) {
    for step in 0..STEPS {
        client.send(broker, partition);
        broker.work();
        match step % 10 {
            3 => partition.run_job(JobKind::Retention),
            5 => {
                let slot = ReplySlot { reactor: 0, id: 9 };
                let _ = partition.delete_records(partition.log_start_offset() + 2, now_ms(), slot);
            }
            7 => {
                let _ = broker.env.write_checkpoint(std::slice::from_ref(partition));
                let _ = broker.env.write_hard_state();
            }
            _ => {}
        }
        partition.housekeeping(now_ms());
        broker.work();
        broker.done();
    }
}

fn open(broker: &Broker, flush_messages: i64) -> Result<Arc<Partition>, OpenError> {
    let spec = PartitionSpec { config: config(flush_messages), ..spec() };
    Partition::open(&broker.env, spec, HANDLE)
}

/// Goes on after the end of a process, on a disk that is in order.
fn go_on(disk: &SimDisk, client: &mut Client, flush_messages: i64, when: &str) {
    let broker = Broker::start(disk);
    let partition = open(&broker, flush_messages).expect("opens again");
    client.check(&partition, when);
    let before = seen(&partition);
    assert!(client.send(&broker, &partition), "serves again {when}");
    client.check(&partition, when);
    assert!(seen(&partition).offsets.2 >= before.offsets.2);
    let before = seen(&partition);
    let broker = Broker::start(disk);
    let partition = open(&broker, flush_messages).expect("opens again");
    assert_eq!(seen(&partition), before, "replay {when}");
}

#[test]
fn c_054_the_state_after_a_restart_is_the_state_before() {
    for flush_messages in [i64::MAX, 1] {
        let disk = SimDisk::new();
        let mut client = Client::default();
        let mut broker = Broker::start(&disk);
        let mut partition = open(&broker, flush_messages).expect("opens");
        for restart in 0..20 {
            client.send(&broker, &partition);
            scenario(&broker, &partition, &mut client);
            let before = seen(&partition);
            if restart % 3 == 0 {
                broker
                    .env
                    .write_checkpoint(std::slice::from_ref(&partition))
                    .expect("a checkpoint");
            }
            if restart % 2 == 0 {
                disk.crash_process();
            }
            broker = Broker::start(&disk);
            partition = open(&broker, flush_messages).expect("opens");
            assert_eq!(seen(&partition), before, "restart {restart}");
            client.check_window(&partition);
            let gap = Batch::of(1, 0, client.sequence + 2, 2);
            assert_eq!(append(&partition, gap).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
        }
        assert_eq!(partition.leader_epoch(), 21);
    }
}

#[test]
fn the_window_is_the_same_after_a_restart_wherever_the_segment_ended() {
    for total in 1..40 {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        let partition = open(&broker, i64::MAX).expect("opens");
        let mut client = Client::default();
        for _ in 0..total {
            assert!(client.send(&broker, &partition));
            broker.work();
        }
        let partition = open(&Broker::start(&disk), i64::MAX).expect("opens");
        client.check_window(&partition);
    }
}

#[test]
fn a_lost_hard_state_log_never_leads_to_a_term_twice() {
    let disk = SimDisk::new();
    for term in 1..4 {
        let broker = Broker::start(&disk);
        let partition = open(&broker, i64::MAX).expect("opens");
        assert_eq!(partition.leader_epoch(), term);
        assert_eq!(append(&partition, Batch::plain(1)), (NONE, i64::from(term) - 1));
        disk.crash_process();
        broker.env.disk.remove_file("/data/hard-state.log".as_ref()).expect("it is there");
    }
}

/// A disk that writes a turn in several calls.
fn disk_of_pieces() -> SimDisk {
    let disk = SimDisk::new();
    disk.set_piece_bytes(100);
    disk
}

/// Calls of the disk in the whole scenario, opening included.
fn calls_of_scenario(flush_messages: i64) -> u64 {
    let disk = disk_of_pieces();
    let broker = Broker::start(&disk);
    let partition = open(&broker, flush_messages).expect("opens");
    scenario(&broker, &partition, &mut Client::default());
    disk.calls()
}

/// One run with a fault at one call.
fn run_with_fault(flush_messages: i64, call: u64, fault: Fault) -> (SimDisk, Client) {
    let disk = disk_of_pieces();
    disk.fail_call(call, fault);
    let mut client = Client::default();
    if let Ok(broker) = Broker::try_start(&disk)
        && let Ok(partition) = open(&broker, flush_messages)
    {
        scenario(&broker, &partition, &mut client);
        let is_panic = |it: &PartitionEvent| match it {
            PartitionEvent::Failed { reason } => !reason.contains('/'),
            _ => false,
        };
        assert!(!broker.events().iter().any(is_panic), "a panic, not an error, at call {call}");
    }
    assert!(disk.has_failed(), "call {call} is in the scenario");
    (disk, client)
}

#[test]
fn a_kill_at_any_call_loses_nothing_that_was_acknowledged() {
    for flush_messages in [i64::MAX, 1] {
        for call in 0..calls_of_scenario(flush_messages) {
            let when = format!("killed at call {call}, flush.messages {flush_messages}");
            let run = catch_unwind(AssertUnwindSafe(|| {
                run_with_fault(flush_messages, call, Fault::Kill)
            }));
            let (disk, mut client) = run.expect(&when);
            disk.crash_process();
            go_on(&disk, &mut client, flush_messages, &when);
        }
    }
}

#[test]
fn an_error_of_any_call_loses_nothing_that_was_acknowledged() {
    for flush_messages in [i64::MAX, 1] {
        for call in 0..calls_of_scenario(flush_messages) {
            let when = format!("error of call {call}, flush.messages {flush_messages}");
            let (disk, mut client) = run_with_fault(flush_messages, call, Fault::Io);
            disk.crash_process();
            go_on(&disk, &mut client, flush_messages, &when);
        }
    }
}

#[test]
fn a_full_disk_at_any_call_heals_without_a_restart() {
    for fault in [Fault::NoSpace, Fault::ShortWrite] {
        for flush_messages in [i64::MAX, 1] {
            let start = {
                let disk = disk_of_pieces();
                open(&Broker::start(&disk), flush_messages).expect("opens");
                disk.calls()
            };
            for call in start..calls_of_scenario(flush_messages) {
                let when = format!("{fault:?} at call {call}, flush.messages {flush_messages}");
                let disk = disk_of_pieces();
                let broker = Broker::start(&disk);
                let partition = open(&broker, flush_messages).expect("opens");
                let mut client = Client::default();
                disk.fail_call(call, fault);
                scenario(&broker, &partition, &mut client);
                if broker.env.is_offline() || partition.state() == PartitionState::Failed {
                    // An fsync that failed, with whatever error, must not be repeated.
                    disk.crash_process();
                } else {
                    partition.housekeeping(now_ms());
                    broker.work();
                    assert!(client.send(&broker, &partition), "serves again {when}");
                    client.check(&partition, &when);
                }
                go_on(&disk, &mut client, flush_messages, &when);
            }
        }
    }
}

#[test]
fn a_crash_of_the_operating_system_keeps_a_prefix_and_in_fsync_mode_all_that_was_acknowledged() {
    // CRASH_SEEDS=100000 for a long run, half of it in each mode.
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|text| text.parse::<u64>().ok());
    for flush_messages in [i64::MAX, 1] {
        for seed in 0..seeds.unwrap_or(2000) / 2 {
            let disk = disk_of_pieces();
            let broker = Broker::start(&disk);
            let partition = open(&broker, flush_messages).expect("opens");
            let mut client = Client::default();
            for _ in 0..seed % 4 {
                scenario(&broker, &partition, &mut client);
            }
            for _ in 0..seed % 7 {
                client.send(&broker, &partition);
            }
            disk.crash(seed);
            let when = format!("seed {seed}, flush.messages {flush_messages}");
            if flush_messages == i64::MAX {
                let broker = Broker::start(&disk);
                let partition = open(&broker, flush_messages).expect("opens again");
                let end = partition.high_watermark();
                client.acknowledged.retain(|it| it.1 < end);
                client.sequence = client.acknowledged.last().map_or(0, |it| it.0 + 2);
                // Segments that retention deleted may be back: their deletion was not synced.
            }
            go_on(&disk, &mut client, flush_messages, &when);
        }
    }
}

#[test]
fn a_value_that_holds_a_frame_is_a_value_when_its_write_was_interrupted() {
    for (base_offset, epoch) in [(1_000_000, -1), (1_000_000, 3), (3, 1)] {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        let partition = open(&broker, i64::MAX).expect("opens");
        let mut inner = Batch::plain(1).encode();
        // Both lie outside the CRC.
        ms_wire::batch::stamp(&mut inner, base_offset, epoch);
        for offset in 0..3 {
            assert_eq!(append(&partition, Batch::plain(1)), (NONE, offset));
        }
        let config = PartitionConfig { segment_bytes: 1 << 20, ..config(i64::MAX) };
        partition.configure(config);
        let value = [&[b'v'; 5000][..], &inner, &[b'w'; 20_000]].concat();
        assert_eq!(append(&partition, Batch { value, ..Batch::plain(1) }), (NONE, 3));
        let names = disk.list_dir(partition.dir()).expect("a folder");
        let newest = names.into_iter().map(|it| it.name).filter(|it| it.ends_with(".log")).max();
        let path = partition.dir().join(newest.expect("a segment"));
        let file = disk.open(&path, OpenMode::Write).expect("it is there");
        file.truncate(file.len().expect("a length") - 9000).expect("a disk in order");
        disk.crash_process();
        // At every start: what was acknowledged is there, and the next offset is the next one.
        for offset in 3..5 {
            let broker = Broker::start(&disk);
            let partition = open(&broker, i64::MAX).expect("opens again");
            assert!(broker.env.same_boot && partition.is_leader());
            assert_eq!(append(&partition, Batch::plain(1)), (NONE, offset));
            assert_eq!(consume(&partition, 0).len() as i64, offset + 1);
            disk.crash_process();
        }
    }
}
