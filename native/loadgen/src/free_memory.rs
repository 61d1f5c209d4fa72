//! What /proc says of free memory.

use std::{fs, io};

/// What a host takes back at least, and what x86-64 calls a huge page.
pub const BLOCK: usize = 2 << 20;
/// The power of two that a block is of pages of 4 KiB.
const BLOCK_ORDER: usize = 9;

#[derive(Debug, PartialEq, Eq)]
pub struct FreeMemory {
    /// Free memory in pieces of a block and more.
    pub blocks: usize,
    /// Bytes that programs can have before anything is short.
    pub available: u64,
}

impl FreeMemory {
    pub fn now() -> io::Result<Self> {
        let blocks = blocks_in(&fs::read_to_string("/proc/buddyinfo")?);
        let available = kib_in(&fs::read_to_string("/proc/meminfo")?, "MemAvailable:");
        Ok(Self { blocks, available: available << 10 })
    }

    pub fn huge_pages_of_this_process() -> io::Result<usize> {
        let kib = kib_in(&fs::read_to_string("/proc/self/smaps_rollup")?, "AnonHugePages:");
        Ok(kib as usize * 1024 / BLOCK)
    }
}

/// Each line: a node, a zone and how many free pieces of 1, 2, 4 … pages it has.
fn blocks_in(buddyinfo: &str) -> usize {
    // The lowest 16 MiB are for devices only.
    let zones =
        buddyinfo.lines().filter_map(|line| line.split_once(" zone ")?.1.trim().split_once(' '));
    let of_programs = zones.filter(|(zone, _)| *zone != "DMA");
    let counts = of_programs.flat_map(|(_, counts)| counts.split_whitespace().enumerate());
    let whole = counts.filter(|(order, _)| *order >= BLOCK_ORDER);
    whole.map(|(order, count)| count.parse().unwrap_or(0) << (order - BLOCK_ORDER)).sum()
}

fn kib_in(text: &str, name: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    rest.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_in_all_zones_of_programs() {
        let text = "\
Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3
Node 0, zone    DMA32   1545   2038   1985   1921   1800   1664   1556   1526   1419      1      0
Node 1, zone   Normal  22099  26074  23073  22415  17986  17155  14928  11586   5950      2      5
";
        assert_eq!(blocks_in(text), 1 + 2 + 5 * 2);
    }

    #[test]
    fn a_text_without_zones_has_no_blocks() {
        assert_eq!(blocks_in("Node 0, zone\nnothing of the kind\n"), 0);
    }

    #[test]
    fn an_amount_is_found_by_its_name() {
        let text =
            "MemTotal:       24683520 kB\nMemAvailable:   24078000 kB\nHugePages_Total:       0\n";
        assert_eq!(kib_in(text, "MemAvailable:"), 24_078_000);
        assert_eq!(kib_in(text, "AnonHugePages:"), 0);
    }
}
