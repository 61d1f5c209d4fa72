//! The wall clock between two readings of it, from the monotonic clock that a reactor reads in every turn.

/// What the wall clock is ahead of the reactor's clock, in microseconds: the sum of two whole
/// milliseconds would be up to one late or early.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    offset_us: i64,
}

impl WallClock {
    /// Of both clocks read together, in microseconds.
    pub fn new(wall_us: i64, clock_us: i64) -> Self {
        Self { offset_us: wall_us - clock_us }
    }

    /// Milliseconds since 1970 at a moment of the reactor's clock, in microseconds.
    pub fn now_ms(self, clock_us: i64) -> i64 {
        (self.offset_us + clock_us).div_euclid(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_behind_or_ahead_of_the_wall_clock() {
        for (wall_us, clock_us) in [(5_000_999, 10_000), (5_000_000, 10_999), (5_000_500, 500)] {
            let clock = WallClock::new(wall_us, clock_us);
            for later_us in [0, 1, 499, 500, 999, 1000, 123_456] {
                assert_eq!(clock.now_ms(clock_us + later_us), (wall_us + later_us) / 1000);
            }
        }
    }
}
