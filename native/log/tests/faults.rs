//! A scenario in which each single call of the disk fails once, one run a call, and each piece of a write is a call: the log
//! stays in step with what its callers were told, and a full disk heals.

#![allow(clippy::unwrap_used)]

mod common;

use common::{IDENTITY, Rig, Seen, options};
use ms_log::hard_state::{HardState, HardStateLog, Record};
use ms_log::sim::{Fault, SimDisk};
use ms_log::{Disk, LogError, OpenLog, PartitionLog, checkpoint};
use ms_wire::batch::BatchHeader;
use std::path::Path;
use std::sync::Arc;

/// A caller that does what the partition does: a failed append or roll is answered as an error, anything else makes it open
/// the log again.
struct Caller {
    rig: Rig,
    /// Acknowledged batches, oldest first.
    acked: Vec<Vec<u8>>,
    /// Batches of the last turn, if it failed and could not be taken back: the next process may find the first of them.
    unknown: Vec<Vec<u8>>,
    /// How many were found.
    found: usize,
    /// What fails ends the process.
    dies: bool,
    errors: u32,
}

impl Caller {
    fn new(rig: Rig) -> Caller {
        let (acked, unknown) = (Vec::new(), Vec::new());
        Caller { rig, acked, unknown, found: 0, dies: false, errors: 0 }
    }

    fn produce(&mut self, batches: &[(u32, usize)]) {
        let (last, end) = (self.rig.log.last_index(), self.rig.log.log_end_offset());
        match self.rig.produce(batches) {
            Ok(written) => self.acked.extend(written),
            Err(error) => {
                assert_eq!(self.rig.log.last_index(), last);
                assert_eq!(self.rig.log.log_end_offset(), end);
                if !error.usable {
                    self.unknown = self.rig.turn.clone();
                }
                self.failed(error.usable);
            }
        }
    }

    fn begin_term(&mut self) {
        for _ in 0..3 {
            match self.rig.begin_term() {
                Ok(()) => return,
                Err(error) => self.failed(error.usable),
            }
        }
    }

    fn flush(&mut self) {
        let Some(job) = self.rig.log.flush_job() else { return };
        if self.rig.log.flushed(job.run_while(|| true)).is_err() {
            self.failed(false);
        }
    }

    fn failed(&mut self, is_usable: bool) {
        self.errors += 1;
        if self.dies || !is_usable {
            self.reopen();
        }
    }

    /// The process starts again; what fails meanwhile is tried again.
    fn reopen(&mut self) {
        for _ in 0..3 {
            self.rig.disk.crash_process();
            if self.try_reopen().is_ok() {
                let end = self.rig.log.log_end_offset();
                let is_there =
                    |it: &Vec<u8>| BatchHeader::parse(it).unwrap().last_offset() < end as i64;
                let found: Vec<_> = self.unknown.drain(..).filter(is_there).collect();
                self.found += found.len();
                return self.acked.extend(found);
            }
            self.errors += 1;
        }
        panic!("the log does not open");
    }

    fn try_reopen(&mut self) -> Result<(), LogError> {
        let data = Path::new("/data");
        let found = checkpoint::read(&self.rig.disk, data).map_err(|source| LogError::Io {
            operation: "read",
            path: data.into(),
            source,
        })?;
        let mut seen = Seen::default();
        let how = OpenLog {
            disk: Arc::new(self.rig.disk.clone()),
            descriptors: ms_log::Descriptors::new(1000),
            dir: &self.rig.dir,
            identity: IDENTITY,
            is_own: false,
            options: options(1000),
            checkpoint: found.get(&IDENTITY.group_id),
            same_boot: true,
            hard_state: Some(HardState::default()),
            sync_on_open: true,
            now_ms: 0,
        };
        let (log, recovery) = PartitionLog::open(how, &mut seen)?;
        assert_eq!(recovery.damage, []);
        self.rig.log = log;
        self.rig.term = self.rig.log.latest_epoch().unwrap_or(0);
        Ok(())
    }

