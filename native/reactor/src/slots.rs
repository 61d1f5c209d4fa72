//! Requests of one connection that have no answer on the wire yet, in their order.

use std::collections::VecDeque;

use crate::fetch::WaitingFetch;
use crate::handed::Handed;
use crate::ids::Seq;
use crate::out::OutQueue;
use crate::produce::WaitingProduce;

/// Where a request stands.
pub enum Slot {
    /// Taken up in this turn.
    Turn,
    /// Answered, but an earlier request is not.
    Ready(Box<OutQueue>),
    /// With TypeScript; the gate is closed.
    Control,
    /// With a worker that validates its batches; the gate is closed.
    Validating,
    /// Appended, not yet acknowledged.
    Produce(Box<WaitingProduce>),
    /// A long poll.
    Fetch(Box<WaitingFetch>),
    /// A fetch whose records another thread looks for.
    Locating(Box<WaitingFetch>),
    /// With the thread for large requests.
    Large(Box<Handed>),
}

impl Slot {
    /// Whether nothing behind the request may be parsed.
    pub fn holds_gate(&self) -> bool {
        match self {
            Slot::Control | Slot::Validating => true,
            Slot::Large(handed) => handed.holds_gate,
            _ => false,
        }
    }
}

/// Answers leave in the order of the requests.
#[derive(Default)]
pub struct Slots {
    first: Seq,
    queue: VecDeque<Entry>,
    /// Of all requests in the queue.
    bytes: usize,
}

struct Entry {
    slot: Slot,
    /// Bytes of the request, or of what is kept for it when that is more.
    bytes: usize,
}

