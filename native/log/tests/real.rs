//! The same on the disk of this machine.

#![allow(clippy::unwrap_used)]

mod common;

use common::{IDENTITY, Seen, batch, options};
use ms_log::hard_state::{HardState, HardStateLog, Record};
use ms_log::{
    Disk, Entry, EntryKind, FrameToWrite, OpenLog, PartitionLog, ReadRequest, RealDisk, checkpoint,
};
use ms_wire::frame::{ControlKind, ControlPosition, FrameHeader, put_control_frame};
use std::sync::Arc;

fn no_op() -> (Entry, Vec<u8>) {
    let mut bytes = Vec::new();
    let position = ControlPosition { next_offset: 0, index: 1, prev_term: 0, term: 1 };
    put_control_frame(&mut bytes, ControlKind::NoOp, position, &[]);
    let (size, kind) = (bytes.len() as u32, EntryKind::NoOp);
    (Entry { index: 1, term: 1, kind, base_offset: 0, count: 0, size, crc: crc(&bytes) }, bytes)
}

fn crc(frame: &[u8]) -> u32 {
    FrameHeader::parse(frame).unwrap().crc()
}

#[test]
fn a_log_on_a_real_disk_is_found_again() {
    let data = std::env::temp_dir().join(format!("ms-log-real-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).unwrap();
    let dir = data.join("t-0");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let (hard_state, last) = HardStateLog::open(disk.clone(), &data).unwrap();
    assert!(last.lost_nothing());
    hard_state.append(77, &Record::Created { topic_id: IDENTITY.topic_id });
    let small = options(4096);
    let mut log = PartitionLog::create(
        disk.clone(),
        ms_log::Descriptors::new(1000),
        &dir,
        IDENTITY,
        small,
        0,
    )
    .unwrap();
    let (entry, bytes) = no_op();
    log.append(&[FrameToWrite { entry, max_timestamp: -1, bytes: &bytes }]).unwrap();
    for number in 0..200u64 {
        let mut bytes = batch(1, &[number as u8; 100], number as i64, number as i32);
        ms_wire::batch::stamp(&mut bytes, number as i64, 1);
        let (size, kind, crc) = (bytes.len() as u32, EntryKind::Data, crc(&bytes));
        let (index, base_offset) = (number + 2, number);
        let entry = Entry { index, term: 1, kind, base_offset, count: 1, size, crc };
        if log.size_bytes() % 4096 > 3800 {
            log.roll(0, number.to_string().into_bytes()).unwrap();
        }
        log.append(&[FrameToWrite { entry, max_timestamp: number as i64, bytes: &bytes }]).unwrap();
    }
    let job = log.flush_job().unwrap();
    assert!(log.flush_job().is_none());
    log.flushed(job.run()).unwrap();
    assert_eq!((log.flushed_index(), log.unflushed_bytes()), (201, 0));
    let state = log.checkpoint_state(b"200".to_vec()).encode();
    checkpoint::write(disk.as_ref(), &data, &[&state]).unwrap();
    hard_state.append(77, &Record::HardState(HardState { term: 1, vote: 1, commit: 201 }));
    hard_state.stop().unwrap();
    drop((log, hard_state));

    let (hard_state, last) = HardStateLog::open(disk.clone(), &data).unwrap();
    assert!(last.clean && last.same_boot);
    let found = checkpoint::read(disk.as_ref(), &data).unwrap();
    let mut seen = Seen::default();
    let how = OpenLog {
        disk: disk.clone(),
        descriptors: ms_log::Descriptors::new(1000),
        dir: &dir,
        identity: IDENTITY,
        is_own: false,
        options: small,
        checkpoint: found.get(&77),
        same_boot: true,
        hard_state: hard_state.group(77).map(|group| group.hard_state),
        sync_on_open: true,
        now_ms: 0,
    };
    let (log, recovery) = PartitionLog::open(how, &mut seen).unwrap();
    assert_eq!((recovery.commit, recovery.checked_bytes), (201, 0));
    assert_eq!((seen.snapshot.as_slice(), seen.batches.len()), (b"200".as_slice(), 0));
    for from_offset in [0, 50, 199] {
        let request = ReadRequest { from_offset, max_bytes: 500, up_to: 200, min_one: true };
        let bytes = common::read(&log, &request).unwrap();
        assert_eq!(bytes[..8], from_offset.to_be_bytes());
    }
    std::fs::remove_dir_all(data).unwrap();
}
