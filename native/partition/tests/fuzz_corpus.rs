//! The committed corpus of the fuzz target of producer snapshots, run with every test run; nightly compilers are not needed.

#[path = "../../fuzz/producers.rs"]
mod producers;

use std::path::Path;

#[test]
fn producers_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/producers");
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        producers::producers(&std::fs::read(entry.expect("a name").path()).expect("an input"));
        inputs += 1;
    }
    assert!(inputs > 5);
}
