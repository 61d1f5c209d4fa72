//! What the fuzz target of producer snapshots asks: what parses is a state that can be written, asked, changed and taken back.
//! The test `fuzz_corpus` of the partition crate runs the same function over the committed corpus.
#![allow(dead_code)]

use ms_partition::producers::{ProducedBatch, Producers, Undo, Verdict};

/// A snapshot.
pub fn producers(data: &[u8]) {
    let Ok(mut producers) = Producers::decode(data) else { return };
    let encoded = producers.encode();
    assert!(encoded.len() <= data.len());
    assert_eq!(Producers::decode(&encoded).as_ref(), Ok(&producers));
    let before = producers.clone();
    let mut undo = Undo::default();
    for line in before.describe() {
        for last_offset_delta in 0..4 {
            for base_sequence in [line.last_sequence.wrapping_sub(last_offset_delta), 0, i32::MAX] {
                let batch = ProducedBatch {
                    producer_id: line.producer_id,
                    producer_epoch: line.producer_epoch as i16,
                    base_sequence: base_sequence & i32::MAX,
                    last_offset_delta,
                    max_timestamp: 1,
                    is_transactional: false,
                    is_client: true,
                };
                match producers.check(&batch) {
                    Verdict::Accept => producers.accept(&batch, 1 << 40, &mut undo),
                    Verdict::Duplicate(original) => assert!(original.first_offset() >= 0),
                    Verdict::Refuse(_) => {}
                }
            }
        }
    }
    assert_eq!(producers.encode_before(&undo), encoded);
    producers.roll_back(&mut undo);
    assert_eq!(producers, before);
    producers.expire(i64::MAX, 1);
    assert!(producers.describe().len() <= before.describe().len());
}

/// Snapshots as they are written.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let state = |batches: &[(i64, i16, i32, i32)]| {
        let mut producers = Producers::default();
        for ((producer_id, epoch, sequence, delta), offset) in
            batches.iter().zip((100..).step_by(10))
        {
            let batch = ProducedBatch {
                producer_id: *producer_id,
                producer_epoch: *epoch,
                base_sequence: *sequence,
                last_offset_delta: *delta,
                max_timestamp: 1_700_000_000_000 + offset,
                is_transactional: false,
                is_client: true,
            };
            producers.accept(&batch, offset, &mut Undo::default());
        }
        producers.encode()
    };
    let window: Vec<_> = (0..7).map(|at| (5, 0, 2 * at, 1)).collect();
    vec![
        ("one", state(&[(1, 0, 0, 0)])),
        ("window", state(&window)),
        ("wrapped", state(&[(3, 2, i32::MAX, 3), (3, 2, 3, 0)])),
        ("several", state(&[(1, 0, 0, 4), (2, 7, 9, 0), (1 << 40, i16::MAX, 1, 1), (1, 1, 0, 2)])),
    ]
}
