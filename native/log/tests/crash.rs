//! Crashes at any call, of the process and of the operating system, in both durability modes, also after calls that failed:
//! nothing acknowledged is lost, reordered or duplicated. The checker is checked too, with planted faults.

#![allow(clippy::unwrap_used)]

mod common;

use common::{FrameToWriteOwned, Random, Rig, Seen, split};
use ms_log::sim::Fault;
use ms_log::{AppendError, DeleteJob, Disk, LogOptions, NextAppend, checkpoint, is_no_space};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

/// What a broken broker would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Plant {
    Nothing,
    AckBeforeWrite,
    AckBeforeSync,
    DropSnapshot,
    CutOneTooMany,
}

/// One frame that was written, or may have been.
#[derive(Clone)]
struct Written {
    index: u64,
    term: u32,
    end_offset: u64,
    /// The batch, empty for control frames.
    batch: Vec<u8>,
}

struct World {
    rig: Rig,
    random: Random,
    has_large_turns: bool,
    /// It dies, or a call fails, within so many.
    life_calls: u64,
    /// fsync mode: acknowledged when flushed.
    fsync: bool,
    system: bool,
    plant: Plant,
    frames: Vec<Written>,
    /// Index up to which everything is acknowledged, and up to which it is durable whatever dies.
    acked: u64,
    durable: u64,
    commit: u64,
    /// Where the log start was moved to, and the last index then.
    moves: Vec<(u64, u64)>,
    /// Log start of the last opening.
    started_at: u64,
    /// Segments that left the log and are still to be unlinked.
    deletion: Option<DeleteJob>,
    /// Calls have failed: an index may not have been written.
    had_faults: bool,
    /// The last write failed: as after every such, a new term begins.
    has_failed: bool,
    /// The log cannot go on without being opened again.
    is_over: bool,
}

type Checked = Result<(), String>;

fn run(seed: u64, plant: Plant) -> Checked {
    World::of_small_turns(seed, plant).run()
}

impl World {
    fn of_small_turns(seed: u64, plant: Plant) -> World {
        let mut random = Random::new(seed);
        let segment_bytes = 500 + random.below(3000) as u32;
        let rig = if random.below(2) == 0 { Rig::new } else { Rig::padded }(segment_bytes);
        // Turns in many pieces, in some, or in one.
        let piece_bytes = [32, 64, 100, 512, 1 << 19, 1 << 19][random.below(6) as usize];
        World::new(rig, random, piece_bytes, 60 * (1 + 256 / piece_bytes), plant)
    }

    /// Default options, and pieces of the sizes that the real disk has.
    fn of_large_turns(seed: u64) -> World {
        let mut random = Random::new(seed);
        let segment_bytes = (2 << 20) + random.below(4 << 20) as u32;
        let rig = Rig::with(LogOptions { segment_bytes, ..LogOptions::default() });
        let (piece_bytes, life_calls) = [(1 << 19, 200), (32 << 10, 600)][seed as usize % 2];
        let world = World::new(rig, random, piece_bytes, life_calls, Plant::Nothing);
        World { has_large_turns: true, ..world }
    }

    fn new(
        mut rig: Rig,
        mut random: Random,
        piece_bytes: u64,
        life_calls: u64,
        plant: Plant,
    ) -> World {
        rig.hostile = random.below(2) == 0;
        rig.disk.set_piece_bytes(piece_bytes);
        let (fsync, system) = (random.below(2) == 0, random.below(3) > 0);
        World {
            rig,
            random,
            has_large_turns: false,
            life_calls,
            fsync,
            system,
            plant,
            frames: Vec::new(),
            acked: 0,
            durable: 0,
            commit: 0,
            moves: Vec::new(),
            started_at: 0,
            deletion: None,
            had_faults: false,
            has_failed: false,
            is_over: false,
        }
    }

    fn run(&mut self) -> Checked {
        for _ in 0..3 {
            self.live();
            self.crash_and_check()?;
        }
        Ok(())
    }

    /// Does this and that until it dies.
    fn live(&mut self) {
        (self.has_failed, self.is_over) = (false, false);
        let dies = self.plan_faults();
        self.begin_term();
        for _ in 0..40 {
            if self.is_over || (dies && self.rig.disk.has_failed()) {
                return;
            }
            self.act();
        }
    }

    /// The call in which it dies, if it does; in some lives one or two fail before.
    fn plan_faults(&mut self) -> bool {
        let disk = self.rig.disk.clone();
        let mut at = disk.calls() + 1 + self.random.below(self.life_calls);
        if self.random.below(3) == 0 {
            self.had_faults = true;
            let faults = [Fault::NoSpace, Fault::ShortWrite, Fault::Io];
            for _ in 0..1 + self.random.below(2) {
                disk.fail_call(at, faults[self.random.below(3) as usize]);
                at += 1;
            }
            at += self.random.below(self.life_calls);
        }
        let dies = self.random.below(8) > 0;
        if dies {
            disk.fail_call(at, [Fault::Kill, Fault::KillBefore][self.random.below(2) as usize]);
        }
        dies
    }

