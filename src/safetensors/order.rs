//! Whether tensors lie side by side and whether their keys differ, without memory that grows with their number.

use super::error::HeaderError;
use super::header::{Tensors, View};
use super::json::tri;
use super::text::Text;
use core::cmp::Ordering;

/// How many tensors a pass over the header puts in order.
const SLOTS: usize = 64;

/// What tensors are put in order by.
#[derive(Clone, Copy)]
pub(super) enum By {
    Place,
    Key,
}

/// What is kept of a tensor.
#[derive(Clone, Copy)]
struct Slot<'a> {
    key: Text<'a>,
    begin: usize,
    end: usize,
}

impl<'a> Slot<'a> {
    const EMPTY: Self = Self { key: Text::new(&[], false), begin: 0, end: 0 };

    const fn of(view: &View<'a>) -> Self {
        Self { key: view.key(), begin: view.begin, end: view.end }
    }

    const fn compare(&self, other: &Self, by: By) -> Ordering {
        match by {
            By::Key => self.key.compare(&other.key),
            By::Place if self.begin != other.begin => order(self.begin, other.begin),
            By::Place => order(self.end, other.end),
        }
    }
}

const fn order(a: usize, b: usize) -> Ordering {
    if a < b {
        Ordering::Less
    } else if a == b {
        Ordering::Equal
    } else {
        Ordering::Greater
    }
}

/// The first of some tensors, in order.
struct Window<'a> {
    slots: [Slot<'a>; SLOTS],
    len: usize,
}

impl<'a> Window<'a> {
    /// Takes a tensor in, if it is one of the first. Returns whether it is equal to one that is there.
    const fn insert(&mut self, slot: Slot<'a>, by: By) -> bool {
        let mut place = self.len;
        while place > 0 {
            match slot.compare(&self.slots[place - 1], by) {
                Ordering::Less => place -= 1,
                Ordering::Equal => return true,
                Ordering::Greater => break,
            }
        }
        if place == SLOTS {
            return false;
        }
        let mut i = if self.len < SLOTS { self.len } else { SLOTS - 1 };
        self.len = i + 1;
        while i > place {
            self.slots[i] = self.slots[i - 1];
            i -= 1;
        }
        self.slots[place] = slot;
        false
    }
}

/// An error unless each tensor begins where the one before it ends, or unless no two keys are the same. Returns where the last tensor
/// ends.
///
/// Every pass over the header finds the first tensors after those of the pass before.
pub(super) const fn check(tensors: &Tensors<'_>, by: By) -> Result<usize, HeaderError> {
    let (mut last, mut covered) = (None::<Slot<'_>>, 0);
    loop {
        let mut window = Window { slots: [Slot::EMPTY; SLOTS], len: 0 };
        let mut at = 0;
        while let Some((view, next)) = tri!(tensors.next(at)) {
            let slot = Slot::of(&view);
            let is_later = match &last {
                Some(last) => matches!(slot.compare(last, by), Ordering::Greater),
                None => true,
            };
            if is_later && window.insert(slot, by) {
                match by {
                    By::Key => return Err(HeaderError::DuplicateKey),
                    // Empty tensors may share a place.
                    By::Place if slot.begin < slot.end => return Err(HeaderError::OverlapOrHole),
                    By::Place => {}
                }
            }
            at = next;
        }
        let mut i = 0;
        while i < window.len {
            if matches!(by, By::Place) && window.slots[i].begin != covered {
                return Err(HeaderError::OverlapOrHole);
            }
            covered = window.slots[i].end;
            i += 1;
        }
        if window.len < SLOTS {
            return Ok(covered);
        }
        last = Some(window.slots[SLOTS - 1]);
    }
}
