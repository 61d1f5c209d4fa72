//! Reads for consumers: planned under the partition's lock, located and read without it.

use crate::disk::File;
use crate::error::ReadError;
use crate::locate::LocateJob;
use crate::log::PartitionLog;
use crate::maps::consumer_ranges;
use std::sync::Arc;

/// What a consumer asks for.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest {
    /// The first offset wanted; the batch that contains it is given whole.
    pub from_offset: u64,
    /// Most bytes to give, in whole batches.
    pub max_bytes: u32,
    /// Only batches below this offset: high watermark or last stable offset.
    pub up_to: u64,
    /// Give the first batch even if it is larger than `max_bytes`.
    pub min_one: bool,
}

/// Bytes of one file, whole batches only, never a control frame.
#[derive(Clone)]
pub struct FileRange {
    pub file: Arc<dyn File>,
    pub position: u64,
    pub len: u32,
}

/// What a read comes to. A plan never spans segments: the next read goes on in the next one.
pub enum ReadPlan {
    /// Nothing to give: the offset is `up_to`, or the first batch is too large and `min_one` is off.
    Empty,
    /// One range: the usual case near the log end.
    Range(FileRange),
    /// Several ranges, control frames or padding between them.
    Ranges(Vec<FileRange>),
    /// Headers must be read first, which may wait for the disk.
    Locate(LocateJob),
}

impl ReadPlan {
    /// The ranges, in order; empty for `Locate`.
    pub fn ranges(&self) -> &[FileRange] {
        match self {
            ReadPlan::Range(range) => std::slice::from_ref(range),
            ReadPlan::Ranges(ranges) => ranges,
            ReadPlan::Empty | ReadPlan::Locate(_) => &[],
        }
    }

    /// Bytes of all ranges.
    pub fn total_bytes(&self) -> u64 {
        self.ranges().iter().map(|range| u64::from(range.len)).sum()
    }
}

impl PartitionLog {
    /// Plans a consumer's read; binary searches, no system call, no allocation when the offset is near the log end.
    /// An offset at or above `up_to`, up to the log end, gives an empty plan.
    pub fn read_plan(&self, request: &ReadRequest) -> Result<ReadPlan, ReadError> {
        let (from, log_start, log_end) =
            (request.from_offset, self.log_start, self.log_end_offset());
        if from < log_start || from > log_end {
            return Err(ReadError::OutOfRange { offset: from, log_start, log_end });
        }
        if from >= request.up_to.min(log_end) {
            return Ok(ReadPlan::Empty);
        }
        if from >= self.active.start.base_offset {
            return Ok(self.plan_active(request));
        }
        let next = self.sealed.partition_point(|segment| segment.start.base_offset <= from);
        let Some(segment) = next.checked_sub(1).map(|at| &self.sealed[at]) else {
            return Err(ReadError::OutOfRange { offset: from, log_start, log_end });
        };
        if from >= segment.end.end_offset {
            let (segment, from_offset) = (segment.start.base_offset, segment.end.end_offset);
            return Err(ReadError::Damaged { segment, from_offset });
        }
        Ok(ReadPlan::Locate(LocateJob::sealed(segment.clone(), *request)))
    }

    fn plan_active(&self, request: &ReadRequest) -> ReadPlan {
        let known = self.start_position(request.from_offset);
        let Some(from) = known else { return self.locate_active(request) };
        let Some(to) = self.end_position(from, request) else { return self.locate_active(request) };
        if !self.active.trust.covers(from, to) {
            return self.locate_active(request);
        }
        let maps = &self.active.maps;
        consumer_ranges(&self.active.file, (&maps.controls, maps.paddings.list()), from, to)
    }

    /// Exact position of the batch that contains an offset of the active segment, if the maps know it.
    fn start_position(&self, offset: u64) -> Option<u32> {
        let start = &self.active.start;
        if let Some((_, position)) = self.ring.find_offset(offset, start.base_index) {
            return Some(position);
        }
        let relative = (offset - start.base_offset) as u32;
        let line = self.active.maps.by_offset(relative)?;
        (line.offset == relative).then_some(line.position)
    }

    /// Exact end of the whole batches that fit, if the maps know it well enough: a boundary of the sparse index does when
    /// it leaves out less than a quarter.
    fn end_position(&self, from: u32, request: &ReadRequest) -> Option<u32> {
        let (active, floor) = (&self.active, self.active.start.base_index);
        let last = if request.up_to >= active.end.end_offset {
            active.end.size
        } else {
            // The frame that begins with `up_to`: what precedes it is below.
            let (entry, position) = self.ring.find_offset(request.up_to, floor)?;
            (entry.base_offset == request.up_to).then_some(position)?
        };
        let wanted = u64::from(from) + u64::from(request.max_bytes);
        if wanted >= u64::from(last) {
            return Some(last);
        }
        let fits = match self.ring.boundary_below(wanted, floor) {
            Some(exact) => exact,
            None => {
                let line = active.maps.by_position(wanted)?;
                let given = u64::from(line.position.saturating_sub(from));
                (given * 4 >= u64::from(request.max_bytes) * 3).then_some(line.position)?
            }
        };
        if fits > from || !request.min_one {
            return Some(fits.max(from));
        }
        let (first, position) = self.ring.find_offset(request.from_offset, floor)?;
        Some(position + first.size)
    }

    fn locate_active(&self, request: &ReadRequest) -> ReadPlan {
        let active = &self.active;
        let relative = |offset: u64| (offset - active.start.base_offset) as u32;
        let hint = active.maps.by_offset(relative(request.from_offset));
        let from = hint.map_or(crate::segment::HEADER_BYTES, |line| line.position);
        // A boundary not far below the end, so that the job reads few headers.
        let wanted = u64::from(from) + u64::from(request.max_bytes);
        let by_offset = active.maps.by_offset(relative(request.up_to.min(active.end.end_offset)));
        let by_size = active.maps.by_position(wanted);
        let near = by_offset.into_iter().chain(by_size).map(|line| line.position).min();
        let hidden = active.maps.hidden(from, request.max_bytes, active.end.size);
        ReadPlan::Locate(LocateJob::active(
            active.file.clone(),
            active.trust.clone(),
            hidden,
            from,
            near.unwrap_or(from),
            active.end.size,
            *request,
        ))
    }
}
