//! A layer with the shape of its input: [`Network`], and [`Model`], which says of a type that it can be trained.

mod default;
mod workspace;

pub use default::HasDefault;
pub use workspace::{Planned, Workspace};

use crate::class::Class;
use crate::feature::Rng;
use crate::init::Init;
use crate::kernels::flat::each_part;
use crate::layer::{Contiguous, Differentiable, Gradient, Layer, Meaning, Parameter, Parameters, Path, Source, Target};
use crate::safetensors::{
    Archive, Entry, File, FromFile, LoadError, Names, SaveError, Stored, Values, ValuesMut, archive, archive_methods,
    check_all_used,
};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::argument::TensorFor;
use crate::shape::{Sequence, Shape, TensorOf, Tokens, Vector};
use crate::streaming::Streaming;
use core::marker::PhantomData;

/// A neural network: layers, and the shape that they take.
///
/// The type says everything about the network but its numbers. The bound on the struct makes a network that does not
/// fit together an error where its type is first named.
///
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::{Dense, Network, Relu, Vector};
///
/// type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
///
/// static NET: Digits = Digits::ZERO;
/// let logits = NET.predict(&SVector::from_element(1.0));
/// assert_eq!(logits, SVector::<f32, 10>::zeros());
/// assert_eq!(size_of_val(&NET.layers), 4 * Digits::PARAMETERS);
/// ```
///
/// # Memory
/// That of its layers. On x86-64 it begins at a multiple of 64 bytes, where a line of the cache does, and takes up to such a multiple: a
/// prediction whose vectors lie across two lines takes up to a third longer. What is inside of a network should be tuples, which have no
/// such padding: an optimiser takes a network in a network tensor by tensor.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(target_arch = "x86_64", repr(align(64)))]
pub struct Network<In: Shape, L: Layer<In, T>, T: Element = f32> {
    /// The layers: a tuple, so the first is `net.layers.0`.
    pub layers: L,
    shape: PhantomData<(In, T)>,
}

impl<In: Shape, L: Layer<In, T>, T: Element> Network<In, L, T> {
    /// Fails the build if a layer cannot be, such as one with a size of 0: what no bound of [`Layer`] can say, so that it is not
    /// found where the type is named. [`ZERO`](Network::ZERO), [`new`](Network::new) and [`from_file`](Network::from_file)
    /// evaluate it: `cargo build` always, `cargo check` where the network is a constant or a static. A line makes it so for all:
    ///
    /// ```
    /// use constnet::{Dense, Network, Relu, Vector};
    ///
    /// type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
    ///
    /// const _: () = Digits::CHECK;
    /// ```
    pub const CHECK: () = L::CHECK;

    /// The network of these layers.
    pub const fn new(layers: L) -> Self {
        const { L::CHECK };
        Self { layers, shape: PhantomData }
    }

    /// The bytes of what a prediction keeps on the stack and what grows with the network: its output, and the plan of its memory, which is the most
    /// that is in use at once between two layers ([`Layer::Peak`]).
    ///
    /// To them comes what the code takes, which does not grow with the network: return addresses, saved registers, tiles of sums. In
    /// a release build it is some 100 to 1,100 bytes on a microcontroller, where `examples/firmware` measures it on five processors and holds it
    /// to 1,280, and up to 8 KiB on a computer. An output of more than 256 bytes may be there twice while it is returned.
    ///
    /// ```
    /// use constnet::{Dense, Network, Relu, Vector};
    ///
    /// type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
    ///
    /// const _: () = assert!(Digits::FORWARD_BYTES == 4 * (32 + 10)); // the build fails where a stack would not do
    /// ```
    pub const FORWARD_BYTES: usize = size_of::<TensorOf<L::Out, T>>() + size_of::<L::Peak<(), ()>>();

    /// The output for one sample.
    ///
    /// # Cost
    /// No heap; on the stack [`FORWARD_BYTES`](Network::FORWARD_BYTES).
    pub fn predict<X: TensorFor<In, T>>(&self, x: &X) -> TensorOf<L::Out, T> {
        let mut y = ConstZero::ZERO;
        self.layers.forward(x.tensor(), &mut y);
        y
    }

    /// The outputs for `B` samples, into memory of the caller's.
    pub fn predict_batch<X: TensorFor<In, T>, const B: usize>(&self, x: &[X; B], y: &mut [TensorOf<L::Out, T>; B]) {
        for (x, y) in X::tensors(x).iter().zip(y) {
            self.layers.forward(x, y);
        }
    }
}

impl<In: Shape, L: Layer<In, T>, T: Element> Network<In, L, T> {
    /// The state at the start of a sequence, for [`step`](Network::step). Its type is [`StateOf`] the network.
    #[must_use]
    pub const fn start() -> StateOf<Self>
    where
        Self: StepByStep,
    {
        ConstZero::ZERO
    }
}

