//! Which partitions a Fetch asks for: each once, however often the request names it.

use hashbrown::HashMap;
use ms_wire::fetch::{FetchPartition, FetchRequest};
use ms_wire::topic::TopicKey;

use crate::session::SessionPartition;
use crate::topology::Topology;

/// The most partitions that one fetch may name, or one session have: hundreds of bytes each while the fetch is served.
pub const PARTITIONS_MAX: usize = 1 << 16;
/// Up to so many partitions are compared one by one, which allocates nothing.
const COMPARED_MAX: usize = 16;

/// The request has more than `PARTITIONS_MAX`.
#[derive(Debug)]
pub struct TooMany;

/// Enters the partitions of a request behind those that are there. One that is there, or is named again, keeps its place
/// and takes what was said last, as in Kafka's maps.
pub fn enter(
    partitions: &mut Vec<SessionPartition>,
    request: &FetchRequest<'_>,
    topology: &Topology,
    by_id: bool,
) -> Result<(), TooMany> {
    if request.partition_count > PARTITIONS_MAX {
        return Err(TooMany);
    }
    if partitions.len() + request.partition_count <= COMPARED_MAX {
        enter_few(partitions, request, topology, by_id);
        return Ok(());
    }
    enter_many(partitions, request, topology, by_id)
}

fn enter_few(
    partitions: &mut Vec<SessionPartition>,
    request: &FetchRequest<'_>,
    topology: &Topology,
    by_id: bool,
) {
    partitions.reserve(request.partition_count);
    for topic in request.topics() {
        let found = topology.topic_ref(&topic.key);
        for fetch in topic.partitions() {
            let mut known = partitions.iter_mut();
            let known = known.find(|known| {
                known.fetch.partition == fetch.partition && known.topic.key(by_id) == topic.key
            });
            match known {
                Some(known) => known.fetch = fetch,
                None => partitions.push(SessionPartition::new(found.clone(), fetch)),
            }
        }
    }
}

fn enter_many(
    partitions: &mut Vec<SessionPartition>,
    request: &FetchRequest<'_>,
    topology: &Topology,
    by_id: bool,
) -> Result<(), TooMany> {
    let known = partitions.len();
    let mut places = Places::of(partitions, request.partition_count, by_id);
    let mut changed: HashMap<usize, FetchPartition> = HashMap::new();
    // Room for all: what is not used is never touched, and a list that grows is there twice.
    let mut added: Vec<SessionPartition> = Vec::with_capacity(request.partition_count);
    for topic in request.topics() {
        let found = topology.topic_ref(&topic.key);
        let number = places.number(topic.key);
        for fetch in topic.partitions() {
            let next = known + added.len();
            let at = *places.all.entry((number, fetch.partition)).or_insert(next);
            if at < known {
                changed.insert(at, fetch);
            } else if at < next {
                added[at - known].fetch = fetch;
            } else if at < PARTITIONS_MAX {
                added.push(SessionPartition::new(found.clone(), fetch));
            } else {
                return Err(TooMany);
            }
        }
    }
    drop(places);
    for (at, fetch) in changed {
        partitions[at].fetch = fetch;
    }
    if partitions.is_empty() {
        added.shrink_to_fit();
        *partitions = added;
    } else {
        partitions.append(&mut added);
    }
    Ok(())
}

/// Takes out the partitions that the request wants its session to forget.
pub fn forget(partitions: &mut Vec<SessionPartition>, request: &FetchRequest<'_>, by_id: bool) {
    if request.forgotten_count == 0 {
        return;
    }
    let mut places = Places::of(partitions, 0, by_id);
    let mut is_forgotten = vec![false; partitions.len()];
    for topic in request.forgotten() {
        let number = places.number(topic.key);
        for partition in topic.partitions() {
            if let Some(&at) = places.all.get(&(number, partition)) {
                is_forgotten[at] = true;
            }
        }
    }
    drop(places);
    let mut is_forgotten = is_forgotten.into_iter();
    partitions.retain(|_| !is_forgotten.next().unwrap_or(false));
}

/// Where each partition stands. A name may be as long as a request: it is hashed once for all partitions behind it.
struct Places<'a> {
    topics: HashMap<TopicKey<'a>, usize>,
    /// By number of the topic, and partition.
    all: HashMap<(usize, i32), usize>,
}

impl<'a> Places<'a> {
    /// With room for so many more.
    fn of(partitions: &'a [SessionPartition], more: usize, by_id: bool) -> Self {
        let all = HashMap::with_capacity(partitions.len() + more);
        let mut places = Self { topics: HashMap::new(), all };
        let mut at = 0;
        for of_topic in partitions.chunk_by(|a, b| a.topic.is_shared(&b.topic)) {
            let number = places.number(of_topic[0].topic.key(by_id));
            for partition in of_topic {
                places.all.insert((number, partition.fetch.partition), at);
                at += 1;
            }
        }
        places
    }

