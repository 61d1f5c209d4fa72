//! What the fuzz target of recovery asks: whatever the files of a log hold, opening it neither panics nor hangs, and what
//! opens can be read as batches in the order of their offsets, goes on, and opens again. The test `fuzz_corpus` of the log
//! crate runs the same function over the committed corpus.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use ms_log::checkpoint::{self, PartitionCheckpoint};
use ms_log::hard_state::{ConfState, GroupState, HardState, HardStateLog, Record};
use ms_log::sim::SimDisk;
use ms_log::{
    BatchVisitor, Damage, Disk, Entry, EntryKind, FrameToWrite, LogError, LogIdentity, LogOptions,
    OpenLog, OpenMode, PaddingOptions, PartitionLog, ReadError, ReadPlan, ReadRequest, Recovery,
    read_exact_at,
};
use ms_wire::batch::{self, BatchHeader};
use ms_wire::crc::crc32c;
use ms_wire::frame::{self, ControlKind, ControlPosition};

const IDENTITY: LogIdentity = LogIdentity { topic_id: [7; 16], group_id: 77 };
const DATA: &str = "/data";
const DIR: &str = "/data/t-0";
/// A log that reaches so far was not written by anybody.
const FAR: u64 = 1 << 62;

struct Quiet;

impl BatchVisitor for Quiet {
    fn snapshot(&mut self, _producers: &[u8]) {}
    fn batch(&mut self, _header: &BatchHeader) {}
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
    fn fresh(&self) -> Box<dyn BatchVisitor> {
        Box::new(Quiet)
    }
}

/// A byte of choices, a commit index, and files: kind, base offset, length (two bytes), contents.
pub fn recovery(data: &[u8]) {
    let [choice, commit, files @ ..] = data else { return };
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new(DATA)).expect("memory");
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    // For the folder's metadata.
    let dir = Path::new(DIR);
    let made =
        PartitionLog::create(shared, ms_log::Descriptors::new(1000), dir, IDENTITY, options(), 1)
            .expect("memory");
    drop(made);
    disk.remove_file(&log_path(0)).expect("memory");
    let (has_index, has_marks) = put_files(&disk, files, choice & 1 != 0);
    let found = checkpoint::read(&disk, Path::new(DATA)).expect("memory").remove(&77);
    let checkpoint = found.as_ref().filter(|_| choice & 2 != 0);
    let same_boot = choice & 4 != 0;
    // No disk makes an index, a checkpoint or a mark that lies with the right CRC: of those it is asked only that nothing
    // panics.
    let may_lie = has_marks || choice & 1 != 0 && (has_index || checkpoint.is_some());
    let (mut log, first) = match open(&disk, checkpoint, same_boot, 1, u64::from(*commit)) {
        Ok(opened) => opened,
        Err(LogError::Format { .. } | LogError::WrongIdentity { .. }) => return,
        Err(LogError::Io { source, .. }) => {
            let is_ours = source.kind() == std::io::ErrorKind::InvalidData;
            assert!(is_ours, "the disk is in order: {source}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    if may_lie {
        let (from, to) = (log.log_start_offset(), log.log_end_offset());
        (from..to).take(50).for_each(|offset| _ = read(&log, offset));
        return;
    }
    read_all(&log, &first);
    if log.log_end_offset() > FAR || log.last_index() > FAR {
        return;
    }
    let Some(term) = log.latest_epoch().unwrap_or(0).checked_add(1) else { return };
    let offset = log.log_end_offset();
    let written = go_on(&mut log, term);
    assert_eq!(read(&log, offset).expect("it was just written"), written);
    let end = log.log_end_offset();
    drop(log);
    disk.crash_process();
    let (log, second) = open(&disk, checkpoint, same_boot, u64::from(term), 0)
        .expect("what was opened opens again");
    assert_eq!((second.cut_bytes, second.set_aside), (0, vec![]), "nothing is lost by opening");
    // Without the checkpoint, which a cut made void, more is looked at: there may be more damage than was known.
    let place = |damage: &Damage| (damage.segment, damage.position);
    let is_new = |damage: &&Damage| !first.damage.iter().any(|it| place(it) == place(damage));
    let found = second.damage.iter().find(is_new);
    match read(&log, offset) {
        Ok(bytes) => assert_eq!(bytes, written),
        Err(_) => assert!(found.is_some_and(|it| (it.from_offset..it.to_offset).contains(&offset))),
    }
    assert!(log.log_end_offset() >= end, "no offset is used twice");
    assert!(log.log_end_offset() == end || found.is_some(), "nothing is lost by opening");
}

/// A byte of choices, and what the hard-state log holds: what is good of it stays, and what is written then is behind it.
pub fn hard_state(data: &[u8]) {
    let [choice, contents @ ..] = data else { return };
    let mut contents = contents.to_vec();
    if choice & 1 != 0 {
        fix_records(&mut contents);
    }
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new(DATA)).expect("memory");
    let file = disk.open(&Path::new(DATA).join("hard-state.log"), OpenMode::Create);
    let written = file.expect("memory").write_vectored_at(&[IoSlice::new(&contents)], 0);
    written.expect("memory");
    let open = || HardStateLog::open(Arc::new(disk.clone()), Path::new(DATA));
    let (log, last) = match open() {
        Ok(opened) => opened,
        Err(error) => return assert_eq!(error.kind(), std::io::ErrorKind::InvalidData),
    };
    assert!(last.cut_bytes <= contents.len() as u64);
    let (incarnation, mut groups) = (log.incarnation(), groups_of(&log));
    let state = HardState { term: 9, vote: 1, commit: 5 };
    log.append(77, &Record::HardState(state));
    log.sync(true).expect("memory");
    groups.entry(77).or_default().hard_state = state;
    drop(log);
    disk.crash_process();

    let Ok((log, last)) = open() else { return assert_eq!(incarnation, u64::MAX) };
    assert_eq!((last.cut_bytes, last.clean, last.same_boot), (0, false, true));
    assert_eq!((log.incarnation(), groups_of(&log)), (incarnation + 1, groups));
    log.stop().expect("memory");
    drop(log);
    assert!(open().is_ok_and(|(_, last)| last.clean) || incarnation >= u64::MAX - 1);
}

