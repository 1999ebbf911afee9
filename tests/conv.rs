//! Convolutions and pools against their formulas, written out, and causal convolutions step by step.
#![cfg(feature = "rand")]
#![allow(clippy::float_cmp, clippy::many_single_char_names)] // Numbers are compared to the bit, and have the names of the formula.

use constnet::init::Init;
use constnet::layer::{Differentiable, Gradient, Layer, Parameters};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::streaming::Streaming;
use constnet::{
    AvgPool1d, AvgPool2d, Causal, ConstZero, Conv1d, Conv1dNoBias, Conv2d, DepthwiseConv2d, Dilation, Flatten,
    FlattenTo, GlobalMaxPool, GroupedConv2d, Image, MaxPool1d, MaxPool2d, Network, Pad, Relu, Same, Sequence, Stride,
    To, Valid, Vector,
};
use rand::{Rng, SeedableRng, rngs::Xoshiro128PlusPlus};

/// One direction of a window: length, what comes out, window, stride, dilation, zeros in front.
#[derive(Clone, Copy)]
struct Axis(usize, usize, usize, usize, usize, usize);

/// The direction that a signal does not have.
const FLAT: Axis = Axis(1, 1, 1, 1, 1, 0);

impl Axis {
    /// Where place `k` for output `o` lies, unless on the padding.
    fn place(self, o: usize, k: usize) -> Option<usize> {
        let Self(len, _, _, stride, dilation, before) = self;
        (o * stride + k * dilation).checked_sub(before).filter(|&i| i < len)
    }
}

fn randomise<P: Parameters<f32>>(parameters: &mut P, rng: &mut impl Rng) {
    P::zip([parameters], &mut |parameter, [values]| Init::TorchDefault.fill(parameter.role, values, rng));
}

fn random<S: Shape>(rng: &mut impl Rng) -> TensorOf<S, f32> {
    let mut x = TensorOf::<S, f32>::ZERO;
    for x in x.as_mut_slice() {
        *x = f32::from(u16::try_from(rng.next_u32() >> 16).expect("16 bits")) / 32768.0 - 1.0;
    }
    x
}

/// Compares a layer of `groups` groups of `inputs` channels that give `outputs` each with the formula, whose sums run in the order
/// that the library promises: so to the bit, with products that are rounded, or all of them fused with their addition.
fn compare<In: Shape, L: Layer<In> + Parameters<f32>>(
    v: Axis,
    h: Axis,
    [groups, inputs, outputs]: [usize; 3],
    weight: impl Fn(&L, [usize; 2], [usize; 3]) -> f32,
    bias: impl Fn(&L, [usize; 2]) -> f32,
) {
    let rng = &mut Xoshiro128PlusPlus::seed_from_u64(5);
    let mut layer = L::ZERO;
    randomise(&mut layer, rng);
    let x = random::<In>(rng);
    let mut y = TensorOf::<L::Out, f32>::ZERO;
    y.as_mut_slice().fill(f32::NAN);
    layer.forward(&x, &mut y);
    let y = y.as_slice();
    let name = core::any::type_name::<L>();
    assert_eq!(y.len(), v.1 * h.1 * groups * outputs, "{name}: another shape comes out");
    for (n, y) in y.iter().enumerate() {
        let (o, g) = (n % outputs, n / outputs % groups);
        let (ox, oy) = (n / (outputs * groups) % h.1, n / (outputs * groups * h.1));
        let mut sum = bias(&layer, [g, o]);
        let mut fused = sum;
        // Over a signal, some places are summed up before they are added.
        let is_signal = v.0 == 1 && groups == 1;
        let part = if is_signal { 8_usize.div_ceil(inputs) } else { usize::MAX };
        let mut totals = [sum, fused];
        if is_signal {
            [sum, fused] = [-0.0; 2];
        }
        for ky in 0..v.2 {
            for kx in 0..h.2 {
                let (Some(r), Some(c)) = (v.place(oy, ky), h.place(ox, kx)) else { continue };
                for i in 0..inputs {
                    let x = x.as_slice()[((r * h.0 + c) * groups + g) * inputs + i];
                    let weight = weight(&layer, [ky, kx], [i, g, o]);
                    sum += weight * x;
                    fused = weight.mul_add(x, fused);
                }
                if is_signal && ((kx + 1) % part == 0 || kx + 1 == h.2) {
                    totals = [totals[0] + sum, totals[1] + fused];
                    [sum, fused] = [-0.0; 2];
                }
            }
        }
        if is_signal {
            [sum, fused] = totals;
        }
        let is_formula = [sum, fused].iter().any(|sum| y.to_bits() == sum.to_bits());
        assert!(is_formula, "{name}: number {n} is {y}, the formula gives {sum}, fused {fused}");
    }
}

