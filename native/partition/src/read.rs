//! Reads: Fetch, waiting, epochs, offsets by time, and the bytes a coordinator loads.

use ms_consensus::Consensus;
use ms_log::{FileRange, ReadError, ReadPlan, ReadRequest, TimeSearch, read_exact_at};
use ms_wire::batch::BatchHeader;
use ms_wire::error_code;

use crate::api::*;
use crate::partition::{Body, Partition, Shared};
use crate::producers::Producers;

/// The most that `read_log` gives at once.
const MAX_CHUNK_BYTES: u32 = 16 << 20;
/// Plans made again because a segment was deleted meanwhile.
const MAX_REPLANS: usize = 8;

/// An answer at once, or a search that reads files: `run()` it on a worker.
pub enum ListOffsetsAnswer {
    Now(ListedOffset),
    Search(OffsetSearch),
}

/// A search by time. Holds the segments it needs, not the partition.
pub struct OffsetSearch(TimeSearch);

impl OffsetSearch {
    /// The first record at or after the time, or the one with the largest; (-1, -1, -1) when there is none. Waits for the
    /// disk.
    pub fn run(self) -> ListedOffset {
        match self.0.run() {
            Ok(Some(found)) => ListedOffset {
                error_code: error_code::NONE,
                offset: found.offset as i64,
                timestamp: found.timestamp,
                leader_epoch: found.leader_epoch as i32,
            },
            Ok(None) => nothing_listed(error_code::NONE),
            Err(_) => nothing_listed(error_code::KAFKA_STORAGE_ERROR),
        }
    }
}

impl Partition {
    /// Plans a Fetch: epochs and range are checked, the bytes are named. A few hundred nanoseconds.
    pub fn read(&self, query: &ReadQuery) -> ReadAnswer {
        // Under one lock: what it tells is what it saw. A fetch that finds nothing waits for a high watermark above that one.
        let answer = self.locked(|shared| match self.plan(shared, query) {
            Ok((plan, diverging)) => self.read_answer(error_code::NONE, plan, diverging),
            Err(error_code) => self.read_answer(error_code, ReadPlan::Empty, None),
        });
        answer.unwrap_or_else(|| {
            self.read_answer(error_code::KAFKA_STORAGE_ERROR, ReadPlan::Empty, None)
        })
    }

    fn plan(
        &self,
        shared: &mut Shared,
        query: &ReadQuery,
    ) -> Result<(ReadPlan, Option<EpochEnd>), i16> {
        self.check_readable()?;
        self.check_epoch(query.current_leader_epoch)?;
        let Some(log) = shared.body.log() else {
            // A worker has the log for a moment: a Fetch waits as for new data.
            return Ok((ReadPlan::Empty, None));
        };
        let (log_start, log_end) = (log.log_start_offset() as i64, log.log_end_offset() as i64);
        if query.last_fetched_epoch >= 0 {
            let end = self.epoch_end(log, query.last_fetched_epoch);
            if end.end_offset < 0 || query.fetch_offset < log_start {
                return Err(error_code::OFFSET_OUT_OF_RANGE);
            }
            let is_diverging =
                end.leader_epoch < query.last_fetched_epoch || end.end_offset < query.fetch_offset;
            if is_diverging {
                return Ok((ReadPlan::Empty, Some(end)));
            }
        }
        if query.fetch_offset < log_start || query.fetch_offset > log_end {
            return Err(error_code::OFFSET_OUT_OF_RANGE);
        }
        let up_to = self.last_fetchable_offset(query.isolation);
        if query.fetch_offset >= up_to {
            return Ok((ReadPlan::Empty, None));
        }
        let request = ReadRequest {
            from_offset: query.fetch_offset as u64,
            max_bytes: query.max_bytes,
            up_to: up_to as u64,
            min_one: query.at_least_one,
        };
        match log.read_plan(&request) {
            Ok(plan) => Ok((plan, None)),
            Err(ReadError::OutOfRange { .. }) => Err(error_code::OFFSET_OUT_OF_RANGE),
            Err(ReadError::Damaged { .. }) => Err(error_code::KAFKA_STORAGE_ERROR),
        }
    }

    /// Enters a waiter for a high watermark above `seen_high_watermark`. False: it moved already, or the partition does not
    /// serve readers: look again. A waiter is woken once.
    pub fn wait(&self, waiter: Waiter, seen_high_watermark: i64) -> bool {
        let entered = self.locked(|shared| {
            let is_readable = self.check_readable().is_ok();
            if !is_readable || self.high_watermark() > seen_high_watermark {
                return false;
            }
            shared.waiters.push((waiter, seen_high_watermark));
            true
        });
        entered == Some(true)
    }

    /// Takes a waiter out; nothing happens if it was woken already.
    pub fn cancel_wait(&self, waiter: Waiter) {
        self.locked(|shared| shared.waiters.retain(|(entered, _)| *entered != waiter));
    }

