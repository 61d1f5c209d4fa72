//! Damage is reported and answered as an error; nothing is skipped silently, and later segments stay readable.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Rig, split};
use ms_log::checkpoint::{self, PartitionCheckpoint};
use ms_log::{Disk, OpenMode, ReadError};
use ms_wire::batch::BatchHeader;
use std::path::{Path, PathBuf};

const HEADER: u64 = 59;

/// A log of several flushed segments, its batches, its segment files, and its checkpoint.
fn filled() -> (Rig, Vec<Vec<u8>>, Vec<PathBuf>, PartitionCheckpoint) {
    fill(Rig::new(1500))
}

fn fill(mut rig: Rig) -> (Rig, Vec<Vec<u8>>, Vec<PathBuf>, PartitionCheckpoint) {
    rig.begin_term().unwrap();
    let mut written = Vec::new();
    for number in 0..40 {
        written.extend(rig.produce(&[(1 + number % 3, 150)]).unwrap());
    }
    rig.flush();
    let state = rig.log.checkpoint_state(b"p".to_vec());
    checkpoint::write(&rig.disk, Path::new("/data"), &[&state.encode()]).unwrap();
    let state = checkpoint::read(&rig.disk, Path::new("/data")).unwrap().remove(&77).unwrap();
    let names = rig.disk.list_dir(&rig.dir).unwrap();
    let mut logs: Vec<_> = names
        .iter()
        .filter(|entry| entry.name.ends_with(".log"))
        .map(|entry| rig.dir.join(&entry.name))
        .collect();
    logs.sort();
    assert!(logs.len() > 4);
    (rig, written, logs, state)
}

