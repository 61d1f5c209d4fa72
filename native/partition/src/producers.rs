//! What a partition remembers of idempotent producers: the last five batches of each, so that a retry gets the offset
//! of the original, and a gap is refused. The rules are those of Kafka's leader, epochs and first sequences included.
//!
//! The state follows the log end. It is rebuilt from a snapshot and the batch headers behind it, and depends on nothing
//! else, so that it is the same after a restart.

use hashbrown::HashMap;
use ms_log::BatchVisitor;
use ms_wire::batch::{BatchHeader, NO_PRODUCER_ID, NO_SEQUENCE, increment_sequence};
use ms_wire::error_code;
use thiserror::Error;

use crate::api::ProducerDescription;

/// Batches remembered per producer: as many as a client may have in flight.
pub const WINDOW: usize = 5;
const SNAPSHOT_VERSION: u16 = 1;
/// Of a producer that has none (RecordBatch.NO_PRODUCER_EPOCH).
const NO_EPOCH: i16 = -1;
const ENTRY_BYTES: usize = 8 + 2 + 8 + 1;
const BATCH_BYTES: usize = 4 + 8 + 4 + 8;

/// The producer's part of a batch header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducedBatch {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub last_offset_delta: i32,
    pub max_timestamp: i64,
    pub is_transactional: bool,
    /// Sequences of a coordinator's own batches are not checked.
    pub is_client: bool,
}

impl ProducedBatch {
    fn last_sequence(&self) -> i32 {
        if self.base_sequence == NO_SEQUENCE {
            return NO_SEQUENCE;
        }
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }
}

/// A remembered batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchMemory {
    pub last_sequence: i32,
    pub last_offset: i64,
    pub offset_delta: i32,
    pub timestamp: i64,
}

impl BatchMemory {
    pub fn first_offset(&self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }

