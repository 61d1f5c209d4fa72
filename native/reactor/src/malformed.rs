//! Lines about requests that cannot be read.

use std::fmt::Display;

use crate::control::ControlQueue;

/// Lines of a reactor in one second.
const LINES_PER_SECOND: u32 = 10;
const INFO: u8 = 30;

/// Whoever floods the broker with such requests must not flood its log.
#[derive(Default)]
pub struct MalformedLog {
    second: i64,
    lines: u32,
}

impl MalformedLog {
    pub fn tell(
        &mut self,
        control: &ControlQueue,
        now_ms: i64,
        (api_key, version): (i16, i16),
        reason: &impl Display,
    ) {
        let second = now_ms / 1000;
        if second != self.second {
            (self.second, self.lines) = (second, 0);
        }
        self.lines = self.lines.saturating_add(1);
        if self.lines > LINES_PER_SECOND {
            return;
        }
        let last = if self.lines == LINES_PER_SECOND { "; no more in this second" } else { "" };
        let line = format!("malformed request of API {api_key}, version {version}: {reason}{last}");
        control.log(INFO, &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_second_are_written() {
        let control = ControlQueue::new(Box::new(|| {}));
        let mut log = MalformedLog::default();
        let mut told = |now_ms| {
            for i in 0..20 {
                log.tell(&control, now_ms, (3, 9), &i);
            }
            let mut into = vec![0; 1 << 16];
            let len = usize::try_from(control.drain(&mut into).0).unwrap_or_default();
            String::from_utf8_lossy(&into[..len]).into_owned()
        };
        for now_ms in [1000, 2000] {
            let lines = told(now_ms);
            assert_eq!(lines.matches("malformed request of API 3, version 9: ").count(), 10);
            assert!(lines.ends_with("9; no more in this second"));
        }
        assert_eq!(told(2999), "");
    }
}
