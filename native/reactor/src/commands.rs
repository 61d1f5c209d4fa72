//! Commands of TypeScript: read, queued where they belong, executed, and answered by exactly one event each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ms_partition::{
    Handle, Isolation, ListOffsetsAnswer, ListOffsetsQuery, ListedOffset, Origin, Partition,
    PartitionConfig, PartitionSpec, PendingAppend, ReplySlot, Waiter,
};
use ms_wire::error_code;
use ms_wire::validate::{Scratch, validate_records};

use crate::hub::Message;
use crate::packed::{PackedError, PackedReader, command, open_flag};
use crate::shared::Shared;
use crate::workers::Job;

/// A command for one partition.
pub struct Command {
    kind: u16,
    token: u32,
    partition: Arc<Partition>,
    payload: Vec<u8>,
}

/// An open-partition.
pub struct OpenPartition {
    token: u32,
    handle: Handle,
    spec: PartitionSpec,
}

/// Takes packed commands: how many bytes; what is left must be given again after the next wake-up.
pub fn submit(shared: &Arc<Shared>, packed: &[u8]) -> Result<usize, PackedError> {
    let mut reader = PackedReader::new(packed);
    let mut taken = 0;
    while reader.remaining() > 0 {
        let entry = reader.entry()?;
        if !submit_one(shared, entry)? {
            break;
        }
        taken = packed.len() - reader.remaining();
    }
    Ok(taken)
}

fn submit_one(shared: &Arc<Shared>, mut entry: PackedReader<'_>) -> Result<bool, PackedError> {
    let bytes = entry.remaining();
    let (kind, flags, token) = (entry.u16()?, entry.u16()?, entry.u32()?);
    let handle = Handle { index: entry.u32()?, generation: entry.u32()? };
    if !(command::OPEN_PARTITION..=command::SWEEP_FOLDERS).contains(&kind) {
        return Err(PackedError::Unknown { what: "command", value: kind.into() });
    }
    let hub = &shared.hub;
    if !hub.open_commands.begin(token, kind, handle, bytes) {
        return Ok(false);
    }
    if shared.is_stopped.load(Ordering::SeqCst) {
        done(shared, token, error_code::BROKER_NOT_AVAILABLE, |_| {});
        return Ok(true);
    }
    match kind {
        command::OPEN_PARTITION => {
            let spec = read_spec(&mut entry, flags)?;
            let handle = hub.registry.reserve();
            hub.opening.begin(handle);
            hub.work.push(handle.index, Job::Open(OpenPartition { token, handle, spec }));
        }
        command::DESCRIBE_LOGS => describe_logs(shared, token, &mut entry)?,
        command::SWEEP_FOLDERS => sweep_folders(shared, token, &mut entry)?,
        _ => match shared.hub.registry.get(handle) {
            Some(partition) => {
                let home = hub.home(&partition);
                let payload = entry.rest().to_vec();
                let command = Command { kind, token, partition, payload };
                hub.send(home, Message::Command(Box::new(command)));
            }
            None => done(shared, token, error_code::UNKNOWN_TOPIC_OR_PARTITION, |_| {}),
        },
    }
    Ok(true)
}

/// Opens partitions; on a worker.
pub fn open_partitions(shared: &Shared, batch: Vec<OpenPartition>) {
    let tokens: Vec<_> = batch.iter().map(|open| (open.token, open.handle)).collect();
    let specs = batch.into_iter().map(|open| (open.spec, open.handle)).collect();
    let hub = &shared.hub;
    // The events are owed even when opening panics.
    let opened = catch_unwind(AssertUnwindSafe(|| Partition::open_many(&shared.env, specs)));
    let Ok(opened) = opened else {
        for (token, handle) in tokens {
            hub.not_opened(handle);
            done(shared, token, error_code::UNKNOWN_SERVER_ERROR, |_| {});
        }
        return hub.control.log(50, "opening partitions panicked");
    };
    for ((token, handle), result) in tokens.into_iter().zip(opened) {
        match result {
            Ok(partition) => {
                hub.registry.insert(handle, Arc::clone(&partition));
                let announce = || {
                    hub.open_commands.opened(&hub.control, token, handle, |out| {
                        out.extend_from_slice(&partition.log_start_offset().to_le_bytes());
                        out.extend_from_slice(&partition.log_end_offset().to_le_bytes());
                        out.extend_from_slice(&partition.leader_epoch().to_le_bytes());
                    });
                };
                hub.opening.end(handle, announce, |event| hub.tell(handle, event));
            }
            Err(error) => {
                hub.not_opened(handle);
                // TypeScript, which tries again, knows of all that fail and what it has said of them.
                let (code, reason) = (error_code::KAFKA_STORAGE_ERROR, error.to_string());
                hub.open_commands.done_because(&hub.control, token, code, &reason);
            }
        }
    }
    if hub.opening.is_over() {
        shared.env.troubles_of_many().iter().for_each(|line| hub.control.log(40, line));
    }
}