impl Slots {
    /// Goes on counting where the last connection of this place stopped.
    pub fn starting_at(first: Seq) -> Self {
        Self { first, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes of the requests that have no answer on the wire yet.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The number that the next request gets.
    pub fn next_seq(&self) -> Seq {
        Seq::from_u32(self.first.as_u32().wrapping_add(self.queue.len() as u32))
    }

    /// Takes up a request of so many bytes.
    pub fn push(&mut self, slot: Slot, bytes: usize) -> Seq {
        let seq = self.next_seq();
        self.queue.push_back(Entry { slot, bytes });
        self.bytes += bytes;
        seq
    }

    /// Whether everything before this request is on the wire.
    pub fn is_first(&self, seq: Seq) -> bool {
        seq == self.first && !self.queue.is_empty()
    }

    /// The slot of a request that is not answered yet.
    pub fn get_mut(&mut self, seq: Seq) -> Option<&mut Slot> {
        self.queue.get_mut(seq.distance_from(self.first)).map(|entry| &mut entry.slot)
    }

    pub fn get(&self, seq: Seq) -> Option<&Slot> {
        self.queue.get(seq.distance_from(self.first)).map(|entry| &entry.slot)
    }

    /// Lets a request wait for which so many bytes are kept. False: beyond `max` only the oldest request may.
    pub fn keep(&mut self, seq: Seq, bytes: usize, max: usize) -> bool {
        let at = seq.distance_from(self.first);
        let Some(entry) = self.queue.get_mut(at) else { return false };
        let more = bytes.saturating_sub(entry.bytes);
        if more > 0 && at > 0 && self.bytes + more > max {
            return false;
        }
        entry.bytes += more;
        self.bytes += more;
        true
    }

    /// Whether a request that was taken up may still change or read a log: one of this turn, or an append without its
    /// outcome. A long poll may not.
    pub fn is_working(&self) -> bool {
        self.queue.iter().any(|entry| matches!(entry.slot, Slot::Turn | Slot::Produce(_)))
    }

    /// Whether a request in front of this one is with the thread for large ones and holds the gate.
    pub fn is_behind_handed(&self, seq: Seq) -> bool {
        let mut before = self.queue.iter().take(seq.distance_from(self.first));
        before.any(|entry| matches!(&entry.slot, Slot::Large(handed) if handed.holds_gate))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Seq, &Slot)> {
        let first = self.first.as_u32();
        self.queue
            .iter()
            .enumerate()
            .map(move |(i, entry)| (Seq::from_u32(first.wrapping_add(i as u32)), &entry.slot))
    }

    /// Answers a request: `encode` appends to `out` if everything before it was answered, else to a queue that waits.
    /// No allocation in the first case.
    pub fn finish(&mut self, seq: Seq, out: &mut OutQueue, encode: impl FnOnce(&mut OutQueue)) {
        let at = seq.distance_from(self.first);
        if at >= self.queue.len() {
            return;
        }
        if at > 0 {
            let mut waiting = OutQueue::new();
            encode(&mut waiting);
            self.queue[at].slot = Slot::Ready(Box::new(waiting));
            return;
        }
        encode(out);
        self.pop();
        while matches!(self.queue.front(), Some(Entry { slot: Slot::Ready(_), .. })) {
            if let Some(Slot::Ready(ready)) = self.pop() {
                out.append(*ready);
            }
        }
    }

    fn pop(&mut self) -> Option<Slot> {
        self.first = self.first.next();
        let entry = self.queue.pop_front()?;
        self.bytes -= entry.bytes;
        Some(entry.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(byte: u8) -> impl FnOnce(&mut OutQueue) {
        move |out: &mut OutQueue| out.bytes().push(byte)
    }

    #[test]
    fn what_is_kept_counts_and_beyond_the_bound_only_the_oldest_may_wait() {
        let mut slots = Slots::starting_at(Seq::from_u32(7));
        let mut out = OutQueue::new();
        let seqs: Vec<_> = (0..3).map(|_| slots.push(Slot::Turn, 10)).collect();
        assert!(slots.keep(seqs[1], 70, 100));
        assert_eq!(slots.bytes(), 90);
        assert!(!slots.keep(seqs[2], 21, 100));
        assert!(slots.keep(seqs[2], 10, 100) && slots.keep(seqs[1], 70, 100));
        assert!(slots.keep(seqs[0], 500, 100));
        assert_eq!(slots.bytes(), 580);
        for (seq, left) in [(seqs[0], 80), (seqs[1], 10), (seqs[2], 0)] {
            slots.finish(seq, &mut out, put(0));
            assert_eq!(slots.bytes(), left);
        }
        assert!(!slots.keep(seqs[2], 1, 100));
    }

    #[test]
    fn only_what_is_behind_a_large_request_that_holds_the_gate_waits_for_it() {
        let large = |holds_gate| Slot::Large(Box::new(Handed { holds_gate, ..Handed::default() }));
        let mut slots = Slots::starting_at(Seq::from_u32(u32::MAX));
        let all = [Slot::Turn, large(false), large(true), Slot::Control, Slot::Turn];
        let seqs = all.map(|slot| slots.push(slot, 1));
        let behind = seqs.map(|seq| slots.is_behind_handed(seq));
        assert_eq!(behind, [false, false, false, true, true]);
    }

    #[test]
    fn answers_leave_in_the_order_of_the_requests() {
        let mut slots = Slots::starting_at(Seq::from_u32(u32::MAX));
        let mut out = OutQueue::new();
        let seqs: Vec<_> = (0..3).map(|i| slots.push(Slot::Turn, i + 1)).collect();
        slots.finish(seqs[2], &mut out, put(2));
        slots.finish(seqs[1], &mut out, put(1));
        assert!(out.is_empty());
        assert_eq!(slots.bytes(), 6);
        slots.finish(seqs[0], &mut out, put(0));
        assert_eq!(out.bytes(), &[0, 1, 2]);
        assert!(slots.is_empty());
        assert_eq!(slots.bytes(), 0);
        slots.finish(seqs[1], &mut out, put(9));
        assert_eq!(out.len(), 3);
    }
}
