//! The numbers of the boundary as a table that TypeScript can compare with its own, field by field.

use ms_reactor::packed::{NO_HANDLE, answer_flag, command, kind, open_flag};

/// Bytes of the fixed part of each entry, the length prefix included.
const HEADER_BYTES: [(&str, u32); 4] =
    [("request", 32), ("event", 20), ("answer", 17), ("command", 20)];

const KINDS: [(&str, u32); 10] = [
    ("request", kind::REQUEST as u32),
    ("connected", kind::CONNECTED as u32),
    ("disconnected", kind::DISCONNECTED as u32),
    ("done", kind::DONE as u32),
    ("role", kind::ROLE as u32),
    ("committed", kind::COMMITTED as u32),
    ("closed", kind::CLOSED as u32),
    ("failed", kind::FAILED as u32),
    ("logDirectory", kind::LOG_DIRECTORY as u32),
    ("log", kind::LOG as u32),
];

const COMMANDS: [(&str, u32); 14] = [
    ("openPartition", command::OPEN_PARTITION as u32),
    ("deletePartition", command::DELETE_PARTITION as u32),
    ("configureLog", command::CONFIGURE_LOG as u32),
    ("append", command::APPEND as u32),
    ("readLog", command::READ_LOG as u32),
    ("listOffsets", command::LIST_OFFSETS as u32),
    ("offsetForLeaderEpoch", command::OFFSET_FOR_LEADER_EPOCH as u32),
    ("deleteRecords", command::DELETE_RECORDS as u32),
    ("readBarrier", command::READ_BARRIER as u32),
    ("describeLogs", command::DESCRIBE_LOGS as u32),
    ("describeProducers", command::DESCRIBE_PRODUCERS as u32),
    ("writeSnapshot", command::WRITE_SNAPSHOT as u32),
    ("readSnapshot", command::READ_SNAPSHOT as u32),
    ("sweepFolders", command::SWEEP_FOLDERS as u32),
];

const OPEN_FLAGS: [(&str, u32); 2] = [
    ("watchCommits", open_flag::WATCH_COMMITS as u32),
    ("fsyncAlways", open_flag::FSYNC_ALWAYS as u32),
];

const ANSWER_FLAGS: [(&str, u32); 3] = [
    ("closeAfter", answer_flag::CLOSE_AFTER as u32),
    ("mute", answer_flag::MUTE as u32),
    ("noAnswer", answer_flag::NO_ANSWER as u32),
];

const OTHERS: [(&str, u32); 1] = [("noHandle", NO_HANDLE)];

/// The table as JSON: an object of objects of numbers.
pub fn layout() -> String {
    let groups: [(&str, &[(&str, u32)]); 6] = [
        ("PackedKind", &KINDS),
        ("CommandKind", &COMMANDS),
        ("OpenFlag", &OPEN_FLAGS),
        ("AnswerFlag", &ANSWER_FLAGS),
        ("HeaderBytes", &HEADER_BYTES),
        ("Others", &OTHERS),
    ];
    let groups = groups.iter().map(|(name, fields)| {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("\"{name}\":{{{}}}", fields.join(","))
    });
    format!("{{{}}}", groups.collect::<Vec<_>>().join(","))
}
