//! The four codecs of record batches, each with a bound on what comes out.

use thiserror::Error;

/// The codec of a batch, by its number in the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    /// `None` for a number that nobody assigned.
    pub fn from_id(id: u8) -> Option<Self> {
        [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd].get(usize::from(id)).copied()
    }

    pub fn id(self) -> u8 {
        self as u8
    }
}

/// Why compressed bytes cannot be read.
#[derive(Debug, Error)]
pub enum CompressionError {
    #[error("more than {limit} bytes come out")]
    TooLarge { limit: usize },
    #[error("broken {codec:?} data: {reason}")]
    Corrupt { codec: Codec, reason: String },
}
