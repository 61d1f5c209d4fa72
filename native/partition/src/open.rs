//! Opening a partition, and building its group again after a write that failed. All of it waits for the disk.

use std::io;
use std::sync::Arc;

use ms_consensus::{Consensus, ConsensusError, HardState, RaftConsensus, Start};
use ms_log::hard_state::{ConfState, HardState as LoggedHardState, Record};
use ms_log::{
    AppendError, Disk, LogError, LogIdentity, LogOptions, OpenLog, PartitionLog, is_no_space,
    read_identity,
};
use thiserror::Error;

use crate::api::*;
use crate::core::Core;
use crate::env::Env;
use crate::folders;
use crate::group_files::GroupFiles;
use crate::lease::{Lease, LeasedDisk};
use crate::partition::{Body, Idle, Partition};
use crate::producers::Producers;
use crate::troubles::report;

/// A partition could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Consensus(#[from] ConsensusError),
    #[error("the log directory is off-line")]
    Offline,
    /// Of a log that is acknowledged after fdatasync always: the disk has lost what it had taken.
    #[error("{name}: {what}")]
    Lost { name: String, what: String },
}

/// A group that has won its election and may act on it once the hard-state log is durable up to `sequence`.
pub(crate) struct Elected {
    core: Core,
    pub sequence: u64,
}

/// The files of a partition, and its right to the folder.
pub(crate) struct Found {
    pub log: GroupFiles,
    pub producers: Producers,
    pub lease: Arc<Lease>,
    /// Files and folder may not be durable.
    pub is_new: bool,
    /// There was no folder, or none that was worth keeping.
    pub is_made_here: bool,
}

impl Partition {
    /// Opens the folder that is there with these ids, or creates it durably; a folder of other ids is set aside. The
    /// partition leads when this returns. Waits for the disk: on a worker.
    pub fn open(
        env: &Arc<Env>,
        spec: PartitionSpec,
        handle: Handle,
    ) -> Result<Arc<Partition>, OpenError> {
        Partition::open_many(env, vec![(spec, handle)]).remove(0)
    }

    /// The group anew from its files, in a new term. Called when no reactor can reach the log.
    pub(crate) fn rebuild(self: &Arc<Self>, idle: Box<Idle>) -> Result<Core, RebuildError> {
        let Idle { mut files, producers } = *idle;
        let config = self.locked(|shared| shared.config).unwrap_or(self.spec.config);
        let is_fsync_mode = self.is_fsync_mode(&config);
        // Raft counts everything that it finds in a log as persisted, also what waits until `flush.messages` are there.
        if self.sync_at(&config) < i64::MAX {
            match flush_all(&mut files.0) {
                Ok(()) => {}
                Err(error) if error.is_out_of_files() => {
                    return Err(RebuildError::Later(Box::new(Idle { files, producers })));
                }
                Err(error) => return Err(RebuildError::Offline(error.to_string())),
            }
            if files.0.flushed_index() < files.0.last_index() {
                return Err(RebuildError::Later(Box::new(Idle { files, producers })));
            }
        }
        // A full disk is looked at first: each campaign costs a term.
        match self.env.disk.space(&self.env.log_dir) {
            Ok(space) if space.available < MIN_AVAILABLE => {
                return Err(RebuildError::Later(Box::new(Idle { files, producers })));
            }
            Ok(_) => {}
            Err(error) => return Err(RebuildError::Offline(error.to_string())),
        }
        // What an attempt before this one could not write comes first: each adds to it.
        match self.env.write_hard_state() {
            Ok(()) => {}
            Err(error) if is_no_space(&error) => {
                return Err(RebuildError::Later(Box::new(Idle { files, producers })));
            }
            Err(error) => return Err(RebuildError::Offline(error.to_string())),
        }
        let elected = campaign(&self.env, &self.spec, files, producers)
            .map_err(|error| RebuildError::Broken(error.to_string()))?;
        match self.env.sync_hard_state(elected.sequence) {
            Ok(()) => {}
            Err(error) if is_no_space(&error) => return Err(later(elected.core)),
            Err(error) => return Err(RebuildError::Offline(error.to_string())),
        }
        lead(elected, is_fsync_mode)
    }
}

/// Space below which a rebuild is not tried: a segment and its indexes have to be begun.
const MIN_AVAILABLE: u64 = 64 * 1024;

/// Why a group does not lead.
pub(crate) enum RebuildError {
    /// The disk is full, or a flush is out; the log is whole. Try again in a second.
    Later(Box<Idle>),
    /// The log directory has to go off-line.
    Offline(String),
    /// This partition only.
    Broken(String),
}