    /// Kafka's ListOffsets. By time, and the largest timestamp, are searches.
    pub fn list_offsets(&self, query: &ListOffsetsQuery) -> ListOffsetsAnswer {
        match self.guarded_result(|shared| self.list_locked(shared, query)) {
            Ok(answer) => answer,
            Err(error_code) => ListOffsetsAnswer::Now(nothing_listed(error_code)),
        }
    }

    fn list_locked(
        &self,
        shared: &mut Shared,
        query: &ListOffsetsQuery,
    ) -> Result<ListOffsetsAnswer, i16> {
        self.check_readable()?;
        self.check_epoch(query.current_leader_epoch)?;
        self.check_leads(shared)?;
        let log = shared.body.log().ok_or(error_code::NOT_LEADER_OR_FOLLOWER)?;
        let listed = |offset: i64, leader_epoch: i32| {
            let (error_code, timestamp) = (error_code::NONE, -1);
            Ok(ListOffsetsAnswer::Now(ListedOffset { error_code, offset, timestamp, leader_epoch }))
        };
        if matches!(query.timestamp, EARLIEST_TIMESTAMP | EARLIEST_LOCAL_TIMESTAMP) {
            let log_start = log.log_start_offset();
            // The end of the log is where this term begins, or goes on.
            let is_empty = log_start == log.log_end_offset();
            let epoch = epoch_or_none(log.epoch_at_offset(log_start));
            return listed(log_start as i64, if is_empty { self.leader_epoch() } else { epoch });
        }
        // A fresh leader does not know yet how far its predecessor had committed.
        if let Body::Leading(core) = &shared.body
            && core.serves_from.is_none_or(|index| index > core.group.commit_index())
        {
            return Err(error_code::OFFSET_NOT_AVAILABLE);
        }
        let up_to = self.last_fetchable_offset(query.isolation);
        match query.timestamp {
            LATEST_TIMESTAMP => listed(up_to, self.leader_epoch()),
            MAX_TIMESTAMP => {
                let search = log.search_max_timestamp(up_to as u64);
                Ok(ListOffsetsAnswer::Search(OffsetSearch(search)))
            }
            timestamp => {
                let search = log.search_timestamp(timestamp, up_to as u64);
                Ok(ListOffsetsAnswer::Search(OffsetSearch(search)))
            }
        }
    }

    /// Kafka's OffsetForLeaderEpoch. Err is an error code.
    pub fn offset_for_leader_epoch(
        &self,
        current_leader_epoch: i32,
        leader_epoch: i32,
    ) -> Result<EpochEnd, i16> {
        self.guarded_result(|shared| {
            self.check_readable()?;
            self.check_epoch(current_leader_epoch)?;
            self.check_leads(shared)?;
            let log = shared.body.log().ok_or(error_code::NOT_LEADER_OR_FOLLOWER)?;
            Ok(self.epoch_end(log, leader_epoch))
        })
    }

    /// A panic counts as a storage error, as from then on.
    fn guarded_result<R>(
        &self,
        work: impl FnOnce(&mut Shared) -> Result<R, i16>,
    ) -> Result<R, i16> {
        self.locked(work).unwrap_or(Err(error_code::KAFKA_STORAGE_ERROR))
    }

    /// Committed whole batches from `offset`, at least one if there is any. Waits for the disk. Err is an error code.
    pub fn read_log(&self, offset: i64, max_bytes: u32) -> Result<LogChunk, i16> {
        let query = ReadQuery {
            fetch_offset: offset,
            max_bytes: max_bytes.min(MAX_CHUNK_BYTES),
            at_least_one: true,
            current_leader_epoch: -1,
            last_fetched_epoch: -1,
            isolation: Isolation::ReadUncommitted,
        };
        for _ in 0..MAX_REPLANS {
            let answer = self.read(&query);
            if answer.error_code != error_code::NONE {
                return Err(answer.error_code);
            }
            let located = match &answer.plan {
                ReadPlan::Locate(job) => job.run(),
                _ => Ok(answer.plan),
            };
            match located.and_then(|plan| read_ranges(plan.ranges())) {
                Ok(bytes) => {
                    let next_offset = end_offset(&bytes).unwrap_or(offset);
                    let high_watermark = answer.high_watermark;
                    return Ok(LogChunk { next_offset, high_watermark, bytes });
                }
                // Retention took the segment since the plan was made.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => return Err(error_code::KAFKA_STORAGE_ERROR),
            }
        }
        Err(error_code::OFFSET_OUT_OF_RANGE)
    }

    /// The committed offset, as of a round begun after this call. One voter needs no round. Err is an error code.
    pub fn read_barrier(&self) -> Result<i64, i16> {
        self.check_readable()?;
        if !self.is_leader() {
            return Err(error_code::NOT_LEADER_OR_FOLLOWER);
        }
        Ok(self.high_watermark())
    }