    fn first_sequence(&self) -> i32 {
        if self.last_sequence == NO_SEQUENCE {
            return NO_SEQUENCE;
        }
        // Sequences wrap from 2^31 - 1 to 0.
        ((i64::from(self.last_sequence) - i64::from(self.offset_delta)) & i64::from(i32::MAX))
            as i32
    }
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    /// It is in the log already.
    Duplicate(BatchMemory),
    /// The error code; the batch consumes no sequence.
    Refuse(i16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Producer {
    epoch: i16,
    last_timestamp: i64,
    len: u8,
    /// The oldest first.
    batches: [BatchMemory; WINDOW],
}

impl Producer {
    fn new(epoch: i16) -> Producer {
        Producer { epoch, last_timestamp: -1, len: 0, batches: Default::default() }
    }

    fn batches(&self) -> &[BatchMemory] {
        &self.batches[..usize::from(self.len)]
    }

    fn last_sequence(&self) -> i32 {
        self.batches().last().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// A batch of another epoch forgets those before it.
    fn add(&mut self, epoch: i16, batch: BatchMemory) {
        if epoch != self.epoch {
            *self = Producer::new(epoch);
        }
        if usize::from(self.len) == WINDOW {
            self.batches.copy_within(1.., 0);
            self.len -= 1;
        }
        self.batches[usize::from(self.len)] = batch;
        self.len += 1;
        self.last_timestamp = batch.timestamp;
    }

    fn check(&self, batch: &ProducedBatch) -> Verdict {
        if batch.producer_epoch < self.epoch {
            return Verdict::Refuse(error_code::INVALID_PRODUCER_EPOCH);
        }
        // As in Kafka sequences without an epoch may be any.
        if !batch.is_client || self.epoch == NO_EPOCH {
            return Verdict::Accept;
        }
        let in_sequence = if batch.producer_epoch > self.epoch {
            // KIP-360: a producer that raised its epoch begins again.
            batch.base_sequence == 0
        } else {
            let last = self.last_sequence();
            last.wrapping_add(1) == batch.base_sequence
                || (last == i32::MAX && batch.base_sequence == 0)
        };
        if in_sequence {
            Verdict::Accept
        } else {
            Verdict::Refuse(error_code::OUT_OF_ORDER_SEQUENCE_NUMBER)
        }
    }
}

/// A snapshot that is none.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a producer snapshot of {0} bytes that does not parse")]
pub struct SnapshotError(usize);

/// All producers of a partition.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Producers {
    by_id: HashMap<i64, Producer>,
}

/// What to put back when the write of a turn fails, the newest last.
#[derive(Debug, Default)]
pub struct Undo {
    before: Vec<(i64, Option<Producer>)>,
}

impl Undo {
    pub fn clear(&mut self) {
        self.before.clear();
    }
}

impl Producers {
    /// Decides on a batch and changes nothing. One hash look-up; none for batches without a producer id.
    pub fn check(&self, batch: &ProducedBatch) -> Verdict {
        let id = batch.producer_id;
        let producer = if id > NO_PRODUCER_ID { self.by_id.get(&id) } else { None };
        if let Some(producer) = producer
            && batch.is_client
            && batch.producer_epoch == producer.epoch
            && let Some(original) = producer.batches().iter().find(|memory| {
                memory.first_sequence() == batch.base_sequence
                    && memory.last_sequence == batch.last_sequence()
            })
        {
            return Verdict::Duplicate(*original);
        }
        if batch.is_transactional {
            // No transaction is ever open here, and Kafka lets no transactional batch in that the coordinator does not
            // vouch for (KIP-890). A stale epoch is said first: the client recovers from it.
            return match producer {
                Some(producer) if batch.producer_epoch < producer.epoch => {
                    Verdict::Refuse(error_code::INVALID_PRODUCER_EPOCH)
                }
                _ => Verdict::Refuse(error_code::INVALID_TXN_STATE),
            };
        }
        // A producer that is not known may begin anywhere: its records may be gone, or its entry expired.
        producer.map_or(Verdict::Accept, |producer| producer.check(batch))
    }

    /// Notes an accepted batch at its offset.
    pub fn accept(&mut self, batch: &ProducedBatch, base_offset: i64, undo: &mut Undo) {
        if batch.producer_id <= NO_PRODUCER_ID {
            return;
        }
        undo.before.push((batch.producer_id, self.by_id.get(&batch.producer_id).copied()));
        self.add(batch.producer_id, batch.producer_epoch, memory_of(batch, base_offset));
    }

    /// Forgets what was accepted since `undo` was cleared.
    pub fn roll_back(&mut self, undo: &mut Undo) {
        while let Some((id, before)) = undo.before.pop() {
            match before {
                Some(producer) => self.by_id.insert(id, producer),
                None => self.by_id.remove(&id),
            };
        }
    }

    /// Forgets producers whose newest batch is older than `expiration_ms`, by the batch's own timestamp as in Kafka.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.by_id
            .retain(|_, producer| now_ms.saturating_sub(producer.last_timestamp) < expiration_ms);
    }

    /// Ordered by producer id.
    pub fn describe(&self) -> Vec<ProducerDescription> {
        let mut lines: Vec<_> = self
            .by_id
            .iter()
            .map(|(&producer_id, producer)| ProducerDescription {
                producer_id,
                producer_epoch: i32::from(producer.epoch),
                last_sequence: producer.last_sequence(),
                last_timestamp: producer.last_timestamp,
            })
            .collect();
        lines.sort_unstable_by_key(|line| line.producer_id);
        lines
    }

    /// The whole state as bytes, equal for equal states; empty for none.
    pub fn encode(&self) -> Vec<u8> {
        if self.by_id.is_empty() {
            return Vec::new();
        }
        let mut ids: Vec<i64> = self.by_id.keys().copied().collect();
        ids.sort_unstable();
        let mut out = Vec::with_capacity(6 + ids.len() * (ENTRY_BYTES + BATCH_BYTES * WINDOW));
        out.extend_from_slice(&SNAPSHOT_VERSION.to_be_bytes());
        out.extend_from_slice(&(ids.len() as u32).to_be_bytes());
        for id in ids {
            let producer = &self.by_id[&id];
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&producer.epoch.to_be_bytes());
            out.extend_from_slice(&producer.last_timestamp.to_be_bytes());
            out.push(producer.len);
            for batch in producer.batches() {
                out.extend_from_slice(&batch.last_sequence.to_be_bytes());
                out.extend_from_slice(&batch.last_offset.to_be_bytes());
                out.extend_from_slice(&batch.offset_delta.to_be_bytes());
                out.extend_from_slice(&batch.timestamp.to_be_bytes());
            }
        }
        out
    }

    /// The state as it was before what `undo` would take back.
    pub fn encode_before(&self, undo: &Undo) -> Vec<u8> {
        if undo.before.is_empty() {
            return self.encode();
        }
        let mut before = self.clone();
        for (id, producer) in undo.before.iter().rev() {
            match producer {
                Some(producer) => before.by_id.insert(*id, *producer),
                None => before.by_id.remove(id),
            };
        }
        before.encode()
    }

    /// Reads what `encode` wrote.
    pub fn decode(bytes: &[u8]) -> Result<Producers, SnapshotError> {
        let mut producers = Producers::default();
        if !bytes.is_empty() && producers.read_all(&mut Reader(bytes)).is_none() {
            return Err(SnapshotError(bytes.len()));
        }
        Ok(producers)
    }

