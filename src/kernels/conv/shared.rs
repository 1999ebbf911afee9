//! The kernel whose sizes are known at run time: one for all layers of `f32`, compiled with the crate.
//!
//! # Bits
//! Those of [`constant`](super::constant): each sum goes over its terms in the same order, and how wide a tile is makes no difference. So the
//! last tile of lanes or of pixels overlaps the one before: what is computed twice is the same twice.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::walk::{Line, Sizes, Walk};
use crate::kernels::dispatch::{Isa, kernel};
use crate::kernels::on_cortex_m;
use crate::kernels::tile::{numbers, opaque};
use crate::kernels::vector::{add, add_products_by_name, add_scaled_by_name};
use crate::kernels::window::{divided, each, places_a_part};
use core::marker::PhantomData;

/// The narrowest tile of lanes, without vectors: a group must have as many.
pub(super) const NARROW: usize = 4;

/// The same, with vectors.
pub(super) const WIDE: usize = 8;

/// What a convolution reads and writes, of lengths that agree.
pub(super) struct Operands<'a> {
    sizes: &'a Sizes,
    weight: *const f32,
    bias: Option<*const f32>,
    x: *const f32,
    y: *mut f32,
    borrows: PhantomData<(&'a f32, &'a mut f32)>,
}

impl<'a> Operands<'a> {
    /// If the lengths are what the sizes say.
    #[inline(always)]
    pub(super) const fn new(
        sizes: &'a Sizes,
        weight: &'a [f32],
        bias: &'a [f32],
        x: &'a [f32],
        y: &'a mut [f32],
    ) -> Option<Self> {
        let [inputs, outputs] = sizes.numbers();
        if weight.len() != sizes.work()
            || !(bias.is_empty() || bias.len() == sizes.pixel_out())
            || x.len() != inputs
            || y.len() != outputs
        {
            return None;
        }
        let bias = if bias.is_empty() { None } else { Some(bias.as_ptr()) };
        Some(Self { sizes, weight: weight.as_ptr(), bias, x: x.as_ptr(), y: y.as_mut_ptr(), borrows: PhantomData })
    }
}

kernel! {
    /// `y = bias + sum of weight * x` over each window. With `PARTS`, over a signal: [`places_a_part`] places are summed up before they are added.
    pub(super) fn gather<I>[const PARTS: bool][PARTS](operands: &mut Operands<'_>), work operands.sizes.work(); {
        gather_by::<I, PARTS>(operands);
    }
}

#[inline(always)]
pub(super) fn gather_by<I: Isa, const PARTS: bool>(operands: &mut Operands<'_>) {
    let Sizes { groups, outputs, .. } = *operands.sizes;
    let narrowest = if I::LANES == 1 { NARROW } else { WIDE };
    // With vectors, a convolution of which every channel sees itself only has kernels of its own.
    if outputs < narrowest || (I::LANES > 1 && operands.sizes.each) {
        return;
    }
    for group in 0..groups {
        let mut next = 0;
        while next < outputs {
            // SAFETY: the tile lies within the lanes of the group.
            unsafe {
                if const { I::LANES == 1 } {
                    lanes::<I, PARTS, NARROW, 4>(operands, group, next.min(outputs - NARROW));
                    next += NARROW;
                } else if const { I::LANES > 4 } && outputs >= 16 && outputs - next > 8 {
                    let start = next.min(outputs - 16);
                    if const { I::LANES == 16 } {
                        lanes::<I, PARTS, 16, 8>(operands, group, start);
                    } else {
                        lanes::<I, PARTS, 16, 4>(operands, group, start);
                    }
                    next += 16;
                } else {
                    let start = next.min(outputs - WIDE);
                    if const { I::LANES == 4 } {
                        lanes::<I, PARTS, WIDE, 4>(operands, group, start);
                    } else {
                        lanes::<I, PARTS, WIDE, 8>(operands, group, start);
                    }
                    next += WIDE;
                }
            }
        }
    }
}