macro_rules! conv2d {
    ($I:literal x $H:literal x $W:literal => $O:literal, [$KH:literal $KW:literal], $options:tt, $v:expr, $h:expr) => {
        conv2d!(@with $I $H $W $O $KH $KW $options $v, $h)
    };
    (@with $I:literal $H:literal $W:literal $O:literal $KH:literal $KW:literal [$($option:ty),*] $v:expr, $h:expr) => {
        compare::<Image<$I, $H, $W>, Conv2d<$I, $O, $KH, $KW $(, $option)*>>(
            $v, $h, [1, $I, $O], |layer, [ky, kx], [i, _, o]| layer.weight[ky][kx][i][o], |layer, [_, o]| layer.bias[o],
        )
    };
}

/// Would catch: a padding, a stride or a dilation that begins in the wrong place, a tile of outputs left out, another order of sums.
#[test]
fn convolutions_are_their_formula() {
    conv2d!(2 x 5 x 6 => 3, [3 2], [], Axis(5, 3, 3, 1, 1, 0), Axis(6, 5, 2, 1, 1, 0));
    conv2d!(1 x 9 x 40 => 31, [3 5], [Stride<1>, Pad<1, 2>], Axis(9, 9, 3, 1, 1, 1), Axis(40, 40, 5, 1, 1, 2));
    conv2d!(3 x 7 x 8 => 9, [3 3], [Stride<2>, Same], Axis(7, 4, 3, 2, 1, 1), Axis(8, 4, 3, 2, 1, 0));
    conv2d!(3 x 4 x 5 => 6, [2 4], [Stride<1>, Same], Axis(4, 4, 2, 1, 1, 0), Axis(5, 5, 4, 1, 1, 1));
    conv2d!(2 x 9 x 8 => 4, [3 3], [Stride<2, 1>, Pad<2, 1>, Dilation<2, 3>],
        Axis(9, 5, 3, 2, 2, 2), Axis(8, 4, 3, 1, 3, 1));
    conv2d!(5 x 8 x 3 => 2, [3 3], [Stride<2, 1>, To<3, 1>], Axis(8, 3, 3, 2, 1, 0), Axis(3, 1, 3, 1, 1, 0));
    compare::<Sequence<3, 20>, Conv1d<3, 17, 3, Stride, Causal, Dilation<4>>>(
        FLAT,
        Axis(20, 20, 3, 1, 4, 8),
        [1, 3, 17],
        |layer, [_, k], [i, _, o]| layer.weight[k][i][o],
        |layer, [_, o]| layer.bias[o],
    );
    compare::<Sequence<2, 9>, Conv1dNoBias<2, 3, 4, Stride<3>, Causal>>(
        FLAT,
        Axis(9, 3, 4, 3, 1, 3),
        [1, 2, 3],
        |layer, [_, k], [i, _, o]| layer.weight[k][i][o],
        |_, _| 0.0,
    );
    compare::<Image<6, 5, 7>, GroupedConv2d<2, 3, 5, 3, 3, Stride<2>, Same>>(
        Axis(5, 3, 3, 2, 1, 1),
        Axis(7, 4, 3, 2, 1, 1),
        [2, 3, 5],
        |layer, [ky, kx], [i, g, o]| layer.weight[ky][kx][i][g][o],
        |layer, [g, o]| layer.bias[g][o],
    );
    compare::<Image<21, 4, 9>, DepthwiseConv2d<21, 3, 3, Stride, Pad<1>>>(
        Axis(4, 4, 3, 1, 1, 1),
        Axis(9, 9, 3, 1, 1, 1),
        [21, 1, 1],
        |layer, [ky, kx], [i, g, o]| layer.weight[ky][kx][i][g][o],
        |layer, [g, o]| layer.bias[g][o],
    );
}

