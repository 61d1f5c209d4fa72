//! What is written and not in writeback is counted for the whole log directory, and bounded.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::PageCache;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::NONE;

const MIB: usize = 1 << 20;

fn bounded(mib: u64) -> Broker {
    let broker = Broker::start(&SimDisk::new());
    let mut env = Arc::into_inner(broker.env).expect("nobody else has it");
    env.state = EnvState::default().with_unstarted_max(mib << 20);
    Broker { env: Arc::new(env), ..broker }
}

fn open(broker: &Broker, partition_index: i32) -> Arc<Partition> {
    let group_id = 77 + partition_index as u64;
    let config = PartitionConfig { max_message_bytes: 1 << 30, ..PartitionConfig::default() };
    let partition = broker.open(PartitionSpec { partition_index, group_id, config, ..spec() });
    broker.work();
    partition
}

fn write(partition: &Arc<Partition>, mib: usize) {
    let batch = Batch { value: vec![b'v'; mib * MIB], ..Batch::plain(1) };
    assert_eq!(append(partition, batch).0, NONE);
}

fn tends(broker: &Broker) -> Vec<Arc<Partition>> {
    std::mem::take(&mut broker.notifier.0.lock().tends)
}

#[test]
fn a_log_asks_once_for_its_writeback() {
    let broker = bounded(15);
    let partition = open(&broker, 0);
    write(&partition, 4);
    partition.tend(true);
    tends(&broker);
    for _ in 0..3 {
        write(&partition, 3);
    }
    write(&partition, 3);
    write(&partition, 1);
    let wanted = tends(&broker);
    assert_eq!(wanted.len(), 1, "once for any number of appends");
    wanted[0].tend(true);
    let path = partition.dir().join("00000000000000000000.log");
    let (reserved, started) = broker.disk.tended(&path);
    assert!(reserved > 16 * MIB as u64);
    assert!(started.iter().map(|(_, len)| len).sum::<u64>() > 16 * MIB as u64);
    assert!(!broker.env.is_saturated());
    partition.give_back_space();
    assert_eq!(broker.disk.tended(&path).0, partition.describe().size_bytes as u64);
}

#[test]
fn what_all_logs_have_written_is_bounded_together() {
    let broker = bounded(7);
    let partitions = [open(&broker, 0), open(&broker, 1)];
    write(&partitions[0], 3);
    assert_eq!(broker.notifier.0.lock().reliefs, 0);
    write(&partitions[1], 3);
    assert_eq!(broker.notifier.0.lock().reliefs, 1, "at four fifths of the bound");
    write(&partitions[0], 3);
    assert_eq!(broker.notifier.0.lock().reliefs, 1);
    assert!(broker.env.is_saturated());
    partitions[1].tend(true);
    assert!(!broker.env.is_saturated());
    write(&partitions[1], 3);
    assert!(broker.env.is_saturated());
    // A sync counts when it is over.
    let job = partitions[0].flush_job().expect("something to sync");
    assert!(broker.env.is_saturated());
    partitions[0].flush_finished(job.run());
    assert!(!broker.env.is_saturated());
    partitions[1].tend(false);
    broker.notifier.0.lock().reliefs = 0;
    write(&partitions[0], 3);
    write(&partitions[0], 3);
    assert_eq!(broker.notifier.0.lock().reliefs, 1, "nothing was left counted");
}

#[test]
fn writeback_is_left_to_a_kernel_that_is_at_it() {
    let broker = bounded(15);
    let partition = open(&broker, 0);
    let look = |dirty: usize, background: usize| {
        let (dirty, background) = ((dirty * MIB) as u64, (background * MIB) as u64);
        broker.disk.set_page_cache(PageCache { dirty, in_writeback: 0, background });
        broker.env.look_at_page_cache()
    };
    assert!(!look(0, 0), "nothing is written yet");
    write(&partition, 8);
    assert!(look(8, 8));
    write(&partition, 8);
    tends(&broker).iter().for_each(|wanted| wanted.tend(true));
    let path = partition.dir().join("00000000000000000000.log");
    assert!(broker.disk.tended(&path).1.is_empty(), "it has begun");
    assert!(broker.env.is_saturated(), "and is behind");
    look(2, 30);
    assert!(!broker.env.is_saturated());
    write(&partition, 11);
    write(&partition, 1);
    tends(&broker).iter().for_each(|wanted| wanted.tend(true));
    assert_eq!(broker.disk.tended(&path).1.len(), 1, "it would begin too late");
}

#[test]
fn a_partition_that_is_gone_does_not_count() {
    let broker = bounded(4);
    let partition = open(&broker, 0);
    write(&partition, 5);
    assert!(broker.env.is_saturated());
    partition.mark_deleted(now_ms());
    broker.work();
    broker.work_later();
    assert!(!broker.env.is_saturated());

    let partition = open(&broker, 1);
    write(&partition, 5);
    assert!(broker.env.is_saturated());
    broker.env.set_offline();
    partition.housekeeping(now_ms());
    assert!(!broker.env.is_saturated());
}
