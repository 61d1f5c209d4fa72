//! Bytes and values of the data plane: request headers, Produce, Fetch, record batches and log
//! frames.
//!
//! Nothing in here does I/O, starts a thread or reads a clock. Readers borrow the frame they read
//! and allocate nothing; writers append to a `Vec<u8>` of the caller.

pub mod batch;
pub mod compression;
pub mod crc;
pub mod cursor;
pub mod error_code;
pub mod fetch;
pub mod fetch_response;
pub mod fetch_response_reader;
pub mod frame;
#[rustfmt::skip]
mod generated;
pub mod header;
pub mod leader;
pub mod lz4;
pub mod produce;
pub mod produce_response;
pub mod produce_response_reader;
pub mod put;
pub mod recode;
mod record_shape;
pub mod records;
pub mod request_items;
pub mod snappy;
mod stream_window;
pub mod topic;
pub mod validate;
mod varint;
pub mod walk;
pub mod zstd_reader;
