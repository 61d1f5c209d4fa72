//! A checkpoint is believed as long as the log holds what it says, and by no later opening once one found less.

#![allow(clippy::unwrap_used)]

mod common;

use common::Rig;
use ms_log::checkpoint::PartitionCheckpoint;
use ms_log::{Disk, OpenMode};
use ms_wire::frame::check_frame;
use std::path::PathBuf;

/// A log of one segment whose last turn is followed by padding if its turns are.
fn filled(rig: fn(u32) -> Rig) -> Rig {
    let mut rig = rig(1 << 20);
    rig.begin_term().unwrap();
    for number in 0..10 {
        rig.produce(&[(1 + number % 3, 100), (1, 150)]).unwrap();
    }
    rig
}

fn segment(rig: &Rig) -> PathBuf {
    rig.dir.join("00000000000000000000.log")
}

/// How often an opening or a truncation took something away, as the folder says it.
fn truncations(rig: &Rig) -> Option<Vec<u8>> {
    let path = rig.dir.join("truncations");
    let is_there = rig.disk.exists(&path).unwrap();
    is_there.then(|| ms_log::read_all(&rig.disk, &path, 1000).unwrap())
}

/// Position, size and CRC of the last frame that is not padding, and the size of what follows it.
fn last_frame(rig: &Rig) -> (u32, u32, usize) {
    let bytes = ms_log::read_all(&rig.disk, &segment(rig), 1 << 30).unwrap();
    let (mut at, mut last) = (0, None);
    while at < bytes.len() {
        let header = check_frame(&bytes[at..]).unwrap();
        if !header.is_padding() {
            last = Some((at as u32, header.crc(), bytes.len() - at - header.size()));
        }
        at += header.size();
    }
    last.unwrap()
}

#[test]
fn an_opening_that_finds_less_than_the_checkpoint_claims_makes_it_void() {
    // Padding only is lost, or the last frame with it, or all frames.
    for (case, same_boot) in [(0, true), (0, false), (1, false), (2, false)] {
        let mut rig = filled(Rig::padded);
        let checkpoint = rig.log.checkpoint_state(vec![]);
        assert_eq!(truncations(&rig), None);
        let (position, _, padding) = last_frame(&rig);
        assert!(padding > 0);
        let size = rig.log.size_bytes();
        let cut = [size - padding as u64, u64::from(position), 59][case];
        let file = rig.disk.open(&segment(&rig), OpenMode::Write).unwrap();
        file.truncate(cut).unwrap();
        let (recovery, _) = rig.reopen(Some(&checkpoint), same_boot, 1);
        assert_eq!((recovery.damage.len(), recovery.cut_bytes), (0, 0));
        assert_eq!(rig.log.size_bytes(), cut);
        let counted = truncations(&rig);
        assert!(counted.is_some(), "case {case}");
        // It says nothing any more, whatever is written in the place: not even that it claims too much.
        rig.reopen(Some(&checkpoint), same_boot, 1);
        assert_eq!(truncations(&rig), counted);
        // One that was made since does.
        let again = rig.log.checkpoint_state(vec![]);
        let (recovery, _) = rig.reopen(Some(&again), true, 1);
        assert_eq!((recovery.checked_bytes, truncations(&rig)), (0, counted));
    }
}

#[test]
fn an_opening_that_does_not_find_the_segment_of_the_checkpoint_makes_it_void() {
    let mut rig = Rig::new(500);
    rig.begin_term().unwrap();
    while rig.log.log_end_offset() < 10 {
        rig.produce(&[(1, 150)]).unwrap();
    }
    let checkpoint = rig.log.checkpoint_state(vec![]);
    assert!(checkpoint.written.segment > 0);
    // Its name was not synced.
    let name = format!("{:020}.log", checkpoint.written.segment);
    rig.disk.remove_file(&rig.dir.join(name)).unwrap();
    let (recovery, _) = rig.reopen(Some(&checkpoint), false, 1);
    assert_eq!((recovery.damage.len(), rig.log.log_end_offset()), (0, checkpoint.written.segment));
    assert!(truncations(&rig).is_some());
}

