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
/// Microseconds between two looks, those for all partitions together: there may be thousands that wait.
const LOOK_US: i64 = 125;

/// One for a log directory.
pub(crate) struct Lull {
    /// When the last large turn came, in milliseconds since 1970.
    last_large_ms: AtomicI64,
    /// When the last of the looks that were put off is due, in microseconds since 1970.
    last_look_us: AtomicI64,
}

impl Default for Lull {
    fn default() -> Lull {
        Lull { last_large_ms: AtomicI64::new(i64::MIN), last_look_us: AtomicI64::new(0) }
    }
}

impl Lull {
    /// A turn appends so much to one partition. Reactors share the line: it is written about once a millisecond.
    pub fn appended(&self, bytes: usize, now_ms: i64) {
        if bytes >= LARGE_TURN && self.last_large_ms.load(Ordering::Relaxed) != now_ms {
            self.last_large_ms.store(now_ms, Ordering::Relaxed);
        }
    }

    /// After how many milliseconds what was due then should look again; `None`: its time has come. While much is produced it
    /// waits, but not for too long, and not if the space is wanted back. A clock that was set back is no reason to wait.
    pub fn wait_ms(
        &self,
        due_ms: i64,
        now_ms: i64,
        space: impl FnOnce() -> Option<Space>,
    ) -> Option<i64> {
        let since = now_ms.saturating_sub(self.last_large_ms.load(Ordering::Relaxed));
        let late = now_ms.saturating_sub(due_ms);
        // Reactors read the clock once a turn, timers have one of their own.
        let may_wait =
            (-QUIET_MS..QUIET_MS).contains(&since) && (-1000..WAIT_MAX_MS).contains(&late);
        let has_space = |space: Space| space.available >= space.total / 10;
        (may_wait && space().is_some_and(has_space)).then(|| self.next_look_ms(now_ms))
    }

    fn next_look_ms(&self, now_ms: i64) -> i64 {
        let now_us = now_ms.saturating_mul(1000);
        let possible = now_us + QUIET_MS * 1000..now_us + WAIT_MAX_MS * 1000;
        let behind = |last_us: i64| {
            let next_us = last_us + LOOK_US;
            if possible.contains(&next_us) { next_us } else { possible.start }
        };
        let last =
            self.last_look_us.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last_us| {
                Some(behind(last_us))
            });
        (behind(last.unwrap_or(0)) - now_us) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000_000;
    const HALF: Space = Space { available: 50, total: 100 };

    #[test]
    fn small_turns_are_no_reason_to_wait() {
        let lull = Lull::default();
        assert_eq!(lull.wait_ms(NOW, NOW, || Some(HALF)), None);
        lull.appended(LARGE_TURN - 1, NOW);
        assert_eq!(lull.wait_ms(NOW, NOW, || Some(HALF)), None);
    }

    #[test]
    fn large_ones_are_until_it_is_quiet_the_time_is_over_or_the_disk_nearly_full() {
        let lull = Lull::default();
        lull.appended(LARGE_TURN, NOW);
        let waits = |due_ms, now_ms, space| lull.wait_ms(due_ms, now_ms, || space).is_some();
        assert!(waits(NOW, NOW, Some(HALF)));
        assert!(waits(NOW, NOW + QUIET_MS - 1, Some(HALF)));
        assert!(!waits(NOW, NOW + QUIET_MS, Some(HALF)));
        assert!(waits(NOW + 1 - WAIT_MAX_MS, NOW, Some(HALF)));
        assert!(!waits(NOW - WAIT_MAX_MS, NOW, Some(HALF)));
        assert!(waits(NOW, NOW, Some(Space { available: 10, total: 100 })));
        assert!(!waits(NOW, NOW, Some(Space { available: 9, total: 100 })));
        assert!(!waits(NOW, NOW, None));
    }

    #[test]
    fn nor_is_a_clock_that_was_set_back() {
        let lull = Lull::default();
        lull.appended(LARGE_TURN, NOW);
        assert_eq!(lull.wait_ms(NOW - 3_600_000, NOW - 3_600_000, || Some(HALF)), None);
        lull.appended(LARGE_TURN, NOW - 3_600_000);
        assert_eq!(lull.wait_ms(NOW, NOW - 3_600_000, || Some(HALF)), None);
    }

    #[test]
    fn looks_are_spread_when_many_wait() {
        let lull = Lull::default();
        lull.appended(LARGE_TURN, NOW);
        let mut looks = (0..1000).map(|_| lull.wait_ms(NOW, NOW, || Some(HALF)));
        assert_eq!(looks.next(), Some(Some(20)));
        assert_eq!(looks.last(), Some(Some(144)));
        lull.appended(LARGE_TURN, NOW + 500);
        assert_eq!(lull.wait_ms(NOW, NOW + 500, || Some(HALF)), Some(20));
    }
}
