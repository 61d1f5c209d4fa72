//! What comes back after a loss of power, or because it could not be removed, and is none of the log any more.

#![allow(clippy::unwrap_used)]

mod common;

use common::Rig;
use ms_log::sim::Fault;
use ms_log::{DeleteJob, Disk, LogOptions, checkpoint, is_no_space};
use ms_wire::batch::BatchHeader;
use ms_wire::frame::check_frame;
use std::path::Path;

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

/// All of a log that is flushed is there after it, and `newest` is what it ends with.
fn survives_a_loss_of_power(rig: &mut Rig, seed: u64, newest: &[Vec<u8>]) {
    let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
    assert_eq!(rig.log.flushed_index(), last);
    rig.disk.crash(seed);
    let (recovery, _) = rig.reopen(None, false, last);
    assert_eq!((recovery.damage.len(), recovery.set_aside.len()), (0, 0), "seed {seed}");
    assert_eq!((rig.log.last_index(), rig.log.log_end_offset()), (last, end));
    let from = BatchHeader::parse(&newest[0]).unwrap().base_offset as u64;
    assert_eq!(rig.consume(from, 1000), newest);
}

/// The term of each entry, as its frame says it.
fn terms_of_frames(rig: &Rig) -> Vec<u32> {
    let mut terms = Vec::new();
    for name in names(rig, ".log") {
        let bytes = ms_log::read_all(&rig.disk, &rig.dir.join(name), 1 << 30).unwrap();
        let mut at = 0;
        while at < bytes.len() {
            let header = check_frame(&bytes[at..]).unwrap();
            let is_entry = at > 0 && !header.is_padding();
            terms.extend(is_entry.then(|| header.term()));
            at += header.size();
        }
    }
    terms
}

fn terms_of_log(rig: &Rig) -> Vec<u32> {
    let log = &rig.log;
    (log.first_index()..=log.last_index()).map(|index| log.term(index).unwrap_or(0)).collect()
}

/// Segments that the log leaves behind; not before the last of them is durable to its end.
fn left_behind() -> (Rig, DeleteJob) {
    let mut rig = segments();
    rig.set_log_start(rig.log.log_end_offset());
    rig.flush();
    rig.begin_term().unwrap();
    rig.log.roll(rig.now_ms, vec![]).unwrap();
    assert_eq!(rig.log.first_index(), 1);
    rig.flush();
    let job = rig.log.delete_segments_below().unwrap();
    (rig, job)
}

/// Whatever call of the deletion fails: some of them are removed, or none.
#[test]
fn what_was_flushed_stays_although_segments_that_left_the_log_are_back() {
    let mut failed = 0;
    for seed in 0..24 {
        for call in 0..30 {
            let (mut rig, mut job) = left_behind();
            match seed % 3 {
                0 => rig.disk.set_full(true),
                1 => rig.disk.set_full_until_removed(2),
                _ => {}
            }
            rig.disk.fail_call(rig.disk.calls() + call, Fault::NoSpace);
            let error = job.run().err();
            failed += u32::from(error.is_some());
            assert!(error.is_none_or(|error| is_no_space(&error)));
            rig.disk.fail_no_call();
            rig.disk.set_full(false);
            if seed % 2 == 0 {
                job.run().unwrap();
                assert_eq!(names(&rig, ".log").len(), 1);
            }
            let batches = rig.produce(&[(2, 150)]).unwrap();
            rig.flush();
            survives_a_loss_of_power(&mut rig, seed, &batches);
        }
    }
    assert!(failed > 100, "{failed}");
}

/// As a coordinator does: what lives is copied to the end, then the log begins at the copies.
#[test]
fn a_log_begins_at_copies_only_where_they_are_durable() {
    let mut kept = [0, 0];
    for seed in 0..60 {
        for deletes in [false, true] {
            let mut rig = segments();
            rig.flush();
            let (originals, copies) = (rig.consume(0, 1000), rig.log.log_end_offset());
            let written = rig.produce(&[(2, 150)]).unwrap();
            rig.set_log_start(copies);
            let job = rig.log.delete_segments_below();
            if deletes && let Some(mut job) = job {
                job.run().unwrap();
            }
            let state = rig.log.checkpoint_state(vec![]).encode();
            checkpoint::write(&rig.disk, Path::new("/data"), &[&state]).unwrap();
            rig.disk.crash(seed);
            let found = checkpoint::read(&rig.disk, Path::new("/data")).unwrap();
            rig.reopen(found.get(&77), false, u64::MAX);
            match rig.log.log_start_offset() {
                0 => assert_eq!(rig.consume(0, 1000)[..originals.len()], originals),
                _ => assert_eq!(rig.consume(copies, 1000), written, "seed {seed}"),
            }
            kept[usize::from(rig.log.log_start_offset() > 0)] += 1;
        }
    }
    assert!(kept[0] > 5 && kept[1] > 5, "{kept:?}");
}