/// What a reactor lends to the execution of a command.
pub struct Executor<'a> {
    pub shared: &'a Arc<Shared>,
    pub reactor: u16,
    pub now_ms: i64,
    pub scratch: &'a mut Scratch,
    /// Gets waiting fetches of this reactor that may look again.
    pub due: &'a mut Vec<Waiter>,
}

impl Executor<'_> {
    /// Executes a command on the home reactor of its partition, or hands it to a worker.
    pub fn execute(&mut self, command: Command) {
        let token = command.token;
        if self.try_execute(command).is_err() {
            // The layout is ours on both sides: this is a bug, reported without harm to the other commands.
            done(self.shared, token, error_code::INVALID_REQUEST, |_| {});
        }
    }

    fn try_execute(&mut self, command: Command) -> Result<(), PackedError> {
        let Command { kind, token, partition, payload } = command;
        let shared = self.shared;
        let mut reader = PackedReader::new(&payload);
        match kind {
            command::DELETE_PARTITION => {
                // The handle stays until the files are gone: the partition asks for that.
                partition.mark_deleted(self.now_ms);
                done(shared, token, error_code::NONE, |_| {});
            }
            command::CONFIGURE_LOG => {
                partition.configure(read_config(&mut reader)?);
                done(shared, token, error_code::NONE, |_| {});
            }
            command::APPEND => {
                let (leader_epoch, expected_base_offset) = (reader.i32()?, reader.i64()?);
                let origin = Origin::Coordinator { leader_epoch, expected_base_offset };
                let batch = reader.rest().to_vec();
                self.append(token, &partition, origin, batch);
            }
            command::LIST_OFFSETS => {
                let (timestamp, current_leader_epoch) = (reader.i64()?, reader.i32()?);
                let isolation = match reader.u8()? {
                    0 => Isolation::ReadUncommitted,
                    _ => Isolation::ReadCommitted,
                };
                let query = ListOffsetsQuery { timestamp, current_leader_epoch, isolation };
                list_offsets(shared, token, &partition, &query);
            }
            command::OFFSET_FOR_LEADER_EPOCH => {
                match partition.offset_for_leader_epoch(reader.i32()?, reader.i32()?) {
                    Ok(end) => done(shared, token, error_code::NONE, |out| {
                        out.extend_from_slice(&end.leader_epoch.to_le_bytes());
                        out.extend_from_slice(&end.end_offset.to_le_bytes());
                    }),
                    Err(code) => done(shared, token, code, |_| {}),
                }
            }
            command::DELETE_RECORDS => {
                let slot = ReplySlot { reactor: ReplySlot::COMMAND, id: token.into() };
                if let Some(result) = partition.delete_records(reader.i64()?, self.now_ms, slot) {
                    shared.hub.open_commands.append_done(&shared.hub.control, token, &result);
                }
            }
            command::READ_BARRIER => match partition.read_barrier() {
                Ok(offset) => done(shared, token, error_code::NONE, |out| {
                    out.extend_from_slice(&offset.to_le_bytes());
                }),
                Err(code) => done(shared, token, code, |_| {}),
            },
            command::DESCRIBE_PRODUCERS => describe_producers(shared, token, &partition),
            command::READ_LOG => {
                let (offset, max_bytes) = (reader.i64()?, reader.u32()?);
                self.on_worker(token, &partition, move |shared, partition| {
                    read_log(shared, token, partition, offset, max_bytes);
                });
            }
            command::WRITE_SNAPSHOT => {
                let (offset, bytes) = (reader.i64()?, reader.rest().to_vec());
                self.on_worker(token, &partition, move |shared, partition| {
                    let code = match partition.write_snapshot(offset, &bytes) {
                        Ok(()) => error_code::NONE,
                        Err(_) => error_code::KAFKA_STORAGE_ERROR,
                    };
                    done(shared, token, code, |_| {});
                });
            }
            _ => self.on_worker(token, &partition, move |shared, partition| {
                read_snapshot(shared, token, partition);
            }),
        }
        Ok(())
    }

    fn append(
        &mut self,
        token: u32,
        partition: &Arc<Partition>,
        origin: Origin,
        mut batch: Vec<u8>,
    ) {
        let rules = **partition.rules();
        let batch_info = match validate_records(&mut batch, &rules, self.now_ms, self.scratch) {
            Ok(valid) => valid,
            Err(rejection) => return done(self.shared, token, rejection.error_code, |_| {}),
        };
        let mut pending = [PendingAppend {
            bytes: &mut batch[batch_info.range.clone()],
            batch: batch_info,
            acks: -1,
            slot: ReplySlot { reactor: ReplySlot::COMMAND, id: token.into() },
            origin,
            result: None,
        }];
        partition.append_turn(&mut pending, self.now_ms, self.reactor, self.due);
        let [pending] = pending;
        if let Some(result) = pending.result {
            self.shared.hub.open_commands.append_done(&self.shared.hub.control, token, &result);
        }
    }

    fn on_worker(
        &self,
        token: u32,
        partition: &Arc<Partition>,
        run: impl FnOnce(&Shared, &Arc<Partition>) + Send + 'static,
    ) {
        let (shared, partition) = (Arc::clone(self.shared), Arc::clone(partition));
        let lane = partition.handle().index;
        let job = Box::new(move || {
            // The event is owed even when the work panics.
            let guard = OwedEvent { shared: &shared, token };
            run(&shared, &partition);
            drop(guard);
        });
        self.shared.hub.work.push(lane, Job::Run(job));
    }
}

