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

/// The items of all arrays of a request, and its tagged fields, counted step by step; what tagged fields hold is not looked at.
/// Ends with the first item beyond `max`.
#[derive(Debug)]
pub struct ItemCount {
    version: i16,
    flexible: bool,
    max: usize,
    items: usize,
    /// What is before it in the frame was counted. It may lie beyond what has arrived.
    at: usize,
    /// What was begun, the outermost first.
    open: Vec<Open>,
}

/// What is still to come of something.
#[derive(Debug, Clone, Copy)]
enum Open {
    Fields(&'static [Field]),
    Items(&'static Shape, usize),
    Tags(usize),
}

impl ItemCount {
    /// Counts in a frame with its body there.
    pub fn new(body: usize, api_key: i16, version: i16, max: usize) -> Result<Self, ItemsError> {
        let Ok(at) = REQUESTS.binary_search_by_key(&api_key, |shape| shape.api_key) else {
            return Err(WireError::UnknownApi(api_key).into());
        };
        let RequestShape { flexible_from, fields, .. } = REQUESTS[at];
        let (flexible, open) = (version >= flexible_from, vec![Open::Fields(fields)]);
        Ok(Self { version, flexible, max, items: 0, at: body, open })
    }

    /// Takes up to so many steps, of a few nanoseconds each, in the beginning of a frame that will have `len` bytes. True: all
    /// of it is counted. Without it there is more to count, or to come.
    pub fn go_on(
        &mut self,
        begun: &[u8],
        len: usize,
        steps: &mut usize,
    ) -> Result<bool, ItemsError> {
        while *steps > 0 && !self.open.is_empty() {
            *steps -= 1;
            match self.step(begun, len) {
                Err(ItemsError::Malformed(WireError::Truncated { .. })) if begun.len() < len => {
                    return Ok(false);
                }
                stepped => stepped?,
            }
        }
        Ok(self.open.is_empty())
    }

    /// One value, or the end of something. Nothing has changed when the value is not there.
    fn step(&mut self, begun: &[u8], len: usize) -> Result<(), ItemsError> {
        let Some(top) = self.open.len().checked_sub(1) else { return Ok(()) };
        if self.at > begun.len() {
            return Err(WireError::Truncated { needed: self.at - begun.len(), left: 0 }.into());
        }
        let mut cursor = Cursor::at(begun, self.at);
        let (left, inner) = match self.open[top] {
            Open::Fields(&[]) if self.flexible => {
                let tags = cursor.unsigned_varint()? as usize;
                self.count(tags)?;
                self.at = cursor.position();
                (Some(Open::Tags(tags)), None)
            }
            Open::Fields(&[]) | Open::Items(_, 0) | Open::Tags(0) => (None, None),
            Open::Fields([Field { first, last, shape }, rest @ ..]) => {
                let is_there = (*first..=*last).contains(&self.version);
                let inner = if is_there { self.value(shape, cursor, len)? } else { None };
                (Some(Open::Fields(rest)), inner)
            }
            Open::Items(shape, count) => {
                let inner = self.value(shape, cursor, len)?;
                (Some(Open::Items(shape, count - 1)), inner)
            }
            Open::Tags(count) => {
                cursor.unsigned_varint()?;
                let size = cursor.unsigned_varint()? as usize;
                self.skip(cursor, size, len)?;
                (Some(Open::Tags(count - 1)), None)
            }
        };
        self.open.truncate(top);
        self.open.extend(left);
        self.open.extend(inner);
        Ok(())
    }

    /// Passes a value, or what is in front of its items or fields, which are to be opened then.
    fn value(
        &mut self,
        shape: &'static Shape,
        mut cursor: Cursor<'_>,
        len: usize,
    ) -> Result<Option<Open>, ItemsError> {
        let size = match shape {
            Shape::Fixed(bytes) => *bytes,
            Shape::Text if self.flexible => cursor.compact_string_len()?.unwrap_or(0),
            Shape::Text => usize::try_from(cursor.i16()?).unwrap_or(0),
            Shape::Bytes => cursor.len_in(self.flexible)?.unwrap_or(0),
            Shape::Struct(fields) => return Ok(Some(Open::Fields(fields))),
            Shape::Nullable(first, last, fields) => {
                let is_nullable = (*first..=*last).contains(&self.version);
                let is_null = is_nullable && cursor.i8()? < 0;
                self.skip(cursor, 0, len)?;
                return Ok((!is_null).then_some(Open::Fields(fields)));
            }
            Shape::Array(item) => return self.array(item, cursor, len),
        };
        self.skip(cursor, size, len)?;
        Ok(None)
    }

    fn array(
        &mut self,
        item: &'static Shape,
        mut cursor: Cursor<'_>,
        len: usize,
    ) -> Result<Option<Open>, ItemsError> {
        let items = cursor.len_in(self.flexible)?.unwrap_or(0);
        let left = len.saturating_sub(cursor.position());
        if items > left {
            return Err(WireError::ArrayTooLong { len: items, left }.into());
        }
        let (size, open) = match item {
            Shape::Fixed(bytes) => (items * bytes, None),
            _ => (0, Some(Open::Items(item, items))),
        };
        if size > left {
            return Err(WireError::Truncated { needed: size, left }.into());
        }
        self.count(items)?;
        self.skip(cursor, size, len)?;
        Ok(open)
    }

    /// Goes on behind so many bytes, which need not have arrived.
    fn skip(&mut self, cursor: Cursor<'_>, size: usize, len: usize) -> Result<(), ItemsError> {
        let left = len.saturating_sub(cursor.position());
        if size > left {
            return Err(WireError::Truncated { needed: size, left }.into());
        }
        self.at = cursor.position() + size;
        Ok(())
    }

    fn count(&mut self, items: usize) -> Result<(), ItemsError> {
        if self.items + items > self.max {
            return Err(ItemsError::TooMany(self.max));
        }
        self.items += items;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: i16 = 3;
    const OFFSET_FETCH: i16 = 9;
    const PARTITIONS: i16 = 75;

    /// Counts when all is there, and byte by byte and step by step as it comes: the same.
    fn count(api_key: i16, version: i16, body: &[u8]) -> Result<usize, ItemsError> {
        let frame = [&[0xff; 7], body].concat();
        let counted = count_in(&frame, 7, api_key, version, 5);
        let mut slowly = ItemCount::new(7, api_key, version, 5)?;
        for end in 7..=frame.len() {
            for steps in [1; 30] {
                match slowly.go_on(&frame[..end], frame.len(), &mut { steps }) {
                    Ok(is_done) => assert!(!is_done || counted == Ok(slowly.items)),
                    Err(error) => assert_eq!(counted, Err(error)),
                }
            }
        }
        assert_eq!(slowly.open.is_empty(), counted.is_ok());
        counted
    }

    fn count_in(
        frame: &[u8],
        body: usize,
        api_key: i16,
        version: i16,
        max: usize,
    ) -> Result<usize, ItemsError> {
        let mut count = ItemCount::new(body, api_key, version, max)?;
        assert!(count.go_on(frame, frame.len(), &mut { usize::MAX })?);
        Ok(count.items)
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
            if let Ok(items) = count_in(&body, 0, shape.api_key, version, 1000) {
                assert!(items <= body.len());
            }
        }
    }
}
