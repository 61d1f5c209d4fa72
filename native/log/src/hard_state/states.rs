//! What the lines of a hard-state log add up to.

use super::record::{self, Line};
use super::{GroupState, Record};
use std::collections::HashMap;

/// Of no boot of an operating system.
pub(super) const NO_BOOT: [u8; 16] = [0; 16];

/// The last states of all groups, and the process that wrote last.
#[derive(Default)]
pub(super) struct States {
    pub groups: HashMap<u64, GroupState>,
    pub incarnation: u64,
    pub boot_id: [u8; 16],
    /// The clean-stop mark is the newest line.
    pub is_stopped: bool,
}

impl States {
    /// Takes up the next line.
    pub fn apply(&mut self, line: &Line) {
        match line {
            Line::Group(group, record) => apply(self.groups.entry(*group).or_default(), record),
            Line::Start { incarnation, boot_id } => {
                if self.boot_id != *boot_id && !self.is_stopped {
                    self.groups.values_mut().for_each(|state| state.unchecked = true);
                }
                (self.incarnation, self.boot_id) = (*incarnation, *boot_id);
            }
            Line::Stop => self.groups.values_mut().for_each(|state| state.opened = false),
        }
        self.is_stopped = *line == Line::Stop;
    }

    /// Whether what stands behind these lines, and begins with a bad one, holds lines that a start which was cut short, or a
    /// loss of power, does not leave: pages of what was not synced reach the disk in any order, but a process that dies leaves
    /// them all, and nothing is written behind a start, or before the next, that was not synced.
    pub fn is_damage(&self, bytes: &[u8], boot_id: [u8; 16]) -> bool {
        let is_behind_synced = self.boot_id == boot_id || self.is_stopped || self.incarnation == 0;
        let is_start = |line| matches!(line, Line::Start { .. });
        record::lines_within(bytes).any(|line| is_behind_synced || is_start(line))
    }

    /// Forgets removed groups that no other node needs to hear of.
    pub fn forget_removed(&mut self) {
        let is_forgotten = |state: &GroupState| state.removed && state.conf_state.voters.len() <= 1;
        self.groups.retain(|_, state| !is_forgotten(state));
    }

    /// The lines that make the same states again. Groups that are unchecked stand between the starts of two boots.
    pub fn put(&self, out: &mut Vec<u8>) {
        for (boot_id, unchecked) in [(NO_BOOT, true), (self.boot_id, false)] {
            record::put(out, &Line::Start { incarnation: self.incarnation, boot_id });
            let groups = self.groups.iter().filter(|(_, state)| state.unchecked == unchecked);
            groups.for_each(|(&group, state)| put_state(out, group, state));
        }
        if self.is_stopped {
            record::put(out, &Line::Stop);
        }
    }
}

fn apply(state: &mut GroupState, record: &Record) {
    match record {
        Record::HardState(hard_state) => state.hard_state = *hard_state,
        Record::ConfState(conf_state) => state.conf_state = conf_state.clone(),
        Record::Created { topic_id } => state.created = Some(*topic_id),
        Record::Quarantined => state.quarantined = true,
        Record::Released => state.quarantined = false,
        Record::Opened => (state.opened, state.unchecked) = (true, false),
        Record::Removed => state.removed = true,
    }
}

/// The lines that make a state again.
fn put_state(out: &mut Vec<u8>, group: u64, state: &GroupState) {
    let mut put = |record| record::put(out, &Line::Group(group, record));
    if let Some(topic_id) = state.created {
        put(Record::Created { topic_id });
    }
    put(Record::HardState(state.hard_state));
    put(Record::ConfState(state.conf_state.clone()));
    let flags = [
        (state.quarantined, Record::Quarantined),
        (state.opened, Record::Opened),
        (state.removed, Record::Removed),
    ];
    flags.into_iter().filter(|(set, _)| *set).for_each(|(_, record)| put(record));
}
