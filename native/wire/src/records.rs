//! The records of a batch, once it is decompressed.