#[test]
fn segments_below_the_log_start_go_once_it_is_durable() {
    let mut rig = segments();
    rig.set_log_start(9);
    assert!(rig.log.delete_segments_below().is_none() && rig.log.waits_to_delete());
    assert_eq!(rig.log.checkpoint_state(vec![]).log_start, 0);
    let job = rig.log.flush_job().unwrap();
    // It moves on while the flush is out.
    rig.set_log_start(11);
    rig.log.flushed(job.run()).unwrap();
    assert!(rig.log.has_deletable() && rig.log.log_start_offset() == 11);
    assert_eq!(rig.log.checkpoint_state(vec![]).log_start, 9);
    let count = names(&rig, ".log").len();
    rig.log.delete_segments_below().unwrap().run().unwrap();
    assert!(names(&rig, ".log").len() < count);
    // A process that dies: the log start is found, and not yet durable.
    rig.disk.crash_process();
    rig.reopen(None, true, u64::MAX);
    let start = |rig: &Rig| rig.log.checkpoint_state(vec![]).log_start;
    assert_eq!((rig.log.log_start_offset(), start(&rig)), (11, 9));
    rig.flush();
    assert_eq!((start(&rig), rig.log.waits_to_delete()), (11, false));
    rig.set_log_start(12);
    rig.disk.crash_process();
    rig.reopen(None, false, u64::MAX);
    assert_eq!((rig.log.log_start_offset(), start(&rig)), (12, 12));
}

/// As after a flush of everything, what was deleted has no index any more but the newest.
#[test]
fn the_producer_state_at_the_end_of_what_was_deleted_is_kept() {
    for seed in 0..60 {
        let mut rig = segments();
        rig.set_log_start(rig.log.log_end_offset());
        rig.flush();
        rig.log.roll(rig.now_ms, b"all of them".to_vec()).unwrap();
        rig.flush();
        rig.log.delete_segments_below().unwrap().run().unwrap();
        let next = rig.log.log_end_offset() as i64;
        rig.produce(&[(2, 150)]).unwrap();
        rig.flush();
        match seed {
            0 => rig.disk.crash_process(),
            _ => rig.disk.crash(seed),
        }
        let (_, seen) = rig.reopen(None, seed == 0, 1);
        assert_eq!(String::from_utf8_lossy(&seen.snapshot), "all of them", "seed {seed}");
        assert_eq!(seen.batches.iter().map(|it| it.0).collect::<Vec<_>>(), [next]);
        let left = names(&rig, "index");
        assert!(left.iter().all(|name| name.starts_with("producers")), "{left:?}");
    }
}

/// Its index was lost: it is made again with the state at its end, and nothing else is replayed for that.
#[test]
fn an_index_that_is_made_again_costs_a_look_at_its_own_segment() {
    let mut rig = segments();
    rig.flush();
    let checkpoint = rig.log.checkpoint_state(b"newest".to_vec());
    let logs = names(&rig, ".log");
    rig.disk.remove_file(&rig.dir.join(&logs[2]).with_extension("index")).unwrap();
    rig.disk.crash_process();
    let (recovery, seen) = rig.reopen(Some(&checkpoint), true, 1);
    assert_eq!((recovery.rebuilt_indexes, seen.batches.len()), (1, 0));
    assert_eq!(seen.snapshot, b"newest");
    rig.flush();
    for log in &logs[3..logs.len() - 1] {
        rig.disk.remove_file(&rig.dir.join(log).with_extension("index")).unwrap();
    }
    rig.disk.crash_process();
    let (_, seen) = rig.reopen(None, true, 1);
    let next: i64 = logs[3].trim_end_matches(".log").parse().unwrap();
    assert_eq!(seen.snapshot, next.to_string().into_bytes());
    assert_eq!(seen.batches[0].0, next);
}

