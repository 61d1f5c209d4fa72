//! What one turn of a reactor gathered: frames' bytes, batches to append by partition, requests to answer.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hashbrown::HashMap;
use ms_partition::{AppendDone, Handle, Origin, Partition, PendingAppend, ReplySlot, Waiter};
use ms_wire::error_code;
use ms_wire::validate::{BatchRejection, ValidBatch};

use crate::fresh::Fresh;
use crate::ids::{ConnectionId, Seq};
use crate::large::LargeKind;
use crate::named_again::NamedAgain;

/// The block that is the reactor's receive buffer; the others were carry buffers of connections.
pub const RECEIVE_BLOCK: usize = 0;
/// Room for items that is kept from turn to turn.
const KEPT_ITEMS: usize = 1 << 13;
const NONE: u32 = u32::MAX;
/// A base offset that no batch of a log has.
const UNSTAMPED: [u8; 8] = (-1_i64).to_be_bytes();

/// Emptied at the end of every turn; nothing in here is allocated anew once it has grown to what is usual.
#[derive(Default)]
pub struct Turn {
    /// Bytes that came out of compressed batches.
    pub inline_output: usize,
    /// Steps that were taken in counting items.
    pub count_steps: usize,
    /// `RECEIVE_BLOCK` is put in by the reactor for the length of the turn.
    pub blocks: Vec<Block>,
    pub requests: Vec<TurnRequest>,
    pub items: Vec<Item>,
    touched: Vec<Touched>,
    by_partition: HashMap<Handle, u32>,
    /// Waiting fetches of this reactor that may look again.
    pub due: Vec<Waiter>,
    /// What they find in the receive buffer.
    pub fresh: Fresh,
    pending: Vec<PendingAppend<'static>>,
}

/// Bytes of frames.
pub struct Block {
    pub bytes: Vec<u8>,
    /// The connection it goes back to if that is still there, with the bytes of this range still unread.
    pub owner: Option<(ConnectionId, Range<usize>)>,
}

/// A request to be answered at the end of the turn, if it can be.
pub struct TurnRequest {
    /// It may have been closed since, and its place taken over.
    pub connection: ConnectionId,
    pub seq: Seq,
    pub kind: RequestKind,
    pub block: usize,
    /// The frame within the block, without its length prefix.
    pub frame: Range<usize>,
    pub body: usize,
    pub version: i16,
    pub correlation_id: i32,
}

pub enum RequestKind {
    Produce {
        acks: i16,
        timeout_ms: i32,
        first_item: usize,
        items: usize,
        /// It names a topic or a partition more than once, and the answer does not.
        again: Option<NamedAgain>,
    },
    Fetch,
    /// It names very many partitions: another thread takes it over at the end of the turn.
    Large(LargeKind),
}

/// One partition of a Produce.
pub struct Item {
    pub block: usize,
    /// The batch within the block, once it was validated; before, the records field.
    pub range: Range<usize>,
    pub acks: i16,
    pub slot: ReplySlot,
    pub batch: Option<ValidBatch>,
    /// `None`: to be appended, and after that: parked.
    pub outcome: Option<Outcome>,
    touched: u32,
    next: u32,
}

/// What the answer says of one partition.
pub struct Outcome {
    pub done: AppendDone,
    pub rejection: Option<Box<BatchRejection>>,
}

struct Touched {
    partition: Arc<Partition>,
    first: u32,
    last: u32,
}

impl Outcome {
    pub fn error(error_code: i16) -> Self {
        let done = AppendDone {
            error_code,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            leader_epoch: -1,
        };
        Self { done, rejection: None }
    }

    pub fn rejected(rejection: BatchRejection) -> Self {
        let mut outcome = Self::error(rejection.error_code);
        outcome.rejection = Some(Box::new(rejection));
        outcome
    }

    pub fn is_error(&self) -> bool {
        self.done.error_code != error_code::NONE
    }
}

impl Item {
    pub fn new(block: usize, range: Range<usize>, acks: i16, slot: ReplySlot) -> Self {
        let (touched, next) = (NONE, NONE);
        Self { block, range, acks, slot, batch: None, outcome: None, touched, next }
    }
}

impl Turn {
    /// The item is for this partition: found again by `partition_of`, appended unless it has an outcome by then.
    pub fn touch(&mut self, item: usize, partition: &Arc<Partition>) {
        let at = item as u32;
        let next = self.touched.len() as u32;
        let touched = *self.by_partition.entry(partition.handle()).or_insert(next);
        if touched == next {
            let partition = Arc::clone(partition);
            self.touched.push(Touched { partition, first: at, last: at });
        } else {
            let entry = &mut self.touched[touched as usize];
            self.items[entry.last as usize].next = at;
            entry.last = at;
        }
        self.items[item].touched = touched;
    }