/// Ends its command with an error if nothing has ended it before.
struct OwedEvent<'a> {
    shared: &'a Shared,
    token: u32,
}

impl Drop for OwedEvent<'_> {
    fn drop(&mut self) {
        done(self.shared, self.token, error_code::UNKNOWN_SERVER_ERROR, |_| {});
    }
}

fn done(shared: &Shared, token: u32, error_code: i16, payload: impl FnOnce(&mut Vec<u8>)) {
    shared.hub.open_commands.done(&shared.hub.control, token, error_code, payload);
}

fn list_offsets(
    shared: &Arc<Shared>,
    token: u32,
    partition: &Arc<Partition>,
    query: &ListOffsetsQuery,
) {
    match partition.list_offsets(query) {
        ListOffsetsAnswer::Now(listed) => listed_offset(shared, token, &listed),
        ListOffsetsAnswer::Search(search) => {
            let lane = partition.handle().index;
            let shared_then = Arc::clone(shared);
            let job = Box::new(move || {
                let guard = OwedEvent { shared: &shared_then, token };
                listed_offset(&shared_then, token, &search.run());
                drop(guard);
            });
            shared.hub.work.push(lane, Job::Run(job));
        }
    }
}

fn listed_offset(shared: &Shared, token: u32, listed: &ListedOffset) {
    done(shared, token, listed.error_code, |out| {
        out.extend_from_slice(&listed.offset.to_le_bytes());
        out.extend_from_slice(&listed.timestamp.to_le_bytes());
        out.extend_from_slice(&listed.leader_epoch.to_le_bytes());
    });
}

fn describe_producers(shared: &Shared, token: u32, partition: &Partition) {
    let producers = partition.producers();
    done(shared, token, error_code::NONE, |out| {
        out.extend_from_slice(&(producers.len() as u32).to_le_bytes());
        for producer in &producers {
            out.extend_from_slice(&producer.producer_id.to_le_bytes());
            out.extend_from_slice(&producer.producer_epoch.to_le_bytes());
            out.extend_from_slice(&producer.last_sequence.to_le_bytes());
            out.extend_from_slice(&producer.last_timestamp.to_le_bytes());
        }
    });
}