impl<const C: usize, const STEPS: usize, L: Layer<Sequence<C, STEPS>, T>, T: Element>
    Network<Sequence<C, STEPS>, L, T>
{
    /// Takes the next step of a sequence, and gives what comes out: [`streaming`](mod@crate::streaming) tells more.
    ///
    /// ```
    /// use constnet::nalgebra::SVector;
    /// use constnet::network::StateOf;
    /// use constnet::{Dense, Gru, Last, Network, Sequence};
    ///
    /// type Net = Network<Sequence<6, 100>, (Gru<6, 16>, Last, Dense<16, 4>)>;
    ///
    /// let net = Net::ZERO;
    /// let mut state: StateOf<Net> = Net::start();
    /// for _ in 0..100 {
    ///     let x = SVector::<f32, 6>::from_element(0.5); // from a sensor
    ///     let logits: SVector<f32, 4> = net.step(&mut state, &x);
    ///     # assert_eq!(logits, SVector::<f32, 4>::zeros());
    /// }
    /// ```
    pub fn step<X: TensorFor<Vector<C>, T>>(
        &self,
        state: &mut <L as Streaming<Vector<C>, T>>::State,
        x: &X,
    ) -> TensorOf<<L as Streaming<Vector<C>, T>>::Out, T>
    where
        L: Streaming<Vector<C>, T>,
    {
        let mut y = ConstZero::ZERO;
        self.layers.step(state, x.tensor(), &mut y);
        y
    }
}

impl<const N: usize, const STEPS: usize, L, T: Element> Network<Tokens<N, STEPS>, L, T>
where
    L: Layer<Tokens<N, STEPS>, T> + Streaming<Tokens<N, 1>, T>,
{
    /// Takes the next token of a text, and gives what comes out: [`streaming`](mod@crate::streaming) tells more.
    ///
    /// ```
    /// use constnet::{Class, Dense, Embedding, Gru, Network, Tokens};
    ///
    /// type Net = Network<Tokens<26, 40>, (Embedding<26, 8>, Gru<8, 16>, Dense<16, 26>)>;
    ///
    /// let net = Net::ZERO;
    /// let mut state = Net::start();
    /// let mut letter = Class::const_new(7);
    /// for _ in 0..5 {
    ///     let logits = net.step(&mut state, letter);
    ///     letter = Class::argmax(&logits).unwrap_or(letter); // written by the network itself
    /// }
    /// ```
    pub fn step(&self, state: &mut L::State, token: Class<N>) -> TensorOf<<L as Streaming<Tokens<N, 1>, T>>::Out, T> {
        let mut y = ConstZero::ZERO;
        self.layers.step(state, &[token], &mut y);
        y
    }
}

impl<In: Shape, L: Layer<In, T> + ConstZero, T: Element> Network<In, L, T> {
    /// The network with every parameter 0: a constant, so that it can fill a `static`.
    #[allow(clippy::declare_interior_mutable_const)]
    pub const ZERO: Self = Self::new(L::ZERO);
}

impl<In: Shape, L: Layer<In, T> + Parameters<T>, T: Element> Network<In, L, T> {
    /// How many parameters.
    pub const PARAMETERS: usize = L::COUNT;
}

impl<In: Shape, L: Layer<In, T> + Parameters<T>, T: Scalar> Network<In, L, T> {
    /// Draws every parameter anew, in place, as [`Init::default`] does it.
    ///
    /// The same generator gives the same bits on every machine.
    #[cfg_attr(docsrs, doc(cfg(feature = "rand")))]
    pub fn init<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.init_with(Init::default(), rng);
    }

    /// Draws every parameter anew, in place, by the rule given.
    #[cfg_attr(docsrs, doc(cfg(feature = "rand")))]
    pub fn init_with<R: Rng + ?Sized>(&mut self, init: Init, rng: &mut R) {
        L::zip([&mut self.layers], &mut |parameter, [values]| init.fill(parameter.role, values, rng));
    }
}

impl<In: Shape, L: Layer<In, T>, T: Element> Network<In, L, T> {
    /// The network with the parameters of a file that is a constant: for a `static` in flash.
    ///
    /// Exact about what it reads: a tensor that is missing, of another shape or type, not finite, or one too many fails the
    /// build. [`safetensors`](crate::safetensors) has the whole of it.
    #[must_use]
    pub const fn from_file<F: File>() -> Self
    where
        L: FromFile<F>,
    {
        let net = Self::new(L::VALUE);
        const { check_all_used::<F>(L::KEYS) };
        net
    }
}

impl<In: Shape, L: Layer<In, T> + Parameters<T>, T: Stored> Network<In, L, T> {
    archive_methods!("every parameter");

    #[cfg(not(feature = "std"))]
    crate::feature::file_methods!();

    /// [`load`](Network::load), under the keys that `names` makes of the network's own.
    ///
    /// # Errors
    /// As [`load`](Network::load). Tensors whose key does not begin with the prefix of `names` are left alone.
    pub fn load_with(&mut self, file: &[u8], names: &Names<'_>) -> Result<(), LoadError> {
        archive::load(self, file, names)
    }
}

impl<In: Shape, L: Layer<In, T> + Parameters<T>, T: Stored> Archive for Network<In, L, T> {
    fn entries(&self, f: &mut dyn FnMut(&Entry<'_>, Values<'_>)) {
        self.layers.visit(&mut |parameter, values| f(&Entry::of(["", ""], parameter), T::values(values)));
    }

