use super::*;
use crate::sim::{Fault, SimDisk};

fn open(disk: &SimDisk) -> (HardStateLog, LastStop) {
    disk.create_dir_all(Path::new("/d")).unwrap();
    HardStateLog::open(Arc::new(disk.clone()), Path::new("/d")).unwrap()
}

fn vote(term: u64) -> Record {
    Record::HardState(HardState { term, vote: 1, commit: term * 2 })
}

#[test]
fn remembers_states_stops_and_boots() {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new("/d")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let (log, last) = open(&disk);
    assert!(last.clean && last.same_boot);
    log.append(7, &Record::Created { topic_id: [1; 16] });
    log.append(7, &Record::Opened);
    let sequence = log.append(7, &vote(3));
    assert!(log.synced() < sequence);
    assert_eq!(log.sync(true).unwrap(), sequence);
    assert_eq!(log.synced(), sequence);
    disk.crash_process();

    let (log, last) = open(&disk);
    assert!(!last.clean && last.same_boot && last.lost_nothing());
    assert_eq!(log.incarnation(), 2);
    let state = log.group(7).unwrap();
    assert_eq!(state.hard_state, HardState { term: 3, vote: 1, commit: 6 });
    assert!(state.opened);
    log.stop().unwrap();
    disk.crash(1);

    let (log, last) = open(&disk);
    assert!(last.clean && !last.same_boot && last.lost_nothing());
    assert!(!log.group(7).unwrap().opened);
    disk.crash(2);
    assert!(!open(&disk).1.lost_nothing());
}

#[test]
fn what_was_synced_survives_every_crash_of_the_system() {
    // CRASH_SEEDS=100000 for a long run.
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(2000) {
        let disk = SimDisk::new();
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let (mut synced, mut last_incarnation) = (0, 0);
        // Several lives, so that a bad record which was not cut would hide later ones.
        for life in 0..4 {
            let (log, last) = open(&disk);
            assert!(!last.is_damaged, "seed {seed}: only what was not synced is lost");
            assert!(log.incarnation() > last_incarnation, "seed {seed}");
            last_incarnation = log.incarnation();
            if synced > 0 {
                let state = log.group(1).unwrap();
                assert!(state.hard_state.term >= synced, "seed {seed} life {life}");
            }
            for step in 0..6 {
                let term = life * 100 + step + 1;
                log.append(1, &vote(term));
                if (seed + step) % 3 == 0 {
                    log.sync(true).unwrap();
                    synced = term;
                } else {
                    log.sync(false).unwrap();
                }
            }
            disk.crash(seed * 31 + life);
        }
    }
}

#[test]
fn a_full_disk_heals_and_a_failed_sync_does_not() {
    let disk = SimDisk::new();
    let (log, _) = open(&disk);
    let sequence = log.append(1, &vote(1));
    disk.fail_call(disk.calls(), Fault::ShortWrite);
    assert!(is_no_space(&log.sync(true).unwrap_err()));
    assert_eq!(log.sync(true).unwrap(), sequence);
    log.append(1, &vote(2));
    disk.fail_call(disk.calls() + 1, Fault::Io);
    log.sync(true).unwrap_err();
    log.sync(true).unwrap_err();
    drop(log);
    assert!(open(&disk).0.group(1).unwrap().hard_state.term >= 1);
}

#[test]
fn a_bad_record_is_cut_and_set_aside() {
    let disk = SimDisk::new();
    let (log, _) = open(&disk);
    log.append(1, &vote(1));
    log.append(1, &vote(2));
    log.sync(true).unwrap();
    let path = Path::new("/d").join(NAME);
    let len = crate::read_all(&disk, &path, 1 << 20).unwrap().len() as u64;
    disk.corrupt(&path, len - 1, |bytes| bytes[0] ^= 1);
    drop(log);
    let (log, last) = open(&disk);
    assert!(last.cut_bytes > 0 && !last.is_damaged, "it may be the end of a write");
    assert_eq!(log.group(1).unwrap().hard_state.term, 1);
    assert!(disk.exists(&last.cut_copy).unwrap());
}

