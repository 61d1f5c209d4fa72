//! What comes back after a loss of power, or because it could not be removed, and is none of the log any more.

#![allow(clippy::unwrap_used)]

mod common;

use common::Rig;
use ms_log::{Disk, is_no_space};

fn names(rig: &Rig, suffix: &str) -> Vec<String> {
    let entries = rig.disk.list_dir(&rig.dir).unwrap();
    let mut names: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
    names.retain(|name| name.ends_with(suffix));
    names.sort();
    names
}

/// Some segments of two terms each, nothing of them synced.
fn segments() -> Rig {
    let mut rig = Rig::new(500);
    for _ in 0..8 {
        rig.begin_term().unwrap();
        rig.produce(&[(2, 150)]).unwrap();
    }
    assert!(names(&rig, "log").len() >= 4);
    rig
}

#[test]
fn what_was_flushed_stays_although_segments_that_left_the_log_are_back() {
    for seed in 0..60 {
        for runs in [false, true] {
            let mut rig = segments();
            rig.set_log_start(9);
            let job = rig.log.delete_segments_below().unwrap();
            if runs {
                // The log start cannot be made durable, which is why nothing is unlinked.
                rig.disk.set_full(true);
                assert!(is_no_space(&job.run().unwrap_err()));
                rig.disk.set_full(false);
            }
            let batches = rig.produce(&[(2, 150)]).unwrap();
            rig.flush();
            let (last, end) = (rig.log.flushed_index(), rig.log.log_end_offset());
            rig.disk.crash(seed);
            let (recovery, _) = rig.reopen(None, false, last);
            assert_eq!((recovery.damage.len(), recovery.set_aside.len()), (0, 0), "seed {seed}");
            assert_eq!((rig.log.last_index(), rig.log.log_end_offset()), (last, end));
            assert_eq!(rig.consume(end - 1, 1000), batches);
        }
    }
}

#[test]
fn what_is_removed_is_neither_synced_nor_gets_an_index() {
    let mut rig = segments();
    let unflushed = rig.log.unflushed_bytes();
    rig.set_log_start(9);
    let job = rig.log.delete_segments_below().unwrap();
    assert!(rig.log.unflushed_bytes() > unflushed);
    let flush = rig.log.flush_job().unwrap();
    job.run().unwrap();
    assert!(rig.log.unflushed_bytes() < unflushed);
    rig.log.flushed(flush.run()).unwrap();
    assert_eq!(names(&rig, ".index").len() + 1, names(&rig, ".log").len());
    assert!(rig.log.is_durable());
}