    pub fn partition_of(&self, item: &Item) -> Option<&Arc<Partition>> {
        self.touched.get(item.touched as usize).map(|touched| &touched.partition)
    }

    /// Appends what was gathered, once for each touched partition. No allocation once the lists have grown.
    pub fn append(&mut self, now_ms: i64, reactor: u16) {
        if self.touched.is_empty() {
            return;
        }
        let mut views = take_views(&mut self.blocks, &self.items);
        let mut pending: Vec<PendingAppend<'_>> = std::mem::take(&mut self.pending);
        for touched in &self.touched {
            let mut at = touched.first;
            while at != NONE {
                let item = &mut self.items[at as usize];
                if let Some(batch) = item.batch.take()
                    && let Some(bytes) = views[at as usize].take()
                {
                    let (acks, slot, origin) = (item.acks, item.slot, Origin::Client);
                    bytes[..UNSTAMPED.len()].copy_from_slice(&UNSTAMPED);
                    pending.push(PendingAppend { bytes, batch, acks, slot, origin, result: None });
                }
                at = item.next;
            }
            if pending.is_empty() {
                continue;
            }
            let partition = &touched.partition;
            let due_before = self.due.len();
            let (batches, due) = (&mut pending, &mut self.due);
            // The partition marks itself failed; the other partitions of the turn go on.
            let work = AssertUnwindSafe(|| partition.append_turn(batches, now_ms, reactor, due));
            let panicked = catch_unwind(work).is_err();
            let is_awaited = self.due.len() > due_before;
            let mut results = pending.drain(..);
            let mut at = touched.first;
            while at != NONE {
                let item = &mut self.items[at as usize];
                if item.outcome.is_none()
                    && let Some(pending) = results.next()
                {
                    if is_awaited && item.block == RECEIVE_BLOCK && is_stamped(&pending) {
                        let (range, delta) = (item.range.clone(), pending.batch.last_offset_delta);
                        let base_offset = pending.result.map_or(-1, |done| done.base_offset);
                        self.fresh.push(partition.handle(), base_offset, delta, range);
                    }
                    item.outcome = match pending.result {
                        None if panicked => Some(Outcome::error(error_code::KAFKA_STORAGE_ERROR)),
                        result => result.map(|done| Outcome { done, rejection: None }),
                    };
                }
                at = item.next;
            }
        }
        self.pending = recycle(pending);
    }

    /// Forgets the turn's work. The blocks stay: their owner takes them first.
    pub fn clear(&mut self) {
        self.requests.clear();
        self.items.clear();
        self.items.shrink_to(KEPT_ITEMS);
        self.touched.clear();
        self.by_partition.clear();
        (self.inline_output, self.count_steps) = (0, 0);
    }
}

// A duplicate is answered as its original was, but what it brought is not in the log.
fn is_stamped(pending: &PendingAppend<'_>) -> bool {
    pending.result.is_some_and(|done| {
        done.error_code == error_code::NONE
            && pending.bytes.starts_with(&done.base_offset.to_be_bytes())
    })
}

// The slices of all items at once: the items of a block stand in the order of their bytes.
fn take_views<'a>(blocks: &'a mut [Block], items: &[Item]) -> Vec<Option<&'a mut [u8]>> {
    let mut rest: Vec<(&mut [u8], usize)> =
        blocks.iter_mut().map(|block| (block.bytes.as_mut_slice(), 0)).collect();
    let view = |item: &Item| {
        item.batch.as_ref()?;
        let (bytes, offset) = std::mem::take(&mut rest[item.block]);
        let (_, bytes) = bytes.split_at_mut(item.range.start - offset);
        let (view, bytes) = bytes.split_at_mut(item.range.len());
        rest[item.block] = (bytes, item.range.end);
        Some(view)
    };
    items.iter().map(view).collect()
}