    fn read_all(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        if u16::from_be_bytes(reader.take()?) != SNAPSHOT_VERSION {
            return None;
        }
        let count = u32::from_be_bytes(reader.take()?) as usize;
        if count > reader.0.len() / ENTRY_BYTES {
            return None;
        }
        self.by_id.reserve(count);
        for _ in 0..count {
            let id = i64::from_be_bytes(reader.take()?);
            let mut producer = Producer::new(i16::from_be_bytes(reader.take()?));
            producer.last_timestamp = i64::from_be_bytes(reader.take()?);
            let [len] = reader.take()?;
            producer.len = len;
            for batch in producer.batches.get_mut(..usize::from(len))? {
                batch.last_sequence = i32::from_be_bytes(reader.take()?);
                batch.last_offset = i64::from_be_bytes(reader.take()?);
                batch.offset_delta = i32::from_be_bytes(reader.take()?);
                batch.timestamp = i64::from_be_bytes(reader.take()?);
                if batch.offset_delta < 0 || batch.last_offset < i64::from(batch.offset_delta) {
                    return None;
                }
            }
            self.by_id.insert(id, producer);
        }
        reader.0.is_empty().then_some(())
    }

    fn add(&mut self, id: i64, epoch: i16, memory: BatchMemory) {
        self.by_id.entry(id).or_insert_with(|| Producer::new(epoch)).add(epoch, memory);
    }
}

impl BatchVisitor for Producers {
    /// A snapshot that does not parse counts as none: producers of whom nothing is known may go on anywhere.
    fn snapshot(&mut self, producers: &[u8]) {
        *self = Producers::decode(producers).unwrap_or_default();
    }

    fn encode(&self) -> Vec<u8> {
        Producers::encode(self)
    }

    fn fresh(&self) -> Box<dyn BatchVisitor> {
        Box::new(Producers::default())
    }

    fn batch(&mut self, batch: &BatchHeader) {
        if batch.producer_id <= NO_PRODUCER_ID {
            return;
        }
        if batch.is_control() {
            let producer = self.by_id.entry(batch.producer_id);
            let producer = producer.or_insert_with(|| Producer::new(batch.producer_epoch));
            if producer.epoch != batch.producer_epoch {
                *producer = Producer::new(batch.producer_epoch);
            }
            producer.last_timestamp = batch.max_timestamp;
            return;
        }
        let produced = ProducedBatch {
            producer_id: batch.producer_id,
            producer_epoch: batch.producer_epoch,
            base_sequence: batch.base_sequence,
            last_offset_delta: batch.last_offset_delta,
            max_timestamp: batch.max_timestamp,
            is_transactional: false,
            is_client: false,
        };
        let memory = memory_of(&produced, batch.base_offset);
        self.add(batch.producer_id, batch.producer_epoch, memory);
    }
}

fn memory_of(batch: &ProducedBatch, base_offset: i64) -> BatchMemory {
    BatchMemory {
        last_sequence: batch.last_sequence(),
        last_offset: base_offset + i64::from(batch.last_offset_delta),
        offset_delta: batch.last_offset_delta,
        timestamp: batch.max_timestamp,
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Producers {
        let mut producers = Producers::default();
        for (id, epoch, sequence) in [(3, 0, 0), (-7, 2, 9), (3, 0, 4), (4, 1, i32::MAX)] {
            producers.add(id, epoch, BatchMemory { last_sequence: sequence, ..Default::default() });
        }
        producers
    }

    #[test]
    fn a_snapshot_gives_the_same_state_and_equal_states_the_same_bytes() {
        let producers = some();
        let bytes = producers.encode();
        assert_eq!(Producers::decode(&bytes).as_ref(), Ok(&producers));
        assert_eq!(Producers::decode(&[]), Ok(Producers::default()));
        assert_eq!(Producers::default().encode(), Vec::<u8>::new());
    }

    #[test]
    fn a_snapshot_that_is_cut_or_longer_is_refused_before_anything_is_reserved() {
        let mut bytes = some().encode();
        for len in 1..bytes.len() {
            assert!(Producers::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
        bytes.push(0);
        assert!(Producers::decode(&bytes).is_err());
        let huge = [0, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        assert_eq!(Producers::decode(&huge), Err(SnapshotError(9)));
    }

    #[test]
    fn a_roll_back_restores_what_was_before_in_any_order() {
        let before = some();
        let (mut producers, mut undo) = (before.clone(), Undo::default());
        for (id, sequence) in [(3, 5), (8, 0), (3, 6), (8, 1)] {
            let batch = ProducedBatch {
                producer_id: id,
                producer_epoch: 0,
                base_sequence: sequence,
                last_offset_delta: 0,
                max_timestamp: 1,
                is_transactional: false,
                is_client: true,
            };
            assert_eq!(producers.check(&batch), Verdict::Accept);
            producers.accept(&batch, 10, &mut undo);
        }
        assert_eq!(producers.encode_before(&undo), before.encode());
        producers.roll_back(&mut undo);
        assert_eq!(producers, before);
    }
}
