//! What a broker knows of topics and brokers: an immutable snapshot that every reactor reads without a lock.

use std::sync::Arc;

use hashbrown::HashMap;
use ms_partition::{Handle, Partition};
use ms_wire::error_code;
use ms_wire::leader::{LeaderIdAndEpoch, NodeEndpoint};
use ms_wire::topic::TopicKey;

use crate::packed::{NO_HANDLE, PackedError, PackedReader};
use crate::registry::Registry;

/// A delta copies only the maps that it touches.
const SUB_MAPS: usize = 256;
/// Bytes of the longest name of a topic.
const NAME_MAX: usize = 249;

/// Topics by name and by id, and the brokers.
#[derive(Clone)]
pub struct Topology {
    pub epoch: u64,
    by_name: Vec<Arc<TopicMap<Box<[u8]>>>>,
    by_id: Vec<Arc<TopicMap<[u8; 16]>>>,
    brokers: Arc<HashMap<i32, Broker>>,
}

type TopicMap<Key> = HashMap<Key, Arc<Topic>>;

/// A topic as clients see it.
pub struct Topic {
    pub id: [u8; 16],
    pub name: Box<[u8]>,
    /// Clients may not produce to it.
    pub is_internal: bool,
    pub partitions: Vec<TopicPartition>,
}

/// One partition of a topic.
pub struct TopicPartition {
    /// `None`: not hosted here.
    pub partition: Option<Arc<Partition>>,
    pub leader_id: i32,
    pub leader_epoch: i32,
}

/// How a request named a topic, kept after the request's bytes are gone.
#[derive(Clone)]
pub enum TopicRef {
    Known(Arc<Topic>),
    UnknownName(Arc<[u8]>),
    UnknownId([u8; 16]),
}

impl TopicRef {
    /// The name or the id, as the version of the request wants it.
    pub fn key(&self, by_id: bool) -> TopicKey<'_> {
        match self {
            TopicRef::Known(topic) if by_id => TopicKey::Id(topic.id),
            TopicRef::Known(topic) => TopicKey::Name(&topic.name),
            TopicRef::UnknownName(name) => TopicKey::Name(name),
            TopicRef::UnknownId(id) => TopicKey::Id(*id),
        }
    }

    /// Whether both are the same thing in memory, which is seen without reading a name.
    pub fn is_shared(&self, other: &Self) -> bool {
        match (self, other) {
            (TopicRef::Known(a), TopicRef::Known(b)) => Arc::ptr_eq(a, b),
            (TopicRef::UnknownName(a), TopicRef::UnknownName(b)) => Arc::ptr_eq(a, b),
            (TopicRef::UnknownId(a), TopicRef::UnknownId(b)) => a == b,
            _ => false,
        }
    }

    /// Whether both name the same topic.
    pub fn is_same(&self, other: &Self, by_id: bool) -> bool {
        self.is_shared(other) || self.key(by_id) == other.key(by_id)
    }

    /// Whether no topic can have this name.
    pub fn is_name_too_long(&self) -> bool {
        matches!(self, TopicRef::UnknownName(name) if name.len() > NAME_MAX)
    }
}

struct Broker {
    /// By listener.
    endpoints: Vec<(u8, NodeEndpoint)>,
}

impl Topic {
    /// The hosted partition, or Kafka's error code.
    pub fn partition(&self, index: i32) -> Result<&Arc<Partition>, i16> {
        let entry = usize::try_from(index).ok().and_then(|index| self.partitions.get(index));
        let entry = entry.ok_or(error_code::UNKNOWN_TOPIC_OR_PARTITION)?;
        entry.partition.as_ref().ok_or(error_code::NOT_LEADER_OR_FOLLOWER)
    }

    /// The leader of a partition as this broker knows it (KIP-951).
    pub fn leader(&self, index: i32) -> Option<LeaderIdAndEpoch> {
        let entry = self.partitions.get(usize::try_from(index).ok()?)?;
        Some(LeaderIdAndEpoch { leader_id: entry.leader_id, leader_epoch: entry.leader_epoch })
    }
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            epoch: 0,
            by_name: vec![Arc::default(); SUB_MAPS],
            by_id: vec![Arc::default(); SUB_MAPS],
            brokers: Arc::default(),
        }
    }
}

impl Topology {
    /// The topic of a request. No allocation.
    pub fn topic(&self, key: &TopicKey<'_>) -> Option<&Arc<Topic>> {
        match key {
            TopicKey::Name(name) => self.by_name[name_map(name)].get(*name),
            TopicKey::Id(id) => self.by_id[id_map(id)].get(id),
        }
    }

    /// The topic of a request as something to keep.
    pub fn topic_ref(&self, key: &TopicKey<'_>) -> TopicRef {
        match (self.topic(key), key) {
            (Some(topic), _) => TopicRef::Known(Arc::clone(topic)),
            (None, TopicKey::Name(name)) => TopicRef::UnknownName((*name).into()),
            (None, TopicKey::Id(id)) => TopicRef::UnknownId(*id),
        }
    }

