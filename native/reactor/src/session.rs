//! Incremental fetch sessions (KIP-227): what a consumer asks for, remembered from one Fetch to the next.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use hashbrown::HashMap;
use ms_wire::error_code;
use ms_wire::fetch::{FetchOptions, FetchPartition, FetchRequest};
use parking_lot::Mutex;

use crate::requested::{self, TooMany};
use crate::topology::{TopicRef, Topology};

/// The first version that names topics by id.
const FIRST_BY_ID: i16 = 13;
const INVALID_SESSION_ID: i32 = 0;
const INITIAL_EPOCH: i32 = 0;
const FINAL_EPOCH: i32 = -1;
/// Partitions of all sessions together, some hundred bytes each: beyond it no session is made, and none grows.
const PARTITIONS_MAX: usize = 1 << 20;
/// A session that was not used for so long may be evicted by any other; one that is younger may not be evicted for its size.
const EVICTION_MS: i64 = 120_000;

/// Why a request has no session and no partitions.
#[derive(Debug, PartialEq, Eq)]
pub enum NotBegun {
    /// With an error of the whole response: 70, 71 or 106, or `TOO_MANY`.
    Refused(i16),
    /// It has too many partitions for who asked; nothing was changed.
    Large,
}

/// The error of a request that names too many partitions.
pub const TOO_MANY: i16 = error_code::INVALID_REQUEST;

/// What the session of a request is.
pub enum SessionUse {
    /// None, and none is wanted.
    None,
    /// None yet: one is made with the answer.
    New,
    /// Its partitions, those of the request included; the answer holds only what changed.
    Incremental(IncrementalUse),
}

/// One request of a session.
pub struct IncrementalUse {
    pub session: Arc<Mutex<Session>>,
    /// The session's epoch while this is its newest request.
    epoch: i32,
}

/// The memory of one consumer's fetches.
pub struct Session {
    id: i32,
    is_by_id: bool,
    epoch: i32,
    partitions: Vec<SessionPartition>,
    /// A request is changing its partitions, which are elsewhere.
    is_changing: bool,
}

/// One partition of a session.
#[derive(Clone)]
pub struct SessionPartition {
    pub topic: TopicRef,
    pub fetch: FetchPartition,
    /// What the consumer was told last; -1: nothing.
    pub high_watermark: i64,
    pub log_start_offset: i64,
}

/// What an answer says of a partition, as far as the session remembers it.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub error_code: i16,
    pub high_watermark: i64,
    pub log_start_offset: i64,
    pub has_records: bool,
    pub has_diverged: bool,
}

/// The sessions of a broker; at most so many as there are slots, with a bound for the partitions of all of them.
pub struct SessionCache {
    entries: Mutex<Entries>,
    slots: usize,
    partitions_max: usize,
}

#[derive(Default)]
struct Entries {
    all: HashMap<i32, Entry>,
    /// Of all sessions.
    partitions: usize,
}

struct Entry {
    session: Arc<Mutex<Session>>,
    created_ms: i64,
    used_ms: i64,
    partitions: usize,
}

impl SessionCache {
    pub fn new(slots: usize) -> Self {
        Self { entries: Mutex::default(), slots, partitions_max: PARTITIONS_MAX }
    }

    pub fn count(&self) -> usize {
        self.entries.lock().all.len()
    }