    fn number(&mut self, key: TopicKey<'a>) -> usize {
        let next = self.topics.len();
        *self.topics.entry(key).or_insert(next)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ms_wire::fetch::{FetchOptions, FetchRequestWriter};

    use super::*;

    const A: TopicKey<'static> = TopicKey::Name(b"a");
    const B: TopicKey<'static> = TopicKey::Name(b"b");

    type Named<'a> = &'a [(TopicKey<'a>, &'a [(i32, i64)])];

    /// Enters the partitions named by (index, offset), then forgets; what is there then, in its order.
    fn entered(
        partitions: &mut Vec<SessionPartition>,
        topics: Named<'_>,
        forgotten: &[(TopicKey<'_>, &[i32])],
    ) -> Result<Vec<(u8, i32, i64)>, TooMany> {
        let mut frame = Vec::new();
        let options = FetchOptions::default();
        let writer = FetchRequestWriter::start(&mut frame, 12, options, topics.len());
        for (key, all) in topics {
            writer.topic(&mut frame, *key, all.len());
            for (index, offset) in *all {
                writer.partition(&mut frame, &FetchPartition::new(*index, *offset, 1000));
            }
            writer.end_topic(&mut frame);
        }
        writer.forgotten_topics(&mut frame, forgotten.len());
        for (key, all) in forgotten {
            writer.forgotten(&mut frame, *key, all);
        }
        writer.finish(&mut frame);
        let request = FetchRequest::parse(&frame, 12, 0).unwrap();
        enter(partitions, &request, &Topology::default(), false)?;
        forget(partitions, &request, false);
        let name = |partition: &SessionPartition| match partition.topic.key(false) {
            TopicKey::Name(name) => name[0],
            TopicKey::Id(_) => 0,
        };
        let seen = |p: &SessionPartition| (name(p), p.fetch.partition, p.fetch.fetch_offset);
        Ok(partitions.iter().map(seen).collect())
    }

    /// Names partition 0 of a topic so often that nothing is compared one by one.
    const OFTEN: &[(i32, i64)] = &[(0, 1); COMPARED_MAX];

    #[test]
    fn a_partition_named_again_keeps_its_place_and_takes_the_last_values() {
        let few: Named<'_> =
            &[(A, &[(0, 0), (1, 5), (0, 1)]), (B, &[(0, 2)]), (A, &[(2, 6), (0, 7)])];
        let many = [&[(A, OFTEN)], few].concat();
        for topics in [few, &many] {
            let mut partitions = Vec::new();
            let expected = [(b'a', 0, 7), (b'a', 1, 5), (b'b', 0, 2), (b'a', 2, 6)];
            assert_eq!(entered(&mut partitions, topics, &[]).unwrap(), expected);
            // And from one request of a session to the next.
            let few: Named<'_> = &[(B, &[(0, 3), (1, 1), (0, 4), (1, 2)]), (A, &[(2, 9)])];
            let many = [few, &[(A, OFTEN), (A, &[(0, 7)])]].concat();
            let expected = [(b'a', 0, 7), (b'a', 1, 5), (b'b', 0, 4), (b'a', 2, 9), (b'b', 1, 2)];
            for topics in [few, &many] {
                assert_eq!(entered(&mut partitions.clone(), topics, &[]).unwrap(), expected);
            }
        }
    }

    #[test]
    fn what_is_forgotten_goes_even_if_the_same_request_names_it() {
        let mut partitions = Vec::new();
        entered(&mut partitions, &[(A, &[(0, 0), (1, 0), (2, 0)]), (B, &[(1, 0)])], &[]).unwrap();
        let forgotten: &[(_, &[i32])] = &[(A, &[1, 1, 0]), (B, &[7]), (A, &[1])];
        let left = entered(&mut partitions, &[(A, &[(1, 5), (2, 6)])], forgotten).unwrap();
        assert_eq!(left, [(b'a', 2, 6), (b'b', 1, 0)]);
    }

    #[test]
    fn however_often_a_partition_is_named_it_is_kept_once() {
        let mut partitions = Vec::new();
        let often = vec![(3, 0); PARTITIONS_MAX];
        assert_eq!(entered(&mut partitions, &[(A, &often)], &[]).unwrap().len(), 1);
        assert!(partitions.capacity() < 100);
        entered(&mut partitions, &[(A, &often)], &[]).unwrap();
        assert!(partitions.len() == 1 && partitions.capacity() < 100);
    }

    #[test]
    fn the_partitions_of_one_fetch_are_bounded() {
        let mut all: Vec<_> = (0..PARTITIONS_MAX as i32).map(|p| (p, 0)).collect();
        assert!(entered(&mut Vec::new(), &[(A, &all)], &[]).is_ok());
        all.push((-1, 0));
        assert!(entered(&mut Vec::new(), &[(A, &all)], &[]).is_err());
        let mut partitions = Vec::new();
        assert!(entered(&mut partitions, &[(A, &all[1..])], &[]).is_ok());
        assert!(entered(&mut partitions, &[(A, &all[..1])], &[]).is_err());
        assert!(entered(&mut Vec::new(), &[(A, &vec![(3, 0); all.len()])], &[]).is_err());
    }

    #[test]
    fn the_partitions_of_a_topic_share_its_name() {
        let mut partitions = Vec::new();
        let all: Vec<_> = (0..100).map(|p| (p, 0)).collect();
        for topics in [&[(A, &all[..5])], &[(A, &all[..])]] {
            partitions.clear();
            entered(&mut partitions, topics, &[]).unwrap();
            assert!(partitions.iter().all(|p| p.topic.is_shared(&partitions[0].topic)));
        }
    }
}