    fn act(&mut self) {
        if self.has_failed {
            return self.begin_term();
        }
        match self.random.below(13) {
            0 => self.begin_term(),
            1 | 2 => self.flush(),
            3 => self.checkpoint(),
            4 => self.move_log_start(),
            5 => self.delete(),
            6 => {
                if let Err(error) = self.rig.log.roll(self.rig.now_ms, self.snapshot()) {
                    self.is_over = !error.is_no_space();
                }
            }
            _ => self.produce(),
        }
    }

    fn begin_term(&mut self) {
        let (index, end_offset) = (self.rig.log.last_index() + 1, self.rig.log.log_end_offset());
        let term = self.rig.term + 1;
        self.frames.push(Written { index, term, end_offset, batch: Vec::new() });
        let done = self.rig.begin_term();
        self.done(index, done);
    }

    /// Records and bytes of the batches of a turn.
    fn turn(&mut self) -> Vec<(u32, usize)> {
        let random = &mut self.random;
        if self.has_large_turns && random.below(6) > 0 {
            // Some bytes are left of a power of two, as by a producer: few enough to be filled, mostly.
            let bytes = (128 << 10) << random.below(2);
            return vec![(1 + random.below(4) as u32, bytes - 61 - random.below(1200) as usize)];
        }
        // Others move them to any place.
        let most = if self.has_large_turns { 30_000 } else { 200 };
        (0..1 + random.below(3))
            .map(|_| (1 + random.below(4) as u32, random.below(most) as usize))
            .collect()
    }

    fn produce(&mut self) {
        let turn = self.turn();
        let frames = self.rig.stamp(&turn);
        let last = &frames[frames.len() - 1];
        let next = NextAppend {
            bytes: frames.iter().map(|frame| frame.entry.size).sum(),
            max_timestamp: self.rig.now_ms,
            last_offset: last.entry.end_offset() - 1,
        };
        let (last_index, snapshot) = (last.entry.index, self.snapshot());
        if self.plant == Plant::AckBeforeWrite {
            self.acked = last_index;
        }
        if let Err(error) = self.rig.log.roll_if_needed(&next, self.rig.now_ms, || snapshot) {
            self.is_over = !error.is_no_space();
            return;
        }
        let written = |frame: &FrameToWriteOwned| Written {
            index: frame.entry.index,
            term: frame.entry.term,
            end_offset: frame.entry.end_offset(),
            batch: frame.bytes.clone(),
        };
        self.frames.extend(frames.iter().map(written));
        let done = self.rig.append(&frames);
        self.done(last_index, done);
    }

    fn done(&mut self, index: u64, done: Result<(), AppendError>) {
        self.has_failed = done.is_err();
        if let Err(error) = done {
            self.is_over = !error.usable || !error.is_no_space();
            return;
        }
        if !self.fsync || self.plant == Plant::AckBeforeSync {
            self.acked = self.acked.max(index);
        }
        if self.random.below(3) == 0 {
            self.commit = self.commit.max(self.acked);
        }
    }

    /// A flush, with writes while it runs.
    fn flush(&mut self) {
        let Some(job) = self.rig.log.flush_job() else { return };
        if self.random.below(2) == 0 {
            self.produce();
        }
        // One that is left off, at the first file or a later one, is none.
        let left = Cell::new(self.random.below(6));
        let may_go_on = || left.replace(left.get().saturating_sub(1)) > 0;
        if self.rig.log.flushed(job.run_while(may_go_on)).is_err() {
            self.is_over = true;
            return;
        }
        self.durable = self.durable.max(self.rig.log.flushed_index());
        self.acked = self.acked.max(self.durable);
    }

    fn checkpoint(&mut self) {
        let state = self.rig.log.checkpoint_state(self.snapshot()).encode();
        let _ = checkpoint::write(&self.rig.disk, Path::new("/data"), &[&state]);
    }

    /// The producer state of this test: the offset before which every batch is in it.
    fn snapshot(&self) -> Vec<u8> {
        self.rig.log.log_end_offset().to_string().into_bytes()
    }

    fn move_log_start(&mut self) {
        // Committed before it takes effect: in fsync mode that means durable.
        let (start, end) = (self.rig.log.log_start_offset(), self.rig.log.log_end_offset());
        let limit = self.offset_after(self.acked).min(end);
        if limit <= start {
            return;
        }
        let offset = start + self.random.below(limit - start);
        if self.rig.log.set_log_start(offset) {
            self.moves.push((offset, self.rig.log.last_index()));
        }
        if self.random.below(2) == 0 {
            self.delete();
        }
    }

