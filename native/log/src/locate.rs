//! Finds the exact ranges of a read by looking at frame headers, without the partition's lock, and checks the CRC of what an
//! earlier process left when it is read for the first time.

use crate::disk::File;
use crate::maps::{Hidden, consumer_ranges};
use crate::read::{ReadPlan, ReadRequest};
use crate::segment::SealedSegment;
use crate::trust::Trust;
use crate::walk::{Depth, Step, Walker};
use ms_wire::frame::{FrameHeader, PREFIX_BYTES};
use std::io;
use std::sync::Arc;

/// Finds the exact ranges of a read. Cheap to clone; holds what it needs of the log.
#[derive(Clone)]
pub struct LocateJob {
    source: Source,
    request: ReadRequest,
}

#[derive(Clone)]
enum Source {
    Sealed(Arc<SealedSegment>),
    Active(Hints),
}

/// Where to look in a file.
#[derive(Clone)]
struct Hints {
    file: Arc<dyn File>,
    trust: Arc<Trust>,
    hidden: Hidden,
    /// A frame boundary at or before the batch wanted.
    from: u32,
    /// A frame boundary from which the end can be found.
    near: u32,
    /// End of the frames.
    size: u32,
}

impl LocateJob {
    pub(crate) fn sealed(segment: Arc<SealedSegment>, request: ReadRequest) -> LocateJob {
        LocateJob { source: Source::Sealed(segment), request }
    }

    pub(crate) fn active(
        file: Arc<dyn File>,
        trust: Arc<Trust>,
        hidden: Hidden,
        from: u32,
        near: u32,
        size: u32,
        request: ReadRequest,
    ) -> LocateJob {
        LocateJob {
            source: Source::Active(Hints { file, trust, hidden, from, near, size }),
            request,
        }
    }

    /// From the page cache only: `WouldBlock` means [`LocateJob::run`] on a thread that may wait. `NotFound`: the segment
    /// was deleted meanwhile, plan again. `InvalidData` and `UnexpectedEof`: damage, answer
    /// KAFKA_STORAGE_ERROR. Never answers `Locate`.
    pub fn run_cached(&self) -> io::Result<ReadPlan> {
        match &self.source {
            Source::Active(hints) => self.find(hints, Depth::CachedHeaders),
            Source::Sealed(segment) => {
                let loaded = segment.loaded_maps().is_some() && segment.open_file().is_some();
                if !loaded {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                self.find(&self.sealed_hints(segment)?, Depth::CachedHeaders)
            }
        }
    }

    /// As [`LocateJob::run_cached`], waiting for the disk.
    pub fn run(&self) -> io::Result<ReadPlan> {
        match &self.source {
            Source::Active(hints) => self.find(hints, Depth::Headers),
            Source::Sealed(segment) => self.find(&self.sealed_hints(segment)?, Depth::Headers),
        }
    }

    fn sealed_hints(&self, segment: &SealedSegment) -> io::Result<Hints> {
        let (file, maps) = (segment.file()?, segment.maps()?);
        let relative = |offset: u64| (offset - segment.start.base_offset) as u32;
        let hint = maps.by_offset(relative(self.request.from_offset));
        let from = hint.map_or(crate::segment::HEADER_BYTES, |line| line.position);
        let size = segment.end.size;
        let wanted = u64::from(from) + u64::from(self.request.max_bytes);
        let whole = self.request.up_to >= segment.end.end_offset && wanted >= u64::from(size);
        let near = if whole {
            size
        } else {
            let last = relative(self.request.up_to.min(segment.end.end_offset));
            let lines = [maps.by_offset(last), maps.by_position(wanted)];
            lines.iter().flatten().map(|line| line.position).min().unwrap_or(from)
        };
        let hidden = maps.hidden(from, self.request.max_bytes, size);
        Ok(Hints { file, trust: segment.trust.clone(), hidden, from, near, size })
    }

    fn find(&self, hints: &Hints, depth: Depth) -> io::Result<ReadPlan> {
        let request = &self.request;
        let mut walker = walker(hints, depth);
        let Some(from) = self.find_start(hints, &mut walker)? else {
            return Ok(ReadPlan::Empty);
        };
        let wanted = u64::from(from) + u64::from(request.max_bytes);
        let first_end = walker.position();
        let mut to = if first_end <= wanted {
            walker.skip_to(u64::from(hints.near));
            self.find_end(&mut walker, wanted)?
        } else if request.min_one {
            first_end as u32
        } else {
            from
        };
        if to > from {
            to = hints.trust.check(hints.file.as_ref(), from, to, walker.is_cached())?;
        }
        let Hidden { controls, paddings } = &hints.hidden;
        let hidden = (&**controls, paddings.as_deref().unwrap_or_default());
        Ok(consumer_ranges(&hints.file, hidden, from, to))
    }

    /// Begin of the batch that contains the offset, at whose end the walk then is; `None` if it lies at `up_to` or above.
    fn find_start(&self, hints: &Hints, walker: &mut Walker<'_>) -> io::Result<Option<u32>> {
        loop {
            let Step::Frame { position, header } = walker.step()? else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            let end = (header.base_offset() + header.offset_count()) as u64;
            // Nothing that ends above `up_to`, not even the first batch.
            if end > self.request.up_to {
                // Unless it is a damaged header that says so.
                let (from, to) = (position as u32, walker.position() as u32);
                hints.trust.check(hints.file.as_ref(), from, to, walker.is_cached())?;
                return Ok(None);
            }
            let is_data = matches!(header, FrameHeader::Data(_));
            if is_data && end > self.request.from_offset {
                if header.base_offset() as u64 > self.request.from_offset {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                return Ok(Some(position as u32));
            }
        }
    }

    /// The last boundary that keeps within `wanted` and `up_to`; where the walk is does.
    fn find_end(&self, walker: &mut Walker<'_>, wanted: u64) -> io::Result<u32> {
        let mut to = walker.position();
        // What no frame fits in is not read.
        while to + PREFIX_BYTES as u64 <= wanted {
            match walker.step()? {
                Step::End => break,
                Step::Frame { header, .. } => {
                    let end = (header.base_offset() + header.offset_count()) as u64;
                    if walker.position() > wanted || end > self.request.up_to {
                        break;
                    }
                    to = walker.position();
                }
                Step::Torn | Step::Bad => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Ok(to as u32)
    }
}

fn walker(hints: &Hints, depth: Depth) -> Walker<'_> {
    let (file, size) = (hints.file.as_ref(), u64::from(hints.size));
    Walker::new(file, depth, u64::from(hints.from), size, i32::MAX as u32)
}