fn groups_of(log: &HardStateLog) -> BTreeMap<u64, GroupState> {
    log.groups().into_iter().collect()
}

/// Gives every record the CRC of its bytes.
fn fix_records(mut rest: &mut [u8]) {
    while rest.len() >= 17 {
        let len = u32::from_be_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
        if len > rest.len() - 17 {
            return;
        }
        let (record, next) = std::mem::take(&mut rest).split_at_mut(17 + len);
        let crc = crc32c(&record[4..]);
        record[..4].copy_from_slice(&crc.to_be_bytes());
        rest = next;
    }
}

/// Hard-state logs as they are written, in the layout of an input.
pub fn hard_state_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new(DATA)).expect("memory");
    let life = |records: &[(u64, Record)], is_clean: bool| {
        let (log, _) = HardStateLog::open(Arc::new(disk.clone()), Path::new(DATA)).expect("memory");
        records.iter().for_each(|(group, record)| _ = log.append(*group, record));
        log.sync(true).expect("memory");
        if is_clean {
            log.stop().expect("memory");
        }
        ms_log::read_all(&disk, &Path::new(DATA).join("hard-state.log"), 1 << 16).expect("memory")
    };
    let conf = ConfState {
        index: 9,
        voters: vec![1, 2],
        learners: vec![4],
        voters_outgoing: vec![3],
        learners_next: vec![5, 6],
        auto_leave: true,
    };
    let state = |term| Record::HardState(HardState { term, vote: 1, commit: 7 * term });
    let created = |group: u8| (u64::from(group), Record::Created { topic_id: [group; 16] });
    let one = life(&[created(1), (1, Record::Opened), (1, state(1)), (1, state(2))], false);
    let records = [created(2), (2, Record::ConfState(conf)), (2, state(3)), (1, Record::Removed)];
    let clean = life(&records, true);
    let more = [(2, Record::Quarantined), (2, Record::Released), (2, Record::Opened)];
    let three = life(&more, false);
    let input = |choice: u8, contents: &[u8]| [&[choice], contents].concat();
    vec![
        ("one-life", input(1, &one)),
        ("clean-stop", input(1, &clean)),
        ("three-lives", input(1, &three)),
        ("as-written", input(0, &three)),
        ("cut", input(1, &three[..three.len() - 5])),
        ("empty", input(1, &[])),
    ]
}

