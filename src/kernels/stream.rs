//! One step of a convolution.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel, lanes};
use super::tile::{load, store, tiles};
use super::vector::{add, add_scaled};
use super::window::places_a_part;
use crate::scalar::Scalar;

/// The last inputs of a signal, in a ring as long as the window's way over them.
pub(crate) struct Ring<'a, T, const IN: usize, const K: usize, const D: usize> {
    /// `K * D` of them.
    pub(crate) inputs: &'a [[[T; IN]; K]; D],
    /// Where the newest stands.
    pub(crate) newest: usize,
    /// How many there are: what is before the first has no part in any sum.
    pub(crate) seen: usize,
}

kernel! {
    /// One output of a signal's convolution, whose window has its `K` places `D` apart, the last on the newest input.
    ///
    /// The products are added in the order of [`super::conv`], which has the same amount of work for an output and so the same
    /// instructions: a stream gives the bits of the whole sequence.
    pub(crate) fn window<I>[T: Scalar, const IN: usize, const OUT: usize, const K: usize, const D: usize][T, IN, OUT, K, D](
        weight: &[[[T; OUT]; IN]; K],
        bias: Option<&[T; OUT]>,
        ring: &Ring<'_, T, IN, K, D>,
        y: &mut [T; OUT],
    ), work IN * OUT * K; {
        tiles!(OUT, I::SUMS / 4 * lanes::<I, T>(), |start, W| tile::<I, T, IN, OUT, K, D, W>(weight, bias, ring, y, start));
    }
}

/// The outputs `start..start + W` of [`window`].
#[inline(always)]
fn tile<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const K: usize, const D: usize, const W: usize>(
    weight: &[[[T; OUT]; IN]; K],
    bias: Option<&[T; OUT]>,
    ring: &Ring<'_, T, IN, K, D>,
    y: &mut [T; OUT],
    start: usize,
) {
    let weight = weight.as_flattened().as_flattened();
    let mut sums: [T; W] = bias.map_or([T::ZERO; W], |bias| load(bias, start));
    let mut part = [-T::ZERO; W];
    let inputs = ring.inputs.as_flattened().as_flattened();
    // In numbers, not in inputs: the processor's addresses can be made of it.
    let mut at = if ring.newest < K * D { ring.newest * IN } else { 0 };
    for place in 0..K {
        // Under the window's last place lies the newest input, under the one before that of `D` steps ago.
        at = if at + D * IN < K * D * IN { at + D * IN } else { at + D * IN - K * D * IN };
        if (K - 1 - place) * D < ring.seen {
            // SAFETY: `at` is a multiple of `IN` below the `K * D * IN` numbers of the ring.
            let x = unsafe { inputs.get_unchecked(at..at + IN) };
            for (i, &x) in x.iter().enumerate() {
                let column: [T; W] = load(weight, (place * IN + i) * OUT + start);
                add_scaled::<I, T, W>(&mut part, &column, x);
            }
            if (place + 1).is_multiple_of(const { places_a_part(IN) }) || place + 1 == K {
                add::<I, T, W>(&mut sums, &part);
                part = [-T::ZERO; W];
            }
        }
    }
    store(sums, y, start);
}