    fn scenario(&mut self) {
        self.begin_term();
        for size in 0..6 {
            self.produce(&[(1, 100), (2, size * 90)]);
        }
        self.flush();
        let state = self.rig.log.checkpoint_state(b"state".to_vec()).encode();
        if checkpoint::write(&self.rig.disk, Path::new("/data"), &[&state]).is_err() {
            self.failed(true);
        }
        self.produce(&[(3, 200)]);
        self.reopen();
        self.begin_term();
        self.produce(&[(1, 900)]);
        self.truncate();
        self.begin_term();
        self.produce(&[(1, 20), (1, 30)]);
        if self.rig.log.roll(5, b"rolled".to_vec()).is_err() {
            self.failed(true);
        }
        self.flush();
        self.delete();
        self.produce(&[(4, 10)]);
    }

    /// Takes back the last entry, as a follower does.
    fn truncate(&mut self) {
        let (last, end) = (self.rig.log.last_index(), self.rig.log.log_end_offset());
        if self.rig.log.truncate_from(last).is_err() {
            self.failed(false);
        }
        if self.rig.log.log_end_offset() < end {
            self.acked.pop();
        }
    }

    fn delete(&mut self) {
        let offset = self.rig.log.log_end_offset() / 2;
        self.rig.log.set_log_start(offset);
        if let Some(mut job) = self.rig.log.delete_segments_below()
            && job.run().is_err()
        {
            self.failed(true);
        }
    }

    fn check(&self, text: &str) {
        let start = self.rig.log.log_start_offset();
        let ends_above =
            |batch: &&Vec<u8>| BatchHeader::parse(batch).unwrap().last_offset() as u64 >= start;
        let expected: Vec<_> = self.acked.iter().filter(ends_above).cloned().collect();
        let read = self.rig.consume(start, 300);
        assert!(read == expected, "{} batches of {}: {text}", read.len(), expected.len());
        assert!(!expected.is_empty());
    }
}

const NOT_PADDED: fn(u32) -> Rig = Rig::new;
const PADDED: fn(u32) -> Rig = Rig::padded;

/// A caller in each way that a turn is written, and its name: as a whole, and in pieces of several sizes.
fn callers() -> impl Iterator<Item = (String, impl Fn() -> Caller)> {
    let ways = [(NOT_PADDED, 1 << 19), (PADDED, 1 << 19), (NOT_PADDED, 100), (PADDED, 64)];
    ways.into_iter().enumerate().map(|(number, (rig, piece_bytes))| {
        let make = move || {
            let caller = Caller::new(rig(1000));
            caller.rig.disk.set_piece_bytes(piece_bytes);
            caller
        };
        (format!("way {number}, pieces of {piece_bytes}"), make)
    })
}

fn calls_of_scenario(caller: &impl Fn() -> Caller) -> u64 {
    let mut caller = caller();
    let before = caller.rig.disk.calls();
    caller.scenario();
    let calls = caller.rig.disk.calls() - before;
    caller.check("no fault");
    assert_eq!(caller.errors, 0);
    calls
}

/// The scenario with faults at calls, counted from its first one; and that everything works again afterwards.
fn run_with_faults(mut caller: Caller, faults: &[(u64, Fault)], text: &str) -> Caller {
    let before = caller.rig.disk.calls();
    for &(number, fault) in faults {
        caller.rig.disk.fail_call(before + number, fault);
    }
    caller.scenario();
    assert!(caller.rig.disk.has_failed(), "{text}");
    caller.check(text);
    // Healed: everything works again, and a new process finds the same.
    caller.begin_term();
    caller.produce(&[(2, 40)]);
    caller.flush();
    caller.check(text);
    caller.reopen();
    caller.check(text);
    caller
}