/// Would catch: zeros beside an image that are taken for the greatest, or counted in a mean that Keras takes without them.
#[test]
fn pools_and_what_lies_beside() {
    let minus = [SMatrix::<f32, 1, 3>::from([[-1.0], [-2.0], [-3.0]]); 3];
    let max = Network::<Image<1, 3, 3>, (MaxPool2d<3, 3, Stride<2>, Pad<1>>,)>::ZERO.predict(&minus);
    assert_eq!(max, [SMatrix::from([[-1.0], [-2.0]]); 2]);
    let keras = Network::<Image<1, 3, 3>, (AvgPool2d<2, 2, Stride<2>, Same>,)>::ZERO.predict(&minus);
    assert_eq!(keras, [SMatrix::from([[-1.5], [-3.0]]); 2]);
    let torch = Network::<Image<1, 3, 3>, (AvgPool2d<2, 2, Stride<2>, Pad<1>>,)>::ZERO.predict(&minus);
    assert_eq!(torch, [SMatrix::from([[-0.25], [-1.25]]), SMatrix::from([[-0.5], [-2.5]])]);
    let nan = SMatrix::<f32, 1, 4>::from([[1.0], [f32::NAN], [2.0], [3.0]]);
    let y = Network::<Sequence<1, 4>, (MaxPool1d<2>,)>::ZERO.predict(&nan);
    assert!(y[0].is_nan() && y[1] == 3.0, "{y}");
}

/// Would catch: a causal pool that looks ahead, takes its zeros for the greatest or leaves them out of a mean, or is refused.
#[test]
fn causal_pools_look_back() {
    let x = SMatrix::<f32, 1, 5>::from([[-1.0], [-8.0], [-3.0], [-4.0], [-11.0]]);
    let max = Network::<Sequence<1, 5>, (MaxPool1d<4, Stride<1>, Causal>,)>::ZERO.predict(&x);
    assert_eq!(max, SMatrix::from([[-1.0], [-1.0], [-1.0], [-1.0], [-3.0]]));
    let mean = Network::<Sequence<1, 5>, (AvgPool1d<4, Stride<1>, Causal>,)>::ZERO.predict(&x);
    assert_eq!(mean, SMatrix::from([[-0.25], [-2.25], [-3.0], [-4.0], [-6.5]]));
    let strided = Network::<Sequence<1, 5>, (AvgPool1d<4, Stride<2>, Causal>,)>::ZERO.predict(&x);
    assert_eq!(strided, SMatrix::from([[-0.25], [-3.0], [-6.5]]));
}

/// The gradient of a layer's inputs, where those of its outputs are 1, 2, 3 ...
fn gradient<In: Shape, L: Differentiable<In>>(x: TensorOf<In, f32>) -> TensorOf<In, f32> {
    let (x, layer) = ([x], L::ZERO);
    let (mut cache, mut y, mut dy, mut dx) = (L::Cache::<1>::ZERO, ConstZero::ZERO, ConstZero::ZERO, ConstZero::ZERO);
    layer.forward_train(&x, &mut cache, &mut y);
    let [to_y]: &mut [TensorOf<L::Out, f32>; 1] = &mut dy;
    to_y.as_mut_slice().iter_mut().zip(1_u8..).for_each(|(dy, i)| *dy = f32::from(i));
    let mut none = L::ZERO;
    layer.backward(&x, &y, &mut cache, &dy, Gradient::adding(&mut none), Some(&mut dx));
    let [dx] = dx;
    dx
}

