//! Whether tensors lie side by side and whether their keys differ, without memory that grows with their number.

use super::hash::Hash;
use super::header::Tensors;
use super::json::tri;
use super::malformed::HeaderError;
use super::text::Text;
use core::cmp::Ordering;

/// How many tensors a pass over the header puts in order.
const SLOTS: usize = 128;

/// What tensors are put in order by.
#[derive(Clone, Copy)]
pub(super) enum By {
    Place,
    Key,
}

/// What is kept of a tensor.
#[derive(Clone, Copy)]
enum Slot<'a> {
    /// Where it begins and ends.
    Place(usize, usize),
    /// Its key, as it stands in the header, and a hash of it. Keys are put in the order of their hashes: those of a hostile file may be long and
    /// begin alike.
    Key(u64, &'a [u8]),
}

/// The hash of a key, whose escapes are resolved.
const fn hash(key: Text<'_>) -> u64 {
    let (mut bytes, mut hash) = (key.bytes(), Hash::EMPTY);
    while let Some(byte) = bytes.next() {
        hash = hash.byte(byte);
    }
    hash.0
}

impl Slot<'_> {
    const fn compare(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Key(hash, a), Self::Key(other, b)) if hash == other => {
                Text::new(a, true).compare(&Text::new(b, true))
            }
            (Self::Key(a, _), Self::Key(b, _)) => order(a, b),
            (Self::Place(begin, a), Self::Place(other, b)) if begin == other => order(a as u64, b as u64),
            (Self::Place(a, _), Self::Place(b, _)) => order(a as u64, b as u64),
            _ => Ordering::Equal,
        }
    }
}

const fn order(a: u64, b: u64) -> Ordering {
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
    const fn insert(&mut self, slot: Slot<'a>) -> bool {
        let mut place = self.len;
        while let Some(before) = self.before(place) {
            match slot.compare(&before) {
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
            if let Some(before) = self.before(i) {
                self.set(i, before);
            }
            i -= 1;
        }
        self.set(place, slot);
        false
    }

    /// The slot before a place, if there is one.
    const fn before(&self, place: usize) -> Option<Slot<'a>> {
        if 0 < place && place <= SLOTS { Some(self.slots[place - 1]) } else { None }
    }

    const fn set(&mut self, place: usize, slot: Slot<'a>) {
        if place < SLOTS {
            self.slots[place] = slot;
        }
    }
}

/// An error unless each tensor begins where the one before it ends, or unless no two keys are the same. Returns where the last tensor
/// ends.
///
/// Every pass over the header finds the first tensors after those of the pass before.
pub(super) const fn check(tensors: &Tensors<'_>, by: By) -> Result<usize, HeaderError> {
    let (mut last, mut covered) = (None::<Slot<'_>>, 0);
    loop {
        let mut window = Window { slots: [Slot::Place(0, 0); SLOTS], len: 0 };
        let mut at = 0;
        while let Some((slot, next)) = tri!(next(tensors, at, by)) {
            let is_later = match &last {
                Some(last) => matches!(slot.compare(last), Ordering::Greater),
                None => true,
            };
            if is_later && window.insert(slot) {
                match slot {
                    Slot::Key(..) => return Err(HeaderError::DuplicateKey),
                    Slot::Place(begin, end) if begin < end => return Err(HeaderError::OverlapOrHole),
                    // Empty tensors may share a place.
                    Slot::Place(..) => {}
                }
            }
            at = next;
        }
        let mut i = 0;
        while i < window.len {
            i += 1;
            if let Some(Slot::Place(begin, end)) = window.before(i) {
                if begin != covered {
                    return Err(HeaderError::OverlapOrHole);
                }
                covered = end;
            }
        }
        if window.len < SLOTS {
            return Ok(covered);
        }
        last = window.before(SLOTS);
    }
}

/// What is kept of the next tensor after a place in the header, and the place after it.
const fn next<'a>(tensors: &Tensors<'a>, at: usize, by: By) -> Result<Option<(Slot<'a>, usize)>, HeaderError> {
    Ok(match by {
        By::Key => match tensors.next_key(at) {
            Some((key, _, next)) => Some((Slot::Key(hash(key), key.raw()), next)),
            None => None,
        },
        By::Place => match tri!(tensors.next(at)) {
            Some((view, next)) => Some((Slot::Place(view.begin, view.end), next)),
            None => None,
        },
    })
}
