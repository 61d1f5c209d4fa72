//! Where in memory large frames are received, so that their batches are copied to the log at the full rate.
//!
//! Segments are padded so that large batches begin with a page (docs/design/log.md). A processor copies some times slower to a
//! place that lies up to 32 bytes behind the source, both counted from the beginning of their pages (`rep movsb` of Zen 3 and
//! 4; glibc bug 30994), and by a third slower if both do not begin equally far behind a multiple of 32. So a batch is received
//! half a page behind the beginning of one.

/// A frame of so many bytes is placed.
pub const LARGE: usize = 64 << 10;
/// What a buffer has too much, so that a frame may be placed in it.
pub const PAGE: usize = 4 << 10;

/// How many bytes are left free in front of a frame whose records begin `records_at` bytes behind its beginning.
pub fn free_before(place: &[u8], records_at: usize) -> usize {
    let begins = (place.as_ptr() as usize).wrapping_add(records_at);
    (PAGE / 2).wrapping_sub(begins) % PAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_begin_half_a_page_behind_the_beginning_of_one() {
        let buffer = [0; 5 * PAGE];
        for (from, records_at) in [(0, 0), (1, 44), (77, 5000), (4095, 1)] {
            let free = free_before(&buffer[from..], records_at);
            let begins = buffer.as_ptr() as usize + from + free + records_at;
            assert!(free < PAGE);
            assert_eq!(begins % PAGE, PAGE / 2);
        }
    }
}