    /// Finds out which session a request belongs to, and which partitions it asks for, if those of the session and of the
    /// request are no more than `max`.
    pub fn begin(
        &self,
        request: &FetchRequest<'_>,
        topology: &Topology,
        now_ms: i64,
        max: usize,
    ) -> Result<(SessionUse, Vec<SessionPartition>), NotBegun> {
        let (id, epoch) = (request.options.session_id, request.options.session_epoch);
        if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
            if id != INVALID_SESSION_ID {
                self.end(id, max)?;
            }
            let wanted = if epoch == FINAL_EPOCH { SessionUse::None } else { SessionUse::New };
            return Ok((wanted, requested(request, topology)?));
        }
        let (session, mut partitions) = self.take_partitions(request, max)?;
        // No lock is held for as long as this may take.
        let (by_id, before) = (request.version >= FIRST_BY_ID, partitions.len());
        if update(&mut partitions, request, topology, by_id).is_err() {
            self.remove(id);
            return Err(TOO_MANY.into());
        }
        if partitions.is_empty() {
            self.remove(id);
            return Ok((SessionUse::None, partitions));
        }
        // What the session had before may be kept, or it would not be one.
        let count = partitions.len();
        let may_be_kept = count <= before || may_be_kept(&partitions);
        if !(self.has_changed(id, &session, count, now_ms) && may_be_kept) {
            self.remove(id);
            // The client fetches in full again, and gets a session if there is room for it by then.
            return Err(error_code::FETCH_SESSION_ID_NOT_FOUND.into());
        }
        let kept = partitions.clone();
        let mut guard = session.lock();
        (guard.partitions, guard.is_changing) = (kept, false);
        let epoch = guard.epoch;
        drop(guard);
        Ok((SessionUse::Incremental(IncrementalUse { session, epoch }), partitions))
    }

    /// Takes the partitions out of the session of a request, which counts as its newest from now on.
    fn take_partitions(
        &self,
        request: &FetchRequest<'_>,
        max: usize,
    ) -> Result<(Arc<Mutex<Session>>, Vec<SessionPartition>), NotBegun> {
        let FetchOptions { session_id, session_epoch, .. } = request.options;
        let entries = self.entries.lock();
        let entry = entries.all.get(&session_id).ok_or(error_code::FETCH_SESSION_ID_NOT_FOUND)?;
        if entry.partitions + request.partition_count > max {
            return Err(NotBegun::Large);
        }
        let session = Arc::clone(&entry.session);
        drop(entries);
        let mut guard = session.lock();
        if guard.epoch != session_epoch || guard.is_changing {
            return Err(error_code::INVALID_FETCH_SESSION_EPOCH.into());
        }
        if guard.is_by_id != (request.version >= FIRST_BY_ID) {
            return Err(error_code::FETCH_SESSION_TOPIC_ID_ERROR.into());
        }
        guard.epoch = next_epoch(session_epoch);
        guard.is_changing = true;
        let partitions = std::mem::take(&mut guard.partitions);
        drop(guard);
        Ok((session, partitions))
    }

    /// Counts what a session has now; false when it ended meanwhile, or has grown and there is no room for that.
    fn has_changed(
        &self,
        id: i32,
        session: &Arc<Mutex<Session>>,
        count: usize,
        now_ms: i64,
    ) -> bool {
        let mut entries = self.entries.lock();
        let found = entries.all.get_mut(&id).filter(|entry| Arc::ptr_eq(&entry.session, session));
        let Some(entry) = found else { return false };
        entry.used_ms = now_ms;
        let before = std::mem::replace(&mut entry.partitions, count);
        entries.partitions = entries.partitions - before + count;
        count <= before || entries.partitions <= self.partitions_max
    }

    /// Ends a session, if it has no more than `max` partitions.
    fn end(&self, id: i32, max: usize) -> Result<(), NotBegun> {
        let mut entries = self.entries.lock();
        if entries.all.get(&id).is_some_and(|entry| entry.partitions > max) {
            return Err(NotBegun::Large);
        }
        let removed = entries.remove(id);
        drop(entries);
        drop(removed);
        Ok(())
    }

    fn remove(&self, id: i32) {
        let removed = self.entries.lock().remove(id);
        drop(removed);
    }

    /// Makes a session of a full fetch that is being answered: its id, or 0 when there is no room.
    pub fn create(&self, version: i16, partitions: Vec<SessionPartition>, now_ms: i64) -> i32 {
        let count = partitions.len();
        if count == 0 || !may_be_kept(&partitions) {
            return INVALID_SESSION_ID;
        }
        let mut entries = self.entries.lock();
        if !self.make_room(&mut entries, count, now_ms) {
            return INVALID_SESSION_ID;
        }
        let mut id = random_id();
        while entries.all.contains_key(&id) {
            id = random_id();
        }
        let session = Session {
            id,
            is_by_id: version >= FIRST_BY_ID,
            epoch: next_epoch(INITIAL_EPOCH),
            partitions,
            is_changing: false,
        };
        let entry = Entry {
            session: Arc::new(Mutex::new(session)),
            created_ms: now_ms,
            used_ms: now_ms,
            partitions: count,
        };
        entries.all.insert(id, entry);
        entries.partitions += count;
        id
    }

    // Kafka's rule: a session idle for two minutes gives way to any; one older than two minutes to a larger one. Where
    // the partitions are too many, as many idle sessions give way as it takes.
    fn make_room(&self, entries: &mut Entries, partitions: usize, now_ms: i64) -> bool {
        while partitions > self.partitions_max.saturating_sub(entries.partitions) {
            let Some(id) = entries.idle(now_ms) else { return false };
            entries.remove(id);
        }
        if entries.all.len() < self.slots {
            return true;
        }
        let small = || {
            let mature = entries.all.iter().filter(|(_, e)| e.used_ms - e.created_ms > EVICTION_MS);
            mature
                .min_by_key(|(id, e)| (e.partitions, **id))
                .filter(|(_, e)| e.partitions < partitions)
                .map(|(id, _)| *id)
        };
        let Some(id) = entries.idle(now_ms).or_else(small) else { return false };
        entries.remove(id);
        true
    }
}