/// A record of the hard-state log is damaged, and the next start is made.
fn damaged(disk: &SimDisk, position: u64, loses_power: bool) -> (HardStateLog, LastStop) {
    disk.corrupt(&Path::new("/d").join(NAME), position, |bytes| bytes[20] ^= 1);
    match loses_power {
        true => disk.crash(1),
        false => disk.crash_process(),
    }
    open(disk)
}

#[test]
fn good_records_behind_a_bad_one_are_damage_where_nothing_else_leaves_them() {
    for loses_power in [false, true] {
        // Of a start, a vote, another start and many votes, which may reach the disk in any order.
        for (bad, is_damaged) in [(0, true), (1, true), (3, !loses_power)] {
            let disk = SimDisk::new();
            disk.create_dir_all(Path::new("/d")).unwrap();
            disk.sync_dir(Path::new("/")).unwrap();
            let (log, _) = open(&disk);
            log.append(1, &vote(1));
            log.sync(true).unwrap();
            let (log, _) = open(&disk);
            (2..9).for_each(|term| _ = log.append(1, &vote(term)));
            log.sync(true).unwrap();
            let (log, last) = damaged(&disk, bad * 41, loses_power);
            assert_eq!((last.is_damaged, last.clean), (is_damaged, false), "{bad} {loses_power}");
            assert_eq!(last.lost_nothing(), !loses_power && bad > 0);
            assert_eq!(log.group(1).map(|it| it.hard_state.term), (bad > 1).then_some(1));
            disk.crash_process();
            let (_, last) = open(&disk);
            assert_eq!((last.cut_bytes, last.is_damaged), (0, false), "said once");
        }
    }
}

#[test]
fn damage_behind_a_clean_stop_does_not_make_one() {
    let disk = SimDisk::new();
    with_groups(&disk).stop().unwrap();
    let path = Path::new("/d").join(NAME);
    let stopped = crate::read_all(&disk, &path, 1 << 20).unwrap().len() as u64;
    let (log, _) = open(&disk);
    log.append(1, &Record::Opened);
    log.sync(true).unwrap();
    // The start behind the stop, and with it that anything was opened since.
    let (_, last) = damaged(&disk, stopped, true);
    assert!(last.is_damaged && !last.lost_nothing());
    // This start ends before it has opened anything.
    disk.crash_process();
    assert_eq!(unchecked(&open(&disk).0), [1, 2, 3, 4]);
}

#[test]
fn compaction_keeps_the_last_states_and_forgets_removed_groups() {
    let disk = SimDisk::new();
    let (log, _) = open(&disk);
    for group in 1..4 {
        log.append(group, &Record::Created { topic_id: [group as u8; 16] });
        log.append(group, &vote(group));
    }
    log.append(2, &Record::Removed);
    log.sync(true).unwrap();
    log.append(3, &vote(9));
    log.compact(&mut log.writer.lock()).unwrap();
    log.append(1, &Record::Quarantined);
    log.sync(true).unwrap();
    let mut before = log.groups();
    drop(log);
    let mut after = open(&disk).0.groups();
    before.sort_by_key(|(group, _)| *group);
    after.sort_by_key(|(group, _)| *group);
    assert_eq!(before, after);
    assert_eq!(after.len(), 2);
    assert_eq!(after[1].1.hard_state.term, 9);
}

/// Groups of which nothing that was not synced need be there.
fn unchecked(log: &HardStateLog) -> Vec<u64> {
    let mut groups: Vec<_> = log.groups().into_iter().filter(|(_, it)| it.unchecked).collect();
    groups.sort_by_key(|(group, _)| *group);
    groups.into_iter().map(|(group, _)| group).collect()
}

