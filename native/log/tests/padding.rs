//! Padding behind turns: no consumer gets it, and recovery takes it for what it is.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Rig, Seen};
use ms_log::{Disk, LogOptions, OpenMode};
use ms_wire::frame::{FrameHeader, check_frame};
use std::path::PathBuf;

fn filled(batches: usize) -> (Rig, Vec<Vec<u8>>) {
    let mut rig = Rig::padded(4096);
    rig.begin_term().unwrap();
    let mut written = Vec::new();
    for number in 0..batches {
        let turn = [(1 + number as u32 % 5, 20 + number * 7 % 90), (1, 30)];
        written.extend(rig.produce(&turn[..1 + number % 2]).unwrap());
        if number % 17 == 0 {
            rig.begin_term().unwrap();
        }
    }
    (rig, written)
}

fn newest_segment(rig: &Rig) -> PathBuf {
    let names = rig.disk.list_dir(&rig.dir).unwrap();
    let logs = names.iter().filter(|entry| entry.name.ends_with(".log"));
    rig.dir.join(logs.map(|entry| entry.name.clone()).max().unwrap())
}

/// Position and header of each frame.
fn frames(rig: &Rig, path: &std::path::Path) -> Vec<(usize, FrameHeader)> {
    let bytes = ms_log::read_all(&rig.disk, path, 1 << 30).unwrap();
    let (mut at, mut frames) = (0, Vec::new());
    while at < bytes.len() {
        let header = check_frame(&bytes[at..]).unwrap();
        frames.push((at, header));
        at += header.size();
    }
    frames
}

#[test]
fn turns_begin_at_multiples_and_consumers_get_the_batches_alone() {
    let (mut rig, written) = filled(100);
    let found = frames(&rig, &newest_segment(&rig));
    let paddings: Vec<_> = found.iter().filter(|(_, header)| header.is_padding()).collect();
    assert!(paddings.len() > 3);
    for (position, header) in paddings {
        assert!((position + header.size()).is_multiple_of(64), "{position}");
    }
    let (last, end) = (rig.log.last_index(), rig.log.log_end_offset());
    rig.flush();
    let checkpoint = rig.log.checkpoint_state(b"at the end".to_vec());
    let mut entries = Vec::new();
    rig.log.entries(1, last + 1, u64::MAX, &mut entries).unwrap();
    assert_eq!(entries.len() as u64, last);
    // Written, opened with everything, with the indexes alone, with nothing.
    for step in 0..4 {
        if step > 0 {
            rig.disk.crash_process();
            if step == 3 {
                for entry in rig.disk.list_dir(&rig.dir).unwrap() {
                    if entry.name.ends_with("index") {
                        rig.disk.remove_file(&rig.dir.join(entry.name)).unwrap();
                    }
                }
            }
            let (recovery, _) = rig.reopen((step == 1).then_some(&checkpoint), true, last);
            assert_eq!(recovery.damage, []);
            assert_eq!(recovery.rebuilt_indexes > 0, step == 3);
        }
        assert_eq!((rig.log.last_index(), rig.log.log_end_offset()), (last, end));
        for max_bytes in [0, 1, 100, 300, 1000, 100_000] {
            assert_eq!(rig.consume(0, max_bytes), written, "max bytes {max_bytes}, step {step}");
        }
        for from in 0..end {
            assert!(!rig.read(from, 700, end).unwrap().is_empty());
        }
        let mut found = Vec::new();
        rig.log.entries(1, last + 1, u64::MAX, &mut found).unwrap();
        assert_eq!(found, entries);
    }
}

#[test]
fn the_log_is_cut_and_goes_on_behind_padding() {
    for keep in [2, 9, 40, 90] {
        let (mut rig, written) = filled(60);
        let mut entries = Vec::new();
        rig.log.entries(1, rig.log.last_index() + 1, u64::MAX, &mut entries).unwrap();
        let kept = entries.iter().take(keep).filter(|entry| entry.count > 0).count();
        rig.flush();
        rig.log.truncate_from(keep as u64 + 1).unwrap();
        assert_eq!(rig.consume(0, 300), written[..kept]);
        let mut seen = Seen::default();
        rig.log.replay_batches(&mut seen).unwrap();
        rig.begin_term().unwrap();
        let more = rig.produce(&[(1, 10), (2, 20)]).unwrap();
        let expected: Vec<_> = written[..kept].iter().cloned().chain(more).collect();
        rig.flush();
        rig.disk.crash(keep as u64);
        let (recovery, _) = rig.reopen(None, false, keep as u64);
        assert_eq!(recovery.damage, []);
        assert_eq!(rig.consume(0, 300), expected, "keep {keep}");
    }
}

#[test]
fn torn_padding_is_cut_and_the_batch_in_front_of_it_stays() {
    let mut cuts = 0;
    for left in [1, 16, 17, 46, 47, 60] {
        let (mut rig, mut written) = filled(10);
        while !frames(&rig, &newest_segment(&rig)).last().unwrap().1.is_padding() {
            written.extend(rig.produce(&[(1, 150)]).unwrap());
        }
        let (path, end) = (newest_segment(&rig), rig.log.log_end_offset());
        let (position, padding) = *frames(&rig, &path).last().unwrap();
        if left >= padding.size() {
            continue;
        }
        cuts += 1;
        let file = rig.disk.open(&path, OpenMode::Write).unwrap();
        file.truncate((position + left) as u64).unwrap();
        let (recovery, _) = rig.reopen(None, true, 1);
        assert_eq!((recovery.damage.len(), recovery.cut_bytes), (0, left as u64));
        assert_eq!(rig.log.log_end_offset(), end);
        written.extend(rig.produce(&[(3, 10)]).unwrap());
        assert_eq!(rig.consume(0, 300), written);
    }
    assert!(cuts >= 4);
}

