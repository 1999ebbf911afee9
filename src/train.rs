//! Training: [`Trainer`] steps by mini-batches, [`fit`](Trainer::fit) runs epochs of them.
//!
//! A [`Trainer`] owns all the memory that training takes, and `size_of` tells how much. Big ones belong in a `static`, where
//! they cost no stack in any build:
//!
//! ```
//! use constnet::{Class, Dense, Network, Relu, Vector};
//! use constnet::{loss::CrossEntropy, optimizer::Adam, train::Trainer};
//! use std::sync::Mutex;
//!
//! type Mnist = Network<Vector<784>, (Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>)>;
//!
//! static NET: Mutex<Mnist> = Mutex::new(Mnist::ZERO);
//! static TRAINER: Mutex<Trainer<Mnist, Adam, CrossEntropy, 32>> =
//!     Mutex::new(Trainer::new(Adam::const_new(1e-3), CrossEntropy));
//!
//! let (mut net, mut trainer) = (NET.lock().unwrap(), TRAINER.lock().unwrap());
//! # static INPUTS: [constnet::nalgebra::SVector<f32, 784>; 32] = [constnet::ConstZero::ZERO; 32];
//! # let labels = [Class::const_new(0); 32];
//! let loss = trainer.step(&mut *net, &INPUTS, &labels);
//! # assert!((loss - 10f32.ln()).abs() < 1e-6);
//! ```
//!
//! A static whose bytes are not all 0 has a copy in flash, from which it is filled when the program starts; a trainer is one, by
//! its settings. On a microcontroller leave them out of the static: a [`Memory`] is all 0, so it lies in `.bss` and takes no flash,
//! and [`Trainer::with_memory`] joins it with the settings.
//!
//! ```
//! # use constnet::{Dense, Network, Tanh, Vector, loss::Mse, nalgebra::SVector, optimizer::Adam};
//! use constnet::train::{Memory, Trainer};
//! # use std::sync::Mutex;
//!
//! type Sensor = Network<Vector<3>, (Dense<3, 8>, Tanh, Dense<8, 1>)>;
//!
//! static NET: Mutex<Sensor> = Mutex::new(Sensor::ZERO);
//! static MEMORY: Mutex<Memory<Sensor, Adam, 4>> = Mutex::new(Memory::ZERO);
//!
//! let (mut net, mut memory) = (NET.lock().unwrap(), MEMORY.lock().unwrap());
//! let mut trainer = Trainer::with_memory(Adam::const_new(0.01), Mse, &mut *memory);
//! let loss = trainer.step(&mut *net, &[SVector::from([1.0, 2.0, 3.0]); 4], &[SVector::from([1.0]); 4]);
//! # assert_eq!(loss, 1.0);
//! ```

pub mod argument;
mod checkpoint;
mod fit;
mod observer;

pub use checkpoint::Checkpoint;
pub use fit::{Fit, FitError, FitReport, Stop};
pub use observer::{BatchDone, EpochDone, Observer};

use crate::data::Dataset;
use crate::feature::Rng;
use crate::kernels::elementwise;
use crate::layer::{Gradient, Layer, zip_trained};
use crate::loss::Penalty;
use crate::network::{InputOf, Model, OutOf, OutputOf};
use crate::optimizer::{Clip, Optimizer, PartMut, State, clip::scale_by};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::Tensor;
use crate::shape::argument::TensorFor;
use argument::{InputBatch, TargetBatch, TargetFor, TrainedAs};
use core::borrow::BorrowMut;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// What an optimiser, a loss and a batch of `B` samples need to train a network of type `N`.
///
/// # Memory
/// `size_of::<Trainer<..>>()`, and nothing else but a few scalars on the stack: a [`Memory`], and some 100 bytes of settings and
/// counts. The last parameter is the memory itself, or a `&mut Memory` given to [`with_memory`](Trainer::with_memory).
pub struct Trainer<N: Model, O: Optimizer<N::Scalar>, L, const B: usize, Store = Memory<N, O, B>> {
    /// The rule that changes the parameters.
    pub optimizer: O,
    /// What is made small.
    pub loss: L,
    /// A bound on the gradient; none unless set.
    pub clip: Clip,
    /// What large weights cost; nothing unless set. It is in the gradient, and not in the losses that are reported.
    pub penalty: Penalty,
    /// Where the shuffling of `fit` and the masks of dropout come from; 0 unless set.
    pub seed: u64,
    /// Multiplies the optimiser's learning rate; 1 unless set. A schedule takes its place while `fit` runs.
    pub learning_rate_factor: f64,
    steps: u64,
    epochs: u64,
    /// Samples in the gradient, each with weight `1 / B`.
    samples: usize,
    /// Passes so far: each has its own dropout.
    passes: u64,
    /// What is not finite of the batches in the gradient.
    fault: Option<NotFinite>,
    /// Whether the layers know that of the whole gradient.
    is_gradient_finite: bool,
    memory: Store,
    network: PhantomData<N>,
}

