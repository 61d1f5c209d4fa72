//! That runs are as long as they can be; that they are never longer is for `tests/walks.rs`.

use super::run::{Extremes, Run};
use super::{Learner, Likeness, Shape, Summarize};
use crate::put::{put_varint, put_varlong};

/// Key, value and headers by their lengths.
#[derive(Clone, Copy)]
struct Look {
    key: Option<usize>,
    value: Option<usize>,
    headers: &'static [(usize, Option<usize>)],
}

const PLAIN: Look = Look { key: None, value: Some(100), headers: &[] };

fn record(look: Look, offset_delta: i32, timestamp_delta: i64) -> Vec<u8> {
    let put = |out: &mut Vec<u8>, len: Option<usize>| {
        put_varint(out, len.map_or(-1, |len| len as i32));
        out.resize(out.len() + len.unwrap_or(0), 0xff);
    };
    let mut body = vec![0];
    put_varlong(&mut body, timestamp_delta);
    put_varint(&mut body, offset_delta);
    put(&mut body, look.key);
    put(&mut body, look.value);
    put_varint(&mut body, look.headers.len() as i32);
    for &(name, value) in look.headers {
        put(&mut body, Some(name));
        put(&mut body, value);
    }
    let mut out = Vec::new();
    put_varint(&mut out, body.len() as i32);
    out.extend_from_slice(&body);
    out
}

/// Learns from the record at `first` and looks at it and the `count - 1` behind it.
fn run_of(
    likeness: Likeness,
    is_ordered: bool,
    first: i32,
    count: i32,
    look: impl Fn(i32) -> (Look, i64),
) -> (Run<Extremes>, (i64, i64, i32)) {
    let one = |i: i32| record(look(i).0, i, look(i).1);
    let bytes: Vec<u8> = (first..first + count).flat_map(one).collect();
    let mut shape = Shape::default();
    assert!(shape.learn(&one(first), likeness, is_ordered));
    let run = shape.run(&bytes, first, count, &mut Summarize);
    assert_eq!(shape.has_key(), look(first).0.key.is_some());
    let extremes = if run.count > 0 { run.extremes(&shape) } else { (0, 0, 0) };
    (run, extremes)
}

#[test]
fn records_that_are_equal_are_one_run() {
    let looks = [
        PLAIN,
        Look { key: Some(8), ..PLAIN },
        Look { key: Some(100), ..PLAIN },
        Look { key: Some(1), value: Some(0), ..PLAIN },
        Look { key: Some(9), value: None, ..PLAIN },
        Look { value: Some(1), ..PLAIN },
        Look { value: Some(10_000), ..PLAIN },
        Look { headers: &[(8, Some(16)), (1, None), (0, Some(100))], ..PLAIN },
        Look { headers: &[(1, Some(1)); 8], ..PLAIN },
    ];
    for look in looks {
        for first in [0, 64, 700] {
            let (run, _) = run_of(Likeness::Equal, true, first, 60, |_| (look, 5));
            assert_eq!(run.count, 60);
        }
    }
}

#[test]
fn records_with_keys_and_values_of_any_length_are_one_run() {
    for headers in [&[][..], &[(8, Some(16)), (1, None)][..]] {
        let look = |i: i32| {
            let key = Some(i as usize * 7 % 64);
            (Look { key, value: Some(i as usize * 1000 % 8099), headers }, i64::from(i % 64))
        };
        let (run, extremes) = run_of(Likeness::Varying, true, 100, 500, look);
        assert_eq!((run.count, extremes), (500, (0, 63, 127)));
    }
    // All but the last, behind which there is nothing more to look at.
    let (run, _) = run_of(Likeness::Varying, true, 1, 40, |i| {
        (Look { value: Some(2 + i as usize % 3), ..PLAIN }, 0)
    });
    assert!(run.count >= 39);
}

#[test]
fn timestamps_of_a_run_grow_and_fall_in_as_many_bytes() {
    let run = |likeness, timestamps: &[i64]| {
        let look = |i: i32| (PLAIN, timestamps[i as usize]);
        let (run, extremes) = run_of(likeness, true, 0, timestamps.len() as i32, look);
        (run.count, extremes)
    };
    for likeness in [Likeness::Equal, Likeness::Varying] {
        assert_eq!(run(likeness, &[5, 9, 0, 9, 63, 64, 1]), (5, (0, 63, 4)));
        assert_eq!(run(likeness, &[64, 300, 8191, 127, 128, 8191]), (6, (64, 8191, 2)));
        assert_eq!(run(likeness, &[0, 0, 1, -1, -64, 63, -65]), (6, (-64, 63, 5)));
        assert_eq!(run(likeness, &[-3, -2, -4, -2]), (4, (-4, -2, 1)));
        assert_eq!(run(likeness, &[-8192, 64, -65, -100, 8191]), (5, (-8192, 8191, 4)));
    }
}

