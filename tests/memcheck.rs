//! The checker of memory plans: it passes what is right, and finds each fault that a layer of a user's own may have.

#![cfg(feature = "rand")]

use constnet::layer::{Both, Either, Layer, Parameters, Side, Source, Target, apart, over};
use constnet::memcheck::{self, Misplaced};
use constnet::nalgebra::SVector;
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{
    BatchNorm, Bidirectional, Causal, Concat, ConstZero, Conv2d, ConvTranspose2d, Dense, DepthwiseConv2d, Flatten,
    GlobalAvgPool, Gru, Image, Last, LayerNorm, LearnedPositions, LogSoftmax, Lstm, MaxPool2d, Network, Parallel, Relu,
    Residual, Same, SelfAttention, Sequence, Sigmoid, Softmax, Stride, Tanh, TimeDistributed, Upsample, Vector,
};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

type V = Vector<3>;
type Numbers = SVector<f32, 3>;

/// `y = x + x`, with a fault.
macro_rules! doubling {
    ($name:ident, $Peak:ident, $turns:literal, |$x:ident, $arena:ident, $y:ident| $body:expr) => {
        struct $name;
        impl Layer<V, f32> for $name {
            type Out = V;
            type Peak<X, Y> = $Peak<X, Y>;
            const TURNS: bool = $turns;
            fn forward(&self, x: &Numbers, y: &mut Numbers) {
                *y = x + x;
            }
            fn forward_in(&self, $x: Source<'_, Numbers>, $arena: &mut [f32], $y: Target<'_, Numbers>) {
                $body
            }
        }
    };
}
doubling!(Right, Both, true, |x, arena, y| apart(x, arena, y, |x, _, y| *y = x + x));
doubling!(InPlace, Either, false, |x, arena, y| {
    over(x, arena, y, |x, y| *y = x + x, |x| x.iter_mut().for_each(|x| *x += *x));
});
doubling!(AddsToOldNumbers, Both, true, |x, arena, y| apart(x, arena, y, |x, _, y| *y += x + x));
doubling!(StaysAndSaysThatItTurns, Both, true, |x, arena, y| {
    over(x, arena, y, |x, y| *y = x + x, |x| x.iter_mut().for_each(|x| *x += *x));
});
doubling!(NeedsMoreThanItSays, Either, true, |x, arena, y| {
    let side = if let Source::At(side) = x { side } else { Side::Low };
    let (all, mut sum) = (arena.len(), Numbers::zeros());
    match x {
        Source::Given(x) => sum = x + x,
        Source::At(_) => sum.iter_mut().zip(side.split(arena, 3).0).for_each(|(sum, x)| *sum = *x + *x),
    }
    match y {
        Target::Given(y) => *y = sum,
        // The other end is where the input lies, or nowhere.
        Target::At(to) => {
            to.split(&mut arena[..all.saturating_sub(3)], 3).0.iter_mut().zip(&sum).for_each(|(y, x)| *y = *x);
        }
    }
});

fn check<L: Layer<V, f32>>(layer: &L) -> Result<(), Misplaced> {
    memcheck::layer(layer, &Numbers::new(1.0, -2.0, 0.5))
}

#[test]
fn layers_that_are_right_pass() {
    assert_eq!(check(&Right), Ok(()));
    assert_eq!(check(&InPlace), Ok(()));
    assert_eq!(check(&(Right, InPlace, Right)), Ok(()));
}

#[test]
fn faults_are_found() {
    let old = check(&AddsToOldNumbers).expect_err("it adds to NaN");
    assert!(old.is.is_nan() && old.should_be.to_bits() == 2_f64.to_bits(), "{old}");
    let turned = check(&StaysAndSaysThatItTurns).expect_err("its output is at the other end");
    assert!(turned.input.is_some() && turned.output.is_some() && turned.input != turned.output, "{turned}");
    let short = check(&NeedsMoreThanItSays).expect_err("there is no room");
    let text = short.to_string();
    assert!(text.contains("outside of the arena") && text.contains("at the low end"), "{text}");
    assert_eq!((short.number, short.should_be), (0, 2.0), "{text}");
}

/// Would catch: a layer that reads what another has left there, or a plan that does not hold what lies beside it.
#[test]
fn layers_in_layers_in_memory_full_of_nan() {
    fn passes<In: Shape, L: Layer<In, f32> + Parameters<f32>>()
    where
        TensorOf<In, f32>: TensorFor<In, f32>,
    {
        let mut net = Network::<In, L>::ZERO;
        net.init(&mut Xoshiro128PlusPlus::seed_from_u64(1));
        let mut x = TensorOf::<In, f32>::ZERO;
        x.as_mut_slice().iter_mut().zip(0_u8..).for_each(|(x, i)| *x = f32::from(i) / 40.0 - 1.0);
        memcheck::layer(&net, &x).unwrap_or_else(|error| panic!("{}: {error}", core::any::type_name::<L>()));
    }
    passes::<Vector<4>, (Residual<(Dense<4, 6>, Tanh, Residual<(Dense<6, 5>, Relu, Dense<5, 6>)>, Dense<6, 4>)>, Relu)>(
    );
    passes::<
        Vector<4>,
        (
            Parallel<(Tanh, Dense<4, 3>), Parallel<Residual<Sigmoid>, (Dense<4, 9>, Dense<9, 2>), Concat>, Concat>,
            (Tanh, (Dense<9, 4>, Softmax)),
        ),
    >();
    passes::<
        Sequence<3, 5>,
        (Residual<Gru<3, 3>>, TimeDistributed<(Dense<3, 4>, Residual<Tanh>)>, Bidirectional<Lstm<4, 2>>, Last),
    >();
    passes::<
        Sequence<4, 5>,
        (LearnedPositions<4, 5>, Residual<(LayerNorm<4>, SelfAttention<4, 2, Causal>)>, Flatten, Dense<20, 2>),
    >();
    passes::<
        Image<2, 6, 6>,
        (
            Residual<(Conv2d<2, 4, 3, 3, Stride, Same>, BatchNorm<4>, Relu, Conv2d<4, 2, 3, 3, Stride, Same>)>,
            DepthwiseConv2d<2, 3, 3, Stride, Same>,
            Upsample<2>,
            MaxPool2d<2>,
            ConvTranspose2d<2, 3, 2, 2, Stride<2>>,
            GlobalAvgPool,
            LogSoftmax,
        ),
    >();
}
