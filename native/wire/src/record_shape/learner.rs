//! When it pays to learn a shape, which costs as much as to decode a few records.

use super::{Likeness, Shape};

/// So many records must have a shape for it to pay.
const WORTH_RECORDS: i32 = 8;

/// So often in a row a shape is learnt that does not pay; then it takes a pause each time.
const VAIN_MAX: u32 = 8;

/// So many records that would be learnt from are let pass in a pause, which bounds what learning
/// costs to a few percent of decoding.
const PAUSE_RECORDS: u32 = 256;

/// So many records in a row that are not as long as the one before them vary.
const UNLIKE_MIN: u32 = 3;

/// The most records of a run. Those that vary may have become equal, which is looked at then.
const RUN_RECORDS: i32 = 512;

/// Learns what the records of a walk look like.
pub struct Learner<'a> {
    shape: &'a mut Shape,
    is_learnt: bool,
    // It was, for one run at least.
    is_worth: bool,
    is_ordered: bool,
    // What is to be learnt from the next record, whether it is like another or not.
    due: Option<Likeness>,
    last_size: usize,
    unlike: u32,
    vain: u32,
    pause: u32,
}

impl<'a> Learner<'a> {
    /// Whatever `shape` is, it is not used. `is_ordered` as in `Shape::learn`.
    pub fn new(shape: &'a mut Shape, is_ordered: bool) -> Self {
        Self {
            shape,
            is_learnt: false,
            is_worth: false,
            is_ordered,
            due: None,
            last_size: 0,
            unlike: 0,
            vain: 0,
            pause: 0,
        }
    }

    /// The shape that the next records may have, and how many of the `left` ones to look at.
    #[inline(always)]
    pub fn expected(&self, left: i32) -> Option<(&Shape, i32)> {
        self.is_learnt.then_some((&*self.shape, left.min(RUN_RECORDS)))
    }

    /// So many records had the shape, the next is `index`; `is_full` when no more were looked at.
    pub fn note_run(&mut self, count: i32, index: i32, is_full: bool) {
        if count < WORTH_RECORDS {
            // Two were as long as each other by chance, which those that vary may be as well. What
            // was worth it before has only come to its end.
            if !self.is_worth && self.shape.likeness == Likeness::Equal {
                self.due = Some(Likeness::Varying);
            }
            self.is_learnt = false;
            self.note_vain();
            return;
        }
        (self.is_worth, self.vain) = (true, 0);
        if self.shape.offset.end() <= index {
            (self.is_learnt, self.due) = (false, Some(self.shape.likeness));
        } else if is_full && self.shape.likeness == Likeness::Varying {
            (self.is_learnt, self.last_size, self.unlike) = (false, 0, 0);
        }
    }

    /// A well-formed record that was decoded, and how many are left behind it.
    #[inline(always)]
    pub fn note(&mut self, record: &[u8], left: i32) {
        self.unlike = if record.len() == self.last_size { 0 } else { self.unlike + 1 };
        self.last_size = record.len();
        let is_time = self.unlike == 0 || self.unlike >= UNLIKE_MIN || self.due.is_some();
        if is_time && !self.is_learnt && left >= WORTH_RECORDS {
            self.learn(record);
        }
    }

    fn learn(&mut self, record: &[u8]) {
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        let is_equal = self.due.take().map_or(self.unlike == 0, |due| due == Likeness::Equal);
        self.is_learnt = is_equal && self.shape.learn(record, Likeness::Equal, self.is_ordered)
            || self.shape.learn(record, Likeness::Varying, self.is_ordered);
        self.is_worth = false;
        if !self.is_learnt {
            self.note_vain();
        }
    }

    fn note_vain(&mut self) {
        self.vain += 1;
        if self.vain >= VAIN_MAX {
            self.pause = PAUSE_RECORDS;
        }
    }
}
