//! Names that cross threads. Each is checked when it is used: what it names may be gone.

/// The largest number of connections of one reactor.
pub const CONNECTIONS_PER_REACTOR: u32 = 1 << LOCAL_BITS;
/// The largest number of partitions that one Produce may name.
pub const ORDINALS: usize = 1 << ORDINAL_BITS;

const LOCAL_BITS: u32 = 20;
const SEQ_BITS: u32 = 28;
const ORDINAL_BITS: u32 = 16;

/// A connection. `slot` holds the reactor in its upper bits; a slot is used again with another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    pub slot: u32,
    pub generation: u32,
}

impl ConnectionId {
    pub fn new(reactor: u16, local: u32, generation: u32) -> Self {
        Self { slot: u32::from(reactor) << LOCAL_BITS | local, generation }
    }

    /// The reactor that owns the connection.
    pub fn reactor(self) -> usize {
        (self.slot >> LOCAL_BITS) as usize
    }

    /// The place in that reactor's table.
    pub fn local(self) -> u32 {
        self.slot & (CONNECTIONS_PER_REACTOR - 1)
    }
}

/// The number of a request on its connection, modulo 2^28. A connection that takes over a slot goes on counting where the
/// last one stopped, so that a late answer to the old connection finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Seq(u32);

impl Seq {
    pub fn from_u32(value: u32) -> Self {
        Self(value & ((1 << SEQ_BITS) - 1))
    }

    pub fn as_u32(self) -> u32 {
        self.0
    }

    pub fn next(self) -> Self {
        Self::from_u32(self.0 + 1)
    }

    /// How many requests lie between `first` and this one.
    pub fn distance_from(self, first: Self) -> usize {
        (self.0.wrapping_sub(first.0) & ((1 << SEQ_BITS) - 1)) as usize
    }
}

/// A request, and one of its partitions, as the 64 bits that a partition hands back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRef {
    pub local: u32,
    pub seq: Seq,
    pub ordinal: u16,
}

impl RequestRef {
    pub fn pack(self) -> u64 {
        u64::from(self.local) << (SEQ_BITS + ORDINAL_BITS)
            | u64::from(self.seq.0) << ORDINAL_BITS
            | u64::from(self.ordinal)
    }

    pub fn unpack(id: u64) -> Self {
        Self {
            local: (id >> (SEQ_BITS + ORDINAL_BITS)) as u32,
            seq: Seq::from_u32((id >> ORDINAL_BITS) as u32),
            ordinal: id as u16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reference_survives_packing() {
        let request =
            RequestRef { local: 0xf_ffff, seq: Seq::from_u32(0xfff_fffe), ordinal: 0xfffe };
        assert_eq!(RequestRef::unpack(request.pack()), request);
    }

    #[test]
    fn sequence_numbers_wrap() {
        let last = Seq::from_u32(u32::MAX);
        assert_eq!(last.next().as_u32(), 0);
        assert_eq!(last.next().next().distance_from(last), 2);
    }
}