/// `W` lanes of a group, for all pixels: `P` or four at a time where as many lie in a line.
///
/// # Safety
/// `start + W` must be at most the outputs of a group.
#[inline(always)]
unsafe fn lanes<I: Isa, const PARTS: bool, const W: usize, const P: usize>(
    operands: &mut Operands<'_>,
    group: usize,
    start: usize,
) {
    let Operands { sizes, weight, bias, x, y, .. } = *operands;
    let first = group * sizes.outputs + start;
    // SAFETY: a tile lies within the outputs of a pixel, and the places that a window has on the input are there.
    unsafe {
        let x = x.add(if sizes.each { first } else { group * sizes.inputs });
        let mut tile = Tile { sizes, x, y: y.add(first), weight: weight.add(first), bias: [0.0; W] };
        if let Some(bias) = bias {
            tile.bias = *numbers(bias.add(first));
        }
        let (mut way, mut line) = (Walk::new(sizes, 4), Line::default());
        let few = if I::LANES == 1 && !sizes.each { 2 } else { 1 };
        while way.next(&mut line) {
            let mut n = 0;
            while n < line.count {
                // Where a block would compute most of its outputs again, they come one by one.
                let left = line.count - n;
                let pixels = if P > 4 && left >= P {
                    P
                } else if line.count >= 4 && left > few {
                    4
                } else {
                    1
                };
                let at = n.min(line.count - pixels);
                if const { I::LANES == 1 } {
                    block::<I, PARTS, W, 4>(&tile, &line, at, pixels);
                } else if const { P > 4 } && pixels == P {
                    block::<I, PARTS, W, P>(&tile, &line, at, P);
                } else if pixels == 4 {
                    block::<I, PARTS, W, 4>(&tile, &line, at, 4);
                } else {
                    block::<I, PARTS, W, 1>(&tile, &line, at, 1);
                }
                n = at + pixels;
            }
        }
    }
}

/// Some lanes of a group.
struct Tile<'a, const W: usize> {
    sizes: &'a Sizes,
    x: *const f32,
    y: *mut f32,
    weight: *const f32,
    bias: [f32; W],
}

/// Rows of inputs under the windows of some pixels, and the weights that they meet.
#[derive(Clone, Copy)]
#[repr(C)] // For assembly.
#[allow(clippy::struct_field_names)] // Rows of the window.
pub(crate) struct Rows {
    x: *const f32,
    /// From a pixel's first input to the next one's.
    step: usize,
    /// From a row to the next.
    down: usize,
    weight: *const f32,
    /// From a weight to the next.
    out: usize,
    /// From the last weight of a row and one further to the first of the next row.
    left_out: usize,
    /// How many weights a row has.
    run: usize,
    rows: usize,
    /// From an input of a row to the next.
    gap: usize,
}

/// The outputs `n..n + pixels` of a line: `P` of them, or a single one.
///
/// # Safety
/// They must be there.
#[cfg_attr(not(debug_assertions), inline(always))] // In a debug build a frame would have room for every tile.
unsafe fn block<I: Isa, const PARTS: bool, const W: usize, const P: usize>(
    tile: &Tile<'_, W>,
    line: &Line,
    n: usize,
    pixels: usize,
) {
    let Line { left_out, rows, first_column, columns, step, step_out, .. } = *line;
    let inputs = tile.sizes.inputs;
    let each = I::LANES == 1 && tile.sizes.each;
    let (out, down, gap, is_dense) =
        (tile.sizes.pixel_out(), tile.sizes.gap_down(), tile.sizes.gap(), tile.sizes.is_dense());
    let mut sums = [tile.bias; P];
    // SAFETY: as the caller says; a window's weights lie row by row, `out` numbers apart.
    unsafe {
        let (x, weight) = (tile.x.add(line.x + n * step), tile.weight.add(line.weight));
        let mut all = Rows { x, step, down, weight, out, left_out, run: columns, rows, gap };
        if !each {
            all.gap = 1;
            all.run *= inputs;
        }
        if PARTS {
            let mut totals = sums;
            let size = places_a_part(inputs);
            let (mut place, end) = (first_column, first_column + columns * rows);
            while place < end {
                sums = [[-0.0; W]; P];
                let count = end.min((divided(place, size) + 1) * size) - place;
                let (rows, run) = if is_dense { (1, count * inputs) } else { (count, inputs) };
                let part = Rows { down: gap, left_out: 0, run, rows, ..all };
                add_rows::<I, W, P>(&mut sums, &part, each, pixels);
                all.x = all.x.wrapping_add(count * gap);
                all.weight = all.weight.wrapping_add(count * inputs * out);
                place += count;
                each!(P, totals, |p, total| if let Some(sum) = sums.get(p) {
                    add::<I, f32, W>(total, sum);
                });
            }
            sums = totals;
        } else {
            // Each row comes by itself where its inputs do not lie side by side.
            let mut times = usize::from(rows > 0);
            if !(each || is_dense) {
                times = rows;
                all = Rows { down: gap, left_out: 0, run: inputs, rows: columns, ..all };
            }
            for _ in 0..times {
                add_rows::<I, W, P>(&mut sums, &all, each, pixels);
                all.x = all.x.wrapping_add(down);
                all.weight = all.weight.wrapping_add(columns * inputs * out + left_out);
            }
        }
        let y = tile.y.add(line.y + n * step_out);
        if const { I::LANES == 1 } {
            for (p, sum) in sums.iter().enumerate().take(pixels) {
                y.add(p * step_out).cast::<[f32; W]>().write(*sum);
            }
        } else {
            each!(P, sums, |p, sum| y.add(p * step_out).cast::<[f32; W]>().write(*sum));
        }
    }
}

