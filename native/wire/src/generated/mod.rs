//! Written by `npm run generate` from the definitions of the protocol.

pub mod request_shapes;
