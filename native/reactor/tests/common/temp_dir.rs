//! Folders of tests.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is removed with its owner.
pub struct TempDir(pub PathBuf);

impl TempDir {
    /// A new one: what another process of the same number has left is none.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("ms-reactor-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(path)).unwrap(),
            }
        }
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // Some tests leave threads that still close files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