    /// Other things may be done between the time when segments leave the log and that when they are unlinked.
    fn delete(&mut self) {
        if let Some(later) = self.rig.log.delete_segments_below() {
            match &mut self.deletion {
                Some(deletion) => deletion.join(later),
                none => *none = Some(later),
            }
        }
        if self.random.below(3) == 0 {
            return;
        }
        match self.deletion.as_mut().map(DeleteJob::run) {
            Some(Err(error)) => self.is_over |= !is_no_space(&error),
            _ => self.deletion = None,
        }
    }

    fn offset_after(&self, index: u64) -> u64 {
        let at = self.frames.iter().rposition(|frame| frame.index <= index);
        at.map_or(0, |at| self.frames[at].end_offset)
    }

    fn crash_and_check(&mut self) -> Checked {
        let log_start = self.rig.log.log_start_offset();
        self.rig.disk.fail_no_call();
        self.deletion = None;
        if self.system {
            self.rig.disk.crash(self.random.below(u64::MAX));
        } else {
            self.rig.disk.crash_process();
        }
        if self.plant == Plant::CutOneTooMany {
            self.cut_last_frame();
        }
        let found = checkpoint::read(&self.rig.disk, Path::new("/data")).unwrap();
        let commit = self.commit;
        let (recovery, seen) = self.rig.reopen(found.get(&77), !self.system, commit);
        // A process that died lost nothing that it was told is written.
        let must = if self.system && !self.fsync { self.durable } else { self.acked };
        ensure(recovery.damage.is_empty(), || format!("damage: {recovery:?}"))?;
        let last = self.rig.log.last_index();
        ensure(last >= must, || format!("{last} is left of {must}: {recovery:?}"))?;
        if recovery.lost_committed > 0 {
            ensure(self.system && !self.fsync, || "lost what was committed".into())?;
        }
        self.settle_frames(must)?;
        self.check_frames()?;
        ensure(self.rig.log.log_start_offset() <= log_start, || "log start moved".into())?;
        self.check_log_start()?;
        self.check_producers(&seen)?;
        // What was not acknowledged may be there or not; what is there now, stays.
        (self.acked, self.commit) = (last, self.commit.min(last));
        self.durable = if self.system { last } else { self.durable.min(last) };
        Ok(())
    }

    /// Keeps what is there. Of several attempts at one index that is the last one; after a crash of the system it may be one
    /// that failed and was cut, if nothing behind was to be there: its cut was not synced.
    fn settle_frames(&mut self, must: u64) -> Checked {
        let (log, mut attempts) = (&self.rig.log, BTreeMap::<u64, Vec<Written>>::new());
        for frame in self.frames.drain(..).filter(|frame| frame.index <= log.last_index()) {
            attempts.entry(frame.index).or_default().push(frame);
        }
        for (index, mut attempts) in attempts {
            let Some(newest) = attempts.pop() else { continue };
            if index < log.first_index() || log.term(index) == Some(newest.term) {
                self.frames.push(newest);
                continue;
            }
            let older = attempts.into_iter().rfind(|it| log.term(index) == Some(it.term));
            ensure(self.system && index > must, || format!("an older attempt at {index}"))?;
            self.frames.push(older.ok_or_else(|| format!("no attempt at {index} is there"))?);
        }
        Ok(())
    }

    fn check_frames(&self) -> Checked {
        let log = &self.rig.log;
        for frame in self.frames.iter().filter(|frame| frame.index >= log.first_index()) {
            let end = log.offset_after(frame.index).map_err(|error| error.to_string())?;
            ensure(end == frame.end_offset, || format!("offset after {}", frame.index))?;
        }
        let start = log.log_start_offset();
        let end = log.log_end_offset();
        let expected: Vec<_> = self
            .frames
            .iter()
            .filter(|frame| !frame.batch.is_empty() && frame.end_offset > start)
            .map(|frame| frame.batch.clone())
            .collect();
        let (mut read, mut offset) = (Vec::new(), start);
        while offset < end {
            let bytes = self.rig.read(offset, 400, end).map_err(|error| error.to_string())?;
            ensure(!bytes.is_empty(), || format!("nothing at {offset}"))?;
            for batch in split(&bytes) {
                let header = ms_wire::batch::BatchHeader::parse(&batch).unwrap();
                offset = header.last_offset() as u64 + 1;
                read.push(batch);
            }
        }
        ensure(read == expected, || {
            format!("{} batches are read, {} expected", read.len(), expected.len())
        })
    }

