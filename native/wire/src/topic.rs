//! How a request names a topic.

use crate::cursor::{Cursor, WireError};
use crate::put::{put_string_in, put_uuid};

/// A topic by name (older versions) or by id (Produce from version 13, Fetch from version 13;
/// KIP-516).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopicKey<'a> {
    Name(&'a [u8]),
    Id([u8; 16]),
}

#[inline]
pub(crate) fn read_topic_key<'a>(
    cursor: &mut Cursor<'a>,
    by_id: bool,
    flexible: bool,
) -> Result<TopicKey<'a>, WireError> {
    if by_id {
        cursor.uuid().map(TopicKey::Id)
    } else {
        cursor.string_in(flexible).map(TopicKey::Name)
    }
}

// The caller copies the key from a request of the same version, so the form always fits the
// version.
pub(crate) fn put_topic_key(out: &mut Vec<u8>, by_id: bool, flexible: bool, key: TopicKey<'_>) {
    match key {
        TopicKey::Name(name) => {
            assert!(!by_id, "a topic name in a version that uses ids");
            put_string_in(out, flexible, name);
        }
        TopicKey::Id(id) => {
            assert!(by_id, "a topic id in a version that uses names");
            put_uuid(out, &id);
        }
    }
}
