//! Neural networks whose shapes are types.
//!
//! A network that does not fit together does not compile. One that compiles runs, *and trains*, without a heap and without
//! `std`, in memory whose size is known before it starts.
//!
//! # A first model
//!
//! A [`Network`] is the shape of its input and a tuple of layers. The compiler works out the shapes in between.
//!
//! ```
//! use constnet::nalgebra::SVector;
//! use constnet::{Dense, Network, Relu, Vector};
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
//!
//! let mut net = Digits::ZERO; // a constant, so it can be a static as well
//! net.init(&mut StdRng::seed_from_u64(1)); // in place, from any generator
//!
//! let x = SVector::<f32, 64>::from_element(0.5);
//! let logits: SVector<f32, 10> = net.predict(&x);
//! # assert!(logits.iter().any(|&y| y != 0.0));
//! ```
//!
//! # When it does not fit
//!
//! Write `Dense<31, 10>` for the last layer, and the compiler says where the model is first used:
//!
//! ```text
//! error[E0277]: layer `Dense<31, 10>` does not take an input of shape `constnet::Vector<32>` (of `f32`)
//!   = note: the shape given is the output of the layer before, or the network's input; change one of the two so that they agree
//! ```
//!
//! An input of the wrong length, a label of another number of classes, a batch of the wrong size and a trainer made for another
//! network are errors of the same kind.
//!
//! Most of it is a bound, which `cargo check` and the editor see wherever the type is named. What no bound can say, such as that no
//! size is 0, is a constant, [`Network::CHECK`]: code that is generated for such a network does not build, and `cargo check`
//! evaluates it where the network is a constant or a static, or where a line asks for it:
//!
//! ```
//! # use constnet::{Dense, Network, Relu, Vector};
//! # type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
//! const _: () = Digits::CHECK;
//! ```
//!
//! A loss that takes logits does not train a network that ends with `Softmax` or `Sigmoid`: [`loss`] has the pairs.
//!
//! # Training
//!
//! A [`Trainer`](train::Trainer) is an optimiser, a loss and all the memory that they need for a batch whose size is its last
//! parameter. [`step`](train::Trainer::step) trains on one batch:
//!
//! ```
//! use constnet::nalgebra::SVector;
//! use constnet::{Class, Dense, Network, Relu, Vector};
//! use constnet::{loss::CrossEntropy, optimizer::Adam, train::Trainer};
//! # use rand::{SeedableRng, rngs::StdRng};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
//! # let mut net = Digits::ZERO;
//! # net.init(&mut StdRng::seed_from_u64(1));
//! let inputs = [SVector::<f32, 64>::from_element(0.5); 32];
//! let labels = [Class::new(3)?; 32]; // checked once, here
//!
//! let mut trainer = Trainer::<Digits, _, _, 32>::new(Adam::new(1e-3)?, CrossEntropy);
//! let before = trainer.step(&mut net, &inputs, &labels);
//! let after = trainer.step(&mut net, &inputs, &labels);
//! assert!(after < before);
//! # Ok(())
//! # }
//! ```
//!
//! [`fit`](train::Trainer::fit) runs epochs over a [`Dataset`](data::Dataset) of any length: shuffled, with validation data, early
//! stopping, schedules, and an [`Observer`](train::Observer) that progress bars and plots hook into.
//!
//! ```
//! use constnet::nalgebra::SVector;
//! use constnet::{Dense, Network, Tanh, Vector};
//! use constnet::{data::Dataset, loss::Mse, optimizer::Adam, train::{Fit, Trainer}};
//! # use rand::{SeedableRng, rngs::StdRng};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! type Curve = Network<Vector<1>, (Dense<1, 8>, Tanh, Dense<8, 1>)>;
//!
//! let inputs: Vec<SVector<f32, 1>> = (0..50).map(|i| SVector::from([i as f32 / 25.0 - 1.0])).collect();
//! let targets: Vec<SVector<f32, 1>> = inputs.iter().map(|x| x.map(|x| x * x)).collect();
//!
//! let mut net = Curve::ZERO;
//! net.init(&mut StdRng::seed_from_u64(1));
//! let mut trainer = Trainer::<Curve, _, _, 16>::new(Adam::new(0.02)?, Mse);
//! let report = trainer.fit(&mut net, Dataset::new(&inputs, &targets)?, Fit::epochs(300).stop_below(1e-3), &mut ())?;
//! assert!(report.loss < 1e-3);
//! # Ok(())
//! # }
//! ```
//!
//! A loss, a gradient, a running average or a parameter that is not finite ends a fit with an error that names the step, and the network
//! keeps its last finite numbers. So does a fit that trains nothing: one whose weights were 0 and stay 0, as without `init`, or whose
//! schedule has already ended.
//!
//! # Large networks, small stacks
//!
//! Everything has a constant zero and is built by `const fn`: networks and trainers can be `static`s, which cost no stack in any
//! build. [`train`] shows how. `size_of` tells the memory of each.
//!
//! # Images, signals, sequences
//!
//! What comes out of a convolution is computed as a type; [`shape::window`] has the paddings, strides and dilations, and
//! [`shape::length`] tells how far the arithmetic reaches.
//!
//! ```
//! use constnet::{Conv2d, Dense, Flatten, Image, MaxPool2d, Network, Relu, Same, Stride};
//!
//! type LeNet = Network<Image<1, 28, 28>, (
//!     Conv2d<1, 6, 5, 5, Stride<1>, Same>, Relu, MaxPool2d<2>, // Image<6, 14, 14>
//!     Conv2d<6, 16, 5>, Relu, MaxPool2d<2>,                    // Image<16, 5, 5>
//!     Flatten, Dense<400, 120>, Relu, Dense<120, 10>,
//! )>;
//! assert_eq!(LeNet::PARAMETERS, 51_902);
//! ```
//!
//! A network over a [`Sequence`] of [`Gru`], [`Lstm`], causal [`Conv1d`] and the like also runs one step at a time, to the same bits:
//! [`streaming`].
//!
//! # A static in flash
//!
//! Weights that are constants make a network that is one: on a microcontroller it lies in flash and takes no RAM.
//!
//! ```
//! use constnet::nalgebra::SVector;
//! use constnet::{Dense, Network, Relu, Vector};
//!
//! type Abs = Network<Vector<1>, (Dense<1, 2>, Relu, Dense<2, 1>)>;
//!
//! static ABS: Abs = Abs::new((
//!     Dense::from_columns([[1.0, -1.0]], [0.0, 0.0]),
//!     Relu,
//!     Dense::from_columns([[1.0], [1.0]], [0.0]),
//! ));
//! assert_eq!(ABS.predict(&SVector::from([-3.0]))[0], 3.0);
//! ```
//!
//! [`guide`] goes the whole way: training in PyTorch, weights that the compiler checks, a microcontroller.
//!
//! # A layer of your own
//!
//! Implement [`Layer`](layer::Layer) to predict, [`Parameters`](layer::Parameters) and
//! [`Differentiable`](layer::Differentiable) to train, and let [`gradcheck`](mod@gradcheck) tell whether the backward pass is
//! right, and [`memcheck`] whether it keeps to its memory. The example `own_layer` does all of it.
//!
//! # Panics
//!
//! No function that a chip may call has a way to panic in a release build, and none allocates: predictions, streams, training steps and whole
//! fits, files, scalers, splits, metrics, augmentation. `tests/no_std/check.sh` links each of them without a panic. Class labels,
//! hyperparameters and data sets are checked when they are made, and give errors; constructors named `const_*` are for constants, where a
//! wrong value fails the build. Writing an error as text is `core`'s formatting, whose floats have ways to panic: `LoadError`, `SaveError`,
//! `HyperparameterError` and `DataError` have such numbers.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `std` | yes | AVX2 or AVX-512 where the processor has them, chosen at run time ([`isa`]); the processor's square root |
//! | `rand` | yes | `init`, training `Dropout`, `data::augment`, `data::shuffle` |
//! | `long` | no | longer lengths in the type arithmetic: `shape::length` has the table |
//! | `serde` | no | `Serialize` and `Deserialize` for networks, layers and scalers: `serialize` has the details |
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate std;

