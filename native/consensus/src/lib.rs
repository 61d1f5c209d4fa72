//! ms-consensus
