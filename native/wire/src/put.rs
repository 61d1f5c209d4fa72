//! Writers of Kafka's primitive types. Each appends to `out`.

pub fn put_i8(out: &mut Vec<u8>, value: i8) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub fn put_i16(out: &mut Vec<u8>, value: i16) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub fn put_i32(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub fn put_uuid(out: &mut Vec<u8>, value: &[u8; 16]) {
    out.extend_from_slice(value);
}

/// An unsigned varint, seven bits a byte, least significant first.
#[inline]
pub fn put_unsigned_varint(out: &mut Vec<u8>, value: u32) {
    put_unsigned_varlong(out, u64::from(value));
}

fn put_unsigned_varlong(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A zigzag varint.
pub fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_unsigned_varint(out, (value << 1 ^ value >> 31) as u32);
}

/// A zigzag varlong.
pub fn put_varlong(out: &mut Vec<u8>, value: i64) {
    put_unsigned_varlong(out, (value << 1 ^ value >> 63) as u64);
}

/// A length as flexible versions write it: plus one, so that 0 is null.
pub fn put_compact_len(out: &mut Vec<u8>, len: usize) {
    put_unsigned_varint(out, len as u32 + 1);
}

/// A string with a 16-bit length. Panics above 32767 bytes, which no caller may pass.
pub fn put_string(out: &mut Vec<u8>, value: &[u8]) {
    assert!(value.len() <= i16::MAX as usize, "string of {} bytes", value.len());
    put_i16(out, value.len() as i16);
    out.extend_from_slice(value);
}

pub fn put_nullable_string(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => put_string(out, value),
        None => put_i16(out, -1),
    }
}

/// A string with a compact length.
pub fn put_compact_string(out: &mut Vec<u8>, value: &[u8]) {
    assert!(value.len() <= i16::MAX as usize, "string of {} bytes", value.len());
    put_compact_len(out, value.len());
    out.extend_from_slice(value);
}

pub fn put_compact_nullable_string(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => put_compact_string(out, value),
        None => out.push(0),
    }
}

/// A required string in the form of flexible or of older versions.
pub fn put_string_in(out: &mut Vec<u8>, flexible: bool, value: &[u8]) {
    if flexible { put_compact_string(out, value) } else { put_string(out, value) }
}

/// A nullable string in the form of flexible or of older versions.
pub fn put_nullable_string_in(out: &mut Vec<u8>, flexible: bool, value: Option<&[u8]>) {
    if flexible { put_compact_nullable_string(out, value) } else { put_nullable_string(out, value) }
}

/// The length of an array, of bytes or of records; `None` is null.
#[inline]
pub fn put_len_in(out: &mut Vec<u8>, flexible: bool, len: Option<usize>) {
    match (flexible, len) {
        (true, Some(len)) => put_compact_len(out, len),
        (true, None) => out.push(0),
        (false, Some(len)) => put_i32(out, len as i32),
        (false, None) => put_i32(out, -1),
    }
}

/// An empty block of tagged fields, where the version has them.
#[inline]
pub fn put_no_tags_in(out: &mut Vec<u8>, flexible: bool) {
    if flexible {
        out.push(0);
    }
}

/// One tagged field: tag, size, and the bytes that `write` appends. At most 127 bytes unless
/// `write` says otherwise: the size is patched in afterwards.
pub fn put_tagged(out: &mut Vec<u8>, tag: u32, write: impl FnOnce(&mut Vec<u8>)) {
    put_unsigned_varint(out, tag);
    let size_at = out.len();
    write(out);
    let size = out.len() - size_at;
    let mut prefix = [0_u8; 5];
    let mut len = 0;
    let mut rest = size as u32;
    loop {
        prefix[len] = if rest >= 0x80 { rest as u8 | 0x80 } else { rest as u8 };
        len += 1;
        rest >>= 7;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&prefix[..len]);
    out[size_at..].rotate_right(len);
}