/// The memory of training: a constant of zeros, for a `static` in `.bss` that a [`Trainer`] borrows.
///
/// # Memory
/// One gradient (as large as the network), the optimiser's state (as large as the network once for momentum, twice for Adam), and
/// for each of the `B` samples its input, its output twice, and what lies between the layers twice. The constants
/// [`GRADIENT_BYTES`](Memory::GRADIENT_BYTES), [`STATE_BYTES`](Memory::STATE_BYTES) and [`BATCH_BYTES`](Memory::BATCH_BYTES) tell
/// how much each is.
pub struct Memory<N: Model, O: Optimizer<N::Scalar>, const B: usize> {
    gradient: N,
    state: O::State<N>,
    cache: N::Cache<B>,
    y: [OutputOf<N>; B],
    dy: [OutputOf<N>; B],
    inputs: [InputOf<N>; B],
}

impl<N: Model, O: Optimizer<N::Scalar>, const B: usize> Memory<N, O, B> {
    /// Before the first step.
    #[allow(clippy::declare_interior_mutable_const)]
    pub const ZERO: Self = {
        assert!(B > 0, "a batch of 0 samples trains nothing: `Trainer<Net, _, _, B>` needs B of 1 or above");
        Self {
            gradient: ConstZero::ZERO,
            state: ConstZero::ZERO,
            cache: ConstZero::ZERO,
            y: ConstZero::ZERO,
            dy: ConstZero::ZERO,
            inputs: ConstZero::ZERO,
        }
    };

    /// The bytes of the gradient: those of the network.
    pub const GRADIENT_BYTES: usize = size_of::<N>();

    /// The bytes of the optimiser's state; on x86-64 each set of moments takes up to a multiple of 64.
    pub const STATE_BYTES: usize = size_of::<O::State<N>>();

    /// The bytes of the samples on their way through the network: inputs, outputs and their gradients, and what lies between.
    pub const BATCH_BYTES: usize =
        size_of::<N::Cache<B>>() + B * (2 * size_of::<OutputOf<N>>() + size_of::<InputOf<N>>());

    /// As [`ZERO`](Memory::ZERO), in place, but for what each pass overwrites.
    fn clear(&mut self) {
        self.state.visit_mut(&mut |_, _, part| match part {
            PartMut::Tensor(_, values) => values.fill(N::Scalar::ZERO),
            PartMut::Numbers(numbers) => numbers.fill(0.0),
        });
    }
}

impl<N: Model, O: Optimizer<N::Scalar>, const B: usize> ConstZero for Memory<N, O, B> {
    const ZERO: Self = Self::ZERO;
}

impl<N: Model, O: Optimizer<N::Scalar>, const B: usize> fmt::Debug for Memory<N, O, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("batch", &B).finish_non_exhaustive()
    }
}

/// A number that training cannot go on with: infinite or NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFinite {
    /// The loss of a batch.
    Loss,
    /// The gradient of a finite loss.
    Gradient,
    /// A running average of the network, such as `BatchNorm` keeps, after the batch.
    Statistics,
    /// A parameter or a number of the optimiser's state after an update.
    Update,
    /// The loss over the validation data.
    ValidationLoss,
    /// A number of the network that no update has set: it was so before, or a layer of your own has changed it.
    Initial,
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loss => "the loss is not finite",
            Self::Gradient => "the gradient is not finite",
            Self::Statistics => "a running average would not be finite after this batch",
            Self::Update => "an updated parameter or optimiser state is not finite",
            Self::ValidationLoss => "the validation loss is not finite",
            Self::Initial => "the network holds a number that is not finite",
        })
    }
}

impl core::error::Error for NotFinite {}

impl<N: Model, O: Optimizer<N::Scalar>, L, const B: usize> Trainer<N, O, L, B> {
    /// A trainer before its first step, with its memory inside.
    pub const fn new(optimizer: O, loss: L) -> Self {
        Self::around(optimizer, loss, Memory::ZERO)
    }
}

