//! Behaviour of one log: append, read, roll, retention, reopening.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Rig, Seen, split};
use ms_log::{Disk, EpochEnd, ReadError, RetentionPlan};

fn filled(segment_bytes: u32, batches: usize) -> (Rig, Vec<Vec<u8>>) {
    fill(Rig::new(segment_bytes), batches)
}

fn fill(mut rig: Rig, batches: usize) -> (Rig, Vec<Vec<u8>>) {
    rig.begin_term().unwrap();
    let mut written = Vec::new();
    for number in 0..batches {
        written.extend(rig.produce(&[(1 + number as u32 % 5, 20 + number * 7 % 90)]).unwrap());
    }
    (rig, written)
}

#[test]
fn consumers_get_every_batch_and_no_control_frame() {
    let (mut rig, mut written) = filled(4096, 100);
    rig.begin_term().unwrap();
    rig.begin_term().unwrap();
    written.extend(rig.produce(&[(3, 50), (1, 60), (2, 70)]).unwrap());
    rig.set_log_start(0);
    written.extend(rig.produce(&[(3, 50)]).unwrap());
    for max_bytes in [0, 1, 100, 300, 1000, 100_000] {
        assert_eq!(rig.consume(0, max_bytes), written, "max bytes {max_bytes}");
    }
}

/// C-061, C-076
#[test]
fn a_fetch_inside_a_batch_gets_the_whole_batch_and_keeps_within_its_limits() {
    let (rig, written) = filled(1 << 20, 400);
    let end = rig.log.log_end_offset();
    for from in 0..end {
        let batches = split(&rig.read(from, 500, end).unwrap());
        let first = ms_wire::batch::BatchHeader::parse(&batches[0]).unwrap();
        assert!(first.base_offset as u64 <= from && first.last_offset() as u64 >= from);
        assert!(batches.len() == 1 || batches.iter().map(Vec::len).sum::<usize>() <= 500);
        // As many as fit: the next one would not.
        let next = written.iter().skip_while(|batch| *batch != batches.last().unwrap()).nth(1);
        if let Some(next) = next {
            let bytes = batches.iter().map(Vec::len).sum::<usize>() + next.len();
            assert!(bytes > 375, "{bytes} bytes would have fitted at {from}");
        }
        // Nothing at or above the high watermark.
        let below = split(&rig.read(from, u32::MAX, from + 1).unwrap());
        assert!(below.iter().all(|batch| {
            ms_wire::batch::BatchHeader::parse(batch).unwrap().last_offset() as u64 <= from
        }));
    }
    assert_eq!(rig.read(end, 500, end).unwrap(), b"");
    let too_far = rig.read(end + 1, 500, end).unwrap_err();
    assert_eq!(too_far, ReadError::OutOfRange { offset: end + 1, log_start: 0, log_end: end });
}

#[test]
fn reopening_gives_the_same_log_with_and_without_a_checkpoint() {
    let (mut rig, mut written) = filled(4096, 100);
    rig.begin_term().unwrap();
    rig.flush();
    let checkpoint = rig.log.checkpoint_state(b"at the checkpoint".to_vec());
    written.extend(rig.produce(&[(3, 50), (1, 60), (2, 70)]).unwrap());
    let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
    let epochs: Vec<_> = (0..4).map(|epoch| rig.log.epoch_end_offset(epoch)).collect();
    let terms: Vec<_> = (0..=last).map(|index| rig.log.term(index)).collect();
    let mut entries = Vec::new();
    rig.log.entries(1, last + 1, u64::MAX, &mut entries).unwrap();
    assert_eq!(entries.len() as u64, last);
    for use_checkpoint in [false, true] {
        rig.disk.crash_process();
        let (recovery, seen) = rig.reopen(use_checkpoint.then_some(&checkpoint), true, last);
        assert_eq!((rig.log.last_index(), rig.log.log_end_offset()), (last, end));
        assert_eq!(recovery.commit, last);
        assert_eq!((recovery.cut_bytes, recovery.rebuilt_indexes), (0, 0));
        assert_eq!(rig.consume(0, 700), written);
        assert_eq!((0..=last).map(|index| rig.log.term(index)).collect::<Vec<_>>(), terms);
        let again: Vec<_> = (0..4).map(|epoch| rig.log.epoch_end_offset(epoch)).collect();
        assert_eq!(again, epochs);
        let mut found = Vec::new();
        rig.log.entries(1, last + 1, u64::MAX, &mut found).unwrap();
        assert_eq!(found, entries);
        for entry in &entries {
            assert_eq!(rig.log.offset_after(entry.index).unwrap(), entry.end_offset());
        }
        if use_checkpoint {
            assert_eq!(seen.snapshot, b"at the checkpoint");
            assert_eq!(seen.batches.len(), 3);
            assert!(recovery.checked_bytes < 500);
        } else {
            assert!(seen.snapshot.starts_with(b"producers at "));
        }
    }
    assert_eq!(epochs[1], Some(EpochEnd { epoch: 1, end_offset: end - 6 }));
    assert_eq!(epochs[2], Some(EpochEnd { epoch: 2, end_offset: end }));
    assert_eq!(epochs[3], None);
}