/// Finds a partition's files, or writes them; of those that are new nothing is durable yet.
pub(crate) fn find(
    env: &Arc<Env>,
    spec: &PartitionSpec,
    handle: Handle,
) -> Result<Found, OpenError> {
    if env.is_offline() {
        return Err(OpenError::Offline);
    }
    let identity = LogIdentity { topic_id: spec.topic_id, group_id: spec.group_id };
    let is_new = env.hard_state.group(spec.group_id).is_none_or(|group| group.created.is_none());
    if spec.fsync_always && !is_new {
        check_folder(env, spec, identity)?;
    }
    let (lease, is_there) = folders::claim(env, &spec.folder_name(), identity)?;
    let disk: Arc<dyn Disk> =
        Arc::new(LeasedDisk { disk: disk_of(env, spec), lease: Arc::clone(&lease) });
    let (log, producers) = if is_there {
        open_existing(env, spec, handle, identity, disk)
            .inspect_err(|error| note_failed_sync(env, error))?
    } else {
        let (dir, now_ms) = (env.log_dir.join(spec.folder_name()), (env.now_ms)());
        let options = log_options(&spec.config);
        let descriptors = Arc::clone(&env.state.descriptors);
        let log =
            PartitionLog::create_unsynced(disk, descriptors, &dir, identity, options, now_ms)?;
        (log, Producers::default())
    };
    let (log, is_made_here) = (GroupFiles(log), !is_there);
    Ok(Found { log, producers, lease, is_new: is_new || is_made_here, is_made_here })
}

/// The folder of a group that exists is there and its own. Else a new one would take its place, and whoever reads the
/// metadata from it would hold every topic for deleted.
fn check_folder(env: &Env, spec: &PartitionSpec, identity: LogIdentity) -> Result<(), OpenError> {
    let found = read_identity(env.disk.as_ref(), &env.log_dir.join(spec.folder_name()))?;
    if found == Some(identity) {
        return Ok(());
    }
    let what =
        if found.is_some() { "its folder is another's" } else { "its folder is gone or not whole" };
    Err(OpenError::Lost { name: spec.folder_name(), what: what.to_owned() })
}

/// The partition of a group whose hard state is durable; it leads.
pub(crate) fn finish(
    env: &Arc<Env>,
    spec: PartitionSpec,
    handle: Handle,
    (elected, lease): (Elected, Arc<Lease>),
) -> Result<Arc<Partition>, OpenError> {
    let mut core = elected.core;
    core.serve_at_once();
    let body = Body::Leading(Box::new(core));
    let partition = Partition::new(env, spec, handle, lease, PartitionState::Open, body);
    folders::opened(env, &partition)?;
    // Segments whose removal was decided and not carried out before the last stop.
    partition.locked(|shared| partition.want_deletion(shared));
    Ok(partition)
}

/// A sync that failed in an opening takes the log directory off-line as any other: the next one would find nothing to do.
fn note_failed_sync(env: &Env, error: &OpenError) {
    if matches!(error, OpenError::Log(error) if error.is_failed_sync()) {
        env.set_offline();
    }
}

fn open_existing(
    env: &Arc<Env>,
    spec: &PartitionSpec,
    handle: Handle,
    identity: LogIdentity,
    disk: Arc<dyn Disk>,
) -> Result<(PartitionLog, Producers), OpenError> {
    let (name, now_ms) = (spec.folder_name(), (env.now_ms)());
    let checkpoint = env.state.checkpoints.lock().get(&spec.group_id).cloned();
    let group = env.hard_state.group(spec.group_id);
    // Of one that is not known, nobody knows what became of it.
    let unchecked = group.as_ref().is_none_or(|group| group.unchecked);
    let known = group.unwrap_or_default().hard_state;
    let mut producers = Producers::default();
    let how = OpenLog {
        disk,
        descriptors: Arc::clone(&env.state.descriptors),
        dir: &env.log_dir.join(&name),
        identity,
        is_own: true,
        options: log_options(&spec.config),
        checkpoint: checkpoint.as_ref(),
        same_boot: env.same_boot && !unchecked,
        // The only voter: whatever is in its log is committed, and no one can say otherwise.
        hard_state: Some(LoggedHardState { commit: u64::MAX, ..known }),
        sync_on_open: spec.fsync_always || spec.config.flush_messages <= 1,
        now_ms,
    };
    #[cfg_attr(not(feature = "planted-faults"), expect(unused_mut, reason = "only faults cut it"))]
    let (mut log, mut recovery) = PartitionLog::open(how, &mut producers)?;
    #[cfg(feature = "planted-faults")]
    crate::planted::recovered(spec, &mut log, &mut producers)?;
    recovery.lost_committed = known.commit.saturating_sub(log.last_index());
    producers.expire(now_ms, env.producer_id_expiration_ms);
    report(env, &name, handle, &recovery);
    if spec.fsync_always && recovery.lost_committed > 0 {
        let what = format!("{} committed entries were lost", recovery.lost_committed);
        return Err(OpenError::Lost { name, what });
    }
    Ok((log, producers))
}

