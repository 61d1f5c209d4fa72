//! ms-reactor