    fn entries_mut(&mut self, f: &mut dyn FnMut(&Entry<'_>, ValuesMut<'_>)) {
        L::zip([&mut self.layers], &mut |parameter, [values]| {
            f(&Entry::of(["", ""], parameter), T::values_mut(values));
        });
    }
}

impl<In: Shape, L: Layer<In, T> + ConstZero, T: Element> ConstZero for Network<In, L, T> {
    const ZERO: Self = Self::ZERO;
}

impl<In: Shape, L: Layer<In, T> + Parameters<T>, T: Element> Parameters<T> for Network<In, L, T> {
    const COUNT: usize = L::COUNT;
    const CONTIGUOUS: Contiguous<Self, T> = {
        assert!(core::mem::offset_of!(Self, layers) == 0);
        Contiguous::first_field(L::CONTIGUOUS.bytes())
    };

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        self.layers.visit_at(path, f);
    }

    fn zip_at<const N: usize>(
        mut all: [&mut Self; N],
        path: Path<'_>,
        f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N]),
    ) {
        L::zip_at(each_part(&mut all, |net| &mut net.layers), path, f);
    }
}

impl<In: Shape, L: Layer<In, T>, T: Element> Layer<In, T> for Network<In, L, T> {
    type Out = L::Out;

    type Peak<X, Y> = L::Peak<X, Y>;

    const TURNS: bool = L::TURNS;
    const CHECK: () = L::CHECK;
    const MEANING: Meaning = L::MEANING;

    #[inline]
    fn forward(&self, x: &In::Tensor<T>, y: &mut TensorOf<L::Out, T>) {
        self.layers.forward(x, y);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(clippy::inline_always)] // Where each tensor lies is a constant only then.
    fn forward_in(&self, x: Source<'_, In::Tensor<T>>, arena: &mut [T], y: Target<'_, TensorOf<L::Out, T>>) {
        self.layers.forward_in(x, arena, y);
    }
}

impl<In: Shape, L: Differentiable<In, T>, T: Scalar> Differentiable<In, T> for Network<In, L, T> {
    type Cache<const B: usize> = L::Cache<B>;

    #[cfg(feature = "rand")]
    fn sample<const B: usize, R: Rng + ?Sized>(&self, cache: &mut Self::Cache<B>, rng: &mut R) {
        self.layers.sample(cache, rng);
    }

    #[inline]
    fn forward_train<const B: usize>(
        &self,
        x: &[In::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        y: &mut [TensorOf<L::Out, T>; B],
    ) {
        self.layers.forward_train(x, cache, y);
    }

    fn has_finite_statistics<const B: usize>(&self, cache: &Self::Cache<B>) -> bool {
        self.layers.has_finite_statistics(cache)
    }

    fn track_statistics<const B: usize>(&mut self, cache: &Self::Cache<B>) {
        self.layers.track_statistics(cache);
    }

    #[inline]
    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[In::Tensor<T>; B],
        y: &[TensorOf<L::Out, T>; B],
        cache: &mut Self::Cache<B>,
        dy: &[TensorOf<L::Out, T>; B],
        mut gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [In::Tensor<T>; B]>,
    ) {
        self.layers.backward(x, y, cache, dy, gradient.part(|net| &mut net.layers), dx);
    }
}

/// A network that can be trained: it knows its input's shape and its scalar.
pub trait Model: Differentiable<<Self as Model>::In, <Self as Model>::Scalar> {
    /// The shape of an input.
    type In: Shape;

    /// What it computes with.
    type Scalar: Scalar;
}

impl<In: Shape, L: Differentiable<In, T>, T: Scalar> Model for Network<In, L, T> {
    type In = In;
    type Scalar = T;
}

/// A network that runs step by step.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run step by step",
    note = "a network over a `Sequence` or over `Tokens` can, if each of its layers can"
)]
pub trait StepByStep {
    /// What it remembers from step to step.
    type State: ConstZero;
}

impl<const C: usize, const STEPS: usize, L, T: Element> StepByStep for Network<Sequence<C, STEPS>, L, T>
where
    L: Layer<Sequence<C, STEPS>, T> + Streaming<Vector<C>, T>,
{
    type State = L::State;
}

impl<const N: usize, const STEPS: usize, L, T: Element> StepByStep for Network<Tokens<N, STEPS>, L, T>
where
    L: Layer<Tokens<N, STEPS>, T> + Streaming<Tokens<N, 1>, T>,
{
    type State = L::State;
}

/// The state of a network that runs step by step: what its `start` gives.
pub type StateOf<N> = <N as StepByStep>::State;

/// The shape of a model's output.
pub type OutOf<N> = <N as Layer<<N as Model>::In, <N as Model>::Scalar>>::Out;

/// A tensor that a model takes.
pub type InputOf<N> = TensorOf<<N as Model>::In, <N as Model>::Scalar>;

/// A tensor that a model gives.
pub type OutputOf<N> = TensorOf<OutOf<N>, <N as Model>::Scalar>;