fn with_groups(disk: &SimDisk) -> HardStateLog {
    disk.create_dir_all(Path::new("/d")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let (log, _) = open(disk);
    for group in 1..5 {
        log.append(group, &Record::Created { topic_id: [group as u8; 16] });
        log.append(group, &Record::Opened);
    }
    log.sync(true).unwrap();
    log
}

#[test]
fn a_group_is_unchecked_from_a_loss_of_power_until_it_is_opened() {
    let disk = SimDisk::new();
    with_groups(&disk);
    disk.crash_process();
    assert_eq!(unchecked(&open(&disk).0), [], "the system did not die");
    disk.crash(1);
    // Each of these starts opens one of them, and ends.
    for group in 1..4 {
        let (log, last) = open(&disk);
        assert_eq!(last.same_boot, group > 1);
        assert_eq!(unchecked(&log), Vec::from_iter(group..5));
        log.append(group, &Record::Opened);
        log.sync(true).unwrap();
        assert_eq!(unchecked(&log), Vec::from_iter(group + 1..5));
        disk.crash_process();
    }
    // Neither a clean stop says anything of who was not opened, nor a loss of power behind it of the others.
    open(&disk).0.stop().unwrap();
    for kill in [SimDisk::crash_process, |disk: &SimDisk| disk.crash(2)] {
        kill(&disk);
        let (log, last) = open(&disk);
        assert!(last.clean);
        assert_eq!(unchecked(&log), [4]);
        log.stop().unwrap();
    }
}

#[test]
fn compaction_keeps_who_is_unchecked() {
    for is_stopped in [false, true] {
        let disk = SimDisk::new();
        with_groups(&disk);
        disk.crash(1);
        let (log, _) = open(&disk);
        log.append(2, &Record::Opened);
        log.append(3, &Record::Removed);
        log.writer.lock().position = COMPACT_BYTES + 1;
        match is_stopped {
            true => log.stop().unwrap(),
            false => _ = log.sync(true).unwrap(),
        }
        assert!(log.writer.lock().position < COMPACT_BYTES, "it was compacted");
        disk.crash_process();
        let (log, last) = open(&disk);
        assert_eq!((log.incarnation(), last.clean, last.same_boot), (3, is_stopped, true));
        assert_eq!(unchecked(&log), [1, 4]);
        assert_eq!((log.group(2).unwrap().opened, log.group(3)), (!is_stopped, None));
        assert_eq!(log.group(1).unwrap().created, Some([1; 16]));
        assert_eq!(log.group(1).unwrap().opened, !is_stopped);
    }
}

#[test]
fn what_lies_behind_a_bad_record_does_not_come_back() {
    let disk = SimDisk::new();
    let (log, _) = open(&disk);
    let path = Path::new("/d").join(NAME);
    log.append(1, &vote(1));
    log.sync(true).unwrap();
    let good = crate::read_all(&disk, &path, 1 << 20).unwrap().len() as u64;
    // As long as the record of the next start, which takes the place of the bad one: the last vote would be found behind it.
    log.append(1, &vote(2));
    log.append(1, &vote(9));
    log.sync(true).unwrap();
    disk.corrupt(&path, good + 20, |bytes| bytes[0] ^= 1);
    for _ in 0..2 {
        disk.crash_process();
        assert_eq!(open(&disk).0.group(1).unwrap().hard_state.term, 1);
    }
}

#[test]
fn a_stop_that_compacts_is_a_clean_one() {
    let disk = SimDisk::new();
    open(&disk).0.stop().unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let (log, _) = open(&disk);
    log.append(1, &vote(3));
    log.append(1, &Record::Opened);
    log.sync(true).unwrap();
    log.writer.lock().position = COMPACT_BYTES + 1;
    log.stop().unwrap();
    assert!(log.writer.lock().position < COMPACT_BYTES, "it was compacted");
    disk.crash(1);
    let (log, last) = open(&disk);
    assert!(last.clean && !last.same_boot);
    assert_eq!(log.group(1).unwrap().hard_state.term, 3);
    assert!(!log.group(1).unwrap().opened);

    // What comes behind the mark takes it away.
    log.append_line(&Line::Stop);
    log.append(1, &vote(4));
    log.writer.lock().position = COMPACT_BYTES + 1;
    log.sync(true).unwrap();
    disk.crash(2);
    let (log, last) = open(&disk);
    assert!(!last.clean);
    assert_eq!(log.group(1).unwrap().hard_state.term, 4);
}

#[test]
fn a_full_disk_during_compaction_heals() {
    // Each call of the compaction in turn.
    for call in 0..8 {
        let disk = SimDisk::new();
        open(&disk).0.stop().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let (log, _) = open(&disk);
        log.append(1, &vote(1));
        log.sync(true).unwrap();
        log.append(1, &vote(2));
        log.writer.lock().position = COMPACT_BYTES + 1;
        disk.fail_call(disk.calls() + call, Fault::NoSpace);
        if let Err(error) = log.sync(true) {
            assert!(is_no_space(&error), "call {call}");
        }
        let sequence = log.append(1, &vote(3));
        assert_eq!(log.sync(true).unwrap(), sequence, "call {call}");
        drop(log);
        disk.crash(call);
        assert_eq!(open(&disk).0.group(1).unwrap().hard_state.term, 3, "call {call}");
    }
}

#[test]
fn a_failed_sync_of_its_own_costs_nothing_that_the_next_process_has_read() {
    for seed in 0..60 {
        let disk = SimDisk::new();
        let log = with_groups(&disk);
        log.append(1, &vote(5));
        log.sync(false).unwrap();
        disk.lose_on_sync(&Path::new("/d").join(NAME));
        if seed % 2 == 0 {
            log.sync(true).unwrap_err();
        } else {
            // That of a start.
            HardStateLog::open(Arc::new(disk.clone()), Path::new("/d")).err().unwrap();
        }
        disk.crash_process();
        let (log, last) = open(&disk);
        assert_eq!((last.cut_bytes, last.lost_nothing()), (0, false));
        assert_eq!(log.group(1).unwrap().hard_state.term, 5);
        log.append(2, &vote(6));
        log.sync(true).unwrap();
        disk.crash(seed);
        let (log, last) = open(&disk);
        assert_eq!(last.cut_bytes, 0, "seed {seed}");
        let term = |group| log.group(group).unwrap().hard_state.term;
        assert_eq!((term(1), term(2)), (5, 6));
    }
}

#[test]
fn what_could_not_be_made_durable_is_noted_for_the_next_start() {
    let disk = SimDisk::new();
    let log = with_groups(&disk);
    log.note_failure();
    log.stop().unwrap();
    disk.crash_process();
    let (log, last) = open(&disk);
    assert!(!last.clean && !last.same_boot);
    assert_eq!(unchecked(&log), [1, 2, 3, 4]);
    log.append(1, &Record::Opened);
    log.sync(true).unwrap();
    disk.crash_process();
    let (log, last) = open(&disk);
    assert!(!last.clean && last.same_boot);
    assert_eq!(unchecked(&log), [2, 3, 4]);
}

#[test]
fn the_note_of_a_failure_stays_until_the_log_was_written_anew() {
    let mut started = 0;
    for call in 0..30 {
        for fault in [Fault::NoSpace, Fault::Io, Fault::Kill] {
            let disk = SimDisk::new();
            with_groups(&disk).note_failure();
            disk.crash_process();
            disk.fail_call(disk.calls() + call, fault);
            let opened = HardStateLog::open(Arc::new(disk.clone()), Path::new("/d"));
            let has_failed = disk.has_failed() && fault == Fault::NoSpace;
            disk.fail_no_call();
            let mut term = 0;
            if let Ok((log, _)) = opened {
                started += u32::from(has_failed);
                log.append(1, &vote(7));
                term = log.sync(true).map_or(0, |_| 7);
            }
            disk.crash(call);
            let (log, _) = open(&disk);
            assert_eq!(unchecked(&log), [1, 2, 3, 4], "{fault:?} in call {call}");
            assert!(log.group(1).unwrap().hard_state.term >= term, "{fault:?} in call {call}");
        }
    }
    assert!(started > 2, "the space that is kept is enough for a start");
}
