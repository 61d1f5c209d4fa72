//! When the files of deleted partitions are removed: in a lull, for a while. The kernel takes 60 to 160 µs of processor time
//! for each MiB that it holds of such a file, and caches and memory go with it: so much at once is felt by who produces much.

use std::sync::atomic::{AtomicI64, Ordering};

use ms_log::Space;

/// A turn with so many bytes for one partition is one of a client that produces much.
const LARGE_TURN: usize = 16 << 10;
/// So long after the last of them there is a lull.
const QUIET_MS: i64 = 20;
/// How long a lull is waited for, after the time at which files are due.
const WAIT_MAX_MS: i64 = 10_000;
/// How often it is looked for.
pub(crate) const LOOK_EVERY_MS: i64 = 20;

/// One for a log directory.
pub(crate) struct Lull {
    /// When the last large turn came, in milliseconds since 1970.
    last_large_ms: AtomicI64,
}

impl Default for Lull {
    fn default() -> Lull {
        Lull { last_large_ms: AtomicI64::new(i64::MIN) }
    }
}

impl Lull {
    /// A turn appends so much to one partition. Reactors share the line, so it is written once a millisecond.
    pub fn appended(&self, bytes: usize, now_ms: i64) {
        if bytes >= LARGE_TURN && self.last_large_ms.load(Ordering::Relaxed) != now_ms {
            self.last_large_ms.store(now_ms, Ordering::Relaxed);
        }
    }

    /// Whether what was due then can wait for the next look: much is produced now, which does not last too long already, nor
    /// is the space wanted back.
    pub fn is_worth_waiting_for(&self, due_ms: i64, now_ms: i64, space: Space) -> bool {
        let since = now_ms.saturating_sub(self.last_large_ms.load(Ordering::Relaxed));
        let is_quiet = !(0..QUIET_MS).contains(&since);
        let is_short = space.available < space.total / 10;
        !is_quiet && !is_short && now_ms.saturating_sub(due_ms) < WAIT_MAX_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000_000;
    const HALF: Space = Space { available: 50, total: 100 };

    #[test]
    fn small_turns_and_a_clock_that_was_set_back_are_no_reason_to_wait() {
        let lull = Lull::default();
        assert!(!lull.is_worth_waiting_for(NOW, NOW, HALF));
        lull.appended(LARGE_TURN - 1, NOW);
        assert!(!lull.is_worth_waiting_for(NOW, NOW, HALF));
        lull.appended(LARGE_TURN, NOW + 1);
        assert!(!lull.is_worth_waiting_for(NOW, NOW, HALF));
    }

    #[test]
    fn large_ones_are_until_it_is_quiet_the_time_is_over_or_the_disk_nearly_full() {
        let lull = Lull::default();
        lull.appended(LARGE_TURN, NOW);
        let waits = |due_ms, now_ms, space| lull.is_worth_waiting_for(due_ms, now_ms, space);
        assert!(waits(NOW, NOW, HALF));
        assert!(waits(NOW, NOW + QUIET_MS - 1, HALF));
        assert!(!waits(NOW, NOW + QUIET_MS, HALF));
        assert!(waits(NOW + 1 - WAIT_MAX_MS, NOW, HALF));
        assert!(!waits(NOW - WAIT_MAX_MS, NOW, HALF));
        assert!(waits(NOW, NOW, Space { available: 10, total: 100 }));
        assert!(!waits(NOW, NOW, Space { available: 9, total: 100 }));
    }
}