/// A segment that was deleted without an index: what is known of before it says nothing.
#[test]
fn a_producer_state_with_a_gap_behind_it_is_none() {
    let mut rig = segments();
    rig.set_log_start(9);
    rig.flush();
    let logs = names(&rig, ".log");
    let newest =
        logs.iter().rfind(|name| name.trim_end_matches(".log").parse::<u64>().unwrap() < 8);
    rig.disk.remove_file(&rig.dir.join(newest.unwrap()).with_extension("index")).unwrap();
    rig.log.delete_segments_below().unwrap().run().unwrap();
    for index in names(&rig, "index").iter().filter(|name| !name.starts_with("producers")) {
        rig.disk.remove_file(&rig.dir.join(index)).unwrap();
    }
    rig.disk.crash_process();
    let (_, seen) = rig.reopen(None, true, 1);
    assert_eq!((seen.snapshot, seen.batches[0].0), (vec![], 8));
}

#[test]
fn a_checkpoint_does_not_hide_the_terms_of_segments_that_are_back() {
    for (same_boot, seed) in [(true, 0), (false, 1), (false, 2), (false, 3)] {
        let mut rig = segments();
        rig.log.set_log_start(9);
        rig.flush();
        let (terms, first) = (terms_of_log(&rig), rig.log.epoch_end_offset(1));
        drop(rig.log.delete_segments_below().unwrap());
        let checkpoint = rig.log.checkpoint_state(vec![]);
        match same_boot {
            true => rig.disk.crash_process(),
            false => rig.disk.crash(seed),
        }
        rig.reopen(Some(&checkpoint), same_boot, 1);
        assert_eq!((rig.log.first_index(), terms_of_log(&rig)), (1, terms));
        assert_eq!(terms_of_log(&rig), terms_of_frames(&rig));
        assert_eq!(rig.log.epoch_end_offset(1).unwrap().epoch, first.unwrap().epoch);
    }
}

/// Of a turn that failed and was cut; the cut is lost, and what was written in its place in a later term.
#[test]
fn the_terms_of_frames_that_are_back_are_their_own() {
    let mut back = 0;
    for seed in 0..200 {
        let mut rig = Rig::new(1 << 20);
        rig.disk.set_piece_bytes(64);
        rig.begin_term().unwrap();
        rig.produce(&[(1, 50)]).unwrap();
        rig.flush();
        // Four batches, the last of which does not fit.
        rig.disk.fail_call(rig.disk.calls() + 13, Fault::NoSpace);
        let error = rig.produce(&[(1, 150), (2, 150), (1, 150), (1, 150)]).unwrap_err();
        assert!(error.usable && rig.disk.has_failed());
        let last = rig.log.last_index();
        rig.begin_term().unwrap();
        rig.produce(&[(1, 50), (1, 50), (1, 50)]).unwrap();
        let checkpoint = rig.log.checkpoint_state(vec![]);
        rig.disk.crash(seed);
        let (recovery, _) = rig.reopen(Some(&checkpoint), false, 1);
        assert_eq!(recovery.damage, []);
        assert_eq!(terms_of_log(&rig), terms_of_frames(&rig), "seed {seed}");
        assert_eq!(rig.log.latest_epoch(), terms_of_frames(&rig).last().copied());
        back += u32::from(rig.log.last_index() > last && rig.log.term(last + 1) == Some(1));
    }
    assert!(back > 5, "{back}");
}

#[test]
fn the_terms_of_frames_that_cannot_be_read_are_those_that_the_checkpoint_knows() {
    for number in 0..names(&segments(), ".log").len() {
        let mut rig = segments();
        rig.flush();
        let (terms, checkpoint) = (terms_of_log(&rig), rig.log.checkpoint_state(vec![]));
        let path = rig.dir.join(&names(&rig, ".log")[number]);
        // All its frames but the header.
        rig.disk.corrupt(&path, 59, |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 1));
        rig.disk.crash_process();
        // Else its index is believed.
        for index in names(&rig, "index") {
            rig.disk.remove_file(&rig.dir.join(index)).unwrap();
        }
        let (recovery, _) = rig.reopen(Some(&checkpoint), true, 1);
        assert_eq!(recovery.damage.len(), 1);
        assert_eq!(terms_of_log(&rig)[..terms.len()], terms);
    }
}

/// A roll that failed, and left the file of the segment that it began.
fn segments_and_an_unborn_one() -> Rig {
    let mut rig = segments();
    rig.flush();
    let (call, count) = (rig.disk.calls(), names(&rig, ".log").len());
    // Opened, its length, the header, and its removal.
    rig.disk.fail_call(call + 2, Fault::ShortWrite);
    rig.disk.fail_call(call + 3, Fault::NoSpace);
    assert!(rig.log.roll(rig.now_ms, vec![]).unwrap_err().is_no_space());
    assert!(rig.disk.has_failed() && names(&rig, ".log").len() == count + 1);
    rig
}

