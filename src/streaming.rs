//! Sequences one step at a time: what audio and control loops run.
//!
//! A network over a `Sequence` takes it whole, with [`predict`](crate::Network::predict), or step by step, with
//! [`step`](crate::Network::step) and a state that the caller owns. Both give the same bits.
//!
//! ```
//! use constnet::nalgebra::SVector;
//! use constnet::network::StateOf;
//! use constnet::{Dense, Gru, Network, Sequence, Tanh};
//!
//! // Trained on sequences of 200 steps; step by step it runs on for as long as it is asked to.
//! type Net = Network<Sequence<3, 200>, (Gru<3, 8>, Dense<8, 1>, Tanh)>;
//! static NET: Net = Net::ZERO;
//!
//! struct Controller {
//!     state: StateOf<Net>, // 8 numbers: what the Gru remembers
//! }
//!
//! impl Controller {
//!     const fn new() -> Self {
//!         Self { state: Net::start() }
//!     }
//!
//!     /// Once for each reading of the sensors.
//!     fn control(&mut self, sensors: [f32; 3]) -> f32 {
//!         NET.step(&mut self.state, &SVector::from(sensors))[0]
//!     }
//! }
//!
//! let mut controller = Controller::new();
//! for sensors in [[0.1, 0.0, 9.8], [0.2, 0.1, 9.7]] {
//!     let torque = controller.control(sensors);
//!     assert_eq!(torque, 0.0); // a network of zeros
//! }
//! controller.state = Net::start(); // another sequence begins
//! ```
//!
//! | layer | state | its output at a step |
//! |---|---|---|
//! | `Rnn`, `Gru` | [`RecurrentState`](crate::bound::RecurrentState) | that of the step |
//! | `Lstm` | [`LstmState`](crate::bound::LstmState) | that of the step |
//! | `Conv1d` with `Causal` and stride 1 | the last inputs | that of the step |
//! | `GlobalAvgPool`, `GlobalMaxPool` | [`PoolState`](crate::bound::PoolState) | the mean, the greatest so far |
//! | `Last` | none | the step |
//! | what treats each step alone: `Dense`, activations, normalisation over channels | none | that of the step |
//! | `Residual`, `Parallel`, tuples | those of the layers inside | theirs |
//!
//! # What is not finite
//!
//! A step that meets an infinity or a NaN, as a broken sensor gives it, passes it on in its output. The state of a recurrent layer or of a
//! global pooling stays finite: such a step leaves no trace in it. The state of a convolution holds its last inputs, so it forgets a bad
//! one with its window. So a stream goes on, where the outputs for the whole of such a sequence are not finite from there to its end.
//!
//! # The last step
//!
//! After `Last` or a global pooling the output is what the network says of the sequence so far; at the last step it is what
//! `predict` gives.
//!
//! # Silence
//!
//! A step takes as long in silence as with a signal. The state of a recurrent layer that decays becomes 0 below 2^-40 (`f32`; see
//! [`Scalar::NEGLIGIBLE`](crate::scalar::Scalar::NEGLIGIBLE)), since subnormal numbers, below 1.2e-38, would take a processor many times as
//! long. A convolution remembers inputs alone, and has none that the caller did not give.
//!
//! What the crate does not look for: subnormal inputs, and inputs so small that products with weights are subnormal. Who feeds a decaying signal,
//! such as the tail of a filter of their own, sets it to 0 where it is inaudible. A gate that its bias holds below -87 is subnormal at every
//! step, with a signal as in silence. The functions of [`math`](crate::math) take up to three
//! times as long where an input is not 0 but below 2^-40.

use crate::scalar::{ConstZero, Element};
use crate::shape::{Shape, TensorOf};

/// A layer that takes a sequence step by step: a tensor of shape `In` at a time, and a state that the caller owns.
///
/// Fed with the steps of a sequence from a state of zero, it gives bit for bit what
/// [`Layer::forward`](crate::layer::Layer::forward) gives for the whole of it, as long as all numbers are finite. The state of a
/// recurrent layer or a pooling stays finite whatever the step. A layer that looks at one step only,
/// such as `Dense` or an activation, has no state; after [`Last`](crate::Last) the output of each step is what the network says of the
/// sequence so far.
#[diagnostic::on_unimplemented(
    message = "layer `{Self}` cannot run one step of shape `{In}` (of `{T}`) at a time",
    label = "cannot run step by step",
    note = "what runs step by step gives an output for each step and looks at no later one: recurrent layers, `Conv1d` with the padding `Causal` and stride 1, and whatever treats each step alone"
)]
pub trait Streaming<In: Shape, T: Element = f32> {
    /// The shape of what comes out at each step.
    type Out: Shape;

    /// What is remembered from step to step. Zero is the start of a sequence.
    type State: ConstZero;

    /// Takes the next step, and overwrites `y` with what comes out.
    fn step(&self, state: &mut Self::State, x: &In::Tensor<T>, y: &mut TensorOf<Self::Out, T>);
}

/// Implements [`Streaming`] for layers that treat each step alone: as they treat a vector.
macro_rules! step_by_step {
    ([$($generics:tt)*] $layer:ty) => {
        impl<const STEP: usize, T: $crate::scalar::Element, $($generics)*>
            $crate::streaming::Streaming<$crate::shape::Vector<STEP>, T> for $layer
        where
            Self: $crate::layer::Layer<$crate::shape::Vector<STEP>, T>,
        {
            type Out = <Self as $crate::layer::Layer<$crate::shape::Vector<STEP>, T>>::Out;
            type State = ();

            #[inline]
            fn step(
                &self,
                (): &mut (),
                x: &$crate::shape::TensorOf<$crate::shape::Vector<STEP>, T>,
                y: &mut $crate::shape::TensorOf<Self::Out, T>,
            ) {
                $crate::layer::Layer::forward(self, x, y);
            }
        }
    };
}
pub(crate) use step_by_step;