impl Entries {
    /// The session that was idle for the longest time, if that is long enough.
    fn idle(&self, now_ms: i64) -> Option<i32> {
        let oldest = self.all.iter().min_by_key(|(_, entry)| entry.used_ms);
        let idle = oldest.filter(|(_, entry)| now_ms - entry.used_ms > EVICTION_MS);
        idle.map(|(id, _)| *id)
    }

    /// What is given back may be large: it is dropped without the lock where it can be.
    fn remove(&mut self, id: i32) -> Option<Entry> {
        let entry = self.all.remove(&id)?;
        self.partitions -= entry.partitions;
        Some(entry)
    }
}

impl IncrementalUse {
    /// Remembers what is being told and says which partitions the answer must name; those with records move to the end
    /// of the session, so that none starves. `told` is in the order of `begin`. An error when another request of the
    /// session has come in between.
    pub fn answer(&self, told: &[Told], included: &mut Vec<bool>) -> Result<i32, i16> {
        let mut session = self.session.lock();
        if session.epoch != self.epoch || session.partitions.len() != told.len() {
            return Err(error_code::INVALID_FETCH_SESSION_EPOCH);
        }
        included.clear();
        for (partition, told) in session.partitions.iter_mut().zip(told) {
            included.push(partition.tell(told));
        }
        if told.iter().any(|told| told.has_records) {
            let old = std::mem::take(&mut session.partitions);
            let (mut moved, mut kept) = (Vec::new(), Vec::with_capacity(old.len()));
            for (partition, told) in old.into_iter().zip(told) {
                if told.has_records { &mut moved } else { &mut kept }.push(partition);
            }
            kept.append(&mut moved);
            session.partitions = kept;
        }
        Ok(session.id)
    }
}

impl From<i16> for NotBegun {
    fn from(error_code: i16) -> Self {
        NotBegun::Refused(error_code)
    }
}

/// Enters what a request names into the partitions of its session, and takes out what it forgets.
fn update(
    partitions: &mut Vec<SessionPartition>,
    request: &FetchRequest<'_>,
    topology: &Topology,
    by_id: bool,
) -> Result<(), TooMany> {
    requested::enter(partitions, request, topology, by_id)?;
    requested::forget(partitions, request, by_id);
    // A topic may have been created, or created anew, since.
    for of_topic in partitions.chunk_by_mut(|a, b| a.topic.is_shared(&b.topic)) {
        let found = topology.topic_ref(&of_topic[0].topic.key(by_id));
        of_topic.iter_mut().for_each(|partition| partition.topic = found.clone());
    }
    Ok(())
}

impl SessionPartition {
    pub fn new(topic: TopicRef, fetch: FetchPartition) -> Self {
        Self { topic, fetch, high_watermark: -1, log_start_offset: -1 }
    }

