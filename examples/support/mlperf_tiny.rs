//! The four networks of MLPerf Tiny, as types.
//!
//! Banbury and others (2021), "MLPerf Tiny benchmark". The reference models are Keras's: a normalisation, by Keras's constants,
//! follows each convolution, which has a bias all the same.

use constnet::{
    BatchNorm, Conv2d, Dense, DepthwiseConv2d, Dropout, Epsilon, GlobalAvgPool, Image, Momentum, Network, Parallel,
    Relu, Residual, Same, Softmax, Stride, Sum, Vector,
};

type Norm<const C: usize> = BatchNorm<C, Epsilon<1, 1000>, Momentum<1, 100>>;

type Conv<const IN: usize, const OUT: usize, const KH: usize, const KW: usize, const S: usize> =
    (Conv2d<IN, OUT, KH, KW, Stride<S>, Same>, Norm<OUT>);

/// A window for each channel, then a mix of the channels.
type Separable<const IN: usize, const OUT: usize, const S: usize> =
    (DepthwiseConv2d<IN, 3, 3, Stride<S>, Same>, Norm<IN>, Relu, Conv2d<IN, OUT, 1>, Norm<OUT>, Relu);

/// Keyword spotting: DS-CNN, Zhang and others (2017), on 49 spectra of 10 coefficients.
pub(crate) type DsCnn = Network<
    Image<1, 49, 10>,
    (
        Conv<1, 64, 10, 4, 2>,
        (Relu, Dropout<1, 5>),
        Separable<64, 64, 1>,
        Separable<64, 64, 1>,
        Separable<64, 64, 1>,
        Separable<64, 64, 1>,
        (Dropout<2, 5>, GlobalAvgPool),
        Dense<64, 12>,
        Softmax,
    ),
>;

type Hidden<const IN: usize, const OUT: usize> = (Dense<IN, OUT>, Norm<OUT>, Relu);

/// Anomalies in the sound of machines: an autoencoder for 5 spectra of 128 bands, as in DCASE 2020, task 2.
pub(crate) type Autoencoder = Network<
    Vector<640>,
    (
        (Hidden<640, 128>, Hidden<128, 128>, Hidden<128, 128>, Hidden<128, 128>),
        Hidden<128, 8>,
        (Hidden<8, 128>, Hidden<128, 128>, Hidden<128, 128>, Hidden<128, 128>),
        Dense<128, 640>,
    ),
>;

/// Two convolutions; the first may halve the picture, and then another one, of 1 by 1, takes the input to the sum.
type Halving<const IN: usize, const OUT: usize> =
    Parallel<(Conv<IN, OUT, 3, 3, 2>, Relu, Conv<OUT, OUT, 3, 3, 1>), Conv2d<IN, OUT, 1, 1, Stride<2>, Same>, Sum>;

/// Pictures of 10 classes: ResNet-8, He and others (2016), on CIFAR-10.
pub(crate) type ResNet8 = Network<
    Image<3, 32, 32>,
    (
        (Conv<3, 16, 3, 3, 1>, Relu),
        (Residual<(Conv<16, 16, 3, 3, 1>, Relu, Conv<16, 16, 3, 3, 1>)>, Relu),
        (Halving<16, 32>, Relu),
        (Halving<32, 64>, Relu),
        GlobalAvgPool,
        Dense<64, 10>,
        Softmax,
    ),
>;

/// Is there a person in the picture: MobileNet v1, Howard and others (2017), with a quarter of its channels.
pub(crate) type MobileNet = Network<
    Image<3, 96, 96>,
    (
        (Conv<3, 8, 3, 3, 2>, Relu),
        Separable<8, 16, 1>,
        (Separable<16, 32, 2>, Separable<32, 32, 1>),
        (Separable<32, 64, 2>, Separable<64, 64, 1>),
        Separable<64, 128, 2>,
        (Separable<128, 128, 1>, Separable<128, 128, 1>, Separable<128, 128, 1>),
        (Separable<128, 128, 1>, Separable<128, 128, 1>),
        (Separable<128, 256, 2>, Separable<256, 256, 1>),
        GlobalAvgPool,
        Dense<256, 2>,
        Softmax,
    ),
>;