#[test]
fn each_single_call_that_fails_leaves_the_log_in_step() {
    let mut most = 0;
    for (way, caller) in callers() {
        let calls = calls_of_scenario(&caller);
        assert!(calls > 80, "{calls} calls");
        most = most.max(calls);
        for fault in [Fault::NoSpace, Fault::ShortWrite, Fault::Io] {
            for number in 0..calls {
                let text = format!("{fault:?} in call {number}, {way}");
                let caller = run_with_faults(caller(), &[(number, fault)], &text);
                assert_eq!(caller.found, 0, "what was taken back is there: {text}");
            }
        }
    }
    assert!(most > 250, "{most} calls: a piece is none of its own");
}

#[test]
fn a_process_that_dies_in_any_call_or_between_two_leaves_the_first_batches_of_a_turn() {
    let mut found = 0;
    for (way, caller) in callers() {
        for fault in [Fault::Kill, Fault::KillBefore] {
            for number in 0..calls_of_scenario(&caller) {
                let text = format!("{fault:?} in call {number}, {way}");
                let mut caller = caller();
                caller.dies = true;
                found += run_with_faults(caller, &[(number, fault)], &text).found;
            }
        }
    }
    assert!(found > 50, "{found}");
}

#[test]
fn a_turn_that_failed_and_could_not_be_cut_back_leaves_its_first_batches() {
    let mut found = 0;
    for (way, caller) in callers() {
        for fault in [Fault::NoSpace, Fault::ShortWrite, Fault::Io] {
            for number in 0..calls_of_scenario(&caller) - 1 {
                let text = format!("{fault:?} in call {number} and the next, {way}");
                let faults = [(number, fault), (number + 1, Fault::Io)];
                found += run_with_faults(caller(), &faults, &text).found;
            }
        }
    }
    assert!(found > 50, "{found}");
}

#[test]
fn a_full_disk_heals_without_a_gap() {
    let mut caller = Caller::new(Rig::new(1000));
    caller.begin_term();
    for round in 0..20 {
        caller.rig.disk.set_full(round % 2 == 1);
        for _ in 0..5 {
            caller.produce(&[(2, 150)]);
        }
        caller.flush();
    }
    assert_eq!(caller.errors, 50);
    assert_eq!(caller.rig.consume(0, 300), caller.acked);
    assert_eq!(caller.acked.len(), 50);
}

#[test]
fn each_call_of_opening_the_hard_state_log_may_fail() {
    for number in 0.. {
        let disk = SimDisk::new();
        disk.create_dir_all(Path::new("/data")).unwrap();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let (log, _) = HardStateLog::open(shared.clone(), Path::new("/data")).unwrap();
        log.append(1, &Record::HardState(HardState { term: 7, vote: 1, commit: 3 }));
        log.sync(true).unwrap();
        drop(log);
        disk.fail_call(disk.calls() + number, Fault::ShortWrite);
        let first = HardStateLog::open(shared.clone(), Path::new("/data"));
        let done = !disk.has_failed();
        disk.fail_no_call();
        drop(first);
        disk.crash_process();
        let (log, _) = HardStateLog::open(shared, Path::new("/data")).unwrap();
        assert_eq!(log.group(1).unwrap().hard_state.term, 7);
        if done {
            assert!(number > 5);
            return;
        }
    }
}

#[test]
fn a_flush_makes_the_name_of_a_new_segment_durable_even_if_no_index_can_be_written() {
    for seed in 0..30 {
        let mut caller = Caller::new(Rig::new(500));
        caller.begin_term();
        for _ in 0..4 {
            caller.produce(&[(2, 300)]);
        }
        caller.rig.disk.set_full(true);
        caller.flush();
        caller.rig.disk.set_full(false);
        assert_eq!(caller.rig.log.flushed_index(), caller.rig.log.last_index());
        caller.rig.disk.crash(seed);
        let (recovery, _) = caller.rig.reopen(None, false, 1);
        assert_eq!(recovery.set_aside.len(), 0);
        caller.check("after the crash");
    }
}
