//! The four codecs of record batches: streams with a bound on memory, and whole buffers with a
//! bound on what comes out.

use std::io::{self, Read, Write};

use flate2::bufread::GzDecoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use thiserror::Error;

use crate::lz4::{Lz4Reader, Lz4Scratch};
use crate::snappy::SnappyReader;
use crate::zstd_reader::{ZstdReader, ZstdScratch};

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

    /// The number in the attributes of a batch.
    pub fn id(self) -> u8 {
        self as u8
    }
}

/// Why compressed bytes cannot be read.
#[derive(Debug, Error)]
pub enum CompressionError {
    #[error("more than {limit} bytes come out")]
    TooLarge { limit: usize },
    #[error("unknown codec")]
    UnknownCodec,
    #[error("broken {codec:?} data: {source}")]
    Corrupt { codec: Codec, source: io::Error },
}

/// State of codecs that is dear to make anew for each batch.
#[derive(Default)]
pub struct CodecScratch {
    zstd: ZstdScratch,
    snappy_block: Vec<u8>,
    lz4: Lz4Scratch,
}

/// More than this is given back behind a batch, so that rare large ones do not pin memory.
const KEPT_BYTES: usize = 8 << 20;

impl CodecScratch {
    /// Gives back what an unusually large batch made grow.
    pub(crate) fn trim(&mut self) {
        if self.snappy_block.capacity() > KEPT_BYTES {
            self.snappy_block = Vec::new();
        }
        self.lz4.trim(KEPT_BYTES);
        self.zstd.trim(KEPT_BYTES as u64);
    }
}

impl std::fmt::Debug for CodecScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodecScratch").field("snappy_block", &self.snappy_block.len()).finish()
    }
}

/// What comes out of compressed bytes, as a stream. Its memory is bounded by the codec's window: 32
/// KiB for gzip, 4 MiB for lz4, 24 times the block for snappy, and for zstd the smaller of 128 MiB
/// and what comes out.
pub enum Stream<'a> {
    Plain(&'a [u8]),
    Gzip(Box<GzDecoder<&'a [u8]>>),
    Snappy(SnappyReader<'a>),
    Lz4(Lz4Reader<'a>),
    Zstd(ZstdReader<'a>),
}

impl<'a> Stream<'a> {
    /// Opens `source`. Nothing is decompressed yet.
    pub fn open(codec: Codec, source: &'a [u8], scratch: &'a mut CodecScratch) -> io::Result<Self> {
        Ok(match codec {
            Codec::None => Self::Plain(source),
            Codec::Gzip => Self::Gzip(Box::new(GzDecoder::new(source))),
            Codec::Snappy => Self::Snappy(SnappyReader::new(source, &mut scratch.snappy_block)),
            Codec::Lz4 => Self::Lz4(Lz4Reader::new(source, &mut scratch.lz4)),
            Codec::Zstd => Self::Zstd(ZstdReader::open(source, &mut scratch.zstd)?),
        })
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(out),
            Self::Gzip(reader) => read_gzip(reader, out),
            Self::Snappy(reader) => reader.read(out),
            Self::Lz4(reader) => reader.read(out),
            Self::Zstd(reader) => reader.read(out),
        }
    }
}

// Members may follow each other; what is no member is ignored, as Java's reader does.
fn read_gzip(reader: &mut GzDecoder<&[u8]>, out: &mut [u8]) -> io::Result<usize> {
    loop {
        let got = reader.read(out)?;
        let rest = *reader.get_ref();
        if got > 0 || out.is_empty() || !rest.starts_with(b"\x1f\x8b\x08") {
            return Ok(got);
        }
        reader.reset(rest);
    }
}

/// Appends what `source` decompresses to. Memory grows with what comes out, up to `limit` bytes.
pub fn decompress(
    codec: Codec,
    source: &[u8],
    limit: usize,
    scratch: &mut CodecScratch,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let start = out.len();
    let most = limit.saturating_add(1) as u64;
    let read =
        Stream::open(codec, source, scratch).and_then(|stream| stream.take(most).read_to_end(out));
    scratch.trim();
    read.map_err(|source| CompressionError::Corrupt { codec, source })?;
    if out.len() - start > limit {
        out.truncate(start);
        return Err(CompressionError::TooLarge { limit });
    }
    Ok(())
}

/// Appends `source` compressed as Kafka's clients do it: xerial framing for snappy, 64 KiB
/// independent blocks for lz4, the default level of gzip and zstd.
pub fn compress(codec: Codec, source: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    match codec {
        Codec::None => out.extend_from_slice(source),
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            encoder.write_all(source)?;
            encoder.finish()?;
        }
        Codec::Snappy => crate::snappy::compress(source, out)?,
        Codec::Lz4 => {
            let info =
                FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
            let mut encoder = FrameEncoder::with_frame_info(info, out);
            encoder.write_all(source)?;
            encoder.finish()?;
        }
        Codec::Zstd => zstd::stream::copy_encode(source, out, 0)?,
    }
    Ok(())
}
