//! What layers do with the order of numbers and the steps of a sequence.

use constnet::nalgebra::{SMatrix, SVector};
use constnet::shape::{Shape, Tensor};
use constnet::{Dense, Flatten, Image, Network, Relu, Reshape, Residual, Sequence, Vector};

/// Number `c * 100 + h * 10 + w` in channel `c` of pixel `w` of row `h`.
fn picture<const C: usize, const H: usize, const W: usize>() -> [SMatrix<f32, C, W>; H] {
    let number = |c, h, w| f32::from(u16::try_from(100 * c + 10 * h + w).expect("small"));
    core::array::from_fn(|h| SMatrix::from_fn(|c, w| number(c, h, w)))
}

/// Would catch: numbers in the order of memory instead of PyTorch's, channel by channel, so that its weights would not fit.
#[test]
fn flatten_has_pytorchs_order() {
    let flat = Network::<Image<2, 2, 3>, (Flatten,)>::ZERO.predict(&picture::<2, 2, 3>());
    assert_eq!(flat.as_slice(), [0., 1., 2., 10., 11., 12., 100., 101., 102., 110., 111., 112.]);
    let steps = SMatrix::<f32, 2, 3>::from_columns(&[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]].map(SVector::from));
    let flat = Network::<Sequence<2, 3>, (Flatten,)>::ZERO.predict(&steps);
    assert_eq!(flat.as_slice(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let vector = SVector::<f32, 3>::new(1.0, 2.0, 3.0);
    assert_eq!(Network::<Vector<3>, (Flatten,)>::ZERO.predict(&vector), vector);
}

/// Would catch: a way back that is not the way there.
#[test]
fn reshape_undoes_flatten() {
    let there_and_back = Network::<Image<2, 3, 4>, (Flatten, Reshape<Image<2, 3, 4>>)>::ZERO;
    assert_eq!(there_and_back.predict(&picture::<2, 3, 4>()), picture::<2, 3, 4>());
    // An image's rows one after another are the steps of a sequence with its channels.
    let steps = Network::<Image<2, 3, 4>, (Reshape<Sequence<2, 12>>,)>::ZERO.predict(&picture::<2, 3, 4>());
    for (h, row) in picture::<2, 3, 4>().iter().enumerate() {
        assert_eq!(steps.fixed_columns::<4>(4 * h), *row);
    }
    // Other channels: read channel by channel on both sides.
    let other = Network::<Sequence<2, 3>, (Reshape<Sequence<3, 2>>,)>::ZERO;
    assert_eq!(
        other.predict(&SMatrix::<f32, 2, 3>::new(1., 2., 3., 4., 5., 6.)),
        SMatrix::<f32, 3, 2>::new(1., 2., 3., 4., 5., 6.)
    );
}

/// Would catch: a dense layer that mixes the steps of a sequence, a bias that is added once, weights read by rows.
#[test]
fn dense_takes_every_step_alike() {
    let weight = SMatrix::<f32, 3, 2>::new(1., 2., 3., 4., 5., 6.);
    let layer = Dense::new(weight, SVector::from([0.5, -0.5, 10.0]));
    let steps = [[1.0, -1.0], [0.0, 2.0], [3.0, 0.5]].map(SVector::<f32, 2>::from);
    let single = Network::<Vector<2>, _>::new((layer.clone(),));
    let all = Network::<Sequence<2, 3>, _>::new((layer,)).predict(&SMatrix::from_columns(&steps));
    assert_eq!(single.predict(&steps[0]), SVector::from([-0.5, -1.5, 9.0]));
    for (x, y) in steps.iter().zip(all.column_iter()) {
        assert_eq!(single.predict(x), y);
    }
    let bare = Network::<Vector<2>, _>::new((Dense::new(weight, constnet::NoBias),));
    assert_eq!(bare.predict(&steps[0]), SVector::from([-1.0, -1.0, -1.0]));
}

/// Would catch: a residual that adds the wrong tensor.
#[test]
fn residual_adds_its_input() {
    let x = SVector::<f32, 2>::new(0.5, -2.0);
    assert_eq!(Network::<Vector<2>, (Residual<Relu>,)>::ZERO.predict(&x), SVector::from([1.0, -2.0]));
    assert_eq!(Network::<Vector<2>, (Residual<Dense<2, 2>>,)>::ZERO.predict(&x), x);
}

/// Would catch: a length that is not the tensor's, numbers that are not those in memory.
#[test]
fn tensors_are_their_numbers_in_memory() {
    fn check<S: Shape>(channels: usize, len: usize) {
        let tensor = <S::Tensor<f32> as constnet::ConstZero>::ZERO;
        assert_eq!((S::CHANNELS, S::LEN), (channels, len));
        assert_eq!(tensor.as_slice().len(), len);
        assert_eq!(size_of_val(&tensor), 4 * len, "no padding");
    }
    check::<Vector<5>>(5, 5);
    check::<Sequence<3, 4>>(3, 12);
    check::<Image<2, 3, 4>>(2, 24);
    let numbers: Vec<f32> = Tensor::as_slice(&picture::<2, 2, 2>()).to_vec();
    assert_eq!(numbers, [0., 100., 1., 101., 10., 110., 11., 111.], "channels innermost");
}