/// Would catch: a gradient that goes to the last of equals, or to each of them.
#[test]
fn the_first_of_equals_has_the_gradient() {
    let ones = [SMatrix::<f32, 1, 4>::repeat(1.0); 2];
    let first = [SMatrix::from([[1.0], [0.0], [2.0], [0.0]]), SMatrix::zeros()];
    assert_eq!(gradient::<Image<1, 2, 4>, MaxPool2d<2>>(ones), first);
    // Beside the image is nothing; a place is the first under two windows.
    let shared = [SMatrix::from([[1.0 + 2.0], [3.0], [0.0], [4.0 + 5.0]]), SMatrix::zeros()];
    let x = [SMatrix::from([[1.0], [1.0], [0.0], [1.0]]), SMatrix::repeat(1.0)];
    assert_eq!(gradient::<Image<1, 2, 4>, MaxPool2d<2, 2, Stride<2, 1>, Pad<0, 1>>>(x), shared);
    let signal = SMatrix::<f32, 2, 5>::from([[0.0, -1.0], [4.0, -1.0], [4.0, -2.0], [4.0, -1.0], [4.0, -1.0]]);
    let through = gradient::<Sequence<2, 5>, MaxPool1d<3>>(signal);
    assert_eq!(through, SMatrix::from([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]));
    let over_all = SMatrix::from([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]);
    assert_eq!(gradient::<Sequence<2, 5>, GlobalMaxPool>(signal), over_all);
    let all = [SMatrix::from([[1.0], [0.0], [0.0], [0.0]]), SMatrix::zeros()];
    assert_eq!(gradient::<Image<1, 2, 4>, GlobalMaxPool>(ones), all);
}

/// The steps of a sequence, one at a time, and the whole of it: equal to the bit.
fn streams<const C: usize, const L: usize, N>(net: &N, x: &SMatrix<f32, C, L>)
where
    N: Layer<Sequence<C, L>> + Streaming<Vector<C>>,
{
    let mut whole = TensorOf::<<N as Layer<Sequence<C, L>>>::Out, f32>::ZERO;
    net.forward(x, &mut whole);
    let mut state = N::State::ZERO;
    let mut steps = Vec::new();
    for x in x.column_iter() {
        let mut y = TensorOf::<<N as Streaming<Vector<C>>>::Out, f32>::ZERO;
        net.step(&mut state, &SVector::from_iterator(x.iter().copied()), &mut y);
        steps.extend(y.as_slice().iter().map(|y| y.to_bits()));
    }
    let whole: Vec<_> = whole.as_slice().iter().map(|y| y.to_bits()).collect();
    assert_eq!(steps, whole, "{}", core::any::type_name::<N>());
}

/// Would catch: a window that is one step off, histories that are mixed up, zeros in front that have a part in the sums.
#[test]
fn causal_convolutions_step_by_step() {
    type Wave = (
        Conv1d<3, 6, 3, Stride, Causal>,
        Relu,
        Conv1d<6, 17, 2, Stride, Causal, Dilation<2>>,
        Conv1dNoBias<17, 4, 3, Stride, Causal, Dilation<5>>,
    );
    let rng = &mut Xoshiro128PlusPlus::seed_from_u64(9);
    let mut net = Wave::ZERO;
    randomise(&mut net, rng);
    streams(&net, &random::<Sequence<3, 40>>(rng));
    streams(&net, &random::<Sequence<3, 1>>(rng));

    // A bias of -0 stays what it is, and no infinite weight meets a zero of the padding.
    let signs = Conv1d::<1, 1, 3, Stride, Causal, Dilation<2>>::new(
        [[[f32::INFINITY]], [[1.0]], [[-0.0]]],
        SVector::from([-0.0]),
    );
    streams(&signs, &SMatrix::from([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]));
    let mut y = SMatrix::<f32, 1, 2>::zeros();
    signs.forward(&SMatrix::from([[1.0], [2.0]]), &mut y);
    assert!(y.iter().all(|y| y.to_bits() == (-0.0_f32).to_bits()), "{y}");
}