#[test]
fn the_log_does_not_go_on_beside_a_segment_that_could_not_be_begun() {
    for seed in 0..20 {
        let mut rig = segments_and_an_unborn_one();
        let (count, last) = (names(&rig, ".log").len(), rig.log.last_index());
        // Neither in the segment that it has, nor in another one.
        rig.disk.fail_call(rig.disk.calls(), Fault::NoSpace);
        let error = rig.begin_term().unwrap_err();
        assert!(error.usable && error.is_no_space() && rig.log.last_index() == last);
        rig.disk.fail_call(rig.disk.calls(), Fault::NoSpace);
        rig.log.roll(rig.now_ms, vec![]).unwrap_err();
        rig.begin_term().unwrap();
        assert_eq!(names(&rig, ".log").len(), count - 1);
        rig.produce(&[(2, 10)]).unwrap();
        rig.log.roll(rig.now_ms, vec![]).unwrap();
        let written = rig.produce(&[(2, 150)]).unwrap();
        assert_eq!(names(&rig, ".log").len(), count);
        let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
        match seed {
            0 => rig.disk.crash_process(),
            _ => {
                rig.flush();
                rig.disk.crash(seed);
            }
        }
        let (recovery, _) = rig.reopen(None, seed == 0, 1);
        assert_eq!((recovery.damage.len(), recovery.set_aside.len()), (0, 0));
        assert_eq!((rig.log.last_index(), rig.log.log_end_offset()), (last, end));
        assert_eq!(rig.consume(end - 1, 300), written);
    }
}

#[test]
fn a_segment_that_could_not_be_begun_is_begun_by_the_next_roll() {
    let mut rig = segments_and_an_unborn_one();
    let (count, end) = (names(&rig, ".log").len(), rig.log.log_end_offset());
    rig.log.roll(rig.now_ms, vec![]).unwrap();
    let written = rig.produce(&[(2, 150)]).unwrap();
    assert_eq!(names(&rig, ".log").len(), count);
    rig.disk.crash_process();
    let (recovery, _) = rig.reopen(None, true, 1);
    assert_eq!((recovery.damage.len(), recovery.set_aside.len()), (0, 0));
    assert_eq!(rig.consume(end, 300), written);
}

/// A log that begins where it ends, at the name of the next segment; those before are removed.
fn emptied() -> Rig {
    let mut rig = segments();
    rig.set_log_start(rig.log.log_end_offset());
    rig.flush();
    rig.log.delete_segments_below().unwrap().run().unwrap();
    rig.flush();
    rig
}

#[test]
fn a_roll_that_failed_does_not_come_back_beside_what_is_acknowledged() {
    for seed in 0..100 {
        let mut rig = emptied();
        // The header; the file is removed.
        rig.disk.fail_call(rig.disk.calls() + 2, Fault::ShortWrite);
        rig.log.roll(rig.now_ms, vec![]).unwrap_err();
        assert!(!rig.log.is_durable());
        let written = rig.produce(&[(2, 50)]).unwrap();
        rig.flush();
        survives_a_loss_of_power(&mut rig, seed, &written);
    }
}

#[test]
fn a_segment_that_was_not_begun_takes_the_one_before_with_it_in_no_case() {
    let mut unborn = 0;
    for seed in 0..100 {
        let mut rig = emptied();
        let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
        rig.log.roll(rig.now_ms, vec![]).unwrap();
        rig.disk.crash(seed);
        unborn += u32::from(names(&rig, ".log").len() > 1);
        let (recovery, _) = rig.reopen(None, false, last);
        assert_eq!((recovery.lost_committed, recovery.damage.len()), (0, 0), "seed {seed}");
        assert_eq!((rig.log.last_index(), rig.log.log_end_offset()), (last, end));
    }
    assert!(unborn > 10, "{unborn}");
}

#[test]
fn what_lies_below_a_cut_is_synced_as_ever() {
    for seed in 0..60 {
        let mut rig = segments();
        let cut = rig.log.last_index() - 2;
        rig.log.truncate_from(cut).unwrap();
        rig.begin_term().unwrap();
        let written = rig.produce(&[(2, 50)]).unwrap();
        rig.flush();
        survives_a_loss_of_power(&mut rig, seed, &written);
    }
}