#[cfg(not(feature = "planted-faults"))]
fn disk_of(env: &Env, _spec: &PartitionSpec) -> Arc<dyn Disk> {
    Arc::clone(&env.disk)
}

#[cfg(feature = "planted-faults")]
fn disk_of(env: &Env, spec: &PartitionSpec) -> Arc<dyn Disk> {
    crate::planted::disk(&env.disk, spec)
}

/// A new group over the log that asks for leadership; its term and vote are in the hard-state log's buffer.
pub(crate) fn campaign(
    env: &Arc<Env>,
    spec: &PartitionSpec,
    files: GroupFiles,
    producers: Producers,
) -> Result<Elected, OpenError> {
    let group_id = spec.group_id;
    let known = env.hard_state.group(group_id).unwrap_or_default();
    if known.created.is_none() {
        env.hard_state.append(group_id, &Record::Created { topic_id: spec.topic_id });
        let conf_state = ConfState { voters: vec![env.voter_id()], ..ConfState::default() };
        env.hard_state.append(group_id, &Record::ConfState(conf_state));
    }
    let last_index = files.0.last_index();
    // The term is never below the log's.
    let last_term = u64::from(files.0.latest_epoch().unwrap_or(0));
    let known = known.hard_state;
    let vote = if known.term >= last_term { known.vote } else { 0 };
    let term = known.term.max(last_term);
    let start = Start {
        node_id: env.voter_id(),
        voters: vec![env.voter_id()],
        hard_state: HardState { term, vote, commit: last_index },
        applied: last_index,
    };
    let mut files = files;
    files.0.retain_entries_from(last_index);
    let mut core = Core::new(RaftConsensus::new(files, &start)?, producers);
    core.group.campaign()?;
    let (term, vote, commit) = (u64::from(core.group.term()), env.voter_id(), last_index);
    core.noted_commit = commit;
    env.hard_state.append(group_id, &Record::Opened);
    let record = Record::HardState(LoggedHardState { term, vote, commit });
    let sequence = env.hard_state.append(group_id, &record);
    Ok(Elected { core, sequence })
}

/// Writes the term's first entry; in fsync mode waits until it is durable.
fn lead(elected: Elected, is_fsync_mode: bool) -> Result<Core, RebuildError> {
    let Elected { mut core, .. } = elected;
    let Some(ready) = core.ready() else {
        return Err(RebuildError::Broken(ConsensusError::NotLeader.to_string()));
    };
    if let Err(error) = core.write(ready, 0, |_| &[], is_fsync_mode) {
        return Err(write_error(error, core));
    }
    if is_fsync_mode {
        match flush_all(core.log_mut()) {
            Ok(()) => {}
            Err(error) if error.is_out_of_files() => return Err(later(core)),
            Err(error) => return Err(RebuildError::Offline(error.to_string())),
        }
        let flushed_index = core.log().flushed_index();
        core.persisted_up_to(flushed_index);
    }
    Ok(core)
}

fn write_error(error: AppendError, core: Core) -> RebuildError {
    let text = error.to_string();
    if !error.usable {
        return RebuildError::Broken(text);
    }
    if is_no_space(&error.source) { later(core) } else { RebuildError::Offline(text) }
}

fn later(core: Core) -> RebuildError {
    let Core { group, producers, .. } = core;
    RebuildError::Later(Box::new(Idle { files: group.into_log(), producers }))
}

/// Syncs all that the log has written. Not while a job of the log is out.
fn flush_all(log: &mut PartitionLog) -> Result<(), LogError> {
    while let Some(job) = log.flush_job() {
        log.flushed(job.run())?;
    }
    Ok(())
}

/// The settings of the log, from those of the topic.
pub(crate) fn log_options(config: &PartitionConfig) -> LogOptions {
    let unsigned = |value: i32| u32::try_from(value).unwrap_or(0);
    LogOptions {
        segment_bytes: unsigned(config.segment_bytes),
        segment_ms: u64::try_from(config.segment_ms).unwrap_or(0),
        segment_jitter_ms: u64::try_from(config.segment_jitter_ms).unwrap_or(0),
        index_bytes: unsigned(config.segment_index_bytes),
        index_interval_bytes: unsigned(config.index_interval_bytes),
        ..LogOptions::default()
    }
}
