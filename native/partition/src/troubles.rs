//! What recovery lost or set aside is said, not hidden; and not once for each partition where it is the same for all of them,
//! as after a power cut.

use ms_log::{Damage, Recovery};

use crate::api::{Handle, LogLevel, PartitionEvent};
use crate::env::Env;

/// So many partitions that are opened together have a line of their own.
const ALONE_MAX: usize = 3;
/// So many of the others are named.
const NAMES_MAX: usize = 20;

#[derive(Clone, Copy)]
enum Trouble {
    Cut,
    SetAside,
    Damaged,
    Lost,
}

/// What is said of those that have no line of their own, by trouble.
const OF_OTHERS: [&str; 4] = [
    "a torn tail was cut",
    "files were set aside",
    "segments are damaged",
    "committed entries were lost",
];

/// The partitions with each trouble since all that was to be opened was.
#[derive(Default)]
pub(crate) struct Troubles([Partitions; OF_OTHERS.len()]);

#[derive(Default)]
struct Partitions {
    count: usize,
    /// Of those without a line.
    names: Vec<String>,
}

impl Troubles {
    /// Whether the partition gets a line of its own.
    fn note(&mut self, trouble: Trouble, name: &str) -> bool {
        let Partitions { count, names } = &mut self.0[trouble as usize];
        *count += 1;
        if *count > ALONE_MAX && names.len() < NAMES_MAX {
            names.push(name.to_owned());
        }
        *count <= ALONE_MAX
    }

    /// A line for each trouble that more partitions have, all counted; the next one is the first again.
    fn take_lines(&mut self) -> Vec<String> {
        let all = std::mem::take(self).0.into_iter().zip(OF_OTHERS);
        let many = all.filter(|(partitions, _)| partitions.count > ALONE_MAX);
        many.map(|(partitions, what)| partitions.line(what)).collect()
    }
}

impl Partitions {
    fn line(&self, what: &str) -> String {
        let more = self.count - ALONE_MAX;
        let rest = if more > self.names.len() { ", …" } else { "" };
        format!("{what} in {more} more: {}{rest}", self.names.join(", "))
    }
}

impl Env {
    /// Lines about those partitions that have the same trouble as others and no line of their own: when all that was to be
    /// opened is.
    pub fn troubles_of_many(&self) -> Vec<String> {
        self.state.troubles.lock().take_lines()
    }
}

/// Says what happened to a partition, unless it is said of many.
pub(crate) fn report(env: &Env, name: &str, handle: Handle, recovery: &Recovery) {
    let say = |text: String| {
        env.notifier.event(handle, PartitionEvent::Log { level: LogLevel::Warn, text });
    };
    let is_alone = |trouble| env.state.troubles.lock().note(trouble, name);
    if recovery.cut_bytes > 0 && is_alone(Trouble::Cut) {
        say(format!("{name}: cut a torn tail of {} bytes", recovery.cut_bytes));
    }
    if !recovery.set_aside.is_empty() && is_alone(Trouble::SetAside) {
        for file in &recovery.set_aside {
            say(format!("{name}: set aside {}", file.display()));
        }
    }
    if !recovery.damage.is_empty() && is_alone(Trouble::Damaged) {
        for Damage { segment, from_offset, to_offset, .. } in &recovery.damage {
            let offsets = format!("offsets {from_offset} to {to_offset}");
            say(format!("{name}: segment {segment} is damaged, {offsets}"));
        }
    }
    if recovery.lost_committed > 0 && is_alone(Trouble::Lost) {
        say(format!("{name}: {} committed entries were lost", recovery.lost_committed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_have_a_line_each_and_all_others_one_together() {
        let mut troubles = Troubles::default();
        let mut alone = |trouble, count| {
            (0..count).filter(|i| troubles.note(trouble, &format!("t-{i}"))).count()
        };
        assert_eq!((alone(Trouble::Cut, 5), alone(Trouble::Damaged, 3)), (3, 3));
        assert_eq!(alone(Trouble::Lost, 1000), 3);
        let lines = troubles.take_lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "a torn tail was cut in 2 more: t-3, t-4");
        assert!(lines[1].starts_with("committed entries were lost in 997 more: t-3, t-4, "));
        assert!(lines[1].ends_with("t-22, …"));
        assert!(troubles.take_lines().is_empty());
        assert!(troubles.note(Trouble::Cut, "t-5"), "the first of those that are opened later");
    }
}
