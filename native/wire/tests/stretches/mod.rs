//! Batches of records that look alike for a while, and what may be wrong with them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Records in a row that are made alike.
#[derive(Debug, Clone)]
pub struct Stretch {
    pub count: usize,
    /// Least length, and what is added to it at most.
    pub key: Option<(u32, u32)>,
    pub value: Option<(u32, u32)>,
    pub headers: Vec<(usize, Option<usize>)>,
    pub timestamp: i64,
    pub pace: Pace,
    /// Bytes more than needed of each varint: as clients do not write them, and may.
    pub padding: [usize; 6],
    pub seed: u32,
}

/// How timestamps go on.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    Still,
    Every(usize),
    Within(u32),
}

/// What is wrong with a batch.
#[derive(Debug, Clone)]
pub enum Damage {
    None,
    // A byte so far from the start of a record, or from its end.
    Byte(prop::sample::Index, isize, u8),
    Bit(prop::sample::Index, isize, u8),
    OffsetDelta(prop::sample::Index, i32),
    Twice(prop::sample::Index),
    Missing(prop::sample::Index),
    Cut(usize),
    Leftover(usize),
    Declared(i32),
}

fn random(seed: &mut u32, most: u32) -> u32 {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*seed >> 8) % (most + 1)
}

fn put(out: &mut Vec<u8>, value: i64, padding: usize) {
    let mut raw = (value << 1 ^ value >> 63) as u64;
    let (start, most) = (out.len(), if i32::try_from(value).is_ok() { 5 } else { 10 });
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
    for _ in 0..padding.min(most - (out.len() - start)) {
        *out.last_mut().expect("a byte") |= 0x80;
        out.push(0);
    }
}

impl Stretch {
    fn record(&self, offset_delta: i32, number: usize, seed: &mut u32) -> Vec<u8> {
        let bytes = |out: &mut Vec<u8>, len: Option<usize>, padding| {
            put(out, len.map_or(-1, |len| len as i64), padding);
            out.extend((0..len.unwrap_or(0)).map(|at| (at + number) as u8 ^ 0x85));
        };
        let mut len = |lengths: Option<(u32, u32)>| {
            lengths.map(|(least, more)| (least + random(seed, more)) as usize)
        };
        let (key, value) = (len(self.key), len(self.value));
        let timestamp = self.timestamp
            + match self.pace {
                Pace::Still => 0,
                Pace::Every(records) => (number / records) as i64,
                Pace::Within(ms) => i64::from(random(seed, ms)),
            };
        let mut body = vec![0];
        put(&mut body, timestamp, self.padding[0]);
        put(&mut body, i64::from(offset_delta), self.padding[1]);
        bytes(&mut body, key, self.padding[2]);
        bytes(&mut body, value, self.padding[3]);
        put(&mut body, self.headers.len() as i64, self.padding[4]);
        for &(name, value) in &self.headers {
            bytes(&mut body, Some(name), self.padding[4]);
            bytes(&mut body, value, 0);
        }
        let mut out = Vec::new();
        put(&mut out, body.len() as i64, self.padding[5]);
        out.extend_from_slice(&body);
        out
    }
}

pub fn any_stretch() -> impl Strategy<Value = Stretch> {
    let lengths = |odds| {
        let more = prop_oneof![3 => Just(0_u32), 1 => 1_u32..4, 1 => 50_u32..100];
        option::weighted(odds, (prop_oneof![0_u32..5, 0_u32..200], more))
    };
    let count = prop_oneof![3 => 1_usize..12, 5 => 12_usize..150, 1 => 500_usize..700];
    let headers = vec((0_usize..20, option::of(0_usize..20)), 0..10);
    let headers = prop_oneof![2 => Just(Vec::new()), 1 => headers];
    let timestamp =
        prop_oneof![Just(0_i64), 0_i64..64, -70_i64..70, 8100_i64..8200, 1_i64 << 19..1 << 21];
    let pace = prop_oneof![
        Just(Pace::Still),
        (1_usize..20).prop_map(Pace::Every),
        (1_u32..100).prop_map(Pace::Within)
    ];
    let padding = prop_oneof![
        4 => Just([0; 6]),
        1 => (0_usize..6, 1_usize..5).prop_map(|(which, bytes)| {
            let mut padding = [0; 6];
            padding[which] = bytes;
            padding
        })
    ];
    (count, lengths(0.6), lengths(0.9), headers, timestamp, pace, padding, any::<u32>()).prop_map(
        |(count, key, value, headers, timestamp, pace, padding, seed)| Stretch {
            count,
            key,
            value,
            headers,
            timestamp,
            pace,
            padding,
            seed,
        },
    )
}