/// Would catch: another order of numbers than `Flatten` has.
#[test]
fn flatten_to_is_flatten() {
    let x = random::<Image<3, 4, 5>>(&mut Xoshiro128PlusPlus::seed_from_u64(11));
    let expected = Network::<Image<3, 4, 5>, (Flatten,)>::ZERO.predict(&x);
    assert_eq!(Network::<Image<3, 4, 5>, (FlattenTo<60>,)>::ZERO.predict(&x), expected);
}

/// Would catch: a tensor of a file in another order, or one that is left out.
#[test]
fn files_round_trip() {
    type Net = Network<
        Image<2, 8, 8>,
        (
            Conv2d<2, 6, 3, 2>,
            GroupedConv2d<2, 3, 2, 2, 3>,
            DepthwiseConv2d<4, 2>,
            constnet::ConvTranspose2d<4, 3, 2, 3>,
            Flatten,
        ),
    >;
    let mut net = Net::ZERO;
    net.init_with(Init::TorchDefault, &mut Xoshiro128PlusPlus::seed_from_u64(13));
    let mut file = vec![0; 16 << 10];
    let len = net.save(&mut file).expect("room");
    let tensors = safetensors::SafeTensors::deserialize(&file[..len]).expect("safetensors");
    let shape = |key| tensors.tensor(key).expect("a tensor of the network").shape().to_vec();
    assert_eq!(shape("0.weight"), [6, 2, 3, 2]);
    assert_eq!(shape("1.weight"), [4, 3, 2, 3]);
    assert_eq!(shape("2.weight"), [4, 1, 2, 2]);
    assert_eq!(shape("3.weight"), [4, 3, 2, 3]);
    assert_eq!(shape("1.bias"), [4]);
    let number = |key: &str, i: usize| {
        let (numbers, _) = tensors.tensor(key).expect("a tensor of the network").data().as_chunks::<4>();
        f32::from_le_bytes(numbers[i])
    };
    let (first, grouped, _, back, _) = &net.layers;
    assert_eq!(number("0.weight", ((5 * 2 + 1) * 3 + 2) * 2), first.weight[2][0][1][5]);
    assert_eq!(number("1.weight", (((2 + 1) * 3 + 2) * 2 + 1) * 3 + 2), grouped.weight[1][2][2][1][1]);
    assert_eq!(number("3.weight", ((3 * 3 + 1) * 2 + 1) * 3), back.weight[1][0][3][1]);
    let mut loaded = Net::ZERO;
    loaded.load(&file[..len]).expect("our own file");
    assert_eq!(loaded, net);
}

/// Would catch: a default that is not PyTorch's.
#[test]
fn defaults() {
    fn same<A: 'static, B: 'static>() {
        assert_eq!(core::any::TypeId::of::<A>(), core::any::TypeId::of::<B>());
    }
    same::<Conv2d<2, 3, 5>, Conv2d<2, 3, 5, 5, Stride<1, 1>, Valid, Dilation<1, 1>, f32, SVector<f32, 3>>>();
    same::<MaxPool2d<2>, MaxPool2d<2, 2, Stride<2, 2>, Valid>>();
    same::<MaxPool1d<3>, MaxPool1d<3, Stride<3, 3>, Valid>>();
    same::<Pad<1>, Pad<1, 1>>();
    same::<Stride<2>, Stride<2, 2>>();
}
