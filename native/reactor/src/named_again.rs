//! What a Produce names more than once: a partition counts once, with what was said last, as in Kafka's maps.

use hashbrown::{HashMap, HashSet};
use ms_wire::produce::{ProduceRequest, ProduceTopic};
use ms_wire::topic::TopicKey;

/// Up to so many topics, and partitions, are compared with each other, which allocates nothing.
const COMPARED_MAX: usize = 16;

/// Of a request that names a topic or a partition more than once, or a topic without a partition: the answer cannot follow
/// the request.
pub struct NamedAgain {
    is_superseded: Vec<bool>,
}

impl NamedAgain {
    /// `None`: nothing is, as in the requests of every known client. No allocation for up to 16 partitions of 16 topics.
    pub fn of(request: &ProduceRequest<'_>) -> Option<Self> {
        let (topics, partitions) = (request.topic_count, request.partition_count);
        let is_any = match (topics, partitions) {
            (0, 0) | (1, 1) => false,
            (..=COMPARED_MAX, ..=COMPARED_MAX) => is_any_of_few(request),
            _ => is_any_of_many(request),
        };
        is_any.then(|| Self { is_superseded: superseded(request) })
    }

    /// Whether the partition at this place of the request is named again behind it: it counts there, and has no ordinal here.
    pub fn supersedes(again: Option<&Self>, place: usize) -> bool {
        again.is_some_and(|again| again.is_superseded[place])
    }
}

fn is_any_of_few(request: &ProduceRequest<'_>) -> bool {
    let mut keys = [TopicKey::Name(b""); COMPARED_MAX];
    request.topics().enumerate().any(|(number, topic)| {
        let is_again = keys[..number].contains(&topic.key);
        keys[number] = topic.key;
        is_again || topic.partition_count == 0 || is_partition_again(&topic)
    })
}

fn is_any_of_many(request: &ProduceRequest<'_>) -> bool {
    let mut keys = HashSet::new();
    request.topics().any(|topic| {
        let is_again = request.topic_count > 1 && !keys.insert(topic.key);
        is_again || topic.partition_count == 0 || is_partition_again(&topic)
    })
}

fn is_partition_again(topic: &ProduceTopic<'_>) -> bool {
    let indexes = || topic.partitions().map(|partition| partition.index);
    if topic.partition_count > COMPARED_MAX {
        let mut seen = HashSet::with_capacity(topic.partition_count);
        return indexes().any(|index| !seen.insert(index));
    }
    let mut seen = [0; COMPARED_MAX];
    indexes().enumerate().any(|(at, index)| {
        let is_again = seen[..at].contains(&index);
        seen[at] = index;
        is_again
    })
}

fn superseded(request: &ProduceRequest<'_>) -> Vec<bool> {
    let mut is_superseded = Vec::with_capacity(request.partition_count);
    let mut topics: HashMap<TopicKey<'_>, usize> = HashMap::new();
    let mut last: HashMap<(usize, i32), usize> = HashMap::new();
    for topic in request.topics() {
        let next = topics.len();
        // A name may be as long as a request: it is hashed once for all partitions behind it.
        let number = *topics.entry(topic.key).or_insert(next);
        for partition in topic.partitions() {
            let place = is_superseded.len();
            if let Some(earlier) = last.insert((number, partition.index), place) {
                is_superseded[earlier] = true;
            }
            is_superseded.push(false);
        }
    }
    is_superseded
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ms_wire::produce::ProduceRequestWriter;

    use super::*;

    const A: TopicKey<'static> = TopicKey::Name(b"a");
    const B: TopicKey<'static> = TopicKey::Name(b"b");

    type Named<'a> = &'a [(TopicKey<'a>, &'a [i32])];

    /// The places that do not count; `None`: the answer can follow the request.
    fn superseded(topics: Named<'_>) -> Option<Vec<usize>> {
        let mut frame = Vec::new();
        let writer = ProduceRequestWriter::start(&mut frame, 9, None, 1, 0, topics.len());
        for (key, partitions) in topics {
            writer.topic(&mut frame, *key, partitions.len());
            for index in *partitions {
                writer.partition(&mut frame, *index, None);
            }
            writer.end_topic(&mut frame);
        }
        writer.finish(&mut frame);
        let request = ProduceRequest::parse(&frame, 9, 0).unwrap();
        let again = Some(NamedAgain::of(&request)?);
        let places = 0..request.partition_count;
        Some(places.filter(|place| NamedAgain::supersedes(again.as_ref(), *place)).collect())
    }

    #[test]
    fn the_last_naming_of_a_partition_counts() {
        assert_eq!(superseded(&[(A, &[1, 0, 1, 1])]).unwrap(), [0, 2]);
        assert_eq!(superseded(&[(A, &[0]), (B, &[0]), (A, &[1, 0])]).unwrap(), [0]);
        let few: Vec<i32> = (0..16).collect();
        let many: Vec<i32> = (0..100).rev().collect();
        for (all, more) in [(few, 2), (many, 0)] {
            assert_eq!(superseded(&[(A, &all)]), None);
            assert_eq!(superseded(&[(A, &all), (B, &all)]), None);
            let again = [&all[..], &[all[more]]].concat();
            assert_eq!(superseded(&[(B, &[0]), (A, &again)]).unwrap(), [1 + more]);
            assert_eq!(superseded(&[(A, &all), (B, &[]), (A, &[all[3]])]).unwrap(), [3]);
        }
    }

    #[test]
    fn a_topic_may_be_named_again_or_without_a_partition() {
        assert_eq!(superseded(&[]), None);
        assert_eq!(superseded(&[(A, &[3])]), None);
        assert_eq!(superseded(&[(A, &[0]), (A, &[1])]).unwrap(), [0; 0]);
        assert_eq!(superseded(&[(A, &[])]).unwrap(), [0; 0]);
        let names: Vec<_> = (0..100_u8).map(|name| [name]).collect();
        let mut topics: Vec<(_, &[i32])> =
            names.iter().map(|name| (TopicKey::Name(name), &[7][..])).collect();
        assert_eq!(superseded(&topics), None);
        topics.push(topics[5]);
        assert_eq!(superseded(&topics).unwrap(), [5]);
    }
}
