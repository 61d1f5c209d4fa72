//! Descriptors of the newest entries: index -> (term, kind, base offset, count, position, size, crc).

use crate::entry::{Entry, EntryKind};
use std::collections::VecDeque;

/// Entries kept although nothing needs them, for readers near the log end: 32 bytes each.
const SOFT_LIMIT: usize = 256;

#[derive(Clone, Copy)]
struct Slot {
    base_offset: u64,
    term: u32,
    count: u32,
    size: u32,
    crc: u32,
    position: u32,
    kind: EntryKind,
}

/// The newest entries, contiguous by index. Positions are those in the segment that holds the index.
pub(crate) struct EntryRing {
    first_index: u64,
    slots: VecDeque<Slot>,
    /// Entries from here on stay whatever the size.
    needed_from: u64,
}

impl EntryRing {
    /// An empty ring whose first entry will be `next_index`.
    pub fn new(next_index: u64) -> EntryRing {
        EntryRing { first_index: next_index, slots: VecDeque::new(), needed_from: u64::MAX }
    }

    /// The oldest index held, if any.
    pub fn first_index(&self) -> u64 {
        self.first_index
    }

    /// The index that comes next.
    pub fn next_index(&self) -> u64 {
        self.first_index + self.slots.len() as u64
    }

    /// Appends the next entry. Amortized O(1).
    pub fn push(&mut self, entry: &Entry, position: u32) {
        debug_assert_eq!(entry.index, self.next_index());
        self.slots.push_back(Slot {
            base_offset: entry.base_offset,
            term: entry.term,
            count: entry.count,
            size: entry.size,
            crc: entry.crc,
            position,
            kind: entry.kind,
        });
        while self.slots.len() > SOFT_LIMIT && self.first_index < self.needed_from {
            self.slots.pop_front();
            self.first_index += 1;
        }
    }

    /// Entries from `index` on are needed.
    pub fn need_from(&mut self, index: u64) {
        self.needed_from = index;
    }

    /// The entry and its position.
    pub fn get(&self, index: u64) -> Option<(Entry, u32)> {
        let slot = self.slots.get(usize::try_from(index.checked_sub(self.first_index)?).ok()?)?;
        Some((entry(slot, index), slot.position))
    }

    /// The first entry at or above `floor_index` that ends above `offset`: for an offset in the log, the batch that
    /// contains it. `None` when the ring begins above the offset.
    pub fn find_offset(&self, offset: u64, floor_index: u64) -> Option<(Entry, u32)> {
        let skip = self.skip(floor_index)?;
        let first = self.slots.get(skip)?;
        if first.base_offset > offset {
            return None;
        }
        let found = self.slots.partition_point(|s| s.base_offset + u64::from(s.count) <= offset);
        self.get(self.first_index + found.max(skip) as u64)
    }

    /// The last boundary of an entry at or below `position`, its begin or its end, for a position above that of the first entry held of the segment
    /// that begins with `floor_index`.
    pub fn boundary_below(&self, position: u64, floor_index: u64) -> Option<u32> {
        let skip = self.skip(floor_index)?;
        if u64::from(self.slots.get(skip)?.position) > position {
            return None;
        }
        // Positions grow only within a segment; those below `skip` belong to older ones.
        let (mut low, mut high) = (skip, self.slots.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if u64::from(self.slots[middle].position) <= position {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let slot = &self.slots[low - 1];
        let end = slot.position + slot.size;
        // Padding may follow.
        Some(if u64::from(end) <= position { end } else { slot.position })
    }

    fn skip(&self, floor_index: u64) -> Option<usize> {
        usize::try_from(floor_index.saturating_sub(self.first_index)).ok()
    }
}

fn entry(slot: &Slot, index: u64) -> Entry {
    Entry {
        index,
        term: slot.term,
        kind: slot.kind,
        base_offset: slot.base_offset,
        count: slot.count,
        size: slot.size,
        crc: slot.crc,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(from: u64, to: u64) -> EntryRing {
        let mut ring = EntryRing::new(from);
        for index in from..to {
            let entry = Entry {
                index,
                term: 1,
                kind: EntryKind::Data,
                base_offset: index * 10,
                count: 10,
                size: 100,
                crc: 0,
            };
            ring.push(&entry, (index - from) as u32 * 100);
        }
        ring
    }

    #[test]
    fn finds_by_index_offset_and_position() {
        let ring = filled(5, 15);
        assert_eq!(ring.get(4), None);
        assert_eq!(ring.get(7).unwrap().1, 200);
        assert_eq!(ring.get(15), None);
        assert_eq!(ring.find_offset(49, 5), None);
        assert_eq!(ring.find_offset(50, 5).unwrap().0.index, 5);
        assert_eq!(ring.find_offset(79, 5).unwrap().0.index, 7);
        assert_eq!(ring.find_offset(150, 5), None);
        assert_eq!(ring.boundary_below(250, 5), Some(200));
        assert_eq!(ring.boundary_below(5000, 5), Some(1000));
        assert_eq!(ring.boundary_below(200, 8), None);
    }

    #[test]
    fn keeps_what_is_needed_and_drops_the_rest() {
        let mut ring = filled(1, 1000);
        assert_eq!(ring.first_index(), 1000 - SOFT_LIMIT as u64);
        ring.need_from(800);
        let push = |ring: &mut EntryRing, until: u64| {
            while ring.next_index() < until {
                let (entry, position) = ring.get(ring.next_index() - 1).unwrap();
                ring.push(&Entry { index: entry.index + 1, ..entry }, position);
            }
        };
        push(&mut ring, 2000);
        assert_eq!(ring.first_index(), 800);
        ring.need_from(1900);
        push(&mut ring, 2001);
        assert_eq!(ring.first_index(), 2001 - SOFT_LIMIT as u64);
    }
}