impl<'m, N: Model, O: Optimizer<N::Scalar>, L, const B: usize> Trainer<N, O, L, B, &'m mut Memory<N, O, B>> {
    /// A trainer before its first step, with its memory elsewhere: in a `static` of zeros. What an earlier trainer left there is
    /// forgotten.
    pub fn with_memory(optimizer: O, loss: L, memory: &'m mut Memory<N, O, B>) -> Self {
        memory.clear();
        Self::around(optimizer, loss, memory)
    }
}

impl<N: Model, O: Optimizer<N::Scalar>, L, const B: usize, Store: BorrowMut<Memory<N, O, B>>>
    Trainer<N, O, L, B, Store>
{
    const fn around(optimizer: O, loss: L, memory: Store) -> Self {
        Self {
            optimizer,
            loss,
            clip: Clip::NONE,
            penalty: Penalty::NONE,
            seed: 0,
            learning_rate_factor: 1.0,
            steps: 0,
            epochs: 0,
            samples: 0,
            passes: 0,
            fault: None,
            is_gradient_finite: false,
            memory,
            network: PhantomData,
        }
    }

    /// With a bound on the gradient: for constants; elsewhere set the field.
    #[must_use]
    pub const fn with_clip(mut self, clip: Clip) -> Self {
        self.clip = clip;
        self
    }

    /// With a penalty on the weights: for constants; elsewhere set the field.
    #[must_use]
    pub const fn with_penalty(mut self, penalty: Penalty) -> Self {
        self.penalty = penalty;
        self
    }

    /// With a seed: for constants; elsewhere set the field.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Takes a new seed from a generator of the caller's.
    #[cfg_attr(docsrs, doc(cfg(feature = "rand")))]
    pub fn seed_from<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.seed = rng.next_u64();
    }

    /// How many times the optimiser has updated the network.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// One step on one mini-batch. Returns the mean loss over the batch, before the step. A gradient accumulated before is dropped.
    ///
    /// Where the loss, the gradient, a running average or the update is not finite, the network keeps its last finite parameters and running
    /// averages, and the result is infinite or NaN.
    #[inline]
    pub fn step<M, X, Y>(&mut self, net: &mut M, inputs: &X, targets: &Y) -> N::Scalar
    where
        M: TrainedAs<N>,
        X: InputBatch<N::In, N::Scalar, B>,
        Y: TargetBatch<L, OutOf<N>, N::Scalar, B>,
    {
        let net = net.as_trained();
        self.forget();
        let loss = self.run::<false, _>(net, Some(inputs.inputs()), B, targets.targets().iter());
        match self.apply(net) {
            Err(_) if loss.is_finite() => N::Scalar::from_f64(f64::NAN),
            _ => loss,
        }
    }

    /// Adds the gradient of one micro-batch without training the network: `k` of these and one [`apply`](Trainer::apply) make one
    /// step on a batch of `k * B` samples. Only running averages follow each micro-batch, but for one that would leave them infinite or NaN,
    /// which `apply` reports. Returns the mean loss over the micro-batch.
    #[inline]
    pub fn accumulate<M, X, Y>(&mut self, net: &mut M, inputs: &X, targets: &Y) -> N::Scalar
    where
        M: TrainedAs<N>,
        X: InputBatch<N::In, N::Scalar, B>,
        Y: TargetBatch<L, OutOf<N>, N::Scalar, B>,
    {
        self.run::<true, _>(net.as_trained(), Some(inputs.inputs()), B, targets.targets().iter())
    }

    /// Updates the network with the gradient accumulated, the mean over all its samples, and forgets it.
    ///
    /// # Errors
    /// If a loss, a running average, the gradient or the update is not finite. The network then keeps its last finite parameters: in an
    /// update those that would not be finite, else all of them.
    #[inline]
    pub fn apply<M: TrainedAs<N>>(&mut self, net: &mut M) -> Result<(), NotFinite> {
        self.update(net.as_trained(), self.learning_rate_factor)
    }

    /// [`apply`](Trainer::apply) with `factor` times the learning rate.
    #[inline]
    fn update(&mut self, net: &mut N, factor: f64) -> Result<(), NotFinite> {
        let samples = core::mem::replace(&mut self.samples, 0);
        if samples == 0 {
            return Ok(());
        }
        let Memory { gradient, state, .. } = self.memory.borrow_mut();
        let mut result = self.fault.take().map_or(Ok(()), Err);
        if samples != B {
            scale_by(gradient, ratio::<N::Scalar>(B, samples));
        }
        self.penalty.add_gradient(net, gradient, N::Scalar::ONE);
        let is_as_computed = samples == B && self.penalty.is_none();
        if result.is_ok() && !(is_as_computed && self.is_gradient_finite) && !all_finite(gradient) {
            result = Err(NotFinite::Gradient);
        }
        if result.is_ok() {
            self.clip.apply(gradient);
            if !self.optimizer.update(state, net, gradient, factor) {
                result = Err(NotFinite::Update);
            }
            self.penalty.drop_negligible(net);
            self.steps = self.steps.wrapping_add(1); // A checkpoint may hold any number.
        }
        result
    }

    /// The mean loss over a data set without training: dropout is off, nothing changes.
    pub fn evaluate<X, Y>(&self, net: &N, data: Dataset<'_, X, Y>) -> N::Scalar
    where
        X: TensorFor<N::In, N::Scalar>,
        Y: TargetFor<L, OutOf<N>, N::Scalar>,
    {
        const { Y::TAKES.check(<N as Layer<N::In, N::Scalar>>::MEANING) };
        let mut y = OutputOf::<N>::ZERO;
        let mut sum = 0.0;
        for (x, target) in data.iter() {
            net.forward(x.tensor(), &mut y);
            sum += target.loss(&self.loss, &y).to_f64();
        }
        N::Scalar::from_f64(sum / size(data.len()))
    }

    /// Forward, loss and backward over a batch, the trainer's own unless given, of which the first `count` samples count. Returns their
    /// mean loss. The gradient is added to what is accumulated; that there may be such is said by `MAY_ADD`.
    #[inline]
    fn run<'a, const MAY_ADD: bool, Y: TargetFor<L, OutOf<N>, N::Scalar> + 'a>(
        &mut self,
        net: &mut N,
        given: Option<&[InputOf<N>; B]>,
        count: usize,
        targets: impl Iterator<Item = &'a Y>,
    ) -> N::Scalar {
        const { Y::TAKES.check(<N as Layer<N::In, N::Scalar>>::MEANING) };
        let Memory { gradient, cache, y, dy, inputs, .. } = self.memory.borrow_mut();
        let inputs = given.unwrap_or(inputs);
        #[cfg(feature = "rand")]
        {
            use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};
            let seed = self.seed ^ self.passes.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            net.sample(cache, &mut Xoshiro128PlusPlus::seed_from_u64(seed));
        }
        self.passes = self.passes.wrapping_add(1);
        net.forward_train(inputs, cache, y);
        let (scale, weight) = (ratio::<N::Scalar>(1, B), ratio::<N::Scalar>(1, count));
        let mut loss_mean = N::Scalar::ZERO;
        let mut gradients = dy.iter_mut();
        // The targets first: where they end, no `dy` has been taken for another.
        for (target, (y, dy)) in targets.zip(y.iter().zip(&mut gradients)) {
            loss_mean += weight * target.gradient(&self.loss, y, scale, dy);
        }
        for dy in gradients {
            dy.as_mut_slice().fill(N::Scalar::ZERO);
        }
        let fault = if !loss_mean.is_finite() {
            Some(NotFinite::Loss)
        } else if !net.has_finite_statistics(cache) {
            Some(NotFinite::Statistics)
        } else {
            net.track_statistics(cache);
            None
        };
        let known_finite = Cell::new(0);
        if MAY_ADD && self.samples > 0 {
            net.backward(inputs, y, cache, dy, Gradient::adding(gradient), None);
        } else {
            net.backward(inputs, y, cache, dy, Gradient::overwriting(gradient, &known_finite), None);
        }
        self.is_gradient_finite = known_finite.get() == N::COUNT;
        self.samples += count;
        self.fault = self.fault.or(fault);
        loss_mean
    }

    /// Drops a gradient that is half accumulated.
    #[inline]
    fn forget(&mut self) {
        self.samples = 0;
        self.fault = None;
    }

    /// The memory, to read.
    fn memory(&self) -> &Memory<N, O, B> {
        self.memory.borrow()
    }
}

/// `a / b`
#[inline]
fn ratio<T: Scalar>(a: usize, b: usize) -> T {
    T::from_f64(size(a) / size(b))
}

#[allow(clippy::cast_precision_loss)]
#[inline]
fn size(n: usize) -> f64 {
    n as f64
}

/// Whether no number that gradients change is infinite or NaN.
#[inline]
fn all_finite<N: Model>(parameters: &mut N) -> bool {
    let mut finite = true;
    zip_trained([parameters], &mut |[values]| finite &= elementwise::all_finite(values));
    finite
}

impl<N: Model, O: Optimizer<N::Scalar> + fmt::Debug, L: fmt::Debug, const B: usize, Store> fmt::Debug
    for Trainer<N, O, L, B, Store>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("optimizer", &self.optimizer)
            .field("loss", &self.loss)
            .field("batch", &B)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}
