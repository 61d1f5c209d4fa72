//! How many items a request has in its arrays, counted without decoding it: what TypeScript makes of an item costs a
//! hundred times its bytes.

use thiserror::Error;

use crate::cursor::{Cursor, WireError};
use crate::generated::request_shapes::REQUESTS;

/// How the body of a request is laid out.
#[derive(Debug)]
pub struct RequestShape {
    pub api_key: i16,
    pub flexible_from: i16,
    pub fields: &'static [Field],
}

/// A field that the versions from `first` to `last` have.
#[derive(Debug)]
pub struct Field {
    first: i16,
    last: i16,
    shape: Shape,
}

/// What a field or an item takes in a frame.
#[derive(Debug)]
pub enum Shape {
    /// So many bytes.
    Fixed(usize),
    Text,
    Bytes,
    Array(&'static Shape),
    Struct(&'static [Field]),
    /// A struct that can be null from one version to another.
    Nullable(i16, i16, &'static [Field]),
}

pub(crate) const fn field(first: i16, last: i16, shape: Shape) -> Field {
    Field { first, last, shape }
}

/// Why a request is not worth decoding.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ItemsError {
    #[error("more than {0} items in one message")]
    TooMany(usize),
    #[error(transparent)]
    Malformed(#[from] WireError),
}

/// Counts the items of all arrays of a request, and its tagged fields; what those hold is not looked at. Ends with the first
/// item beyond `max`. No allocation; a few nanoseconds an item, or for an array of numbers.
pub fn count_items(
    frame: &[u8],
    body: usize,
    api_key: i16,
    version: i16,
    max: usize,
) -> Result<usize, ItemsError> {
    let Ok(at) = REQUESTS.binary_search_by_key(&api_key, |shape| shape.api_key) else {
        return Err(WireError::UnknownApi(api_key).into());
    };
    let RequestShape { flexible_from, fields, .. } = REQUESTS[at];
    let cursor = Cursor::at(frame, body);
    let mut count = Count { cursor, version, flexible: version >= flexible_from, max, items: 0 };
    count.fields(fields)?;
    Ok(count.items)
}

/// Whether the beginning of a request shows that it will have more than `max` items: it announces them.
pub fn announces_too_many(
    begun: &[u8],
    body: usize,
    api_key: i16,
    version: i16,
    max: usize,
) -> bool {
    match count_items(begun, body, api_key, version, max) {
        Err(ItemsError::TooMany(_)) => true,
        Err(ItemsError::Malformed(WireError::ArrayTooLong { len, .. })) => len > max,
        _ => false,
    }
}

struct Count<'a> {
    cursor: Cursor<'a>,
    version: i16,
    flexible: bool,
    max: usize,
    items: usize,
}

impl Count<'_> {
    fn fields(&mut self, fields: &[Field]) -> Result<(), ItemsError> {
        for Field { first, last, shape } in fields {
            if (*first..=*last).contains(&self.version) {
                self.shape(shape)?;
            }
        }
        if self.flexible {
            self.tagged_fields()?;
        }
        Ok(())
    }

    fn shape(&mut self, shape: &Shape) -> Result<(), ItemsError> {
        match shape {
            Shape::Fixed(bytes) => _ = self.cursor.range(*bytes)?,
            Shape::Text => _ = self.cursor.nullable_string_in(self.flexible)?,
            Shape::Bytes => _ = self.cursor.nullable_bytes_in(self.flexible)?,
            Shape::Struct(fields) => self.fields(fields)?,
            Shape::Nullable(first, last, fields) => {
                let is_nullable = (*first..=*last).contains(&self.version);
                if !is_nullable || self.cursor.i8()? >= 0 {
                    self.fields(fields)?;
                }
            }
            Shape::Array(item) => self.array(item)?,
        }
        Ok(())
    }

    fn array(&mut self, item: &Shape) -> Result<(), ItemsError> {
        let len = self.cursor.nullable_array_len_in(self.flexible)?.unwrap_or(0);
        self.count(len)?;
        if let Shape::Fixed(bytes) = item {
            self.cursor.range(len * bytes)?;
            return Ok(());
        }
        for _ in 0..len {
            self.shape(item)?;
        }
        Ok(())
    }

    fn tagged_fields(&mut self) -> Result<(), ItemsError> {
        let len = self.cursor.unsigned_varint()? as usize;
        self.count(len)?;
        for _ in 0..len {
            self.cursor.unsigned_varint()?;
            let size = self.cursor.unsigned_varint()? as usize;
            self.cursor.range(size)?;
        }
        Ok(())
    }

    fn count(&mut self, items: usize) -> Result<(), ItemsError> {
        self.items += items;
        if self.items > self.max { Err(ItemsError::TooMany(self.max)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: i16 = 3;
    const OFFSET_FETCH: i16 = 9;
    const PARTITIONS: i16 = 75;

    fn count(api_key: i16, version: i16, body: &[u8]) -> Result<usize, ItemsError> {
        let frame = [&[0xff; 7], body].concat();
        count_items(&frame, 7, api_key, version, 5)
    }

    #[test]
    fn items_of_all_arrays_count() {
        // Two topics, of two partitions and one.
        let mut body = vec![0, 1, b'g', 0, 0, 0, 2, 0, 1, b'a', 0, 0, 0, 2];
        body.extend_from_slice(&[0; 8]);
        body.extend_from_slice(&[0, 1, b'b', 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(count(OFFSET_FETCH, 2, &body), Ok(5));
        body[13] = 3;
        assert!(matches!(count(OFFSET_FETCH, 2, &body), Err(ItemsError::Malformed(_))));
        // The same in the compact form, each struct with a tagged section.
        let mut compact = vec![2, b'g', 3, 2, b'a', 2, 0, 0, 0, 0, 0, 2, b'b', 2, 0, 0, 0, 0, 0];
        compact.extend_from_slice(&[0, 1, 7, 2, 0xff, 0xff]);
        assert_eq!(count(OFFSET_FETCH, 7, &compact), Ok(5));
        compact[20] = 2;
        assert_eq!(count(OFFSET_FETCH, 7, &compact), Err(ItemsError::TooMany(5)));
    }

    #[test]
    fn what_is_null_has_no_items() {
        assert_eq!(count(METADATA, 1, &[0xff; 4]), Ok(0));
        assert_eq!(count(METADATA, 9, &[0, 1, 1, 1, 0]), Ok(0));
        assert_eq!(count(PARTITIONS, 0, &[2, 2, b'a', 0, 0, 0, 0, 9, 0xff, 0]), Ok(1));
        let with_cursor = [2, 2, b'a', 0, 0, 0, 0, 9, 1, 2, b'a', 0, 0, 0, 0, 0, 0];
        assert_eq!(count(PARTITIONS, 0, &with_cursor), Ok(1));
        assert!(count(PARTITIONS, 0, &with_cursor[..16]).is_err());
    }

    #[test]
    fn a_count_ends_with_what_is_too_much() {
        // Nothing else of the items is there.
        let announced = [[0, 0, 0, 6], [0xff; 4], [0xff; 4]].concat();
        assert_eq!(count(METADATA, 1, &announced), Err(ItemsError::TooMany(5)));
        assert_eq!(count(99, 0, &[]), Err(WireError::UnknownApi(99).into()));
    }

    #[test]
    fn no_bytes_are_too_strange() {
        let mut seed = 1_u32;
        for _ in 0..20_000 {
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed >> 24
            };
            let shape = &REQUESTS[next() as usize % REQUESTS.len()];
            let version = (next() % 14) as i16;
            let body: Vec<u8> =
                (0..next() % 64).map(|_| if next() < 128 { 2 } else { next() as u8 }).collect();
            if let Ok(items) = count_items(&body, 0, shape.api_key, version, 1000) {
                assert!(items <= body.len());
            }
        }
    }
}
