//! Syncs that many partitions share. When they are opened: one for the files of those that are new, one for the hard states;
//! and one for what they have written, when all are closed.

use std::io;
use std::sync::Arc;

use ms_log::{LogError, PageCache, sync_created};
use parking_lot::Mutex;

use crate::Partition;
use crate::api::{Handle, PartitionSpec};
use crate::env::Env;
use crate::folders;
use crate::open::{Found, OpenError, campaign, find, finish};

/// From so many new folders on the whole file system is synced: one commit of its journal instead of several for each.
const SYNC_ALL_FROM: usize = 8;
/// That writes what others have written too, records above all. So it is done while no more than this waits in the page cache
/// for each folder; else the folders are synced by themselves.
const DIRTY_MAX: u64 = 256 << 10;
/// However many there are: who waits can bound the sync of a file, not of a file system.
const ALL_DIRTY_MAX: u64 = 128 << 20;

impl Partition {
    /// Opens some partitions; those that are new are durable when it returns. Waits for the disk: on a worker, several of
    /// which share the syncs.
    pub fn open_many(
        env: &Arc<Env>,
        specs: Vec<(PartitionSpec, Handle)>,
    ) -> Vec<Result<Arc<Partition>, OpenError>> {
        let mut found: Vec<_> =
            specs.iter().map(|(spec, handle)| find(env, spec, *handle)).collect();
        sync_new(env, &specs, &mut found);
        let elected: Vec<_> = specs
            .iter()
            .zip(found)
            .map(|((spec, _), found)| {
                let Found { log, producers, lease, .. } = found?;
                Ok((campaign(env, spec, log, producers)?, lease))
            })
            .collect();
        let sequence = elected.iter().flatten().map(|(one, _)| one.sequence).max().unwrap_or(0);
        let synced = env.sync_hard_state(sequence);
        let finish_one = |((spec, handle), elected): (_, Result<_, OpenError>)| {
            let elected = elected?;
            match &synced {
                Ok(()) => finish(env, spec, handle, elected),
                Err(error) => Err(again(error).into()),
            }
        };
        specs.into_iter().zip(elected).map(finish_one).collect()
    }
}

/// Syncs the folders of groups that were not recorded as created. After a failure nobody knows what is on the disk: what was
/// made here goes, so that the next attempt begins anew, and what was there before takes the log directory off-line.
fn sync_new(
    env: &Arc<Env>,
    specs: &[(PartitionSpec, Handle)],
    found: &mut [Result<Found, OpenError>],
) {
    let is_new = |found: &Result<Found, OpenError>| found.as_ref().is_ok_and(|it| it.is_new);
    let new = specs.iter().zip(&*found).filter(|(_, found)| is_new(found));
    let dirs: Vec<_> = new.map(|((spec, _), _)| env.log_dir.join(spec.folder_name())).collect();
    if dirs.is_empty() {
        return;
    }
    let shared = if is_worth_all(env, dirs.len()) { env.state.whole_disk.sync(env) } else { None };
    let synced = shared.unwrap_or_else(|| {
        let alone = sync_created(env.disk.as_ref(), &env.log_dir, &dirs);
        alone.map_err(|error| match error {
            LogError::Io { source, .. } => source,
            other => io::Error::other(other.to_string()),
        })
    });
    let Err(error) = synced else { return };
    for ((spec, _), found) in specs.iter().zip(found) {
        let Ok(Found { lease, is_new: true, is_made_here, .. }) = found else { continue };
        if !*is_made_here || folders::set_aside_own(env, spec, lease).is_err() {
            env.set_offline();
        }
        *found = Err(again(&error).into());
    }
}

fn is_worth_all(env: &Env, folders: usize) -> bool {
    let is_little = |cache: PageCache| {
        let most = ALL_DIRTY_MAX.min(DIRTY_MAX * folders as u64);
        cache.dirty.saturating_add(cache.in_writeback) <= most
    };
    folders >= SYNC_ALL_FROM && env.disk.page_cache().is_none_or(is_little)
}

impl Env {
    /// Syncs everything by one sync of the file system if that is cheaper than to sync so many logs one by one. True: the
    /// jobs that they have given out ([`Partition::flush_job`]) are for `run_synced`. Else, after an error too, for `run`:
    /// each file tells its own. Waits for the disk.
    pub fn sync_for(&self, logs: usize) -> bool {
        is_worth_all(self, logs) && matches!(self.state.whole_disk.sync(self), Some(Ok(())))
    }
}

/// An error that several have.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}

/// Syncs of the whole file system. Those who come while one is under way share the next.
#[derive(Default)]
pub(crate) struct WholeDisk {
    /// Who came last.
    tickets: Mutex<u64>,
    outcomes: Mutex<Outcomes>,
}

#[derive(Default)]
struct Outcomes {
    /// Up to whom there was a sync.
    decided: u64,
    /// Whom it failed for, from the first to the last; an error is told once, so the next sync proves nothing for them.
    failed: Option<(u64, u64)>,
}

impl WholeDisk {
    /// Makes everything that was written before durable; `None` where that is not possible.
    fn sync(&self, env: &Env) -> Option<io::Result<()>> {
        let ticket = {
            let mut tickets = self.tickets.lock();
            *tickets += 1;
            *tickets
        };
        let mut outcomes = self.outcomes.lock();
        if ticket > outcomes.decided {
            // Whoever has a ticket by now has written what it syncs.
            let last = *self.tickets.lock();
            match env.disk.sync_all(&env.log_dir) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return None,
                Err(error) => {
                    let first = outcomes.failed.map_or(outcomes.decided + 1, |(first, _)| first);
                    (outcomes.decided, outcomes.failed) = (last, Some((first, last)));
                    return Some(Err(error));
                }
            }
            outcomes.decided = last;
        }
        let has_failed =
            outcomes.failed.is_some_and(|(first, last)| (first..=last).contains(&ticket));
        let failed = || io::Error::other("a sync of the file system failed");
        Some(if has_failed { Err(failed()) } else { Ok(()) })
    }
}
