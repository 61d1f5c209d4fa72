//! Sealed segments are opened on demand and closed again; active ones stay open.

#![allow(clippy::unwrap_used)]

mod common;

use common::{IDENTITY, Seen, batch, options};
use ms_log::hard_state::HardState;
use ms_log::sim::SimDisk;
use ms_log::{
    Descriptors, Disk, Entry, EntryKind, FileRange, FrameToWrite, NextAppend, OpenLog,
    PartitionLog, ReadPlan, ReadRequest, RealDisk, read_exact_at,
};
use ms_wire::frame::FrameHeader;
use std::path::Path;
use std::sync::Arc;

/// A log of one batch a segment.
fn filled(disk: &Arc<dyn Disk>, all: &Arc<Descriptors>, dir: &Path, segments: u64) -> PartitionLog {
    let (disk, all) = (disk.clone(), all.clone());
    let mut log = PartitionLog::create(disk, all, dir, IDENTITY, options(4096), 0).unwrap();
    for number in 0..segments {
        log.roll(0, vec![]).unwrap();
        append(&mut log, number);
    }
    let flushed = log.flush_job().unwrap().run();
    log.flushed(flushed).unwrap();
    log
}

fn append(log: &mut PartitionLog, number: u64) {
    let mut bytes = batch(1, &[number as u8; 100], 5, 0);
    ms_wire::batch::stamp(&mut bytes, number as i64, 0);
    let entry = Entry {
        index: number + 1,
        term: 0,
        kind: EntryKind::Data,
        base_offset: number,
        count: 1,
        size: bytes.len() as u32,
        crc: FrameHeader::parse(&bytes).unwrap().crc(),
    };
    log.append(&[FrameToWrite { entry, max_timestamp: 5, bytes: &bytes }]).unwrap();
}

fn open(disk: &Arc<dyn Disk>, all: &Arc<Descriptors>, dir: &Path) -> PartitionLog {
    let how = OpenLog {
        disk: disk.clone(),
        descriptors: all.clone(),
        dir,
        identity: IDENTITY,
        is_own: false,
        options: options(4096),
        checkpoint: None,
        same_boot: true,
        hard_state: Some(HardState { term: 1, vote: 1, commit: 1 }),
        sync_on_open: false,
        now_ms: 0,
    };
    PartitionLog::open(how, &mut Seen::default()).unwrap().0
}

/// Where the batch at an offset is.
fn range(log: &PartitionLog, from_offset: u64) -> FileRange {
    let up_to = log.log_end_offset();
    let request = ReadRequest { from_offset, max_bytes: 1000, up_to, min_one: true };
    let plan = match log.read_plan(&request).unwrap() {
        ReadPlan::Locate(job) => job.run().unwrap(),
        plan => plan,
    };
    plan.ranges()[0].clone()
}

fn check(range: &FileRange, offset: u64) {
    let mut bytes = vec![0; range.len as usize];
    read_exact_at(range.file.as_ref(), &mut bytes, range.position).unwrap();
    assert_eq!((&bytes[..8], bytes[61]), (&offset.to_be_bytes()[..], offset as u8));
}

#[test]
fn more_segments_than_may_be_open_are_read() {
    const SEGMENTS: u64 = 60;
    const MAX: usize = 8;
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let data = std::env::temp_dir().join(format!("ms-log-descriptors-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    let (disk, all): (Arc<dyn Disk>, _) = (Arc::new(RealDisk), Descriptors::new(MAX));
    let before = open_files();
    let dirs = [data.join("t-0"), data.join("t-1")];
    let mut logs: Vec<_> = dirs.iter().map(|dir| filled(&disk, &all, dir, SEGMENTS)).collect();
    for round in 0..3 {
        for offset in 0..SEGMENTS {
            for log in &logs {
                check(&range(log, offset * 7 % SEGMENTS), offset * 7 % SEGMENTS);
                // And the active one of each.
                assert!(open_files() <= before + MAX + logs.len(), "{}", open_files());
            }
        }
        if round == 0 {
            // A log that is closed gives its places back. The last index is removed: the last segment but one is walked.
            logs.clear();
            assert_eq!(open_files(), before);
            logs.extend(dirs.iter().map(|dir| open(&disk, &all, dir)));
        }
    }
    // Without indexes all of them are walked at the start, and written again.
    drop(logs);
    for entry in std::fs::read_dir(&dirs[0]).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "index") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let mut log = open(&disk, &all, &dirs[0]);
    assert!(open_files() <= before + MAX + 1, "{}", open_files());
    let flushed = log.flush_job().unwrap().run();
    log.flushed(flushed).unwrap();
    assert!(open_files() <= before + MAX + 1, "{}", open_files());
    (0..SEGMENTS).for_each(|offset| check(&range(&log, offset), offset));
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn no_segment_is_sealed_while_many_wait_for_their_sync() {
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
    let mut log = filled(&disk, &Descriptors::new(4), Path::new("/t-0"), 1);
    let next = NextAppend { bytes: 5000, max_timestamp: 5, last_offset: 1 };
    let roll = |log: &mut PartitionLog| {
        let rolls = log.should_roll(&next, 0);
        let offset = log.log_end_offset();
        if rolls {
            log.roll(0, vec![]).unwrap();
        }
        append(log, offset);
        rolls
    };
    assert!(roll(&mut log) && roll(&mut log));
    assert!(!roll(&mut log) && !roll(&mut log));
    // But for one that can hold no more.
    let more = NextAppend { bytes: i32::MAX as u32, ..next };
    assert!(log.should_roll(&more, 0));
    let flushed = log.flush_job().unwrap().run();
    log.flushed(flushed).unwrap();
    assert!(roll(&mut log));
    (0..log.log_end_offset()).for_each(|offset| check(&range(&log, offset), offset));
}

#[test]
fn what_is_being_read_stays_readable_and_is_not_opened_twice() {
    let (disk, all): (Arc<dyn Disk>, _) = (Arc::new(SimDisk::new()), Descriptors::new(2));
    let log = filled(&disk, &all, Path::new("/t-0"), 20);
    let in_flight = range(&log, 3);
    (0..19).for_each(|offset| check(&range(&log, offset), offset));
    check(&in_flight, 3);
    let again = range(&log, 3);
    assert!(Arc::ptr_eq(&again.file, &in_flight.file));
    let other = range(&log, 4);
    (10..19).for_each(|offset| check(&range(&log, offset), offset));
    drop(other);
    check(&range(&log, 4), 4);
}

#[test]
fn what_is_used_stays_open() {
    let sim = SimDisk::new();
    let (disk, all): (Arc<dyn Disk>, _) = (Arc::new(sim.clone()), Descriptors::new(4));
    let log = filled(&disk, &all, Path::new("/t-0"), 20);
    let calls = |offset| {
        let before = sim.calls();
        check(&range(&log, offset), offset);
        sim.calls() - before
    };
    let (cold, warm) = (calls(0), calls(0));
    assert!(warm < cold, "{warm} of {cold}");
    for other in 1..15 {
        assert_eq!(calls(other), cold);
        assert!(calls(0) <= warm);
    }
    // Unused, it makes room.
    (1..15).for_each(|other| _ = calls(other));
    assert!(calls(0) > warm);
}
