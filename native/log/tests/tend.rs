//! Space reserved ahead of the writes and given back, and writeback that begins before anybody asks for a sync.

#![allow(clippy::unwrap_used)]

mod common;

use common::Rig;
use ms_log::sim::Fault;
use ms_log::{Disk, OpenMode};
use std::cell::Cell;
use std::io::IoSlice;
use std::path::{Path, PathBuf};

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;

fn produce(rig: &mut Rig, kib: usize) {
    rig.produce(&[(1, kib * KIB)]).unwrap();
}

fn tend(rig: &mut Rig) {
    if let Some(job) = rig.log.tend_job(true, true) {
        job.run();
    }
}

fn first() -> PathBuf {
    Path::new("/data/t-0").join("00000000000000000000.log")
}

fn new_rig(segment_bytes: u32) -> Rig {
    let mut rig = Rig::new(segment_bytes);
    rig.begin_term().unwrap();
    rig
}

#[test]
fn space_is_reserved_in_steps_that_grow_with_the_segment() {
    let mut rig = new_rig(1 << 30);
    produce(&mut rig, 100);
    assert!(!rig.log.wants_tending(true), "most partitions are small");
    let (mut sizes, mut last) = (Vec::new(), 0);
    for _ in 0..300 {
        produce(&mut rig, 300);
        if rig.log.wants_tending(true) {
            tend(&mut rig);
        }
        let size = rig.log.size_bytes();
        let (reserved, _) = rig.disk.tended(&first());
        assert!(reserved >= size && reserved <= 2 * size + 17 * MIB, "{reserved} at {size}");
        if reserved > last && reserved > size {
            sizes.push((reserved - size).div_ceil(MIB));
            last = reserved;
        }
    }
    assert_eq!(sizes.first(), Some(&1));
    assert!(sizes.last() > Some(&60));
    assert!(sizes.len() < 15, "seldom: {sizes:?}");
}

#[test]
fn no_space_is_reserved_beyond_the_segment_or_when_little_is_left() {
    let mut rig = new_rig(1 << 20);
    produce(&mut rig, 400);
    tend(&mut rig);
    assert_eq!(rig.disk.tended(&first()).0, MIB);
    produce(&mut rig, 500);
    assert!(!rig.log.wants_tending(true));

    let mut rig = new_rig(1 << 30);
    produce(&mut rig, 400);
    rig.log.tend_job(false, true).unwrap().run();
    assert_eq!(rig.disk.tended(&first()).0, rig.log.size_bytes());
    assert!(!rig.log.wants_tending(true), "not asked again for each append");
}

#[test]
fn reserved_space_is_given_back_at_the_roll_and_at_the_end() {
    let mut rig = new_rig(1 << 30);
    produce(&mut rig, 400);
    tend(&mut rig);
    let size = rig.log.size_bytes();
    assert!(rig.disk.tended(&first()).0 > size);
    rig.log.roll(0, Vec::new()).unwrap();
    rig.flush();
    assert_eq!(rig.disk.tended(&first()).0, size);

    produce(&mut rig, 400);
    tend(&mut rig);
    rig.log.give_back();
    let second = Path::new("/data/t-0").join("00000000000000000001.log");
    assert_eq!(rig.disk.tended(&second).0 + size, rig.log.size_bytes());
    assert_eq!(rig.consume(0, 1 << 20).len(), 2);
}

#[test]
fn a_flush_of_before_does_not_cut_a_segment_that_grows_again() {
    let mut rig = new_rig(1 << 30);
    produce(&mut rig, 1);
    let index = rig.log.last_index();
    produce(&mut rig, 1);
    rig.log.roll(0, Vec::new()).unwrap();
    let job = rig.log.flush_job().unwrap();
    // The first segment is the active one again, and grows to the very length at which it was sealed.
    rig.log.truncate_from(index + 1).unwrap();
    produce(&mut rig, 1);
    produce(&mut rig, 1);
    let before = rig.consume(0, 1 << 20);
    rig.log.flushed(job.run()).unwrap();
    assert_eq!(rig.consume(0, 1 << 20), before);
}

#[test]
fn writeback_begins_every_8_mib_and_leaves_out_nothing() {
    let mut rig = new_rig(20 << 20);
    for _ in 0..60 {
        produce(&mut rig, 500);
        assert!(rig.log.unstarted_bytes() < 9 * MIB);
        if rig.log.unstarted_bytes() >= 8 * MIB {
            assert!(rig.log.wants_tending(true));
            tend(&mut rig);
            assert_eq!(rig.log.unstarted_bytes(), 0);
        }
    }
    tend(&mut rig);
    rig.flush();
    let (size, started) = rig.disk.tended(&first());
    assert!(size > 19 * MIB && size < 20 * MIB, "sealed and trimmed");
    let last = started.last().unwrap();
    assert_eq!(last.0 + last.1, size, "to its end");
    assert!(started.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0), "no hole");
}

