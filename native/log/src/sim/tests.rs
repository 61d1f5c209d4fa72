use super::*;
use crate::disk::read_all;

fn write(file: &Arc<dyn File>, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_vectored_at(&[IoSlice::new(bytes)], offset)
}

#[test]
fn a_process_crash_keeps_what_was_written_and_kills_the_handles() {
    let disk = SimDisk::new();
    let path = Path::new("/a");
    let file = disk.open(path, OpenMode::CreateNew).unwrap();
    write(&file, b"hello", 0).unwrap();
    disk.crash_process();
    assert!(write(&file, b"x", 0).is_err());
    assert_eq!(read_all(&disk, path, 100).unwrap(), b"hello");
}

#[test]
fn a_system_crash_keeps_what_was_synced_and_tears_the_rest() {
    let (mut lost_names, mut torn, mut whole) = (0, 0, 0);
    for seed in 0..200 {
        let disk = SimDisk::new();
        let path = Path::new("/a");
        let file = disk.open(path, OpenMode::CreateNew).unwrap();
        write(&file, &[1; 300], 0).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        write(&file, &[2; 300], 300).unwrap();
        disk.open(Path::new("/b"), OpenMode::CreateNew).unwrap();
        let boot = disk.boot_id().unwrap();
        disk.crash(seed);
        assert_ne!(disk.boot_id().unwrap(), boot);
        let left = read_all(&disk, path, 1000).unwrap();
        assert_eq!(left[..300], [1; 300]);
        let new = left[300..].iter().filter(|&&b| b == 2).count();
        whole += u32::from(new == 300);
        torn += u32::from(new > 0 && new < 300);
        lost_names += u32::from(!disk.exists(Path::new("/b")).unwrap());
    }
    assert!(lost_names > 50 && torn > 20 && whole > 20);
}

#[test]
fn what_a_failed_sync_has_lost_is_read_until_the_page_cache_lets_go_of_it() {
    let disk = SimDisk::new();
    let path = Path::new("/a");
    let file = disk.open(path, OpenMode::CreateNew).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    write(&file, b"one", 0).unwrap();
    file.sync_data().unwrap();
    write(&file, b"two", 3).unwrap();
    disk.lose_on_sync(path);
    assert!(file.sync_data().is_err());
    write(&file, b"three", 6).unwrap();
    assert_eq!(read_all(&disk, path, 100).unwrap(), b"onetwothree");
    let left = b"one\0\0\0three";
    file.forget_cached().unwrap();
    assert_eq!(read_all(&disk, path, 100).unwrap(), left);
    // The next sync writes what came later, and nobody hears of the rest.
    file.sync_data().unwrap();
    disk.crash(1);
    assert_eq!(read_all(&disk, path, 100).unwrap(), left);
}

#[test]
fn a_planned_fault_fails_one_call_and_a_full_disk_every_write() {
    let disk = SimDisk::new();
    let file = disk.open(Path::new("/a"), OpenMode::CreateNew).unwrap();
    disk.fail_call(disk.calls() + 1, Fault::ShortWrite);
    write(&file, b"0123", 0).unwrap();
    assert!(crate::is_no_space(&write(&file, b"4567", 4).unwrap_err()));
    assert!(disk.has_failed());
    assert_eq!(file.len().unwrap(), 6);
    disk.set_full(true);
    assert!(write(&file, b"x", 0).is_err());
    disk.set_full(false);
    write(&file, b"x", 0).unwrap();
}

#[test]
fn each_piece_of_a_write_is_a_call_that_may_fail() {
    let bytes: Vec<u8> = (0..300u32).map(|i| i as u8).collect();
    // Behind 10 bytes.
    let ends = [0, 54, 118, 182, 246, 300];
    let faults = [Fault::NoSpace, Fault::Io, Fault::ShortWrite, Fault::Kill, Fault::KillBefore];
    for fault in faults {
        for piece in 0..5 {
            let disk = SimDisk::new();
            disk.set_piece_bytes(64);
            let path = Path::new("/a");
            let file = disk.open(path, OpenMode::CreateNew).unwrap();
            write(&file, &[9; 10], 0).unwrap();
            let call = disk.calls();
            disk.fail_call(call + piece as u64, fault);
            let (first, rest) = bytes.split_at(70);
            let parts = [first, &[], rest].map(IoSlice::new);
            assert!(file.write_vectored_at(&parts, 10).is_err());
            assert_eq!((disk.has_failed(), disk.calls()), (true, call + piece as u64 + 1));
            disk.crash_process();
            let left = read_all(&disk, path, 1000).unwrap();
            let half = match fault {
                Fault::ShortWrite | Fault::Kill => (ends[piece + 1] - ends[piece]) / 2,
                _ => 0,
            };
            assert_eq!(left[10..], bytes[..ends[piece] + half], "{fault:?} of piece {piece}");
        }
    }
}

#[test]
fn a_system_crash_keeps_some_pieces_of_a_write() {
    let mut between = 0;
    for seed in 0..200 {
        let disk = SimDisk::new();
        disk.set_piece_bytes(100);
        let path = Path::new("/a");
        let file = disk.open(path, OpenMode::CreateNew).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        write(&file, &[1; 1000], 0).unwrap();
        disk.crash(seed);
        let len = read_all(&disk, path, 1000).unwrap().len();
        assert!(len.is_multiple_of(100));
        between += u32::from(len > 0 && len < 1000);
    }
    assert!(between > 50, "{between}");
}

#[test]
fn planned_faults_outlive_a_process_until_none_is_to_happen() {
    let disk = SimDisk::new();
    let open = || disk.open(Path::new("/a"), OpenMode::Create);
    disk.fail_call(disk.calls() + 1, Fault::Io);
    disk.fail_call(disk.calls() + 2, Fault::NoSpace);
    open().unwrap();
    disk.crash_process();
    assert!(open().is_err() && !disk.has_failed());
    disk.fail_no_call();
    open().unwrap();
}
