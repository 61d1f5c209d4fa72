//! Leader hints in the answers to Produce and Fetch (KIP-951).

use crate::cursor::{Cursor, WireError};
use crate::put::{
    put_compact_len, put_compact_nullable_string, put_compact_string, put_i32, put_tagged,
};

/// The node id and leader epoch of a leader hint (KIP-951).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl LeaderIdAndEpoch {
    /// What Kafka means by "unknown"; it is never written.
    pub const NONE: Self = Self { leader_id: -1, leader_epoch: -1 };
}

/// Where a leader named by a hint listens (KIP-951).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

pub(crate) fn put_leader(out: &mut Vec<u8>, tag: u32, leader: LeaderIdAndEpoch) {
    put_tagged(out, tag, |out| {
        put_i32(out, leader.leader_id);
        put_i32(out, leader.leader_epoch);
        out.push(0);
    });
}

pub(crate) fn put_endpoints(out: &mut Vec<u8>, tag: u32, endpoints: &[NodeEndpoint]) {
    put_tagged(out, tag, |out| {
        put_compact_len(out, endpoints.len());
        for endpoint in endpoints {
            put_i32(out, endpoint.node_id);
            put_compact_string(out, endpoint.host.as_bytes());
            put_i32(out, endpoint.port);
            put_compact_nullable_string(out, endpoint.rack.as_deref().map(str::as_bytes));
            out.push(0);
        }
    });
}

/// An endpoint as it stands in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEndpointRef<'a> {
    pub node_id: i32,
    pub host: &'a [u8],
    pub port: i32,
    pub rack: Option<&'a [u8]>,
}

pub(crate) fn read_leader(cursor: &mut Cursor<'_>) -> Result<LeaderIdAndEpoch, WireError> {
    let leader = LeaderIdAndEpoch { leader_id: cursor.i32()?, leader_epoch: cursor.i32()? };
    cursor.skip_tagged_fields()?;
    Ok(leader)
}

pub(crate) fn read_endpoint<'a>(cursor: &mut Cursor<'a>) -> Result<NodeEndpointRef<'a>, WireError> {
    let endpoint = NodeEndpointRef {
        node_id: cursor.i32()?,
        host: cursor.compact_string()?,
        port: cursor.i32()?,
        rack: cursor.compact_nullable_string()?,
    };
    cursor.skip_tagged_fields()?;
    Ok(endpoint)
}