    /// Remembers what is told; true when it is news.
    pub fn tell(&mut self, told: &Told) -> bool {
        let is_news = told.has_records
            || told.has_diverged
            || told.error_code != error_code::NONE
            || told.high_watermark != self.high_watermark
            || told.log_start_offset != self.log_start_offset;
        self.high_watermark = told.high_watermark;
        self.log_start_offset = told.log_start_offset;
        if told.error_code != error_code::NONE || told.has_diverged {
            // The next answer without an error is news again.
            self.high_watermark = -1;
        }
        is_news
    }
}

fn requested(
    request: &FetchRequest<'_>,
    topology: &Topology,
) -> Result<Vec<SessionPartition>, i16> {
    let mut partitions = Vec::new();
    let by_id = request.version >= FIRST_BY_ID;
    requested::enter(&mut partitions, request, topology, by_id).map_err(|TooMany| TOO_MANY)?;
    Ok(partitions)
}

/// A name that no topic can have may be very long: it is not kept from one request to the next.
fn may_be_kept(partitions: &[SessionPartition]) -> bool {
    !partitions.iter().any(|partition| partition.topic.is_name_too_long())
}

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

fn random_id() -> i32 {
    // The standard library's hash keys are random for each process and counted up for each use.
    let bits = RandomState::new().build_hasher().finish();
    (bits as i32 & i32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use ms_wire::fetch::{FetchOptions, FetchRequestWriter};
    use ms_wire::topic::TopicKey;

    use super::*;

    fn create(cache: &SessionCache, partitions: i32, now_ms: i64) -> i32 {
        let partition = |p| {
            let topic = TopicRef::UnknownId([1; 16]);
            SessionPartition::new(topic, FetchPartition::new(p, 0, 1000))
        };
        cache.create(13, (0..partitions).map(partition).collect(), now_ms)
    }

    fn ids(cache: &SessionCache) -> Vec<i32> {
        let mut ids: Vec<_> = cache.entries.lock().all.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    fn touch(cache: &SessionCache, id: i32, now_ms: i64) {
        cache.entries.lock().all.get_mut(&id).unwrap().used_ms = now_ms;
    }

    #[test]
    fn a_session_that_was_idle_for_two_minutes_gives_way_to_any() {
        let cache = SessionCache::new(2);
        let (old, young) = (create(&cache, 5, 0), create(&cache, 5, 60_000));
        assert_eq!(create(&cache, 1, EVICTION_MS), 0);
        let new = create(&cache, 1, EVICTION_MS + 1);
        assert!(new > 0 && !ids(&cache).contains(&old) && ids(&cache).contains(&young));
    }

    #[test]
    fn an_older_session_in_use_gives_way_to_a_larger_one_only() {
        let cache = SessionCache::new(2);
        let (small, large) = (create(&cache, 2, 0), create(&cache, 9, 0));
        for id in [small, large] {
            touch(&cache, id, EVICTION_MS + 1);
        }
        assert_eq!(create(&cache, 2, EVICTION_MS + 2), 0);
        let new = create(&cache, 3, EVICTION_MS + 2);
        assert!(new > 0 && !ids(&cache).contains(&small) && ids(&cache).contains(&large));
        // The new one is young: it stays, however large the next is.
        touch(&cache, large, EVICTION_MS + 3);
        assert_eq!(create(&cache, 9, EVICTION_MS + 3), 0);
    }

    #[test]
    fn the_partitions_of_all_sessions_are_bounded() {
        let cache = SessionCache { partitions_max: 10, ..SessionCache::new(100) };
        let (old, young) = (create(&cache, 4, 0), create(&cache, 5, 60_000));
        assert_eq!(create(&cache, 2, EVICTION_MS), 0);
        let small = create(&cache, 1, EVICTION_MS);
        assert!(small > 0);
        // Only what was idle for long gives way, and what is too large in any case displaces nobody in use.
        let next = create(&cache, 3, EVICTION_MS + 1);
        assert!(next > 0 && !ids(&cache).contains(&old) && ids(&cache).contains(&young));
        assert_eq!(create(&cache, 6, EVICTION_MS + 1), 0);
        assert_eq!(cache.entries.lock().partitions, 9);
        // A full fetch that ends a session gives its partitions back.
        cache.entries.lock().remove(young);
        assert!(create(&cache, 6, EVICTION_MS + 1) > 0);
    }

    #[test]
    fn a_session_does_not_grow_beyond_the_bound() {
        let cache = SessionCache { partitions_max: 3, ..SessionCache::new(100) };
        let id = create(&cache, 2, 0);
        let ask = |epoch, first: i32, count: i32, max| {
            let mut frame = Vec::new();
            let (session_id, session_epoch) = (id, epoch);
            let options = FetchOptions { session_id, session_epoch, ..FetchOptions::default() };
            let writer = FetchRequestWriter::start(&mut frame, 13, options, 1);
            writer.topic(&mut frame, TopicKey::Id([1; 16]), count as usize);
            for p in first..first + count {
                writer.partition(&mut frame, &FetchPartition::new(p, 0, 1000));
            }
            writer.end_topic(&mut frame);
            writer.forgotten_topics(&mut frame, 0);
            writer.finish(&mut frame);
            let request = FetchRequest::parse(&frame, 13, 0).unwrap();
            cache.begin(&request, &Topology::default(), 1, max).map(|(_, all)| all.len())
        };
        assert_eq!(ask(1, 1, 2, 3), Err(NotBegun::Large));
        assert_eq!(ask(1, 1, 2, 4), Ok(3));
        assert_eq!(cache.entries.lock().partitions, 3);
        let gone = NotBegun::Refused(error_code::FETCH_SESSION_ID_NOT_FOUND);
        assert_eq!(ask(2, 3, 1, 4), Err(gone));
        assert_eq!((cache.count(), cache.entries.lock().partitions), (0, 0));
    }

    #[test]
    fn a_session_whose_partitions_are_elsewhere_is_nobody_elses() {
        let cache = SessionCache::new(100);
        let id = create(&cache, 2, 0);
        let ask = |session_epoch| {
            let options = FetchOptions { session_id: id, session_epoch, ..FetchOptions::default() };
            let mut frame = Vec::new();
            let writer = FetchRequestWriter::start(&mut frame, 13, options, 0);
            writer.forgotten_topics(&mut frame, 0);
            writer.finish(&mut frame);
            frame
        };
        let taken = |epoch| {
            let frame = ask(epoch);
            let request = FetchRequest::parse(&frame, 13, 0).unwrap();
            cache.take_partitions(&request, 4).map(|(session, all)| (session, all.len()))
        };
        let (session, count) = taken(1).unwrap();
        assert_eq!(count, 2);
        for epoch in [1, 2] {
            let refused = taken(epoch).map(|(_, count)| count);
            let expected = NotBegun::Refused(error_code::INVALID_FETCH_SESSION_EPOCH);
            assert_eq!(refused, Err(expected), "{epoch}");
        }
        // It ends while it is changed: it is not counted again.
        cache.end(id, 4).unwrap();
        assert!(!cache.has_changed(id, &session, 3, 1));
        assert_eq!(cache.entries.lock().partitions, 0);
    }

    #[test]
    fn a_fetch_of_nothing_makes_no_session() {
        assert_eq!(create(&SessionCache::new(10), 0, 0), 0);
    }

    #[test]
    fn epochs_skip_zero_when_they_wrap() {
        assert_eq!(next_epoch(1), 2);
        assert_eq!(next_epoch(i32::MAX), 1);
    }

    #[test]
    fn what_was_told_once_is_no_news() {
        let topic = TopicRef::UnknownId([1; 16]);
        let mut partition = SessionPartition::new(topic, FetchPartition::new(0, 0, 1));
        let mut told = Told {
            error_code: error_code::NONE,
            high_watermark: 5,
            log_start_offset: 0,
            has_records: false,
            has_diverged: false,
        };
        assert!(partition.tell(&told));
        assert!(!partition.tell(&told));
        told.error_code = error_code::NOT_LEADER_OR_FOLLOWER;
        assert!(partition.tell(&told) && partition.tell(&told));
        told.error_code = error_code::NONE;
        assert!(partition.tell(&told) && !partition.tell(&told));
        told.log_start_offset = 3;
        assert!(partition.tell(&told));
    }
}
