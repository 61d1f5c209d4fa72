//! ms-wire