/// `sums += weight * x` over some rows, one or more; of `P` pixels, or of the first alone.
///
/// # Safety
/// They must be there.
#[inline(always)]
unsafe fn add_rows<I: Isa, const W: usize, const P: usize>(
    sums: &mut [[f32; W]; P],
    rows: &Rows,
    each: bool,
    pixels: usize,
) {
    on_cortex_m! {
        if let Some(sums) = sums.as_flattened_mut().first_chunk_mut() {
            // SAFETY: as the caller says.
            unsafe { cortex_m::add_rows(sums, rows, each, pixels == P) };
        }
        return;
    }
    #[allow(unreachable_code)]
    // SAFETY: as the caller says.
    unsafe {
        if pixels == P {
            if each {
                add_rows_of::<I, true, false, W, P>(sums, rows);
            } else {
                add_rows_of::<I, false, true, W, P>(sums, rows);
            }
        } else if let Some(sums) = sums.first_chunk_mut::<1>() {
            if each {
                add_rows_of::<I, true, false, W, 1>(sums, rows);
            } else {
                add_rows_of::<I, false, true, W, 1>(sums, rows);
            }
        }
    }
}

/// The same. All lanes see the same inputs, or with `EACH` each its own.
///
/// # Safety
/// They must be there.
#[inline(always)]
unsafe fn add_rows_of<I: Isa, const EACH: bool, const UNROLLED: bool, const W: usize, const P: usize>(
    all_sums: &mut [[f32; W]; P],
    rows: &Rows,
) {
    let Rows { mut x, step, down, mut weight, out, left_out, run, rows, gap } = *rows;
    let mut sums = *all_sums;
    let (whole, even) = (run * out, (run & !1) * out);
    let (three, four, five) = (opaque!(3 * step), opaque!(4 * step), opaque!(5 * step));
    let pixels = [0, step, 2 * step, three, four, five, 2 * three, opaque!(7 * step)];
    // SAFETY: as the caller says.
    unsafe {
        for _ in 0..rows {
            let mut at = x;
            macro_rules! add_weight {
                ($weight:expr, $at:expr) => {{
                    let weights = numbers::<_, W>($weight);
                    each!(P, sums, |p, sum| {
                        let x = $at.add(if const { P == 1 } { 0 } else { pixels[p] });
                        if EACH {
                            add_products_by_name::<I, W>(sum, weights, numbers(x));
                        } else {
                            add_scaled_by_name::<I, W>(sum, weights, *x);
                        }
                    });
                }};
            }
            let end = opaque!(weight.wrapping_add(whole));
            if const { UNROLLED && I::LANES > 1 } {
                let even = opaque!(weight.wrapping_add(even));
                while weight != even {
                    add_weight!(weight, at);
                    add_weight!(weight.add(out), at.wrapping_add(gap));
                    at = opaque!(at.wrapping_add(2 * gap));
                    weight = opaque!(weight.wrapping_add(2 * out));
                }
            }
            while weight != end {
                add_weight!(weight, at);
                at = opaque!(at.wrapping_add(gap));
                weight = opaque!(weight.wrapping_add(out));
            }
            weight = weight.wrapping_add(left_out);
            x = x.wrapping_add(down);
        }
    }
    *all_sums = sums;
}