fn options() -> LogOptions {
    let padding = PaddingOptions { turn_bytes: 1, share: 1, most: 128, least: 64 };
    LogOptions {
        segment_bytes: 1 << 20,
        index_interval_bytes: 64,
        padding,
        ..LogOptions::default()
    }
}

fn log_path(base: u8) -> std::path::PathBuf {
    Path::new(DIR).join(format!("{base:020}.log"))
}

fn open(
    disk: &SimDisk,
    checkpoint: Option<&PartitionCheckpoint>,
    same_boot: bool,
    term: u64,
    commit: u64,
) -> Result<(PartitionLog, Recovery), LogError> {
    let how = OpenLog {
        disk: Arc::new(disk.clone()),
        descriptors: ms_log::Descriptors::new(1000),
        dir: Path::new(DIR),
        identity: IDENTITY,
        is_own: false,
        options: options(),
        checkpoint,
        same_boot,
        hard_state: Some(HardState { term, vote: 1, commit }),
        sync_on_open: true,
        now_ms: 1,
    };
    PartitionLog::open(how, &mut Quiet)
}

/// Says whether an index is among them, and the mark of truncations.
fn put_files(disk: &SimDisk, mut rest: &[u8], fix: bool) -> (bool, bool) {
    let (mut has_index, mut has_marks) = (false, false);
    let mut records: Vec<Vec<u8>> = Vec::new();
    while let [kind, base, high, low, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (contents, next) = tail.split_at(len);
        rest = next;
        let mut contents = contents.to_vec();
        let log = log_path(*base);
        has_index |= kind % 6 == 1;
        // Eight bytes are a count alone, which claims nothing.
        has_marks |= kind % 6 == 4 && len != 8;
        let path = match kind % 6 {
            0 => {
                if fix {
                    fix_frames(&mut contents);
                }
                log
            }
            1 => {
                if fix {
                    fix_index(&mut contents);
                }
                log.with_extension("index")
            }
            2 => log.with_extension("timeindex"),
            3 => Path::new(DIR).join("log-start"),
            4 => Path::new(DIR).join("truncations"),
            _ => {
                records.push(contents);
                continue;
            }
        };
        if kind % 6 == 3 || kind % 6 == 4 {
            contents = [&crc32c(&contents).to_be_bytes(), &contents[..]].concat();
        }
        let file = disk.open(&path, OpenMode::Create).expect("memory");
        file.truncate(0).expect("memory");
        file.write_vectored_at(&[IoSlice::new(&contents)], 0).expect("memory");
    }
    let whole: Vec<&[u8]> = records.iter().map(|record| record.get(4..).unwrap_or(&[])).collect();
    checkpoint::write(disk, Path::new(DATA), &whole).expect("memory");
    if !fix {
        // With the CRC of the input, which stands behind the file's head and the record's length.
        let file = disk.open(&Path::new(DATA).join("checkpoint"), OpenMode::Write);
        let mut at = 16;
        for record in records.iter().filter(|record| record.len() >= 4) {
            let file = file.as_ref().expect("memory");
            file.write_vectored_at(&[IoSlice::new(&record[..4])], at).expect("memory");
            at += 4 + record.len() as u64;
        }
    }
    (has_index, has_marks)
}

