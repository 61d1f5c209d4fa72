//! Looks for valid frames behind bytes that are none.
//!
//! What is found is not proof: base offset and term lie outside a batch's CRC, and a value may hold anything. So the payload
//! of a frame that is announced is not searched, and a term counts only as far as it is known to have begun.

use crate::disk::{File, read_exact_at};
use ms_wire::frame::{self, FrameHeader, MAX_HEADER_BYTES};
use std::io;

/// What a frame may be that follows bytes that are none.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// It begins no earlier.
    pub offset: u64,
    /// The term before those bytes.
    pub term: u32,
    /// The last term that is known to have begun; 0 if none is. No frame was written in a later one.
    pub known_term: u32,
}

impl Bounds {
    fn admit(&self, term: u32) -> bool {
        term >= self.term && (self.known_term == 0 || term <= self.known_term.max(self.term))
    }
}

/// Valid frames were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Follow {
    /// The offset after the last of them.
    pub end_offset: u64,
    /// The largest term among them.
    pub term: u32,
}

const CHUNK: usize = 1 << 20;

/// Searches `from..to` for frames within `bounds`. One pass; a CRC only where a header is plausible.
pub(crate) fn find_valid(
    file: &dyn File,
    from: u64,
    to: u64,
    bounds: Bounds,
) -> io::Result<Option<Follow>> {
    let mut found: Option<Follow> = None;
    let mut chunk = Vec::new();
    let mut at = from;
    while at + frame::PREFIX_BYTES as u64 <= to {
        chunk.resize(((to - at) as usize).min(CHUNK), 0);
        read_exact_at(file, &mut chunk, at)?;
        // Headers across the end of the chunk are looked at again in the next one.
        let is_end = at + chunk.len() as u64 == to;
        let keep = if is_end { 0 } else { MAX_HEADER_BYTES };
        let mut here = 0;
        while here + keep < chunk.len() {
            let plausible = plausible(&chunk[here..], to - at - here as u64, bounds.offset);
            let valid = match plausible {
                Some(size) => check(file, at + here as u64, size)?,
                None => None,
            };
            let Some(header) = valid.filter(|header| bounds.admit(header.term())) else {
                here += 1;
                continue;
            };
            let end_offset = (header.base_offset() + header.offset_count()) as u64;
            let term = header.term().min(bounds.known_term.max(bounds.term));
            let best = found.get_or_insert(Follow { end_offset, term });
            best.end_offset = best.end_offset.max(end_offset);
            best.term = best.term.max(term);
            here += header.size();
        }
        at += here as u64;
    }
    Ok(found)
}

/// Whether a valid frame within `bounds` begins at `at`.
pub(crate) fn is_frame(file: &dyn File, at: u64, to: u64, bounds: Bounds) -> io::Result<bool> {
    let mut head = vec![0; (to - at).min(MAX_HEADER_BYTES as u64) as usize];
    read_exact_at(file, &mut head, at)?;
    let Some(size) = plausible(&head, to - at, bounds.offset) else { return Ok(false) };
    Ok(check(file, at, size)?.is_some_and(|header| bounds.admit(header.term())))
}

/// The size of the frame that these bytes may begin.
fn plausible(bytes: &[u8], left: u64, offset: u64) -> Option<usize> {
    let magic = *bytes.get(16)?;
    if magic != 2 && magic != 0x7f {
        return None;
    }
    let header = FrameHeader::parse(bytes).ok()?;
    let base = u64::try_from(header.base_offset()).ok()?;
    let fits = header.size() as u64 <= left && header.offset_count() >= 0;
    (fits && base >= offset && base - offset <= u64::from(u32::MAX)).then(|| header.size())
}

fn check(file: &dyn File, at: u64, size: usize) -> io::Result<Option<FrameHeader>> {
    let mut bytes = vec![0; size];
    read_exact_at(file, &mut bytes, at)?;
    Ok(frame::check_frame(&bytes).ok())
}