#[test]
fn timestamps_without_an_order_are_equal_in_a_run() {
    let (run, extremes) = run_of(Likeness::Equal, false, 0, 30, |i| (PLAIN, i64::from(i / 20)));
    assert_eq!((run.count, extremes), (20, (0, 0, 0)));
}

#[test]
fn a_run_ends_where_an_offset_delta_takes_another_byte() {
    for end in [64, 8192, 1 << 20] {
        for likeness in [Likeness::Equal, Likeness::Varying] {
            let (run, _) = run_of(likeness, true, end - 10, 20, |_| (PLAIN, 0));
            assert_eq!(run.count, 10);
        }
    }
}

#[test]
fn what_does_not_pay_is_given_up_for_a_while() {
    let (left, mut shape) = (1000, Shape::default());
    let mut learner = Learner::new(&mut shape, true);
    let (one, other) = (record(PLAIN, 0, 0), record(Look { key: Some(1), ..PLAIN }, 0, 0));
    learner.note(&one, left);
    assert!(learner.expected(left).is_none(), "one record is like no other");
    learner.note(&one, left);
    assert_eq!(learner.expected(left).map(|(_, most)| most), Some(512));
    assert_eq!(learner.expected(9).map(|(_, most)| most), Some(9));
    learner.note_run(40, 50, false);
    assert!(learner.expected(left).is_some(), "a shape is kept for what comes behind another");
    for _ in 0..8 {
        assert!(learner.expected(left).is_some());
        learner.note_run(7, 60, false);
        assert!(learner.expected(left).is_none());
        for record in [&other, &one, &other, &one, &one] {
            learner.note(record, left);
        }
    }
    assert!(learner.expected(left).is_none(), "eight shapes were in vain");
    (0..256).for_each(|_| learner.note(&one, left));
    assert!(learner.expected(left).is_some(), "and it is looked again");
    learner.note_run(7, 60, false);
    for _ in 0..256 {
        learner.note(&one, left);
        assert!(learner.expected(left).is_none());
    }
    learner.note(&one, left);
    assert!(learner.expected(left).is_some(), "each one more costs a pause");
}

/// What became of a walk.
struct Walked {
    in_runs: i32,
    learnt: i32,
    likeness: Likeness,
}

// As the walk goes, of records that are good.
fn walk(count: i32, look: impl Fn(i32) -> (Look, i64)) -> Walked {
    let records: Vec<Vec<u8>> = (0..count).map(|i| record(look(i).0, i, look(i).1)).collect();
    let (bytes, mut at, mut index) = (records.concat(), 0, 0);
    let mut shape = Shape::default();
    let mut learner = Learner::new(&mut shape, true);
    let (mut in_runs, mut learnt) = (0, 0);
    while index < count {
        if let Some((shape, most)) = learner.expected(count - index) {
            let run = shape.run(&bytes[at..], index, most, &mut Summarize);
            (at, index, in_runs) = (at + run.bytes, index + run.count, in_runs + run.count);
            learner.note_run(run.count, index, run.count == most);
            if run.count == most || index == count {
                continue;
            }
        }
        let record = &records[index as usize];
        (at, index) = (at + record.len(), index + 1);
        let was_learnt = learner.expected(1).is_some();
        learner.note(record, count - index);
        learnt += i32::from(!was_learnt && learner.expected(1).is_some());
    }
    Walked { in_runs, learnt, likeness: shape.likeness }
}