/// Gives every frame the CRC of its bytes, else nearly no change would get beyond it.
fn fix_frames(mut rest: &mut [u8]) {
    while rest.len() > 21 {
        let length = i32::from_be_bytes([rest[8], rest[9], rest[10], rest[11]]);
        let size = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(12);
        if !(21..=rest.len()).contains(&size) {
            return;
        }
        let (frame, next) = std::mem::take(&mut rest).split_at_mut(size);
        let crc = crc32c(&frame[21..]);
        frame[17..21].copy_from_slice(&crc.to_be_bytes());
        rest = next;
    }
}

/// The same for the tail of an index.
fn fix_index(bytes: &mut [u8]) {
    let Some(at) = bytes.len().checked_sub(12) else { return };
    let (before, footer) = bytes.split_at_mut(at);
    let tail = u32::from_be_bytes([footer[0], footer[1], footer[2], footer[3]]) as usize;
    let Some(lines) = before.len().checked_sub(tail) else { return };
    let (lines, tail) = before.split_at_mut(lines);
    if tail.len() >= 84 {
        tail[80..84].copy_from_slice(&crc32c(lines).to_be_bytes());
    }
    footer[4..8].copy_from_slice(&crc32c(tail).to_be_bytes());
}

fn read(log: &PartitionLog, from_offset: u64) -> Result<Vec<u8>, ReadError> {
    let up_to = log.log_end_offset();
    let request = ReadRequest { from_offset, max_bytes: 300, up_to, min_one: true };
    let mut plan = log.read_plan(&request)?;
    if let ReadPlan::Locate(job) = &plan {
        plan = match job.run() {
            Ok(plan) => plan,
            Err(error) => {
                use std::io::ErrorKind::{InvalidData, UnexpectedEof};
                assert!(matches!(error.kind(), InvalidData | UnexpectedEof), "{error}");
                return Err(ReadError::Damaged { segment: 0, from_offset });
            }
        };
    }
    let mut bytes = Vec::new();
    for range in plan.ranges() {
        let at = bytes.len();
        bytes.resize(at + range.len as usize, 0);
        if read_exact_at(range.file.as_ref(), &mut bytes[at..], range.position).is_err() {
            return Err(ReadError::Damaged { segment: 0, from_offset });
        }
    }
    Ok(bytes)
}

