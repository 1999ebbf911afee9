//! Layers that hold others pass on all that training does: running averages, and what is drawn.
//!
//! Would catch: a wrapper that tracks no statistics or draws nothing for a layer inside, or for the second of two.
#![cfg(feature = "rand")]

use constnet::layer::{Differentiable, Parameters};
use constnet::loss::Mse;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::Sgd;
use constnet::shape::argument::TensorFor;
use constnet::shape::{Sequence, Shape, Tensor, TensorOf};
use constnet::train::Trainer;
use constnet::{BatchNorm, Concat, ConstZero, Dropout, Network, Parallel, Residual, Tanh, TimeDistributed, Vector};
use rand::{Rng, SeedableRng, rngs::Xoshiro128PlusPlus};

/// Steps in a batch.
const B: usize = 6;

type Bn = BatchNorm<3>;

/// The running averages after training on each of the batches.
fn averages<In: Shape, L, const N: usize>(batches: &[[TensorOf<In, f32>; N]]) -> Vec<f32>
where
    L: Differentiable<In>,
    TensorOf<In, f32>: TensorFor<In, f32>,
    TensorOf<L::Out, f32>: TensorFor<L::Out, f32>,
{
    let mut net = Network::<In, L>::ZERO;
    let mut trainer = Trainer::<Network<In, L>, _, _, N>::new(Sgd::const_new(0.0), Mse);
    for x in batches {
        trainer.step(&mut net, x, &<[TensorOf<L::Out, f32>; N]>::ZERO);
    }
    let mut all = Vec::new();
    net.visit(&mut |parameter, values| {
        if !parameter.role.is_trained() {
            all.extend_from_slice(values);
        }
    });
    all
}

/// Three batches between -1 and 3.
fn batches() -> [[SVector<f32, 3>; B]; 3] {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(2);
    let mut number = || f32::from(u16::try_from(rng.next_u32() >> 16).expect("16 bits")) / 16384.0 - 1.0;
    core::array::from_fn(|_| core::array::from_fn(|_| SVector::from_fn(|_, _| number())))
}

/// The averages of a normalisation that stands alone, and behind `tanh`.
fn alone() -> [Vec<f32>; 2] {
    let both = [averages::<Vector<3>, (Bn,), B>(&batches()), averages::<Vector<3>, (Tanh, Bn), B>(&batches())];
    assert!(both.iter().flatten().all(|&average| average != 0.0), "{both:?}");
    assert_ne!(both[0], both[1]);
    both
}

#[test]
fn averages_inside_residual() {
    assert_eq!(averages::<Vector<3>, Residual<(Tanh, Bn)>, B>(&batches()), alone()[1]);
}

#[test]
fn averages_inside_the_first_branch() {
    assert_eq!(averages::<Vector<3>, Parallel<Bn, Tanh, Concat>, B>(&batches()), alone()[0]);
}

#[test]
fn averages_inside_both_branches() {
    assert_eq!(averages::<Vector<3>, Parallel<Bn, (Tanh, Bn), Concat>, B>(&batches()), alone().concat());
}

/// There each sample's steps are a batch.
#[test]
fn averages_inside_time_distributed() {
    let [first, second, third] = batches().map(|steps| SMatrix::from_columns(&steps));
    let inside = averages::<Sequence<3, B>, TimeDistributed<(Tanh, Bn)>, 1>(&[[first], [second], [third]]);
    assert_eq!(inside, alone()[1]);
    assert_eq!(averages::<Sequence<3, B>, TimeDistributed<(Tanh, Bn)>, 3>(&[[first, second, third]]), inside);
}

/// Which of 64 ones a dropout keeps, which doubles them, for each half of what comes out.
fn masks<L: Differentiable<Vector<32>>, const HALVES: usize>() -> [Vec<bool>; HALVES] {
    let (layer, mut cache) = (L::ZERO, L::Cache::<2>::ZERO);
    let mut y = <[TensorOf<L::Out, f32>; 2]>::ZERO;
    layer.sample(&mut cache, &mut Xoshiro128PlusPlus::seed_from_u64(3));
    layer.forward_train(&[SVector::repeat(1.0); 2], &mut cache, &mut y);
    core::array::from_fn(|half| {
        let kept = y.iter().flat_map(|y| y.as_slice().iter().skip(32 * half).take(32));
        kept.map(|&y| y > 1.5).collect()
    })
}

fn assert_drawn(mask: &[bool]) {
    assert_eq!(mask.len(), 64);
    let kept = mask.iter().filter(|&&is_kept| is_kept).count();
    assert!((16..48).contains(&kept), "{kept} of 64 kept");
    assert_ne!(mask[..32], mask[32..], "one mask for both samples");
}

#[test]
fn a_residual_draws() {
    let [inside] = masks::<Residual<Dropout<1, 2>>, 1>();
    assert_drawn(&inside);
}

#[test]
fn both_branches_draw() {
    let [a, b] = masks::<Parallel<Dropout<1, 2>, Dropout<1, 2>, Concat>, 2>();
    assert_drawn(&a);
    assert_drawn(&b);
    assert_ne!(a, b, "one mask for both");
}
