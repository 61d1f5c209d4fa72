//! CPU time of other processes, from /proc.

use std::fs;

// USER_HZ, which Linux fixes at 100 for what it shows in /proc.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system seconds that all threads of these processes have used; 0 for those that are gone.
pub fn seconds_of(pids: &[u32]) -> f64 {
    pids.iter().filter_map(|pid| ticks_of(*pid)).sum::<u64>() as f64 / TICKS_PER_SECOND
}

fn ticks_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name is in parentheses and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}
