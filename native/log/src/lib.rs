//! ms-log