fn random(i: i32, below: u32) -> usize {
    let mixed = (i as u32).wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
    ((mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 8) as usize % below as usize
}

fn of_value(value: usize) -> (Look, i64) {
    (Look { key: Some(8), value: Some(value), ..PLAIN }, 0)
}

#[test]
fn records_of_two_sizes_at_random_are_found_to_vary() {
    let walked = walk(10_000, |i| of_value(4 + random(i, 2)));
    assert!(walked.in_runs > 9_700, "{}", walked.in_runs);
    // Most are equal, but hardly ever eight in a row.
    let walked = walk(10_000, |i| of_value(if random(i, 5) == 0 { 5 } else { 4 }));
    assert!(walked.in_runs > 9_500, "{}", walked.in_runs);
}

#[test]
fn keys_with_a_number_of_one_digit_or_more_are_found_to_vary() {
    for below in [20, 100, 1000] {
        let walked = walk(10_000, |i| {
            let key = format!("user-{}", random(i, below)).len();
            (Look { key: Some(key), ..PLAIN }, 0)
        });
        assert!(walked.in_runs > 9_400, "{}", walked.in_runs);
    }
}

#[test]
fn pairs_do_not_hide_the_equal_records_behind_them() {
    for pairs in [100, 1000, 3000] {
        let walked = walk(10_000, |i| of_value(if i < pairs { 4 + i as usize / 2 % 2 } else { 9 }));
        assert!(walked.in_runs > 9_900, "{}", walked.in_runs);
        assert_eq!(walked.likeness, Likeness::Equal);
    }
}

#[test]
fn records_without_a_shape_are_seldom_looked_at_and_do_not_hide_those_with_one() {
    // Timestamps of one byte or two.
    let shapeless = |i: i32| (of_value(9).0, random(i, 2) as i64 * 100);
    let walked = walk(10_000, shapeless);
    assert!(walked.learnt <= 8 + 10_000 / 256, "{}", walked.learnt);
    for end in [300, 3000] {
        let walked = walk(10_000, |i| if i < end { shapeless(i) } else { of_value(9) });
        assert!(walked.in_runs > 10_000 - end - 280, "{}", walked.in_runs);
        assert_eq!(walked.likeness, Likeness::Equal);
    }
}

#[test]
fn what_was_worth_it_is_learnt_again_from_the_next_pair() {
    // A second byte of the timestamp, behind which all are equal again.
    let walked = walk(600, |i| (PLAIN, i64::from(i / 10)));
    assert!(walked.in_runs > 600 - 8, "{}", walked.in_runs);
    let walked = walk(1200, |i| (PLAIN, i64::from(i / 10)));
    assert!(walked.in_runs > 1200 - 8, "{}", walked.in_runs);
    assert_eq!((walked.likeness, walked.learnt), (Likeness::Equal, 3));
}

#[test]
fn no_record_has_a_shape_that_was_not_learnt() {
    let plain = record(PLAIN, 0, 0);
    let many_headers = record(Look { headers: &[(1, Some(1)); 9], ..PLAIN }, 0, 0);
    let late = record(PLAIN, 0, 1 << 40);
    let mut shape = Shape::default();
    for likeness in [Likeness::Equal, Likeness::Varying] {
        for odd in [&many_headers, &late] {
            for next in [&plain, odd] {
                let bytes = [next.as_slice(), next].concat();
                assert_eq!(shape.run(&bytes, 0, 2, &mut Summarize).count, 0);
                assert!(shape.learn(&plain, likeness, true));
                assert!(!shape.learn(odd, likeness, true));
                assert_eq!(shape.run(&bytes, 0, 2, &mut Summarize).count, 0);
            }
        }
    }
}

#[test]
fn three_sizes_in_a_row_vary_until_they_are_looked_at_again() {
    let (left, mut shape) = (1000, Shape::default());
    let mut learner = Learner::new(&mut shape, true);
    for value in [10, 20, 30] {
        assert!(learner.expected(left).is_none());
        learner.note(&record(Look { value: Some(value), ..PLAIN }, 0, 0), left);
    }
    let bytes = record(Look { value: Some(77), ..PLAIN }, 5, 0);
    let (shape, most) = learner.expected(left).expect("a shape");
    assert_eq!(shape.run(&bytes, 5, most, &mut Summarize).count, 1);
    learner.note_run(40, 50, true);
    assert!(learner.expected(left).is_none());
}

#[test]
fn behind_a_run_that_an_offset_delta_ends_one_record_is_enough() {
    let (left, mut shape) = (1000, Shape::default());
    let mut learner = Learner::new(&mut shape, true);
    for i in 0..2 {
        learner.note(&record(PLAIN, i, 0), left);
    }
    learner.note_run(62, 64, false);
    assert!(learner.expected(left).is_none());
    learner.note(&record(PLAIN, 64, 0), left);
    let (shape, most) = learner.expected(left).expect("a shape");
    assert_eq!(shape.run(&record(PLAIN, 65, 0), 65, most, &mut Summarize).count, 1);
}