pub fn any_damage() -> impl Strategy<Value = Damage> {
    use prop::sample::Index;
    // The bytes that say where others are.
    let place = || prop_oneof![-4_isize..0, 0_isize..14];
    prop_oneof![
        (any::<Index>(), place(), any::<u8>()).prop_map(|(i, at, b)| Damage::Byte(i, at, b)),
        (any::<Index>(), place(), 0_u8..8).prop_map(|(i, at, bit)| Damage::Bit(i, at, bit)),
        (any::<Index>(), -300_i32..9000).prop_map(|(i, delta)| Damage::OffsetDelta(i, delta)),
        any::<Index>().prop_map(Damage::Twice),
        any::<Index>().prop_map(Damage::Missing),
        (1_usize..40).prop_map(Damage::Cut),
        (1_usize..40).prop_map(Damage::Leftover),
        (-5_i32..5).prop_map(Damage::Declared),
    ]
}

/// The records as they are made.
pub fn records_of(stretches: &[Stretch]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for stretch in stretches {
        let mut seed = stretch.seed;
        for number in 0..stretch.count {
            records.push(stretch.record(records.len() as i32, number, &mut seed));
        }
    }
    records
}

pub fn damaged(stretches: &[Stretch], records: &[Vec<u8>], damage: &Damage) -> (Vec<u8>, i32) {
    let (mut records, mut declared, mut rest) = (records.to_vec(), records.len() as i32, 0);
    let byte = |record: &mut Vec<u8>, at: isize, change: &dyn Fn(u8) -> u8| {
        let at = if at < 0 { record.len().saturating_add_signed(at) } else { at as usize };
        let at = at.min(record.len() - 1);
        record[at] = change(record[at]);
    };
    match damage {
        Damage::None => {}
        Damage::Byte(i, at, value) => byte(i.get_mut(&mut records), *at, &|_| *value),
        Damage::Bit(i, at, bit) => byte(i.get_mut(&mut records), *at, &|byte| byte ^ 1 << bit),
        Damage::OffsetDelta(i, delta) => {
            let (mut i, at) = (i.index(records.len()), i.index(records.len()));
            let stretch = stretches.iter().find(|stretch| {
                let is_here = i < stretch.count;
                i -= if is_here { 0 } else { stretch.count };
                is_here
            });
            let stretch = stretch.expect("a stretch");
            records[at] = stretch.record(*delta, i, &mut stretch.seed.clone());
        }
        Damage::Twice(i) => records.insert(i.index(records.len()), i.get(&records).clone()),
        Damage::Missing(i) => drop(records.remove(i.index(records.len()))),
        Damage::Cut(bytes) => rest = -(*bytes as isize),
        Damage::Leftover(bytes) => rest = *bytes as isize,
        Damage::Declared(more) => declared = (declared + more).max(1),
    }
    let mut bytes = records.concat();
    bytes.resize(bytes.len().saturating_add_signed(rest), 0);
    (bytes, declared)
}

/// Records of which none is remarkable.
pub fn plain() -> Stretch {
    Stretch {
        count: 40,
        key: Some((5, 0)),
        value: Some((20, 0)),
        headers: Vec::new(),
        timestamp: 0,
        pace: Pace::Every(3),
        padding: [0; 6],
        seed: 1,
    }
}
