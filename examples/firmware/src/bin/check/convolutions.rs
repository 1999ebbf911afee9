//! Convolutions against their formula, to the bit: where floating point is hardware, their sums are written in assembly.

use super::Found;
use constnet::layer::{Layer, Parameters};
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{Causal, ConstZero};
use constnet::{Conv1d, Conv2d, DepthwiseConv2d, Dilation, GroupedConv2d, Image, Pad, Same, Sequence, Stride};
use core::hint::black_box;

/// One direction of a window: length, what comes out, window, stride, dilation, zeros in front.
#[derive(Clone, Copy)]
struct Way(usize, usize, usize, usize, usize, usize);

/// The direction that a signal does not have.
const FLAT: Way = Way(1, 1, 1, 1, 1, 0);

impl Way {
    /// Where place `k` for output `o` lies, unless on the padding.
    fn place(self, o: usize, k: usize) -> Option<usize> {
        (o * self.3 + k * self.4).checked_sub(self.5).filter(|&i| i < self.0)
    }
}

/// Each kernel: pixels four at a time and one by one, lanes with a tail, rows that lie side by side and apart.
pub(super) fn check(found: &mut Found) {
    let (v, h) = (Way(7, 7, 3, 1, 1, 1), Way(11, 11, 3, 1, 1, 1));
    of::<Image<3, 7, 11>, Conv2d<3, 10, 3, 3, Stride, Same>>(found, v, h, [1, 3, 10]);
    of::<Image<9, 7, 11>, DepthwiseConv2d<9, 3, 3, Stride, Same>>(found, v, h, [9, 1, 1]);
    let (v, h) = (Way(7, 4, 3, 2, 1, 1), Way(12, 6, 3, 2, 1, 1));
    of::<Image<5, 7, 12>, DepthwiseConv2d<5, 3, 3, Stride<2>, Pad<1>>>(found, v, h, [5, 1, 1]);
    let (v, h) = (Way(6, 6, 1, 1, 1, 0), Way(5, 5, 1, 1, 1, 0));
    of::<Image<6, 6, 5>, Conv2d<6, 9, 1>>(found, v, h, [1, 6, 9]);
    let (v, h) = (Way(9, 5, 3, 1, 2, 0), Way(11, 7, 3, 1, 2, 0));
    of::<Image<4, 9, 11>, GroupedConv2d<2, 2, 5, 3, 3, Stride, constnet::Valid, Dilation<2>>>(found, v, h, [2, 2, 5]);
    let h = Way(23, 23, 4, 1, 2, 6);
    of::<Sequence<3, 23>, Conv1d<3, 6, 4, Stride, Causal, Dilation<2>>>(found, FLAT, h, [1, 3, 6]);
}

/// A layer of so many groups, of so many inputs and outputs each.
#[inline(never)]
fn of<In: Shape, L: Layer<In> + Parameters<f32>>(
    found: &mut Found,
    v: Way,
    h: Way,
    [groups, inputs, outputs]: [usize; 3],
) {
    let mut layer = L::ZERO;
    // The weight, and the bias.
    let (mut copies, mut next) = ([[0.0; 300]; 2], 0);
    L::zip([&mut layer], &mut |_, [values]| {
        found.draw(values);
        if let Some(copy) = copies.get_mut(next).and_then(|copy| copy.get_mut(..values.len())) {
            copy.copy_from_slice(values);
        }
        next += 1;
    });
    let [weight, bias] = &copies;
    let mut x = TensorOf::<In, f32>::ZERO;
    found.draw(x.as_mut_slice());
    let mut y = TensorOf::<L::Out, f32>::ZERO;
    let (layer, x) = black_box((&layer, &x));
    layer.forward(x, &mut y);
    let [inputs, outputs, width] = [inputs, outputs, h.1].map(|size| size.max(1)); // Nothing divides by 0.
    let out = (groups * outputs).max(1);
    let (x, y) = (x.as_slice(), y.as_slice());
    found.holds &= y.len() == v.1 * h.1 * out;
    found.layers += 1;
    for (n, &y) in y.iter().enumerate() {
        let (lane, ox, oy) = (n % out, n / out % width, n / out / width);
        let mut sum = bias.get(lane).copied().unwrap_or(0.0);
        // Over a signal, some places are summed up before they are added.
        let is_signal = v.0 == 1 && groups == 1;
        let size = if is_signal { 8_usize.div_ceil(inputs) } else { usize::MAX };
        let mut part = -0.0_f32;
        for (ky, kx) in (0..v.2).flat_map(|ky| (0..h.2).map(move |kx| (ky, kx))) {
            if let (Some(row), Some(column)) = (v.place(oy, ky), h.place(ox, kx)) {
                for i in 0..inputs {
                    let at = ((row * h.0 + column) * groups + lane / outputs) * inputs + i;
                    let weight_at = ((ky * h.2 + kx) * inputs + i) * out + lane;
                    let (Some(x), Some(weight)) = (x.get(at), weight.get(weight_at)) else { continue };
                    let to = if is_signal { &mut part } else { &mut sum };
                    *to += weight * x;
                }
            }
            if is_signal && ((kx + 1).is_multiple_of(size) || kx + 1 == h.2) {
                sum += part;
                part = -0.0;
            }
        }
        found.numbers += 1;
        found.holds &= y.to_bits() == sum.to_bits();
    }
}