/// The file ends with the last batch, as no write of this process leaves it: the checkpoint claims more.
#[test]
fn what_is_written_in_the_place_of_lost_padding_is_not_taken_for_it() {
    for same_boot in [true, false] {
        let (mut rig, mut written) = filled(10);
        while !frames(&rig, &newest_segment(&rig)).last().unwrap().1.is_padding() {
            written.extend(rig.produce(&[(1, 150)]).unwrap());
        }
        let checkpoint = rig.log.checkpoint_state(vec![]);
        let path = newest_segment(&rig);
        let (position, padding) = *frames(&rig, &path).last().unwrap();
        let file = rig.disk.open(&path, OpenMode::Write).unwrap();
        file.truncate(position as u64).unwrap();
        // After a loss of power it is no damage: padding was not durable.
        rig.reopen(Some(&checkpoint), false, 1);
        written.extend(rig.produce(&[(1, padding.size()), (2, 100)]).unwrap());
        rig.disk.crash_process();
        let end = rig.log.log_end_offset();
        let (recovery, _) = rig.reopen(Some(&checkpoint), same_boot, 1);
        assert_eq!((recovery.damage.len(), recovery.cut_bytes), (0, 0));
        assert_eq!(rig.log.log_end_offset(), end);
        assert_eq!(rig.consume(0, 300), written);
    }
}

#[test]
fn a_checkpoint_whose_padding_is_not_there_is_not_believed() {
    let (mut rig, mut written) = filled(10);
    while !frames(&rig, &newest_segment(&rig)).last().unwrap().1.is_padding() {
        written.extend(rig.produce(&[(1, 150)]).unwrap());
    }
    let checkpoint = rig.log.checkpoint_state(vec![]);
    let (position, _) = *frames(&rig, &newest_segment(&rig)).last().unwrap();
    // Not the padding, and nothing that follows it: everything is looked at again.
    rig.disk.corrupt(&newest_segment(&rig), position as u64 + 30, |bytes| bytes[0] ^= 1);
    let (recovery, _) = rig.reopen(Some(&checkpoint), true, 1);
    assert!(recovery.checked_bytes > 0 && recovery.damage.len() == 1);
    assert_eq!(rig.consume(0, 300), written);
}

/// Default options: turns of nearly 1 MiB are moved to multiples of it once that is little, and read back.
#[test]
fn large_turns_are_moved_and_everything_opens_and_is_read_again() {
    const TURN: usize = (1 << 20) - 51;
    let mut rig = Rig::with(LogOptions::default());
    rig.begin_term().unwrap();
    let mut written = Vec::new();
    for _ in 0..36 {
        written.extend(rig.produce(&[(1, TURN - 61)]).unwrap());
    }
    let found = frames(&rig, &newest_segment(&rig));
    let longest = found.iter().filter(|(_, it)| it.is_padding()).map(|(_, it)| it.size()).max();
    assert!(longest.unwrap() > 1 << 19);
    let last_data = found.iter().rfind(|(_, header)| !header.is_padding()).unwrap();
    assert!(last_data.0.is_multiple_of(1 << 20));
    for same_boot in [true, false] {
        rig.disk.crash_process();
        let (recovery, _) = rig.reopen(None, same_boot, 1);
        assert_eq!(recovery.damage, []);
        // One of the limits lies between the batch and the padding behind it.
        for max_bytes in [TURN as u32, 1 << 20, 3 << 20] {
            assert!(rig.consume(0, max_bytes) == written);
        }
    }
}

#[test]
fn padding_of_another_place_or_term_is_no_frame_of_the_log() {
    for field in [7, 15, 34, 38, 42] {
        let (mut rig, _) = filled(10);
        rig.flush();
        let path = newest_segment(&rig);
        let found = frames(&rig, &path);
        let at = found.iter().rposition(|(_, header)| header.is_padding()).unwrap();
        let (position, header) = found[at];
        rig.disk.corrupt(&path, position as u64, |bytes| {
            bytes[field] += 1;
            // The term stands twice.
            if field == 42 {
                bytes[15] += 1;
            }
            ms_wire::batch::write_crc(&mut bytes[..header.size()]);
        });
        let (recovery, _) = rig.reopen(None, true, 1);
        let is_taken = recovery.damage.is_empty() && recovery.cut_bytes == 0;
        assert!(!is_taken, "byte {field}");
    }
}

#[test]
fn a_segment_has_no_more_padding_than_is_kept_in_memory() {
    let mut rig = Rig::padded(1 << 30);
    rig.begin_term().unwrap();
    for _ in 0..(16 << 10) + 100 {
        rig.produce(&[(1, 60)]).unwrap();
    }
    let found = frames(&rig, &newest_segment(&rig));
    let paddings = found.iter().filter(|(_, header)| header.is_padding()).count();
    assert_eq!(paddings, 16 << 10);
}

#[test]
fn padding_does_not_take_a_segment_beyond_its_size() {
    for (segment_bytes, size) in [(512, 512), (511, 437)] {
        let mut rig = Rig::padded(segment_bytes);
        rig.begin_term().unwrap();
        rig.produce(&[(1, 437 - 106 - 61)]).unwrap();
        assert_eq!(rig.log.size_bytes(), size);
    }
}