#[test]
fn what_a_sync_takes_needs_no_writeback_and_what_fails_does_no_harm() {
    let mut rig = new_rig(1 << 30);
    produce(&mut rig, 1000);
    let job = rig.log.flush_job().unwrap();
    assert_eq!(rig.log.unstarted_bytes(), 0);
    rig.log.flushed(job.run()).unwrap();
    produce(&mut rig, 1000);
    // First the reservation, then the writeback.
    for _ in 0..2 {
        produce(&mut rig, 3000);
        rig.disk.fail_call(rig.disk.calls(), Fault::Io);
        tend(&mut rig);
        assert!(rig.disk.has_failed());
    }
    rig.flush();
    assert_eq!(rig.consume(0, 1 << 20).len(), 4);
}

#[test]
fn writeback_is_left_to_the_kernel_and_to_the_sync_of_what_is_sealed() {
    let mut rig = new_rig(20 << 20);
    for _ in 0..50 {
        produce(&mut rig, 500);
        let job = rig.log.tend_job(true, false);
        assert_eq!(job.map_or(0, |job| job.bytes()), 0);
    }
    // All but the headers of the two segments.
    let most = rig.log.size_bytes() - 200..rig.log.size_bytes();
    assert!(most.contains(&rig.log.unstarted_bytes()), "it counts until then");
    let job = rig.log.flush_job().unwrap();
    assert_eq!(rig.log.unstarted_bytes(), 0);
    assert!(rig.disk.tended(&first()).1.is_empty());
    rig.log.flushed(job.run_while(|| true)).unwrap();
    let (size, started) = rig.disk.tended(&first());
    let pieces: Vec<_> =
        (0..5).map(|at| (at * 4 * MIB, (size - at * 4 * MIB).min(4 * MIB))).collect();
    assert_eq!(started, pieces);
    assert_eq!(rig.log.unflushed_bytes(), 0);
}

#[test]
fn a_piece_that_cannot_be_written_is_a_sync_that_failed() {
    let mut rig = new_rig(1 << 30);
    produce(&mut rig, 500);
    let job = rig.log.flush_job().unwrap();
    // The system tells of it once: the sync behind it would succeed.
    rig.disk.fail_call(rig.disk.calls(), Fault::Io);
    assert!(rig.log.flushed(job.run_while(|| true)).is_err());
    assert!(rig.disk.has_failed());
}

#[test]
fn what_comes_meanwhile_is_written_in_pieces_too_but_not_for_ever() {
    let mut rig = new_rig(1 << 30);
    produce(&mut rig, 500);
    let job = rig.log.flush_job().unwrap();
    let file = rig.disk.open(&first(), OpenMode::Write).unwrap();
    let piece = vec![0; 4 << 20];
    let asked = Cell::new(0);
    let done = job.run_while(|| {
        asked.set(asked.get() + 1);
        file.write_vectored_at(&[IoSlice::new(&piece)], file.len().unwrap()).is_ok()
    });
    assert!(!done.is_left_off());
    assert_eq!((asked.get(), rig.disk.tended(&first()).1.len()), (4, 4));
    assert!(!rig.disk.is_unsynced(&first()));
}

#[test]
fn a_sync_that_may_not_go_on_is_none_and_the_next_one_is_whole() {
    let mut rig = new_rig(20 << 20);
    for _ in 0..50 {
        produce(&mut rig, 500);
    }
    let (end, flushed, unflushed) =
        (rig.log.last_index(), rig.log.flushed_index(), rig.log.unflushed_bytes());
    // Two pieces of the active segment, then five of the sealed one.
    for pieces in 0..7 {
        let asked = Cell::new(0);
        let job = rig.log.flush_job().unwrap();
        let done = job.run_while(|| asked.replace(asked.get() + 1) < pieces);
        assert_eq!(asked.get(), pieces + 1);
        assert!(done.is_left_off());
        rig.log.flushed(done).unwrap();
        assert_eq!((rig.log.flushed_index(), rig.log.unflushed_bytes()), (flushed, unflushed));
        assert!(!rig.log.is_durable());
        assert!(rig.disk.is_unsynced(&first()));
    }
    rig.flush();
    assert_eq!((rig.log.flushed_index(), rig.log.unflushed_bytes()), (end, 0));
    assert!(rig.log.is_durable());
    // The name of the second segment too.
    rig.disk.crash(1);
    let names = rig.disk.list_dir(Path::new("/data/t-0")).unwrap();
    assert_eq!(names.iter().filter(|it| it.name.ends_with(".log")).count(), 2);
}
