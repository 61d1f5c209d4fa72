//! Folders of partitions: set aside, removed, swept.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ms_log::{LogError, LogIdentity, holds_nothing, is_no_space, read_identity};

use crate::Partition;
use crate::api::PartitionSpec;
use crate::env::Env;
use crate::lease::Lease;
use crate::open::OpenError;

/// What the name of a folder that will be removed ends with, as in Kafka.
const DELETE_SUFFIX: &str = "-delete";
/// The longest file name.
const MAX_NAME_BYTES: usize = 255;

/// Folders set aside: those of partitions that no entry of `hosted` (topic id, partition index) names. What was set aside
/// before is removed. Call when nothing but `hosted` is open or being opened. Waits for the disk.
pub fn sweep_folders(env: &Env, hosted: &[([u8; 16], i32)]) -> io::Result<u32> {
    let hosted: HashSet<([u8; 16], i32)> = hosted.iter().copied().collect();
    let mut set_aside_count = 0;
    for entry in env.disk.list_dir(&env.log_dir)? {
        if !entry.is_dir {
            continue;
        }
        if entry.name.ends_with(DELETE_SUFFIX) {
            remove(env, &env.log_dir.join(&entry.name))?;
            continue;
        }
        let Some(index) = partition_index(&entry.name) else { continue };
        // Of most it need not be read whose they are.
        if env.state.folders.lock().contains_key(&entry.name) {
            continue;
        }
        let identity = read_identity(env.disk.as_ref(), &env.log_dir.join(&entry.name));
        let identity = identity.ok().flatten();
        let is_hosted = identity.is_some_and(|it| hosted.contains(&(it.topic_id, index)));
        let folders = env.state.folders.lock();
        if !is_hosted && !folders.contains_key(&entry.name) {
            set_aside(env, &entry.name)?;
            set_aside_count += 1;
        }
    }
    env.forget_groups(&hosted.iter().map(|(topic_id, _)| *topic_id).collect());
    Ok(set_aside_count)
}

/// Renames a partition's folder, durably, so that its name is free; gives the new path. The caller holds the lock of the
/// folders' owners, or is alone.
pub(crate) fn set_aside(env: &Env, name: &str) -> io::Result<PathBuf> {
    let to = rename_aside(env, &env.log_dir.join(name))?;
    env.disk.sync_dir(&env.log_dir)?;
    Ok(to)
}

fn rename_aside(env: &Env, dir: &Path) -> io::Result<PathBuf> {
    let name = dir.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let unique = format!("{:016x}{:08x}", (env.now_ms)(), env.next_name());
    let room = MAX_NAME_BYTES - unique.len() - DELETE_SUFFIX.len() - 1;
    let kept: String = name.chars().take(room).collect();
    let to = env.log_dir.join(format!("{kept}.{unique}{DELETE_SUFFIX}"));
    env.disk.rename(dir, &to)?;
    Ok(to)
}

/// Makes a group the owner of a folder's name; says whether its folder is there. A partition of another group that has the
/// name is deleted by that, if it is not yet, before the folder is set aside: it takes nothing any more, and nothing that
/// still runs for it finds the name.
pub(crate) fn claim(
    env: &Env,
    name: &str,
    identity: LogIdentity,
) -> Result<(Arc<Lease>, bool), OpenError> {
    let dir = env.log_dir.join(name);
    let before = env.state.folders.lock().get(name).cloned();
    let other = before.filter(|lease| lease.group_id != identity.group_id);
    if let Some(partition) = other.and_then(|lease| lease.owner()) {
        partition.mark_deleted((env.now_ms)());
    }
    let lease = Lease::new(identity.group_id);
    let before = {
        let mut folders = env.state.folders.lock();
        let before = folders.insert(name.to_string(), Arc::clone(&lease));
        if let Some(before) = &before {
            before.end();
        }
        before
    };
    let is_there = take_folder(env, &dir, identity, &lease, before.as_ref());
    if is_there.is_err()
        && let Some(before) = before
    {
        // Whose the folder was sees to it that it goes.
        let mut folders = env.state.folders.lock();
        if folders.get(name).is_some_and(|held| Arc::ptr_eq(held, &lease)) {
            folders.insert(name.to_string(), before);
        }
    }
    Ok((lease, is_there?))
}

/// Says whether the folder of a lease is there. One of another group is set aside.
fn take_folder(
    env: &Env,
    dir: &Path,
    identity: LogIdentity,
    lease: &Arc<Lease>,
    before: Option<&Arc<Lease>>,
) -> Result<bool, OpenError> {
    // The lock is not held while the disk is read: who takes the name meanwhile ends this lease first.
    match read_identity(env.disk.as_ref(), dir) {
        Ok(Some(found)) if found == identity => return Ok(true),
        Ok(None) if !env.disk.exists(dir)? => return Ok(false),
        // Of other ids, or its creation did not get as far as a name.
        Ok(_) => {}
        // Or as far as a whole one.
        Err(LogError::Format { .. }) if holds_nothing(env.disk.as_ref(), dir)? => {}
        Err(error) => return Err(error.into()),
    }
    let _folders = env.state.folders.lock();
    if lease.is_over() {
        return Err(taken());
    }
    let folder = rename_aside(env, dir)?;
    if let Some(before) = before {
        before.moved(&folder);
    }
    env.disk.sync_dir(&env.log_dir)?;
    Ok(false)
}

/// The partition that a lease was taken for is open; an error if another one took the name meanwhile.
pub(crate) fn opened(env: &Env, partition: &Arc<Partition>) -> Result<(), OpenError> {
    let _folders = env.state.folders.lock();
    if partition.lease.is_over() {
        return Err(taken());
    }
    partition.lease.set_owner(partition);
    Ok(())
}

fn taken() -> OpenError {
    io::Error::other("another partition has the folder now").into()
}

/// Sets aside the folder of a deleted partition, unless its name belongs to a newer one, which did so when it opened. An
/// empty path: nothing is left to be removed. What fails on a full disk can be tried again.
pub(crate) fn set_aside_own(
    env: &Env,
    spec: &PartitionSpec,
    lease: &Arc<Lease>,
) -> io::Result<PathBuf> {
    let name = spec.folder_name();
    let mut folders = env.state.folders.lock();
    if !folders.get(&name).is_some_and(|held| Arc::ptr_eq(held, lease)) {
        return Ok(lease.folder());
    }
    lease.end();
    let renamed = match rename_aside(env, &env.log_dir.join(&name)) {
        Ok(to) => {
            lease.moved(&to);
            Ok(())
        }
        // There is none, or an attempt before this one has renamed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    let moved = renamed.and_then(|()| env.disk.sync_dir(&env.log_dir));
    // What is tried again keeps the name.
    if !moved.as_ref().is_err_and(is_no_space) {
        folders.remove(&name);
    }
    moved.map(|()| lease.folder())
}

/// Removes a folder that was set aside.
pub(crate) fn remove(env: &Env, folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    match env.disk.remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The index in `<topic>-<index>`.
fn partition_index(name: &str) -> Option<i32> {
    let (topic, index) = name.rsplit_once('-')?;
    let index: i32 = index.parse().ok()?;
    (!topic.is_empty() && index >= 0).then_some(index)
}