#[test]
fn a_log_goes_on_behind_damage_in_the_last_term_that_was_seen() {
    let mut rig = Rig::new(1 << 20);
    rig.begin_term().unwrap();
    rig.produce(&[(1, 50)]).unwrap();
    let position = rig.log.size_bytes();
    rig.produce(&[(1, 50)]).unwrap();
    rig.begin_term().unwrap();
    rig.produce(&[(1, 50)]).unwrap();
    rig.flush();
    let path = rig.dir.join(&names(&rig, ".log")[0]);
    rig.disk.corrupt(&path, position + 70, |bytes| bytes[0] ^= 1);
    rig.disk.crash_process();
    let (recovery, _) = rig.reopen(None, true, 1);
    assert_eq!(recovery.damage.len(), 1);
    let last = rig.log.last_index();
    assert_eq!(rig.log.term(last), Some(2));
    rig.begin_term().unwrap();
    let written = rig.produce(&[(1, 50)]).unwrap();
    let end = rig.log.log_end_offset();
    rig.disk.crash_process();
    let (recovery, _) = rig.reopen(None, true, 1);
    assert_eq!((recovery.damage.len(), rig.log.log_end_offset()), (1, end));
    assert_eq!(rig.consume(end - 1, 300), written);
    assert_eq!(rig.log.term(last), Some(2));
}

#[test]
fn a_name_below_the_log_start_was_begun_whatever_has_become_of_its_header() {
    let mut back = 0;
    for seed in 0..60 {
        let mut rig = segments();
        rig.set_log_start(9);
        rig.flush();
        let mut job = rig.log.delete_segments_below().unwrap();
        job.run().unwrap();
        let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
        let written = rig.consume(end - 1, 1000);
        rig.disk.crash(seed);
        let base = |name: &String| name.trim_end_matches(".log").parse::<u64>().unwrap();
        back += u32::from(base(&names(&rig, ".log")[0]) < 8);
        let oldest = names(&rig, ".log").into_iter().rfind(|name| base(name) < 9).unwrap();
        rig.disk.corrupt(&rig.dir.join(oldest), 20, |bytes| bytes[0] ^= 1);
        let (recovery, _) = rig.reopen(None, false, last);
        assert_eq!(recovery.set_aside.len(), 0, "seed {seed}");
        assert_eq!((rig.log.last_index(), rig.log.log_end_offset()), (last, end));
        assert_eq!(rig.consume(end - 1, 1000), written);
    }
    assert!(back > 5, "{back}");
}

#[test]
fn a_roll_that_failed_leaves_nothing_that_a_later_process_has_to_know_of() {
    for seed in 0..60 {
        let mut rig = emptied();
        rig.log.configure(LogOptions { preallocate: true, ..*rig.log.options() });
        let checkpoint = rig.log.checkpoint_state(vec![]);
        let before = rig.disk.calls();
        rig.disk.fail_call(before + seed % 4, Fault::NoSpace);
        if rig.log.roll(rig.now_ms, vec![]).is_ok() {
            continue;
        }
        rig.disk.fail_no_call();
        rig.disk.crash_process();
        rig.reopen(Some(&checkpoint), true, u64::MAX);
        let written = rig.produce(&[(2, 50)]).unwrap();
        rig.flush();
        survives_a_loss_of_power(&mut rig, seed, &written);
    }
}

/// What recovery found in segments without an index counts as durable, although they wait for one.
#[test]
fn nothing_beyond_a_cut_counts_as_flushed() {
    let mut rig = segments();
    rig.disk.crash_process();
    rig.reopen(None, false, 1);
    let cut = rig.log.last_index() - 1;
    assert!(rig.log.flushed_index() > cut && !rig.log.is_durable());
    let job = rig.log.flush_job().unwrap();
    rig.log.truncate_from(cut).unwrap();
    rig.log.flushed(job.run()).unwrap();
    assert_eq!(rig.log.flushed_index(), cut - 1);
    rig.begin_term().unwrap();
    rig.produce(&[(2, 50)]).unwrap();
    assert!(rig.log.flushed_index() < rig.log.last_index() && rig.log.unflushed_bytes() > 0);
}

#[test]
fn the_index_of_a_segment_that_was_cut_is_not_written() {
    let mut rig = segments();
    let job = rig.log.flush_job().unwrap();
    rig.log.truncate_from(1).unwrap();
    rig.log.flushed(job.run()).unwrap();
    assert_eq!(names(&rig, "index"), Vec::<String>::new());
}