/// Everything between start and end is a batch of whole records or a storage error.
fn read_all(log: &PartitionLog, recovery: &Recovery) {
    let (mut offset, end) = (log.log_start_offset(), log.log_end_offset());
    assert!(offset <= end);
    let mut is_first = true;
    // More steps than the largest input has frames.
    for _ in 0..10_000 {
        if offset >= end {
            return;
        }
        match read(log, offset) {
            Ok(bytes) => {
                assert!(!bytes.is_empty(), "nothing at {offset} of {end}");
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let header = BatchHeader::parse(rest).expect("a batch of magic 2");
                    let base = header.base_offset as u64;
                    assert!(base == offset || is_first && base < offset, "{base} for {offset}");
                    batch::check_crc(&rest[..header.size()]).expect("as it was sent");
                    rest = &rest[header.size()..];
                    offset = header.last_offset() as u64 + 1;
                    is_first = false;
                }
            }
            Err(ReadError::Damaged { .. }) => {
                let known = recovery.damage.iter().map(|damage| damage.to_offset);
                let bases = (0..=255).filter(|base| *base > offset);
                let Some(next) = known.chain(bases).filter(|to| *to > offset).min() else { return };
                offset = next;
                is_first = true;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// A new term and a batch in it.
fn go_on(log: &mut PartitionLog, term: u32) -> Vec<u8> {
    let (offset, index) = (log.log_end_offset(), log.last_index() + 1);
    let mut no_op = Vec::new();
    let prev_term = log.latest_epoch().unwrap_or(0);
    let position = ControlPosition { next_offset: offset as i64, index, prev_term, term };
    frame::put_control_frame(&mut no_op, ControlKind::NoOp, position, &[]);
    let header = BatchHeader {
        base_offset: 0,
        batch_length: (batch::HEADER_BYTES - batch::LENGTH_OVERHEAD) as i32,
        partition_leader_epoch: 0,
        crc: 0,
        attributes: 0,
        last_offset_delta: 2,
        base_timestamp: 5,
        max_timestamp: 5,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        record_count: 3,
    };
    let mut records = header.encode().to_vec();
    batch::write_crc(&mut records);
    batch::stamp(&mut records, offset as i64, term as i32);
    let frames = [(&no_op, EntryKind::NoOp, 0), (&records, EntryKind::Data, 3)];
    let frames: Vec<_> = frames
        .iter()
        .zip(index..)
        .map(|((bytes, kind, count), index)| FrameToWrite {
            entry: Entry {
                index,
                term,
                kind: *kind,
                base_offset: offset,
                count: *count,
                size: bytes.len() as u32,
                crc: u32::from_be_bytes([bytes[17], bytes[18], bytes[19], bytes[20]]),
            },
            max_timestamp: 5,
            bytes,
        })
        .collect();
    log.append(&frames).expect("memory");
    records
}

/// Logs as they are written, in the layout of an input.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let (files, record) = written();
    let with = |choice: u8, chosen: &dyn Fn(&str) -> bool, checkpoint: bool, cut: usize| {
        let mut input = vec![choice, 200];
        for (name, contents) in files.iter().filter(|(name, _)| chosen(name)) {
            let base: u8 = name.split('.').next().and_then(|base| base.parse().ok()).unwrap_or(0);
            let kind = match name.rsplit('.').next() {
                Some("log") => 0,
                Some("index") => 1,
                _ => 2,
            };
            put_chunk(&mut input, kind, base, contents);
        }
        if checkpoint {
            let crc = crc32c(&record).to_be_bytes();
            put_chunk(&mut input, 5, 0, &[&crc[..], &record].concat());
        }
        let len = input.len() - cut;
        input.truncate(len);
        input
    };
    let all = |_: &str| true;
    let logs = |name: &str| name.ends_with(".log");
    let mut marked = with(7, &all, true, 0);
    put_chunk(&mut marked, 3, 0, &4_u64.to_be_bytes());
    put_chunk(&mut marked, 4, 0, &1_u64.to_be_bytes());
    vec![
        ("whole-same-boot", with(7, &all, true, 0)),
        ("whole-other-boot", with(3, &all, true, 0)),
        ("without-indexes", with(5, &logs, false, 0)),
        ("without-checkpoint", with(1, &all, false, 0)),
        ("cut", with(1, &logs, false, 40)),
        ("cut-same-boot", with(5, &logs, false, 40)),
        ("as-written", with(6, &all, true, 0)),
        ("marks", marked),
    ]
}

fn put_chunk(out: &mut Vec<u8>, kind: u8, base: u8, contents: &[u8]) {
    out.extend_from_slice(&[kind, base]);
    out.extend_from_slice(&(contents.len() as u16).to_be_bytes());
    out.extend_from_slice(contents);
}

/// Two sealed segments and an active one, and their checkpoint.
fn written() -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new(DATA)).expect("memory");
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let dir = Path::new(DIR);
    let mut log =
        PartitionLog::create(shared, ms_log::Descriptors::new(1000), dir, IDENTITY, options(), 1)
            .expect("memory");
    for segment in 0..3 {
        go_on(&mut log, 2 * segment + 1);
        go_on(&mut log, 2 * segment + 2);
        if segment < 2 {
            log.roll(1, b"producers".to_vec()).expect("memory");
        }
        while let Some(job) = log.flush_job() {
            log.flushed(job.run()).expect("memory");
        }
    }
    go_on(&mut log, 9);
    let record = log.checkpoint_state(b"producers".to_vec()).encode();
    let mut names: Vec<String> =
        disk.list_dir(dir).expect("memory").into_iter().map(|entry| entry.name).collect();
    names.retain(|name| name.ends_with("log") || name.ends_with("index"));
    names.sort();
    let contents = |name: String| {
        let path = dir.join(&name);
        (name, ms_log::read_all(&disk, &path, 1 << 16).expect("memory"))
    };
    (names.into_iter().map(contents).collect(), record)
}
