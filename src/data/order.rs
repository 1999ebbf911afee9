use super::dataset::exchange;
use crate::feature::Rng;

/// A shuffled order of `0..len` that takes no memory: each place is computed when it is asked for.
///
/// Four rounds of a Feistel network over the next power of four, walked until the place is in range; data in flash or behind a
/// shared reference can be visited in it. The same seed gives the same order on every machine.
///
/// ```
/// use constnet::data::Permutation;
///
/// let order = Permutation::new(5, Some(7));
/// let mut seen = [false; 5];
/// (0..5).for_each(|i| seen[order.get(i)] = true);
/// assert_eq!(seen, [true; 5]);
/// ```
///
/// # Reference
/// Black & Rogaway (2002), "Ciphers with arbitrary finite domains": cycle walking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permutation {
    len: usize,
    seed: Option<u64>,
    /// Half the bits of the network's domain.
    half: u32,
}

impl Permutation {
    /// The order of `len` places that belongs to a seed; without one, the order as it is.
    #[must_use]
    pub fn new(len: usize, seed: Option<u64>) -> Self {
        // A domain of 256 at least: a smaller network has too few orders.
        let bits = usize::BITS - len.saturating_sub(1).leading_zeros();
        Self { len, seed, half: bits.div_ceil(2).max(4) }
    }

    /// What stands in place `i`; `i` itself where it is not below `len`.
    #[must_use]
    pub fn get(&self, i: usize) -> usize {
        let Some(seed) = self.seed else { return i };
        if i >= self.len {
            return i;
        }
        let mut place = self.mix(i as u64, seed);
        while place >= self.len as u64 {
            place = self.mix(place, seed);
        }
        #[allow(clippy::cast_possible_truncation)]
        let place = place as usize;
        place
    }

    /// One pass of the network: a permutation of its domain.
    fn mix(&self, x: u64, seed: u64) -> u64 {
        let mask = (1_u64 << self.half) - 1;
        let (mut left, mut right) = (x >> self.half, x & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (scramble(right ^ scramble(seed.wrapping_add(round))) & mask));
        }
        (left << self.half) | right
    }
}

/// The finaliser of `SplitMix64`, Steele and others (2014).
fn scramble(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Shuffles pairs in place: both slices in the same way, as far as the shorter one goes.
#[cfg_attr(docsrs, doc(cfg(feature = "rand")))]
pub fn shuffle<X, Y, R: Rng + ?Sized>(inputs: &mut [X], targets: &mut [Y], rng: &mut R) {
    // Fisher & Yates, with a product for a random number below `i`: its bias is below 2^-32 for any slice.
    for i in (1..inputs.len().min(targets.len())).rev() {
        #[allow(clippy::cast_possible_truncation)]
        let other = ((u128::from(rng.next_u64()) * (i as u128 + 1)) >> 64) as usize;
        exchange(inputs, i, other);
        exchange(targets, i, other);
    }
}
