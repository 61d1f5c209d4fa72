//! zstd frames, read through a decoder that is kept from batch to batch.

use std::io::{self, Read};

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const SINGLE_SEGMENT: u8 = 0x20;

/// The kept decoder. A decoder holds on to the largest window it has met.
#[derive(Default)]
pub struct ZstdScratch {
    decoder: Option<Decoder<'static>>,
    window_bytes: u64,
}

impl ZstdScratch {
    /// Drops a decoder whose window is larger than `limit`.
    pub(crate) fn trim(&mut self, limit: u64) {
        if self.window_bytes > limit {
            *self = Self::default();
        }
    }
}

/// Decompresses frames one behind the other.
pub struct ZstdReader<'a> {
    source: &'a [u8],
    decoder: &'a mut Decoder<'static>,
    window_bytes: &'a mut u64,
    is_between_frames: bool,
}

impl<'a> ZstdReader<'a> {
    pub fn open(source: &'a [u8], scratch: &'a mut ZstdScratch) -> io::Result<Self> {
        let ZstdScratch { decoder, window_bytes } = scratch;
        let decoder = match decoder {
            Some(decoder) => decoder,
            None => decoder.insert(Decoder::new()?),
        };
        decoder.reinit()?;
        Ok(Self { source, decoder, window_bytes, is_between_frames: true })
    }
}

impl Read for ZstdReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.source.is_empty() && self.is_between_frames {
                return Ok(0);
            }
            if self.is_between_frames {
                *self.window_bytes = frame_window(self.source).max(*self.window_bytes);
            }
            let mut input = InBuffer::around(self.source);
            let mut output = OutBuffer::around(&mut *out);
            let hint = self.decoder.run(&mut input, &mut output)?;
            let (taken, produced) = (input.pos(), output.pos());
            self.source = &self.source[taken..];
            self.is_between_frames = hint == 0;
            if produced > 0 {
                return Ok(produced);
            }
            // Neither input nor output moved: the last frame is cut short.
            if taken == 0 && !self.is_between_frames {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

// The memory a frame demands, as its header says; 0 for what is no frame.
fn frame_window(frame: &[u8]) -> u64 {
    let Some(&[descriptor, window, ..]) = frame.strip_prefix(&MAGIC) else { return 0 };
    if descriptor & SINGLE_SEGMENT != 0 {
        return zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
    }
    let base = 1_u64 << (10 + (window >> 3));
    base + base / 8 * u64::from(window & 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &[u8], scratch: &mut ZstdScratch) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        ZstdReader::open(source, scratch)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn frames_one_behind_the_other_are_read() {
        let mut scratch = ZstdScratch::default();
        let frame = zstd::encode_all(b"hello hello hello".as_slice(), 0).expect("compresses");
        let two = [frame.as_slice(), &frame].concat();
        for _ in 0..2 {
            let out = read(&two, &mut scratch).expect("good frames");
            assert_eq!(out, b"hello hello hellohello hello hello");
        }
        for len in 1..frame.len() {
            assert!(read(&frame[..len], &mut scratch).is_err(), "{len}");
        }
        assert_eq!(read(&frame, &mut scratch).expect("a good frame").len(), 17);
    }

    #[test]
    fn a_decoder_with_a_large_window_is_not_kept() {
        let mut scratch = ZstdScratch::default();
        // Window descriptor 0x88: 2^27 bytes. One empty raw block, the last.
        let large = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];
        assert_eq!(read(&large, &mut scratch).expect("a good frame"), b"");
        assert_eq!(scratch.window_bytes, 1 << 27);
        scratch.trim(8 << 20);
        assert!(scratch.decoder.is_none());
    }
}
