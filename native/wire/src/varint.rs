//! Varints at a place of a slice, for the passes over records. `cursor` reads those of requests.

/// The most bytes of a varint of 32 bits.
pub const MAX_VARINT_BYTES: usize = 5;
/// The most bytes of one of 64 bits.
pub const MAX_VARLONG_BYTES: usize = 10;

#[inline(always)]
pub fn unzigzag(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

#[inline(always)]
pub fn varint(bytes: &[u8], at: &mut usize) -> Option<i32> {
    Some(unzigzag(raw_varint(bytes, at, MAX_VARINT_BYTES)? & u64::from(u32::MAX)) as i32)
}

#[inline(always)]
pub fn varlong(bytes: &[u8], at: &mut usize) -> Option<i64> {
    Some(unzigzag(raw_varint(bytes, at, MAX_VARLONG_BYTES)?))
}

#[inline(always)]
fn raw_varint(bytes: &[u8], at: &mut usize, max_bytes: usize) -> Option<u64> {
    let first = *bytes.get(*at)?;
    *at += 1;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    let second = *bytes.get(*at)?;
    *at += 1;
    let value = u64::from(first & 0x7f) | u64::from(second & 0x7f) << 7;
    if second < 0x80 { Some(value) } else { longer_varint(bytes, at, value, max_bytes) }
}

#[inline(never)]
fn longer_varint(bytes: &[u8], at: &mut usize, mut value: u64, max_bytes: usize) -> Option<u64> {
    for i in 2..max_bytes {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