#[test]
fn an_opening_that_finds_all_that_the_checkpoint_claims_leaves_it_as_it_is() {
    for rig in [Rig::new, Rig::padded] {
        for same_boot in [true, false] {
            let mut rig = filled(rig);
            let checkpoint = rig.log.checkpoint_state(vec![]);
            for _ in 0..3 {
                let end = rig.log.log_end_offset();
                let (recovery, _) = rig.reopen(Some(&checkpoint), same_boot, 1);
                assert_eq!((truncations(&rig), rig.log.log_end_offset()), (None, end));
                let known = u64::from(checkpoint.written.position) - 59;
                let checked = rig.log.size_bytes() - 59 - if same_boot { known } else { 0 };
                assert_eq!(recovery.checked_bytes, checked);
                rig.produce(&[(1, 70)]).unwrap();
            }
        }
    }
}

/// Opens a log with a checkpoint that is not of it, although no cut tells them apart.
fn is_not_believed(mut rig: Rig, checkpoint: &PartitionCheckpoint, text: &str) {
    let (end, batches) = (rig.log.log_end_offset(), rig.consume(0, 1000));
    let own = rig.log.checkpoint_state(vec![]);
    assert!(u64::from(checkpoint.written.position) <= rig.log.size_bytes(), "{text}");
    let (recovery, _) = rig.reopen(Some(checkpoint), true, 1);
    assert_eq!((recovery.damage.len(), recovery.cut_bytes), (0, 0), "{text}");
    assert_eq!(recovery.checked_bytes, rig.log.size_bytes() - 59, "{text}");
    assert_eq!((rig.log.log_end_offset(), rig.consume(0, 1000)), (end, batches), "{text}");
    assert_eq!(rig.log.checkpoint_state(vec![]).written, own.written, "{text}");
}

#[test]
fn a_checkpoint_whose_last_frame_is_another_is_not_believed() {
    // Of the same size, a longer one, a shorter one with another behind it.
    for turn in [&[(1, 90)][..], &[(1, 93)], &[(1, 10), (1, 200)]] {
        let [mut one, mut other] = [filled(Rig::new), filled(Rig::new)];
        one.produce(&[(1, 90)]).unwrap();
        let checkpoint = one.log.checkpoint_state(vec![]);
        // A batch of another time.
        other.now_ms += 5;
        other.produce(turn).unwrap();
        is_not_believed(other, &checkpoint, &format!("{turn:?}"));
        let (recovery, _) = one.reopen(Some(&checkpoint), true, 1);
        assert_eq!(recovery.checked_bytes, 0);
    }
}

#[test]
fn a_checkpoint_with_a_batch_in_the_place_of_its_padding_is_not_believed() {
    let padded = filled(Rig::padded);
    let checkpoint = padded.log.checkpoint_state(vec![]);
    let (_, crc, padding) = last_frame(&padded);
    assert!(padding >= 61 && checkpoint.written.last_crc == crc);
    // The same log without that padding, and a batch that ends where it did, or behind.
    for longer in [0, 1, 100] {
        let mut other = filled(Rig::padded);
        let file = other.disk.open(&segment(&other), OpenMode::Write).unwrap();
        file.truncate(other.log.size_bytes() - padding as u64).unwrap();
        other.reopen(None, true, 1);
        assert_eq!((truncations(&other), last_frame(&other).1), (None, crc));
        other.produce(&[(1, padding - 61 + longer)]).unwrap();
        is_not_believed(other, &checkpoint, &format!("{longer} bytes longer"));
    }
}

#[test]
fn a_checkpoint_that_names_an_earlier_frame_or_none_is_not_believed() {
    let rig = filled(Rig::new);
    let checkpoint = rig.log.checkpoint_state(vec![]);
    let bytes = ms_log::read_all(&rig.disk, &segment(&rig), 1 << 30).unwrap();
    // The frame before, of which only another frame and no padding lies to the end.
    let (mut at, mut frames) = (0, Vec::new());
    while at < bytes.len() {
        let header = check_frame(&bytes[at..]).unwrap();
        frames.push((at as u32, header.crc()));
        at += header.size();
    }
    let places = [
        frames[frames.len() - 2],
        frames[0],
        (checkpoint.written.position - 24, checkpoint.written.last_crc),
        (checkpoint.written.position - 10, checkpoint.written.last_crc),
        (u32::MAX, checkpoint.written.last_crc),
    ];
    for (last_frame, last_crc) in places {
        let mut named = checkpoint.clone();
        (named.written.last_frame, named.written.last_crc) = (last_frame, last_crc);
        is_not_believed(filled(Rig::new), &named, &format!("{last_frame}"));
    }
}