#[test]
fn missing_and_damaged_indexes_are_rebuilt() {
    let (mut rig, written) = filled(2048, 100);
    rig.flush();
    let names = rig.disk.list_dir(&rig.dir).unwrap();
    let indexes: Vec<_> = names.iter().filter(|name| name.name.ends_with(".index")).collect();
    assert!(indexes.len() > 3);
    rig.disk.remove_file(&rig.dir.join(&indexes[1].name)).unwrap();
    rig.disk.corrupt(&rig.dir.join(&indexes[2].name), 1, |bytes| bytes[0] ^= 1);
    let len = ms_log::read_all(&rig.disk, &rig.dir.join(&indexes[0].name), 1 << 20).unwrap().len();
    rig.disk.corrupt(&rig.dir.join(&indexes[0].name), len as u64 - 20, |bytes| bytes[0] ^= 1);
    let (recovery, _) = rig.reopen(None, true, 1);
    assert_eq!(recovery.rebuilt_indexes, 2);
    assert_eq!(rig.consume(0, 700), written);
    rig.flush();
    let (recovery, _) = rig.reopen(None, true, 1);
    assert_eq!(recovery.rebuilt_indexes, 0);
    assert_eq!(rig.consume(0, 300), written);
}

#[test]
fn c056_c069_log_start_at_the_end_of_an_emptied_log() {
    let (mut rig, _) = filled(2048, 100);
    let end = rig.log.log_end_offset();
    rig.set_log_start(end);
    rig.flush();
    rig.log.delete_segments_below().unwrap().run().unwrap();
    for _ in 0..2 {
        assert_eq!((rig.log.log_start_offset(), rig.log.log_end_offset()), (end, end));
        assert_eq!(rig.read(end, 100, end).unwrap(), b"");
        let below = rig.read(0, 100, end).unwrap_err();
        assert_eq!(below, ReadError::OutOfRange { offset: 0, log_start: end, log_end: end });
        let last = rig.log.last_index();
        rig.reopen(None, true, last);
    }
    let written = rig.produce(&[(2, 30)]).unwrap();
    assert_eq!(rig.consume(end, 100), written);
    rig.flush();
    assert!(rig.log.first_index() > 1);
}

#[test]
fn truncation_takes_the_log_back_and_outlives_a_crash() {
    for keep in [1, 5, 30, 55, 60] {
        let (mut rig, written) = filled(1500, 60);
        rig.flush();
        let checkpoint = rig.log.checkpoint_state(vec![]);
        rig.log.truncate_from(keep + 2).unwrap();
        assert_eq!(rig.log.last_index(), keep + 1);
        assert_eq!(rig.consume(0, 300), written[..keep as usize]);
        let mut seen = Seen::default();
        rig.log.replay_batches(&mut seen).unwrap();
        rig.begin_term().unwrap();
        let more = rig.produce(&[(1, 10), (2, 20)]).unwrap();
        let expected: Vec<_> = written[..keep as usize].iter().cloned().chain(more).collect();
        assert_eq!(rig.consume(0, 300), expected);
        rig.flush();
        for same_boot in [true, false] {
            rig.disk.crash(keep);
            let (recovery, _) = rig.reopen(Some(&checkpoint), same_boot, keep);
            assert_eq!(recovery.damage, []);
            assert_eq!(rig.consume(0, 300), expected, "keep {keep}");
        }
    }
}