/// Keeps the allocation of an emptied list whose elements borrowed from the turn.
fn recycle(mut list: Vec<PendingAppend<'_>>) -> Vec<PendingAppend<'static>> {
    list.clear();
    list.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ms_partition::PartitionConfig;
    use ms_wire::batch::write_crc;
    use ms_wire::fetch::{FetchOptions, FetchPartition};
    use ms_wire::topic::TopicKey;
    use ms_wire::validate::validate_records;

    use std::io;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use ms_log::sim::{DiskFront, FileCall, FileFront, FrontedDisk, FrontedFile};
    use ms_log::{File, RealDisk};
    use parking_lot::Mutex;

    use super::*;
    use crate::by_hand::frames::{batch, fetch, header, produce};
    use crate::by_hand::{ByHand, Peer, TOPIC};
    use crate::shared::now_ms;
    use crate::slots::Slot;

    #[test]
    fn a_handle_that_is_used_again_means_another_partition() {
        let hand = ByHand::new();
        let open = |index, generation| {
            hand.open(index, Handle { index: 5, generation }, PartitionConfig::default())
        };
        let partitions = [open(0, 1), open(1, 2)];
        let mut turn = Turn::default();
        for (at, partition) in [0, 1, 0].map(|p| &partitions[p]).into_iter().enumerate() {
            let slot = ReplySlot { reactor: 0, id: 0 };
            turn.items.push(Item::new(RECEIVE_BLOCK, 0..0, 1, slot));
            turn.touch(at, partition);
        }
        for (item, expected) in [0, 1, 0].into_iter().enumerate() {
            let found = turn.partition_of(&turn.items[item]).unwrap();
            assert!(Arc::ptr_eq(found, &partitions[expected]), "item {item}");
        }
    }

    /// A batch of one record by this producer.
    fn sequenced(value: &[u8], sequence: i32) -> Vec<u8> {
        let mut batch = batch(&[value]);
        batch[43..51].copy_from_slice(&7_i64.to_be_bytes());
        batch[51..53].copy_from_slice(&0_i16.to_be_bytes());
        batch[53..57].copy_from_slice(&sequence.to_be_bytes());
        write_crc(&mut batch);
        batch
    }

    #[test]
    fn what_a_duplicate_brought_is_not_taken_for_the_log() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        let (mut consumer, mut producer) = (hand.connect(), hand.connect());
        let key = TopicKey::Name(TOPIC.as_bytes());
        let produce = |batch: &[u8]| produce(9, 1, 1, key, &[(0, Some(batch))]);
        let first = sequenced(b"x", 0);
        hand.gather(&mut producer, &[produce(&first)]);
        hand.reactor.finish_gathered();
        let options = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
        let waiting = fetch(12, 1, options, key, &[FetchPartition::new(0, 1, 1000)]);
        hand.gather(&mut consumer, &[waiting]);
        hand.reactor.finish_gathered();
        // The sequence, and even the base offset, of the first batch.
        hand.gather(&mut producer, &[produce(&sequenced(b"z", 0)), produce(&sequenced(b"y", 1))]);
        hand.reactor.finish_gathered();
        let (fresh, handle) = (&hand.reactor.turn.fresh, partition.handle());
        let len = first.len() as u64;
        assert_eq!(partition.log_end_offset(), 2);
        assert!(fresh.ranges(handle, 1, len).is_some());
        assert!(fresh.ranges(handle, 0, len).is_none());
    }

    /// While it is shut each write to a log says that it began, and waits until it may go on.
    struct Gate {
        is_shut: AtomicBool,
        begun: Sender<()>,
        go_on: Mutex<Receiver<()>>,
    }

    #[derive(Clone)]
    struct Gated(Arc<Gate>);

    impl DiskFront for Gated {
        fn opened(&self, _path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
            Arc::new(FrontedFile(file, self.clone()))
        }
    }

    impl FileFront for Gated {
        fn before(&self, _file: &dyn File, call: FileCall) -> io::Result<()> {
            if call == FileCall::Write && self.0.is_shut.load(Ordering::SeqCst) {
                self.0.begun.send(()).unwrap();
                self.0.go_on.lock().recv().unwrap();
            }
            Ok(())
        }
    }

    /// What another thread does.
    fn append(partition: &Arc<Partition>) {
        let mut bytes = batch(&[b"another's"]);
        let rules = **partition.rules();
        let mut scratch = ms_wire::validate::Scratch::default();
        let batch = validate_records(&mut bytes, &rules, now_ms(), &mut scratch).unwrap();
        let slot = ReplySlot { reactor: 7, id: 0 };
        let (acks, origin, result) = (1, Origin::Client, None);
        let pending = PendingAppend { bytes: &mut bytes, batch, acks, slot, origin, result };
        partition.append_turn(&mut [pending], 0, 0, &mut Vec::new());
    }

    /// A reactor whose partition another thread has locked, in the middle of a write.
    struct Contended {
        hand: ByHand,
        partition: Arc<Partition>,
        gate: Arc<Gate>,
        begun: Receiver<()>,
        go: Sender<()>,
    }

    impl Contended {
        fn new() -> Self {
            let ((begin, begun), (go, go_on)) = (channel(), channel());
            let (is_shut, go_on) = (AtomicBool::new(false), Mutex::new(go_on));
            let gate = Arc::new(Gate { is_shut, begun: begin, go_on });
            let disk = FrontedDisk(Arc::new(RealDisk), Gated(Arc::clone(&gate)));
            let hand = ByHand::on_disk(Arc::new(disk));
            let partition = hand.with_topic(PartitionConfig::default());
            Self { hand, partition, gate, begun, go }
        }

        /// Clients send these frames, the first of each a Produce, while the other thread writes what is its own, then what
        /// the client before has left. `look` comes when the turn of the last was left.
        fn leave(
            self,
            clients: &mut [Peer],
            frames: &[Vec<u8>],
            mut look: impl FnMut(&mut ByHand),
        ) -> ByHand {
            let Contended { mut hand, partition, gate, begun, go } = self;
            let last = clients.len() - 1;
            gate.is_shut.store(true, Ordering::SeqCst);
            std::thread::scope(|scope| {
                // Gone when this ends, however it does: nobody waits for it then.
                let go = go;
                scope.spawn(|| append(&partition));
                for (number, client) in clients.iter_mut().enumerate() {
                    begun.recv().unwrap();
                    hand.gather(client, frames);
                    hand.reactor.finish_gathered();
                    assert!(is_left(&hand, client));
                    if number == last {
                        look(&mut hand);
                        gate.is_shut.store(false, Ordering::SeqCst);
                    }
                    go.send(()).unwrap();
                }
            });
            while hand.reactor.take_messages() {}
            assert!(clients.iter().all(|client| !is_left(&hand, client)));
            hand
        }
    }

    fn is_left(hand: &ByHand, client: &Peer) -> bool {
        let connection = hand.reactor.connections[client.local as usize].as_ref().unwrap();
        connection.slots.iter().any(|(_, slot)| matches!(slot, Slot::Produce(_)))
    }

    #[test]
    fn a_turn_that_comes_while_what_was_left_is_done_is_passed_on_to_its_reactor() {
        let mut it = Contended::new();
        let (key, records) = (TopicKey::Name(TOPIC.as_bytes()), batch(&[b"mine"]));
        let produced = produce(9, 1, 1, key, &[(0, Some(&records))]);
        let mut clients = [it.hand.connect(), it.hand.connect()];
        let mut hand = it.leave(&mut clients, &[produced], |_| {});
        for client in &mut clients {
            assert_eq!(hand.answers(client, 1), [1]);
        }
    }

    #[test]
    fn a_turn_that_is_left_is_answered_when_it_was_done_and_what_is_behind_it_waits() {
        let (key, records) = (TopicKey::Name(TOPIC.as_bytes()), batch(&[b"mine"]));
        for acks in [1, -1, 0] {
            let mut it = Contended::new();
            let frames = [produce(9, 1, acks, key, &[(0, Some(&records))]), header(2, 0, 2)];
            let mut clients = [it.hand.connect()];
            let mut hand = it.leave(&mut clients, &frames, |hand| {
                hand.read_ready();
                assert_eq!(hand.control_requests(), 0);
            });
            hand.read_ready();
            assert_eq!(hand.control_requests(), 1);
            if acks != 0 {
                assert_eq!(hand.answers(&mut clients[0], 1), [1]);
            }
        }
    }

    #[test]
    fn a_turn_without_acks_that_is_left_and_refused_closes_its_connection() {
        let mut it = Contended::new();
        let key = TopicKey::Name(TOPIC.as_bytes());
        let first = produce(9, 1, 1, key, &[(0, Some(&sequenced(b"x", 0)))]);
        let mut clients = [it.hand.connect()];
        it.hand.gather(&mut clients[0], &[first]);
        it.hand.reactor.finish_gathered();
        let local = clients[0].local as usize;
        let gap = produce(9, 1, 0, key, &[(0, Some(&sequenced(b"x", 5)))]);
        let mut hand = it.leave(&mut clients, &[gap], |hand| {
            let connection = hand.reactor.connections[local].as_ref();
            assert!(connection.unwrap().closing.is_none());
        });
        hand.reactor.flush_dirty();
        assert!(hand.reactor.connections[local].is_none());
    }
}
