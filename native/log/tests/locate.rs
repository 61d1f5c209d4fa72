//! What a read that looks at the file itself reads of it.

#![allow(clippy::unwrap_used)]

mod common;

use common::{IDENTITY, batch, options};
use ms_log::sim::{DiskFront, FileCall, FileFront, FrontedDisk, FrontedFile, SimDisk};
use ms_log::{
    Descriptors, Entry, EntryKind, File, FrameToWrite, LogOptions, PaddingOptions, PartitionLog,
    ReadPlan, ReadRequest,
};
use ms_wire::frame::FrameHeader;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts reads of the page cache.
#[derive(Clone, Default)]
struct Reads(Arc<AtomicUsize>);

impl DiskFront for Reads {
    fn opened(&self, _: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(FrontedFile(file, self.clone()))
    }
}

impl FileFront for Reads {
    fn before(&self, _: &dyn File, call: FileCall) -> io::Result<()> {
        if call == FileCall::ReadCached {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// A sealed segment of batches of 100,000 bytes and some, and their size.
fn filled(reads: &Reads, batches: u64) -> (PartitionLog, u32) {
    let disk = Arc::new(FrontedDisk(Arc::new(SimDisk::new()), reads.clone()));
    let (all, dir) = (Descriptors::new(8), Path::new("/data/t-0"));
    let none = PaddingOptions { turn_bytes: u32::MAX, ..PaddingOptions::default() };
    let options = LogOptions { padding: none, ..options(1 << 30) };
    let mut log = PartitionLog::create(disk, all, dir, IDENTITY, options, 0).unwrap();
    let mut size = 0;
    for number in 0..batches {
        let mut bytes = batch(1, &[number as u8; 100_000], 5, 0);
        ms_wire::batch::stamp(&mut bytes, number as i64, 0);
        size = bytes.len() as u32;
        let crc = FrameHeader::parse(&bytes).unwrap().crc();
        let (index, kind) = (number + 1, EntryKind::Data);
        let entry = Entry { index, term: 0, kind, base_offset: number, count: 1, size, crc };
        log.append(&[FrameToWrite { entry, max_timestamp: 5, bytes: &bytes }]).unwrap();
    }
    log.roll(0, vec![]).unwrap();
    (log, size)
}

#[test]
fn of_large_batches_one_header_is_read_for_each_that_is_given_and_none_behind_what_is_wanted() {
    let reads = Reads::default();
    let (log, size) = filled(&reads, 20);
    for (max_bytes, given, expected) in [
        (1, 1, 1),
        (size, 1, 1),
        (size + 16, 1, 1),
        (2 * size - 1, 1, 2),
        (2 * size, 2, 2),
        (4 * size + 10, 4, 4),
    ] {
        for from_offset in 0..10 {
            let request = ReadRequest { from_offset, max_bytes, up_to: 20, min_one: true };
            let ReadPlan::Locate(job) = log.read_plan(&request).unwrap() else { panic!() };
            // The index is in memory then.
            job.run().unwrap();
            reads.0.store(0, Ordering::SeqCst);
            let plan = job.run_cached().unwrap();
            let bytes: u32 = plan.ranges().iter().map(|range| range.len).sum();
            assert_eq!(bytes, given * size, "{max_bytes} bytes from {from_offset}");
            assert!(reads.0.load(Ordering::SeqCst) <= expected, "{max_bytes} from {from_offset}");
        }
    }
}
