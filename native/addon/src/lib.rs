//! ms-addon
