//! twin: folding
//! error: a `BatchNorm` is folded into a layer with a bias, and this one has `NoBias`: `fold` writes to another layer that has one
use constnet::{BatchNorm, ConstZero, Dense, DenseNoBias, DepthwiseConv1d};

fn main() {
    let (mut norm, mut pairs) = (BatchNorm::<3>::ZERO, BatchNorm::<4>::ZERO);
    let (mut three, mut bare, mut four) = (Dense::<2, 3>::ZERO, DenseNoBias::<2, 3>::ZERO, Dense::<2, 4>::ZERO);
    let mut depth = DepthwiseConv1d::<4, 5>::ZERO;
    norm.fold_into(&mut bare);
    norm.fold(&bare, &mut three);
    bare.weight.fill(0.5);
    pairs.fold_into(&mut depth);
    pairs.fold_into(&mut four);
}