#[test]
fn retention_goes_by_size_and_by_time_as_kafka_does() {
    let (mut rig, _) = filled(2048, 100);
    let (end, size) = (rig.log.log_end_offset(), rig.log.size_bytes());
    let now = rig.now_ms;
    let plan = |rig: &Rig, now, ms, bytes| rig.log.retention_candidates(now, ms, bytes, end);
    assert_eq!(plan(&rig, now, -1, -1), None);
    assert_eq!(plan(&rig, now, i64::MAX, size as i64), None);
    assert_eq!(plan(&rig, now, i64::MAX, size as i64 - 1), None);
    let by_size = plan(&rig, now, -1, size as i64 - 4096).unwrap();
    assert!(!by_size.roll_first && by_size.new_log_start > 0);
    // Everything is old: the active segment goes too.
    let all = plan(&rig, now + 10_000, 9_000, -1).unwrap();
    assert_eq!(all, RetentionPlan { new_log_start: end, roll_first: true });
    // Nothing above the high watermark.
    assert_eq!(rig.log.retention_candidates(now + 10_000, 9_000, -1, 3), None);
    rig.log.roll(now, vec![]).unwrap();
    rig.set_log_start(all.new_log_start);
    rig.flush();
    rig.log.delete_segments_below().unwrap().run().unwrap();
    rig.flush();
    assert_eq!(plan(&rig, now + 10_000, 9_000, -1), None);
    assert_eq!(plan(&rig, now + 10_000, 9_000, 0), None);
    let logs = rig.disk.list_dir(&rig.dir).unwrap();
    let indexes: Vec<_> = logs.iter().filter(|entry| entry.name.ends_with("index")).collect();
    assert_eq!(indexes.iter().map(|entry| &entry.name).collect::<Vec<_>>(), ["producers.index"]);
    assert_eq!(logs.iter().filter(|entry| entry.name.ends_with(".log")).count(), 1);
}

#[test]
fn consumer_ranges_are_whole_batches_with_contiguous_offsets() {
    for seed in 0..40 {
        let mut random = common::Random::new(seed);
        let mut rig = Rig::new(1000 + random.below(20_000) as u32);
        rig.begin_term().unwrap();
        let mut ends = vec![0];
        for _ in 0..300 {
            match random.below(10) {
                0 => rig.begin_term().unwrap(),
                1 => rig.set_log_start(0),
                _ => {
                    let batch = (1 + random.below(9) as u32, random.below(400) as usize);
                    rig.produce(&[batch]).unwrap();
                    ends.push(rig.log.log_end_offset());
                }
            }
            let end = rig.log.log_end_offset();
            let up_to = ends[random.below(ends.len() as u64) as usize].max(end / 2);
            let up_to = *ends.iter().find(|&&boundary| boundary >= up_to).unwrap();
            let (from, max_bytes) = (random.below(end.max(1)), random.below(3000) as u32);
            if from >= end {
                continue;
            }
            let batches = split(&rig.read(from, max_bytes, up_to).unwrap());
            assert_eq!(batches.is_empty(), from >= up_to);
            let mut next = None;
            for batch in &batches {
                let header = ms_wire::batch::BatchHeader::parse(batch).unwrap();
                let base = header.base_offset as u64;
                assert!(next.is_none_or(|next| next == base) && base < up_to);
                next = Some(header.last_offset() as u64 + 1);
            }
            let bytes: usize = batches.iter().map(Vec::len).sum();
            assert!(batches.len() <= 1 || bytes <= max_bytes as usize);
            assert!(next.is_none_or(|next| from < next && next <= up_to));
        }
    }
}