mod class;
pub mod data;
pub mod error;
mod feature;
pub mod gradcheck;
pub mod guide;
pub mod init;
pub mod isa;
mod kernels;
pub mod layer;
mod layers;
pub mod loss;
pub mod math;
pub mod memcheck;
mod message;
pub mod metrics;
pub mod network;
pub mod optimizer;
pub mod safetensors;
pub mod scalar;
mod sequential;
#[cfg(feature = "serde")]
pub mod serialize;
pub mod shape;
pub mod streaming;
pub mod train;

pub use class::Class;
pub use layers::activation::{
    Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, Identity, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh,
};
pub use layers::attention::{Full, SelfAttention};
pub use layers::batch_norm::{BatchNorm, Momentum};
pub use layers::bias::NoBias;
pub use layers::bound;
pub use layers::conv::{Conv1d, Conv1dNoBias, Conv2d, Conv2dNoBias};
pub use layers::conv_transpose::{ConvTranspose1d, ConvTranspose2d};
pub use layers::dense::{Dense, DenseNoBias};
pub use layers::dropout::Dropout;
pub use layers::embedding::Embedding;
pub use layers::grouped_conv::{DepthwiseConv1d, DepthwiseConv2d, GroupedConv1d, GroupedConv2d};
pub use layers::last::Last;
pub use layers::norm::{Epsilon, GroupNorm, LayerNorm, RmsNorm};
pub use layers::parallel::{Concat, Parallel, Sum};
pub use layers::pool::{AvgPool1d, AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool1d, MaxPool2d};
pub use layers::position::{LearnedPositions, PositionalEncoding};
pub use layers::recurrent::{Bidirectional, Gru, Lstm, Rnn};
pub use layers::reshape::{Flatten, FlattenTo, Reshape};
pub use layers::residual::Residual;
pub use layers::softmax::{LogSoftmax, Softmax};
pub use layers::time_distributed::TimeDistributed;
pub use layers::upsample::Upsample;
pub use nalgebra;
pub use network::Network;
pub use scalar::ConstZero;
pub use shape::window::{Causal, Dilation, OutputPadding, Pad, Same, Stride, To, Valid};
pub use shape::{Image, Sequence, Tokens, Vector};
pub use typenum;

/// Runs the code of the README as a test.
#[cfg(all(doctest, feature = "rand"))]
#[doc = include_str!("../README.md")]
struct Readme;