    /// Where a node listens, for a client of the given listener (KIP-951).
    pub fn endpoint(&self, node_id: i32, listener: u8) -> Option<NodeEndpoint> {
        let broker = self.brokers.get(&node_id)?;
        let (_, endpoint) = broker.endpoints.iter().find(|(id, _)| *id == listener)?;
        Some(endpoint.clone())
    }

    /// This snapshot with a packed image or delta applied.
    pub fn updated(&self, packed: &[u8], registry: &Registry) -> Result<Self, PackedError> {
        let mut reader = PackedReader::new(packed);
        let epoch = reader.u64()?;
        let mut next = match reader.u8()? {
            0 => Self::default(),
            1 => self.clone(),
            value => return Err(PackedError::Unknown { what: "topology", value: value.into() }),
        };
        next.epoch = epoch;
        for _ in 0..reader.u32()? {
            next.read_topic(&mut reader, registry)?;
        }
        let mut brokers = HashMap::new();
        for _ in 0..reader.u32()? {
            let (node_id, broker) = read_broker(&mut reader)?;
            brokers.insert(node_id, broker);
        }
        next.brokers = Arc::new(brokers);
        Ok(next)
    }

    fn read_topic(
        &mut self,
        reader: &mut PackedReader<'_>,
        registry: &Registry,
    ) -> Result<(), PackedError> {
        let id = reader.uuid()?;
        let name: Box<[u8]> = reader.str()?.as_bytes().into();
        let operation = reader.u8()?;
        let is_internal = reader.u8()? & 1 != 0;
        let mut partitions = Vec::new();
        for _ in 0..reader.u32()? {
            let handle = Handle { index: reader.u32()?, generation: reader.u32()? };
            let hosted = (handle.index != NO_HANDLE).then(|| registry.get(handle)).flatten();
            let (leader_id, leader_epoch) = (reader.i32()?, reader.i32()?);
            partitions.push(TopicPartition { partition: hosted, leader_id, leader_epoch });
        }
        let by_name = Arc::make_mut(&mut self.by_name[name_map(&name)]);
        let by_id = Arc::make_mut(&mut self.by_id[id_map(&id)]);
        match operation {
            1 => {
                let topic = Arc::new(Topic { id, name: name.clone(), is_internal, partitions });
                by_name.insert(name, Arc::clone(&topic));
                by_id.insert(id, topic);
            }
            2 => {
                // The name may already belong to a topic created anew.
                if by_name.get(&name).is_some_and(|topic| topic.id == id) {
                    by_name.remove(&name);
                }
                by_id.remove(&id);
            }
            value => {
                return Err(PackedError::Unknown { what: "topic operation", value: value.into() });
            }
        }
        Ok(())
    }
}

fn read_broker(reader: &mut PackedReader<'_>) -> Result<(i32, Broker), PackedError> {
    let node_id = reader.i32()?;
    let mut endpoints = Vec::new();
    for _ in 0..reader.u32()? {
        let (listener, host, port) = (reader.u8()?, reader.str()?.to_owned(), reader.i32()?);
        endpoints.push((listener, NodeEndpoint { node_id, host, port, rack: None }));
    }
    let rack = reader.str()?;
    if !rack.is_empty() {
        endpoints.iter_mut().for_each(|(_, endpoint)| endpoint.rack = Some(rack.to_owned()));
    }
    Ok((node_id, Broker { endpoints }))
}

fn name_map(name: &[u8]) -> usize {
    name.iter().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)))
        % SUB_MAPS
}

fn id_map(id: &[u8; 16]) -> usize {
    usize::from(id[15])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(kind: u8, topics: &[(u8, u8, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&7_u64.to_le_bytes());
        out.push(kind);
        out.extend_from_slice(&(topics.len() as u32).to_le_bytes());
        for (id, operation, name) in topics {
            out.extend_from_slice(&[*id; 16]);
            crate::packed::put_str(&mut out, name);
            out.extend_from_slice(&[*operation, 0]);
            out.extend_from_slice(&0_u32.to_le_bytes());
        }
        out.extend_from_slice(&0_u32.to_le_bytes());
        out
    }

    #[test]
    fn a_delta_keeps_what_it_does_not_name() {
        let registry = Registry::default();
        let whole = topology(0, &[(1, 1, "a"), (2, 1, "b")]);
        let first = Topology::default().updated(&whole, &registry).unwrap();
        let delta = topology(1, &[(3, 1, "a"), (1, 2, "a")]);
        let second = first.updated(&delta, &registry).unwrap();
        assert_eq!(second.topic(&TopicKey::Name(b"a")).unwrap().id, [3; 16]);
        assert!(second.topic(&TopicKey::Id([1; 16])).is_none());
        assert_eq!(second.topic(&TopicKey::Id([2; 16])).unwrap().name.as_ref(), b"b");
        assert_eq!(first.topic(&TopicKey::Name(b"a")).unwrap().id, [1; 16]);
    }

    #[test]
    fn a_short_image_is_refused() {
        let whole = topology(0, &[(1, 1, "a")]);
        for len in 0..whole.len() {
            assert!(Topology::default().updated(&whole[..len], &Registry::default()).is_err());
        }
    }
}
