//! A topic that is created again under the name of a deleted one: nothing of the old one reaches the new one's files.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::*;
use ms_log::sim::{DiskFront, FrontedDisk, SimDisk};
use ms_log::{Disk, OpenMode};
use ms_partition::*;
use ms_wire::error_code::*;
use parking_lot::Mutex;

type Hook = Box<dyn FnOnce() + Send>;

/// Does something in the middle of a deletion, once: before the folder of this name is synced.
struct BeforeSync(Mutex<Option<(&'static str, Hook)>>);

impl DiskFront for BeforeSync {
    fn before_sync_dir(&self, path: &Path) {
        let hook = self.0.lock().take_if(|(name, _)| path.ends_with(*name));
        if let Some((_, hook)) = hook {
            hook();
        }
    }
}

fn small() -> PartitionConfig {
    PartitionConfig { segment_bytes: 300, ..PartitionConfig::default() }
}

fn old() -> PartitionSpec {
    PartitionSpec { config: small(), ..spec() }
}

fn new() -> PartitionSpec {
    PartitionSpec { topic_id: [8; 16], group_id: 99, ..old() }
}

fn set_up() -> (Broker, Arc<FrontedDisk<BeforeSync>>) {
    let disk = SimDisk::new();
    let Broker { env, notifier, .. } = Broker::start(&disk);
    let mut env = Arc::into_inner(env).expect("nobody else has it");
    let hooked = Arc::new(FrontedDisk(Arc::new(disk.clone()), BeforeSync(Mutex::new(None))));
    env.disk = hooked.clone();
    (Broker { disk, env: Arc::new(env), notifier }, hooked)
}

fn is_folder_left(broker: &Broker) -> bool {
    let entries = broker.disk.list_dir(&broker.env.log_dir).expect("a folder");
    entries.iter().any(|entry| entry.name.ends_with("-delete"))
}

/// What was acknowledged to the new topic is there after the process died.
fn check_after_a_crash(broker: &Broker, records: usize) {
    broker.disk.crash_process();
    let broker = Broker::start(&broker.disk);
    let again = broker.open(new());
    assert_eq!((again.log_start_offset(), again.log_end_offset()), (0, records as i64));
    assert_eq!(consume(&again, 0).len(), records);
}

#[test]
fn a_deletion_of_segments_that_is_under_way_spares_the_successor() {
    let (broker, hooked) = set_up();
    let partition = broker.open(old());
    for offset in 0..10 {
        assert_eq!(append(&partition, Batch::plain(1)), (NONE, offset));
    }
    broker.work();
    let slot = ReplySlot { reactor: 0, id: 1 };
    let done = partition.delete_records(-1, now_ms(), slot);
    assert!(done.is_none_or(|done| done.error_code == NONE));
    let job = partition.flush_job().expect("the log start");
    partition.flush_finished(job.run());
    broker.notifier.0.lock().jobs.clear();
    let successor = Arc::new(Mutex::new(None));
    let (env, made) = (broker.env.clone(), successor.clone());
    let hook: Hook = Box::new(move || {
        let partition = Partition::open(&env, new(), HANDLE).expect("the successor opens");
        for offset in 0..2 {
            assert_eq!(append(&partition, Batch::plain(1)), (NONE, offset));
        }
        *made.lock() = Some(partition);
    });
    *hooked.1.0.lock() = Some(("orders-0", hook));
    partition.run_job(JobKind::DeleteSegments);
    let successor = successor.lock().take().expect("opened in the middle of the deletion");
    assert!(!broker.env.is_offline());
    for offset in 2..7 {
        assert_eq!(append(&successor, Batch::plain(1)), (NONE, offset));
    }
    broker.work();
    check_after_a_crash(&broker, 7);
}

#[test]
fn the_partition_that_had_the_name_takes_nothing_any_more_and_goes() {
    let (broker, _) = set_up();
    let partition = broker.open(old());
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 0));
    let waiter = Waiter { reactor: 1, id: 1 };
    assert!(partition.wait(waiter, 1));
    let successor = broker.open(new());
    assert_eq!(partition.state(), PartitionState::Deleted);
    assert_eq!(broker.woken(), [waiter]);
    for offset in 0..5 {
        // It would have to begin another segment.
        assert_eq!(append(&partition, Batch::plain(1)).0, UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(append(&successor, Batch::plain(1)), (NONE, offset));
    }
    partition.run_job(JobKind::Retention);
    // As it is asked for by the command that comes later.
    partition.mark_deleted(now_ms());
    broker.work();
    assert!(is_folder_left(&broker));
    broker.work_later();
    assert!(broker.events().contains(&PartitionEvent::Closed));
    assert!(!is_folder_left(&broker), "the files go before the next start");
    assert!(!broker.env.is_offline());
    check_after_a_crash(&broker, 5);
}

#[test]
fn an_index_that_is_written_late_is_not_that_of_the_successor() {
    let (broker, _) = set_up();
    let partition = broker.open(old());
    for _ in 0..10 {
        append(&partition, Batch::plain(1));
    }
    // Begun before, done after: syncs of the old files, and their indexes.
    let job = partition.flush_job().expect("a roll leaves something");
    let successor = broker.open(new());
    for _ in 0..10 {
        append(&successor, Batch::plain(1));
    }
    let names = || broker.disk.list_dir(successor.dir()).expect("a folder").len();
    let before = names();
    partition.flush_finished(job.run());
    assert_eq!(names(), before);
    assert!(!broker.env.is_offline());
    check_after_a_crash(&broker, 10);
}

#[test]
fn a_log_that_is_always_synced_is_not_replaced_by_an_empty_one() {
    let disk = SimDisk::new();
    let metadata = PartitionSpec { fsync_always: true, ..spec() };
    let dir = Path::new("/data/orders-0");
    let broker = Broker::start(&disk);
    let partition = broker.open(metadata.clone());
    for id in 0..3 {
        turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, id);
        broker.work();
    }
    partition.housekeeping(START_MS + 1000);
    broker.env.write_hard_state().expect("written");
    // The last batch is ruined, which looks like a torn tail, and so would be cut.
    let end = disk.open(&dir.join(format!("{:020}.log", 0)), OpenMode::Read);
    let end = end.and_then(|file| file.len()).expect("a length");
    disk.corrupt(&dir.join(format!("{:020}.log", 0)), end - 4, |bytes| bytes[0] ^= 1);
    for _ in 0..2 {
        let broker = Broker::start(&disk);
        let refused = Partition::open(&broker.env, metadata.clone(), HANDLE).err();
        let text = refused.map(|error| error.to_string());
        assert_eq!(text.as_deref(), Some("orders-0: 1 committed entries were lost"));
    }
    for missing in [dir.join("partition.metadata"), dir.to_path_buf()] {
        if missing == dir {
            disk.remove_dir_all(dir).expect("removed");
        } else {
            disk.remove_file(&missing).expect("removed");
        }
        let broker = Broker::start(&disk);
        let refused = Partition::open(&broker.env, metadata.clone(), HANDLE).err();
        let text = refused.map(|error| error.to_string());
        assert_eq!(text.as_deref(), Some("orders-0: its folder is gone or not whole"));
        assert_eq!(disk.exists(dir).expect("known"), missing != dir, "left as it was");
    }
}