    /// What was copied before the log start moved is there, or the log start has not moved.
    fn check_log_start(&mut self) -> Checked {
        let (start, last) = (self.rig.log.log_start_offset(), self.rig.log.last_index());
        let copied = self.moves.iter().find(|(offset, _)| *offset >= start);
        if let Some(&(offset, index)) = copied.filter(|_| start > self.started_at) {
            ensure(index <= last, || format!("begins at {start}, for {offset} at {index}"))?;
        }
        self.moves.retain(|(_, index)| *index <= last);
        self.started_at = start;
        Ok(())
    }

    /// Every batch is in the snapshot or replayed, once.
    fn check_producers(&self, seen: &Seen) -> Checked {
        let text = String::from_utf8_lossy(&seen.snapshot);
        let from = if self.plant == Plant::DropSnapshot {
            0
        } else {
            text.parse().unwrap_or(self.oldest_offset())
        };
        let has_all = !text.is_empty() || self.oldest_offset() == 0 || self.had_faults;
        ensure(has_all, || format!("producer state before {from} is lost"))?;
        let mut next = from;
        let replayed: Vec<_> = seen.batches.iter().map(|(base, _)| *base as u64).collect();
        for base in &replayed {
            ensure(*base == next, || format!("{replayed:?} from {from}"))?;
            let frame =
                self.frames.iter().rev().find(|frame| {
                    !frame.batch.is_empty() && frame.batch[..8] == base.to_be_bytes()
                });
            next = frame.map_or(next, |frame| frame.end_offset);
        }
        let end = self.rig.log.log_end_offset();
        ensure(next == end, || format!("replay ends at {next} of {end}, {replayed:?}"))
    }

    fn oldest_offset(&self) -> u64 {
        let first = self.rig.log.first_index();
        self.rig.log.offset_after(first - 1).unwrap()
    }

    /// Sizes of the paddings that are left.
    fn paddings(&self) -> Vec<usize> {
        let names = self.rig.disk.list_dir(&self.rig.dir).unwrap();
        let mut sizes = Vec::new();
        for name in names.iter().map(|entry| &entry.name).filter(|name| name.ends_with(".log")) {
            let path = self.rig.dir.join(name);
            let bytes = ms_log::read_all(&self.rig.disk, &path, 1 << 30).unwrap();
            let mut at = 0;
            while let Ok(header) = ms_wire::frame::check_frame(&bytes[at..]) {
                sizes.extend(header.is_padding().then(|| header.size()));
                at += header.size();
            }
        }
        sizes
    }

    fn cut_last_frame(&self) {
        let names = self.rig.disk.list_dir(&self.rig.dir).unwrap();
        let logs = names.iter().filter(|entry| entry.name.ends_with(".log"));
        let Some(newest) = logs.map(|entry| entry.name.clone()).max() else { return };
        let path = self.rig.dir.join(newest);
        let bytes = ms_log::read_all(&self.rig.disk, &path, 1 << 30).unwrap();
        let (mut at, mut last) = (0, 0);
        while let Ok(header) = ms_wire::frame::check_frame(&bytes[at..]) {
            (last, at) = (at, at + header.size());
        }
        if last > 0 {
            let file = self.rig.disk.open(&path, ms_log::OpenMode::Write).unwrap();
            file.truncate(last as u64).unwrap();
        }
    }
}

fn ensure(holds: bool, text: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(text()) }
}

/// CRASH_SEEDS=100000 for a long run.
fn seeds() -> u64 {
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|text| text.parse().ok());
    seeds.unwrap_or(2000)
}

#[test]
fn two_thousand_crashes_lose_nothing_acknowledged() {
    for seed in 0..seeds() {
        if let Err(text) = run(seed, Plant::Nothing) {
            panic!("seed {seed}: {text}");
        }
    }
}

/// Padding as it is by default.
#[test]
fn crashes_of_large_turns_lose_nothing_acknowledged() {
    let (mut short, mut long) = (0, 0);
    for seed in 0..seeds().div_ceil(100) {
        let mut world = World::of_large_turns(seed);
        if let Err(text) = world.run() {
            panic!("seed {seed}: {text}");
        }
        for padding in world.paddings() {
            // What fills a turn, and what moves the next one.
            let count = if padding <= 2 << 10 { &mut short } else { &mut long };
            *count += 1;
        }
    }
    // Of 20 worlds or more.
    assert!(seeds() < 2000 || short > 100 && long > 4, "{short} and {long} paddings");
}

#[test]
fn planted_faults_are_reported() {
    let plants =
        [Plant::AckBeforeWrite, Plant::AckBeforeSync, Plant::DropSnapshot, Plant::CutOneTooMany];
    for plant in plants {
        let caught = (0..200).filter(|&seed| run(seed, plant).is_err()).count();
        assert!(caught > 10, "{plant:?} was caught in {caught} of 200 seeds");
    }
}