fn base(log: &Path) -> u64 {
    log.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

fn offsets(batch: &[u8]) -> std::ops::Range<u64> {
    let header = BatchHeader::parse(batch).unwrap();
    header.base_offset as u64..header.last_offset() as u64 + 1
}

/// Reads every offset: each gives its batch or the storage error.
fn unreadable(rig: &Rig, written: &[Vec<u8>]) -> Vec<u64> {
    let end = rig.log.log_end_offset();
    let mut damaged = Vec::new();
    for batch in written {
        for offset in offsets(batch) {
            match rig.read(offset, 1, end) {
                Ok(bytes) => assert_eq!(split(&bytes), std::slice::from_ref(batch)),
                Err(ReadError::Damaged { .. }) => damaged.push(offset),
                Err(other) => panic!("{other} at {offset}"),
            }
        }
    }
    damaged
}

#[test]
fn damage_in_a_sealed_segment_stays_and_later_segments_are_readable() {
    for same_boot in [true, false] {
        let (mut rig, written, logs, checkpoint) = filled();
        let damaged = &logs[2];
        rig.disk.corrupt(damaged, HEADER + 400, |bytes| bytes[0] ^= 0x10);
        // What made somebody look: the index is gone too.
        rig.disk.remove_file(&damaged.with_extension("index")).unwrap();
        let last = rig.log.last_index();
        let end = rig.log.log_end_offset();
        for _ in 0..2 {
            let (recovery, _) = rig.reopen(Some(&checkpoint), same_boot, last);
            assert_eq!(recovery.damage.len(), 1);
            let found = recovery.damage[0];
            assert_eq!((found.segment, found.to_offset), (base(damaged), base(&logs[3])));
            assert_eq!((recovery.cut_bytes, recovery.set_aside.len()), (0, 0));
            assert_eq!(rig.log.log_end_offset(), end);
            let lost = unreadable(&rig, &written);
            assert_eq!(lost, (found.from_offset..found.to_offset).collect::<Vec<_>>());
            assert!(found.from_offset > found.segment);
        }
        // The log goes on.
        let more = rig.produce(&[(2, 30)]).unwrap();
        assert_eq!(rig.consume(end, 100), more);
    }
}

#[test]
fn damage_that_no_recovery_looked_at_is_found_when_it_is_read() {
    for same_boot in [true, false] {
        let (mut rig, written, logs, checkpoint) = filled();
        // In a sealed segment, and in the last one below what the checkpoint knows.
        rig.disk.corrupt(&logs[2], HEADER + 400, |bytes| bytes[0] ^= 0x10);
        rig.disk.corrupt(logs.last().unwrap(), HEADER + 100, |bytes| bytes[0] ^= 0x10);
        let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
        let (recovery, _) = rig.reopen(Some(&checkpoint), same_boot, last);
        assert_eq!((recovery.damage, recovery.checked_bytes), (vec![], 0));
        let more = rig.produce(&[(2, 30)]).unwrap();
        for _ in 0..2 {
            let bad = written.iter().find(|batch| offsets(batch).start > base(&logs[2])).unwrap();
            let mut lost: Vec<_> = (offsets(bad).start..base(&logs[3])).collect();
            lost.extend(base(logs.last().unwrap())..end);
            assert_eq!(unreadable(&rig, &written), lost);
            assert_eq!(rig.consume(end, 100), more);
            // A read that meets damage gives what is before it.
            let before = split(&rig.read(base(&logs[2]), 1 << 20, end).unwrap());
            assert_eq!(before.len(), 1);
        }
    }
}

#[test]
fn a_sealed_segment_that_lost_its_end_is_damaged() {
    let (mut rig, written, logs, checkpoint) = filled();
    let file = rig.disk.open(&logs[1], OpenMode::Write).unwrap();
    let len = file.len().unwrap();
    file.truncate(len - 10).unwrap();
    let last = rig.log.last_index();
    let (recovery, _) = rig.reopen(Some(&checkpoint), true, last);
    assert_eq!(recovery.damage.len(), 1);
    let found = recovery.damage[0];
    assert_eq!(
        unreadable(&rig, &written),
        (found.from_offset..found.to_offset).collect::<Vec<_>>()
    );
    assert_eq!(found.to_offset, base(&logs[2]));
}

#[test]
fn a_sealed_segment_without_its_header_is_damaged_as_a_whole() {
    let (mut rig, written, logs, checkpoint) = filled();
    rig.disk.corrupt(&logs[1], 20, |bytes| bytes[0] ^= 1);
    let last = rig.log.last_index();
    let (recovery, _) = rig.reopen(Some(&checkpoint), true, last);
    assert_eq!(recovery.damage.len(), 1);
    let lost = unreadable(&rig, &written);
    assert_eq!(lost, (base(&logs[1])..base(&logs[2])).collect::<Vec<_>>());
}

#[test]
fn a_missing_segment_is_damage_of_the_one_before() {
    let (mut rig, written, logs, checkpoint) = filled();
    rig.disk.remove_file(&logs[2]).unwrap();
    let last = rig.log.last_index();
    let (recovery, _) = rig.reopen(Some(&checkpoint), true, last);
    assert_eq!(recovery.damage.len(), 1);
    let lost = unreadable(&rig, &written);
    assert_eq!(lost, (base(&logs[2])..base(&logs[3])).collect::<Vec<_>>());
}

/// Goes on behind the log end, durably; then opens it again after a crash of the system. What was written must be there.
fn goes_on_and_opens_again(rig: &mut Rig, checkpoint: Option<&PartitionCheckpoint>) {
    let end = rig.log.log_end_offset();
    rig.begin_term().unwrap();
    let more = rig.produce(&[(2, 30), (1, 10)]).unwrap();
    rig.flush();
    rig.disk.crash(1);
    let (recovery, _) = rig.reopen(checkpoint, false, 1);
    assert_eq!((recovery.cut_bytes, recovery.set_aside), (0, vec![]));
    assert_eq!(rig.consume(end, 100), more);
}

#[test]
fn what_was_written_behind_a_missing_segment_stays_whatever_a_later_opening_knows() {
    for (same_boot, use_checkpoint) in [(true, true), (true, false), (false, true), (false, false)]
    {
        let (mut rig, mut written, logs, checkpoint) = filled();
        let (before, missing) = (&logs[logs.len() - 2], &logs[logs.len() - 1]);
        rig.disk.corrupt(before, HEADER + 400, |bytes| bytes[0] ^= 0x10);
        rig.disk.remove_file(missing).unwrap();
        let known = use_checkpoint.then_some(&checkpoint);
        let end = rig.log.log_end_offset();
        let (recovery, _) = rig.reopen(known, same_boot, 1);
        if use_checkpoint {
            // It claims what is missing.
            assert_eq!((recovery.damage.len(), recovery.damage[0].to_offset), (1, end));
            assert_eq!(rig.log.log_end_offset(), end);
        } else {
            // A whole index is believed, also that of the last segment: what is damaged in it is found when it is read.
            assert_eq!((recovery.damage, recovery.checked_bytes), (vec![], 0));
            assert_eq!(rig.log.log_end_offset(), base(missing));
        }
        goes_on_and_opens_again(&mut rig, known);
        goes_on_and_opens_again(&mut rig, None);
        written.retain(|batch| offsets(batch).start < base(missing));
        let lost = unreadable(&rig, &written);
        assert!(lost.len() > 1 && lost[0] > base(before), "{lost:?}");
    }
}

#[test]
fn what_was_written_behind_damage_stays_although_a_crash_would_explain_it() {
    let (mut rig, written, logs, _) = filled();
    // Valid frames follow, and nothing can be lost: no tail that was torn.
    rig.disk.corrupt(logs.last().unwrap(), HEADER + 20, |bytes| bytes[0] ^= 1);
    let (recovery, _) = rig.reopen(None, true, 1);
    assert_eq!(recovery.damage.len(), 1);
    goes_on_and_opens_again(&mut rig, None);
    goes_on_and_opens_again(&mut rig, None);
    assert!(unreadable(&rig, &written).starts_with(&[base(logs.last().unwrap())]));
}

#[test]
fn what_was_durable_stays_claimed_when_a_cut_made_the_checkpoint_void() {
    let (mut rig, written, logs, checkpoint) = filled();
    let newest = logs.last().unwrap();
    rig.produce(&[(1, 150)]).unwrap();
    let file = rig.disk.open(newest, OpenMode::Write).unwrap();
    file.truncate(file.len().unwrap() - 10).unwrap();
    let (recovery, _) = rig.reopen(Some(&checkpoint), false, 1);
    assert_eq!((recovery.cut_bytes > 0, recovery.damage), (true, vec![]));
    // Before another checkpoint is written it crashes again, and what was flushed long ago is bad.
    rig.disk.corrupt(newest, HEADER + 100, |bytes| bytes[0] ^= 1);
    rig.disk.crash(1);
    let (recovery, _) = rig.reopen(Some(&checkpoint), false, 1);
    assert_eq!((recovery.cut_bytes, recovery.damage.len()), (0, 1));
    assert_eq!(unreadable(&rig, &written)[0], base(newest));
    goes_on_and_opens_again(&mut rig, None);
}

#[test]
fn a_segment_behind_damage_that_loses_its_header_is_begun_again_behind_it() {
    let (mut rig, _, logs, _) = filled();
    rig.disk.corrupt(logs.last().unwrap(), HEADER + 20, |bytes| bytes[0] ^= 1);
    rig.reopen(None, true, 1);
    rig.flush();
    let end = rig.log.log_end_offset();
    let behind = rig.dir.join(format!("{end:020}.log"));
    rig.disk.corrupt(&behind, 20, |bytes| bytes[0] ^= 1);
    let (recovery, _) = rig.reopen(None, true, 1);
    assert_eq!(recovery.damage.len(), 1);
    goes_on_and_opens_again(&mut rig, None);
}

#[test]
fn a_bad_frame_below_the_flushed_place_of_the_last_segment_is_not_cut() {
    for same_boot in [true, false] {
        let (mut rig, written, logs, checkpoint) = filled();
        let newest = logs.last().unwrap();
        rig.disk.corrupt(newest, HEADER + 100, |bytes| bytes[0] ^= 1);
        // A clean look at every frame: the checkpoint's maps do not help against a walk.
        let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
        let mut stale = checkpoint.clone();
        stale.written.last_crc ^= 1;
        let use_checkpoint = if same_boot { &stale } else { &checkpoint };
        let (recovery, _) = rig.reopen(Some(use_checkpoint), same_boot, last);
        if same_boot {
            assert_eq!(recovery.damage.len(), 1);
            assert!(rig.log.log_end_offset() >= end);
            assert!(rig.log.last_index() >= last && recovery.commit >= last);
            assert_eq!(rig.log.term(rig.log.last_index()), Some(1));
            let lost = unreadable(&rig, &written);
            assert_eq!(lost, (base(newest)..end).collect::<Vec<_>>());
            rig.begin_term().unwrap();
            let from = rig.log.log_end_offset();
            let more = rig.produce(&[(2, 30)]).unwrap();
            assert_eq!(rig.consume(from, 100), more);
            let again = rig.log.last_index();
            let (recovery, _) = rig.reopen(Some(use_checkpoint), true, again);
            assert_eq!(recovery.damage.len(), 1);
            assert_eq!(rig.consume(from, 100), more);
        } else {
            // Flushed and walked, not checked: as in Kafka the client's CRC finds it.
            assert_eq!(recovery.damage, []);
        }
    }
}

#[test]
fn a_torn_tail_is_cut() {
    for cut in [1, 30, 61, 150, 211] {
        let (mut rig, mut written, _, checkpoint) = filled();
        let torn = rig.produce(&[(1, 150)]).unwrap();
        let names = rig.disk.list_dir(&rig.dir).unwrap();
        let logs = names.iter().filter(|entry| entry.name.ends_with(".log"));
        let newest = rig.dir.join(logs.map(|entry| entry.name.clone()).max().unwrap());
        let file = rig.disk.open(&newest, OpenMode::Write).unwrap();
        file.truncate(file.len().unwrap() - cut).unwrap();
        let end = rig.log.log_end_offset();
        let (recovery, seen) = rig.reopen(Some(&checkpoint), true, 1);
        assert_eq!((recovery.damage.len(), recovery.set_aside.len()), (0, 0));
        assert_eq!(recovery.cut_bytes, torn[0].len() as u64 - cut);
        assert_eq!(rig.log.log_end_offset(), end - 1);
        assert_eq!(seen.batches, []);
        written.extend(rig.produce(&[(3, 10)]).unwrap());
        assert_eq!(rig.consume(0, 300), written);
    }
}

#[test]
fn garbage_behind_the_last_frame_is_cut_and_valid_frames_behind_it_are_set_aside() {
    let (mut rig, written, _, checkpoint) = filled();
    rig.produce(&[(1, 150), (2, 150)]).unwrap();
    let names = rig.disk.list_dir(&rig.dir).unwrap();
    let logs = names.iter().filter(|entry| entry.name.ends_with(".log"));
    let newest = rig.dir.join(logs.map(|entry| entry.name.clone()).max().unwrap());
    let len = ms_log::read_all(&rig.disk, &newest, 1 << 20).unwrap().len() as u64;
    // The page of the first batch did not reach the disk, that of the second did.
    rig.disk.corrupt(&newest, len - 2 * 211, |bytes| bytes[..100].fill(0));
    rig.disk.crash(0);
    let (recovery, _) = rig.reopen(Some(&checkpoint), false, 1);
    assert_eq!(recovery.damage, []);
    assert_eq!(recovery.set_aside.len(), 1);
    assert_eq!(rig.consume(0, 300), written);
    let aside = ms_log::read_all(&rig.disk, &recovery.set_aside[0], 1 << 20).unwrap();
    assert!(ms_wire::frame::check_frame(&aside[211..]).is_ok());
}

/// One batch of this payload at the log end; the path of its segment.
fn append_payload(rig: &mut Rig, payload: &[u8]) -> PathBuf {
    let mut bytes = common::batch(1, payload, rig.now_ms, 1);
    ms_wire::batch::stamp(&mut bytes, rig.log.log_end_offset() as i64, rig.term as i32);
    let frame = rig.entry(&bytes, rig.log.last_index() + 1, ms_log::EntryKind::Data);
    rig.append(&[frame]).unwrap();
    let names = rig.disk.list_dir(&rig.dir).unwrap();
    let logs = names.iter().filter(|entry| entry.name.ends_with(".log"));
    rig.dir.join(logs.map(|entry| entry.name.clone()).max().unwrap())
}

#[test]
fn frames_in_the_payload_of_a_torn_frame_are_not_found() {
    for (offset, term) in [(1_000_000, u32::MAX), (1_000_000, 3), (81, 1), (80, 9)] {
        for same_boot in [true, false] {
            let (mut rig, mut written, _, checkpoint) = filled();
            let end = rig.log.log_end_offset();
            let inner = common::frame_of(offset, term);
            let payload = [&[b'v'; 5000][..], &inner, &[b'w'; 20_000]].concat();
            let newest = append_payload(&mut rig, &payload);
            let file = rig.disk.open(&newest, OpenMode::Write).unwrap();
            file.truncate(file.len().unwrap() - 9000).unwrap();
            let (recovery, _) = rig.reopen(Some(&checkpoint), same_boot, 1);
            assert_eq!((recovery.damage.len(), recovery.set_aside.len()), (0, 0));
            assert_eq!((rig.log.log_end_offset(), rig.term), (end, 1));
            rig.begin_term().unwrap();
            written.extend(rig.produce(&[(3, 10)]).unwrap());
            assert_eq!(rig.consume(0, 300), written);
        }
    }
}

#[test]
fn frames_in_the_payload_of_a_bad_frame_are_not_found() {
    let (mut rig, written, _, checkpoint) = filled();
    let end = rig.log.log_end_offset();
    let inner = common::frame_of(1_000_000, 3);
    let newest = append_payload(&mut rig, &[&inner[..], &[b'w'; 100]].concat());
    let len = ms_log::read_all(&rig.disk, &newest, 1 << 20).unwrap().len() as u64;
    rig.produce(&[(2, 20)]).unwrap();
    rig.disk.corrupt(&newest, len - 1, |bytes| bytes[0] ^= 1);
    let (recovery, _) = rig.reopen(Some(&checkpoint), true, 1);
    // The true frame behind it is: nothing of it may be used again.
    assert_eq!(recovery.damage.len(), 1);
    assert_eq!((recovery.damage[0].from_offset, recovery.damage[0].to_offset), (end, end + 3));
    assert_eq!((rig.log.log_end_offset(), rig.log.latest_epoch()), (end + 3, Some(1)));
    assert_eq!(unreadable(&rig, &written), []);
}

#[test]
fn a_term_that_no_hard_state_knows_is_not_taken_from_a_frame_that_was_found() {
    for same_boot in [true, false] {
        let (mut rig, written, _, mut checkpoint) = filled();
        let newest = append_payload(&mut rig, &common::frame_of(1_000_000, u32::MAX));
        let len = ms_log::read_all(&rig.disk, &newest, 1 << 20).unwrap().len() as u64;
        append_payload(&mut rig, &common::frame_of(1_000_000, 9));
        // Both headers are gone, although they were flushed: what is left are the payloads.
        rig.flush();
        checkpoint.clone_from(&rig.log.checkpoint_state(vec![]));
        checkpoint.written.last_crc ^= 1;
        for at in [len - 61 - 66, len] {
            rig.disk.corrupt(&newest, at, |bytes| bytes[..61].fill(0));
        }
        rig.reopen(Some(&checkpoint), same_boot, 1);
        assert!(rig.log.latest_epoch().unwrap() <= 9);
        rig.begin_term().unwrap();
        let from = rig.log.log_end_offset();
        let more = rig.produce(&[(3, 10)]).unwrap();
        assert_eq!(rig.consume(from, 300), more);
        assert_eq!(unreadable(&rig, &written), []);
    }
}

#[test]
fn a_folder_of_another_topic_is_refused() {
    let (rig, ..) = filled();
    let mut other = common::IDENTITY;
    other.topic_id = [8; 16];
    let how = ms_log::OpenLog {
        disk: std::sync::Arc::new(rig.disk.clone()),
        descriptors: ms_log::Descriptors::new(1000),
        dir: &rig.dir,
        identity: other,
        is_own: false,
        options: *rig.log.options(),
        checkpoint: None,
        same_boot: true,
        hard_state: None,
        sync_on_open: false,
        now_ms: 0,
    };
    let refused = ms_log::PartitionLog::open(how, &mut common::Seen::default());
    assert!(matches!(refused, Err(ms_log::LogError::WrongIdentity { .. })));
}

/// Damages files at random: bytes changed, zeroed or cut off, files removed.
fn ruin(rig: &Rig, random: &mut common::Random) {
    let names = rig.disk.list_dir(&rig.dir).unwrap();
    for _ in 0..1 + random.below(3) {
        let name = &names[random.below(names.len() as u64) as usize].name;
        let path = rig.dir.join(name);
        let there = rig.disk.exists(&path).unwrap();
        if name == "partition.metadata" || !there {
            continue;
        }
        let len = ms_log::read_all(&rig.disk, &path, 1 << 20).unwrap().len() as u64;
        let at = random.below(len);
        match random.below(8) {
            _ if len == 0 => {}
            0 => rig.disk.remove_file(&path).unwrap(),
            1 => rig.disk.open(&path, OpenMode::Write).unwrap().truncate(at).unwrap(),
            2 => {
                let zeros = random.below(300) as usize;
                rig.disk.corrupt(&path, at, |bytes| {
                    let zeros = zeros.min(bytes.len());
                    bytes[..zeros].fill(0);
                });
            }
            _ => {
                let bit = 1 << random.below(8);
                rig.disk.corrupt(&path, at, |bytes| bytes[0] ^= bit);
            }
        }
    }
}

#[test]
fn whatever_is_damaged_nothing_wrong_is_given() {
    for seed in 0..1500 {
        let mut random = common::Random::new(seed);
        let rig = if seed % 2 == 0 { Rig::new } else { Rig::padded };
        let (mut rig, mut written, _, checkpoint) = fill(rig(1500));
        rig.begin_term().unwrap();
        written.extend(rig.produce(&[(1, 100), (2, 20)]).unwrap());
        let commit = random.below(rig.log.last_index() + 1);
        ruin(&rig, &mut random);
        let checkpoint = (random.below(3) > 0).then_some(&checkpoint);
        let same_boot = random.below(2) == 0;
        if !same_boot {
            rig.disk.crash(seed);
        }
        rig.reopen(checkpoint, same_boot, commit);
        let (start, end) = (rig.log.log_start_offset(), rig.log.log_end_offset());
        for batch in &written {
            for offset in offsets(batch).filter(|offset| (start..end).contains(offset)) {
                match rig.read(offset, 1, end) {
                    Ok(bytes) => assert_eq!(split(&bytes), std::slice::from_ref(batch), "{seed}"),
                    Err(ReadError::Damaged { .. }) => {}
                    Err(other) => panic!("{other} at {offset}, seed {seed}"),
                }
            }
        }
        // The log goes on, with offsets nobody has seen; the next segment is readable whatever is in this one.
        rig.log.roll(0, vec![]).unwrap();
        rig.begin_term().unwrap();
        let more = rig.produce(&[(2, 30)]).unwrap();
        assert_eq!(rig.consume(end, 100), more, "seed {seed}");
        rig.flush();
        let (last, state) = (rig.log.last_index(), rig.log.checkpoint_state(vec![]));
        rig.reopen(Some(&state), true, last);
        assert_eq!(rig.consume(end, 100), more, "seed {seed}");
    }
}