fn read_log(shared: &Shared, token: u32, partition: &Partition, offset: i64, max_bytes: u32) {
    match partition.read_log(offset, max_bytes) {
        Ok(chunk) => done(shared, token, error_code::NONE, |out| {
            out.extend_from_slice(&chunk.next_offset.to_le_bytes());
            out.extend_from_slice(&chunk.high_watermark.to_le_bytes());
            out.extend_from_slice(&chunk.bytes);
        }),
        Err(code) => done(shared, token, code, |_| {}),
    }
}

fn read_snapshot(shared: &Shared, token: u32, partition: &Partition) {
    match partition.read_snapshot() {
        Ok(snapshot) => done(shared, token, error_code::NONE, |out| {
            let (offset, bytes) = snapshot.unwrap_or((-1, Vec::new()));
            out.extend_from_slice(&offset.to_le_bytes());
            out.extend_from_slice(&bytes);
        }),
        Err(_) => done(shared, token, error_code::KAFKA_STORAGE_ERROR, |_| {}),
    }
}

fn describe_logs(
    shared: &Arc<Shared>,
    token: u32,
    entry: &mut PackedReader<'_>,
) -> Result<(), PackedError> {
    let mut handles = Vec::new();
    for _ in 0..entry.u32()? {
        handles.push(Handle { index: entry.u32()?, generation: entry.u32()? });
    }
    let shared_then = Arc::clone(shared);
    let job = Box::new(move || {
        let _guard = OwedEvent { shared: &shared_then, token };
        done(&shared_then, token, error_code::NONE, |out| {
            for handle in handles {
                let description = shared_then.hub.registry.get(handle).map(|p| p.describe());
                let values = description.map_or([-1; 4], |d| {
                    [d.size_bytes, d.log_start_offset, d.log_end_offset, d.high_watermark]
                });
                values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
            }
        });
    });
    shared.hub.work.push(0, Job::Run(job));
    Ok(())
}

fn sweep_folders(
    shared: &Arc<Shared>,
    token: u32,
    entry: &mut PackedReader<'_>,
) -> Result<(), PackedError> {
    let mut hosted = Vec::new();
    for _ in 0..entry.u32()? {
        hosted.push((entry.uuid()?, entry.i32()?));
    }
    let shared_then = Arc::clone(shared);
    let job = Box::new(move || {
        let _guard = OwedEvent { shared: &shared_then, token };
        match ms_partition::sweep_folders(&shared_then.env, &hosted) {
            Ok(count) => done(&shared_then, token, error_code::NONE, |out| {
                out.extend_from_slice(&count.to_le_bytes());
            }),
            Err(_) => done(&shared_then, token, error_code::KAFKA_STORAGE_ERROR, |_| {}),
        }
    });
    shared.hub.work.push_disk(Job::Run(job));
    Ok(())
}

fn read_spec(entry: &mut PackedReader<'_>, flags: u16) -> Result<PartitionSpec, PackedError> {
    Ok(PartitionSpec {
        topic_id: entry.uuid()?,
        topic_name: entry.str()?.to_owned(),
        partition_index: entry.i32()?,
        group_id: entry.u64()?,
        config: read_config(entry)?,
        watch_commits: flags & open_flag::WATCH_COMMITS != 0,
        fsync_always: flags & open_flag::FSYNC_ALWAYS != 0,
    })
}

fn read_config(entry: &mut PackedReader<'_>) -> Result<PartitionConfig, PackedError> {
    let mut config = PartitionConfig {
        segment_bytes: entry.i32()?,
        segment_ms: entry.i64()?,
        segment_jitter_ms: entry.i64()?,
        index_interval_bytes: entry.i32()?,
        segment_index_bytes: entry.i32()?,
        retention_ms: entry.i64()?,
        retention_bytes: entry.i64()?,
        max_message_bytes: entry.i32()?,
        log_append_time: entry.u8()? == 1,
        timestamp_before_max_ms: entry.i64()?,
        timestamp_after_max_ms: entry.i64()?,
        ..PartitionConfig::default()
    };
    let cleanup = entry.u8()?;
    config.cleanup_delete = cleanup & 1 != 0;
    config.cleanup_compact = cleanup & 2 != 0;
    config.flush_messages = entry.i64()?;
    config.flush_ms = entry.i64()?;
    config.file_delete_delay_ms = entry.i64()?;
    config.min_insync_replicas = entry.i32()?;
    config.is_internal = entry.u8()? != 0;
    Ok(config)
}