    /// For DescribeLogDirs; sizes are 0 while a worker has the log.
    pub fn describe(&self) -> PartitionDescription {
        let size = |shared: &mut Shared| shared.body.log().map_or(0, |log| log.size_bytes() as i64);
        let size_bytes = self.locked(size).unwrap_or(0);
        PartitionDescription {
            size_bytes,
            log_start_offset: self.log_start_offset(),
            log_end_offset: self.log_end_offset(),
            high_watermark: self.high_watermark(),
        }
    }

    /// For DescribeProducers, ordered by producer id.
    pub fn producers(&self) -> Vec<ProducerDescription> {
        let producers = self.locked(|shared| shared.body.producers().map(Producers::describe));
        producers.flatten().unwrap_or_default()
    }

    /// A full disk does not keep consumers out.
    fn check_readable(&self) -> Result<(), i16> {
        match self.state() {
            PartitionState::Open | PartitionState::Busy | PartitionState::NoSpace => Ok(()),
            PartitionState::Failed => Err(error_code::KAFKA_STORAGE_ERROR),
            PartitionState::Deleted => Err(error_code::UNKNOWN_TOPIC_OR_PARTITION),
        }
    }

    fn check_epoch(&self, current_leader_epoch: i32) -> Result<(), i16> {
        let leader_epoch = self.leader_epoch();
        match current_leader_epoch {
            -1 => Ok(()),
            epoch if epoch < leader_epoch => Err(error_code::FENCED_LEADER_EPOCH),
            epoch if epoch > leader_epoch => Err(error_code::UNKNOWN_LEADER_EPOCH),
            _ => Ok(()),
        }
    }

    fn check_leads(&self, shared: &Shared) -> Result<(), i16> {
        match &shared.body {
            Body::Leading(core) if core.is_serving() => Ok(()),
            // Nobody else can lead a group of one voter: what held when the disk became full still does.
            Body::Idle(_) if self.state() == PartitionState::NoSpace => Ok(()),
            _ => Err(error_code::NOT_LEADER_OR_FOLLOWER),
        }
    }

    /// No transaction is ever open: the last stable offset is the high watermark.
    fn last_fetchable_offset(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted | Isolation::ReadCommitted => self.high_watermark(),
        }
    }

    /// As Kafka's epoch cache: above the latest epoch nothing is known, nor of -1, which is none; below the oldest one,
    /// and be it negative, the log begins.
    fn epoch_end(&self, log: &ms_log::PartitionLog, epoch: i32) -> EpochEnd {
        if epoch == -1 || epoch > self.leader_epoch() {
            return EpochEnd { leader_epoch: -1, end_offset: -1 };
        }
        match u32::try_from(epoch).ok().and_then(|wanted| log.epoch_end_offset(wanted)) {
            Some(end) => {
                EpochEnd { leader_epoch: end.epoch as i32, end_offset: end.end_offset as i64 }
            }
            None if epoch < 0 => {
                EpochEnd { leader_epoch: epoch, end_offset: log.log_start_offset() as i64 }
            }
            // Terms of which nothing was written, this one or earlier ones, begin and end at the end of the log.
            None => {
                let before = log.latest_epoch().map_or(epoch, |latest| latest as i32);
                let leader_epoch = if epoch == self.leader_epoch() { epoch } else { before };
                EpochEnd { leader_epoch, end_offset: log.log_end_offset() as i64 }
            }
        }
    }

    fn read_answer(
        &self,
        error_code: i16,
        plan: ReadPlan,
        diverging: Option<EpochEnd>,
    ) -> ReadAnswer {
        let high_watermark = self.high_watermark();
        ReadAnswer {
            error_code,
            high_watermark,
            last_stable_offset: high_watermark,
            log_start_offset: self.log_start_offset(),
            leader_epoch: self.leader_epoch(),
            diverging,
            plan,
        }
    }
}

fn nothing_listed(error_code: i16) -> ListedOffset {
    ListedOffset { error_code, offset: -1, timestamp: -1, leader_epoch: -1 }
}

fn epoch_or_none(epoch: Option<u32>) -> i32 {
    epoch.map_or(-1, |epoch| epoch as i32)
}

fn read_ranges(ranges: &[FileRange]) -> std::io::Result<Vec<u8>> {
    let total: usize = ranges.iter().map(|range| range.len as usize).sum();
    let mut bytes = vec![0; total];
    let mut rest = bytes.as_mut_slice();
    for range in ranges {
        let (part, tail) = rest.split_at_mut(range.len as usize);
        read_exact_at(range.file.as_ref(), part, range.position)?;
        rest = tail;
    }
    Ok(bytes)
}

/// The offset after the last batch.
fn end_offset(mut bytes: &[u8]) -> Option<i64> {
    let mut end = None;
    while let Ok(header) = BatchHeader::parse(bytes) {
        end = Some(header.last_offset() + 1);
        bytes = bytes.get(header.size()..)?;
    }
    end
}
