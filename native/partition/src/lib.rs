//! ms-partition
