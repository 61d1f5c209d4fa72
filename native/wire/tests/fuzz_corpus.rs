//! The committed corpus of the fuzz targets, run with every test run; nightly compilers are not needed.

#[path = "../../fuzz/decoders.rs"]
mod decoders;

macro_rules! corpus {
    ($test:ident, $run:path, $folder:literal, $($file:literal),+ $(,)?) => {
        #[test]
        fn $test() {
            $($run(include_bytes!(concat!("../../fuzz/corpus/", $folder, "/", $file)));)+
        }
    };
}

corpus!(
    batch_corpus_holds,
    decoders::batch,
    "batch",
    "claimed-append-time",
    "gzip",
    "headers-and-nulls",
    "key-beyond-record",
    "lz4",
    "none",
    "snappy",
    "snappy-raw",
    "trailing-torn-batch",
    "unset-max-timestamp",
    "wrong-crc",
    "zstd",
);
corpus!(
    decompress_corpus_holds,
    decoders::decompress_any,
    "decompress",
    "gzip",
    "lz4",
    "snappy",
    "zstd",
);
corpus!(frame_corpus_holds, decoders::frame, "frame", "batch", "set-log-start",);
corpus!(
    items_corpus_holds,
    decoders::items,
    "items",
    "create-topics-2",
    "create-topics-7",
    "create-topics-7-cut",
    "create-topics-7-too-many",
    "delete-records-2",
    "describe-configs-4",
    "describe-topic-partitions-0",
    "describe-topic-partitions-0-null",
    "find-coordinator-4",
    "heartbeat-4-tags",
    "join-group-9",
    "list-offsets-1",
    "metadata-1",
    "metadata-1-all",
    "metadata-1-huge",
    "metadata-12",
    "metadata-12-huge",
    "offset-commit-7",
    "offset-commit-9",
    "offset-fetch-5",
    "offset-fetch-9",
    "offset-fetch-9-more-than-there-is",
    "sync-group-3",
);
corpus!(
    recode_corpus_holds,
    decoders::recode,
    "recode",
    "fetch-request-12",
    "fetch-request-18",
    "fetch-request-4",
    "fetch-request-header-12",
    "fetch-request-header-18",
    "fetch-request-header-4",
    "fetch-response-12",
    "fetch-response-18",
    "fetch-response-4",
    "fetch-response-header-12",
    "fetch-response-header-18",
    "fetch-response-header-4",
    "produce-request-13",
    "produce-request-3",
    "produce-request-9",
    "produce-request-header-13",
    "produce-request-header-3",
    "produce-request-header-9",
    "produce-response-13",
    "produce-response-3",
    "produce-response-9",
    "produce-response-header-13",
    "produce-response-header-3",
    "produce-response-header-9",
);
corpus!(
    requests_corpus_holds,
    decoders::requests,
    "requests",
    "fetch-12",
    "fetch-18",
    "fetch-4",
    "produce-13",
    "produce-3",
    "produce-9",
);
