//! What a layer is: [`Layer`] to predict, [`Parameters`] to hold numbers, [`Differentiable`] to train.

mod bound;
mod gradient;
mod meaning;
pub(crate) mod memory;
mod tensors;

pub use crate::kernels::contiguous::Contiguous;
pub use bound::Bound;
pub use gradient::Gradient;
pub use meaning::Meaning;
pub use memory::{Both, Either, Side, Source, Target, apart, on_stack, over};
pub(crate) use tensors::tensors;
pub use tensors::{Described, Description, Numbers};

use crate::kernels::flat::each_part;
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Shape, TensorOf};
use core::fmt;
#[cfg(feature = "rand")]
use rand::Rng;

/// A function from tensors of shape `In` to tensors of shape [`Out`](Layer::Out).
///
/// Layers, tuples of layers and [`Network`](crate::Network)s are all layers. Prediction needs no more than this trait.
#[diagnostic::on_unimplemented(
    message = "layer `{Self}` does not take an input of shape `{In}` (of `{T}`)",
    label = "does not take `{In}`",
    note = "the shape given is the output of the layer before, or the network's input; change one of the two so that they agree",
    note = "`Flatten` makes a vector of an image or a sequence, `Last` of the last step of a sequence",
    note = "do the scalars agree? in a `Network<.., f64>` write `Dense<3, 2, f64>`",
    note = "a tuple holds 1 to 16 layers: put more into a tuple of tuples"
)]
pub trait Layer<In: Shape, T: Element = f32> {
    /// The shape that comes out.
    type Out: Shape;

    /// What the numbers take at most between the arrival of an input, of which `X` lies in the arena, and of an output, of which `Y` does: the
    /// tensors themselves, or `()` for one that lies elsewhere. Sizes of types are a plan of the memory that the compiler adds up.
    ///
    /// `Both<X, Y>` for most layers, `Both<X, Y, Scratch>` where one needs memory of its own, `Either<X, Y>` where the output takes the place of the
    /// input. [`Network::FORWARD_BYTES`](crate::Network::FORWARD_BYTES) is made of it.
    type Peak<X, Y>;

    /// Whether the output comes to lie at the other end of the arena than the input. `false` for a layer that writes over its input.
    const TURNS: bool = true;

    /// Fails the build if the layer cannot be: what no bound can say is asserted here. A [`Network`](crate::Network) evaluates it
    /// where it is made, which `cargo check` does for constants and statics.
    ///
    /// Unless a layer says otherwise, no extent of its input and of its output may be 0. A layer that asserts more evaluates
    /// [`check_shapes`] too, and a layer with layers inside their `CHECK`.
    const CHECK: () = check_shapes::<In, Self::Out>();

    /// What the numbers that come out are, for losses that take probabilities or logits and not the other.
    const MEANING: Meaning = Meaning::Numbers;

    /// Computes the output for one sample, and overwrites `y` with it.
    fn forward(&self, x: &In::Tensor<T>, y: &mut TensorOf<Self::Out, T>);

    /// Computes the output for one sample, with input and output where they lie, and memory for [`Peak`](Layer::Peak), in which there are old numbers.
    ///
    /// Most layers leave this as it is: it calls [`forward`](Layer::forward). One that needs memory takes it from the arena, by [`apart`]; one that writes
    /// over its input does so where both are in the arena; one with layers inside hands the arena on.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn forward_in(&self, x: Source<'_, In::Tensor<T>>, arena: &mut [T], y: Target<'_, TensorOf<Self::Out, T>>) {
        const {
            assert!(
                size_of::<Self::Peak<In::Tensor<T>, TensorOf<Self::Out, T>>>()
                    >= size_of::<In::Tensor<T>>() + size_of::<TensorOf<Self::Out, T>>(),
                "a layer that does not implement `forward_in` holds its input and its output: `type Peak<X, Y> = Both<X, Y>;`"
            );
        }
        apart(x, arena, y, |x, _, y| self.forward(x, y));
    }
}

/// Fails the build if a tensor of one of two shapes holds nothing: what [`Layer::CHECK`] is by itself.
///
/// # Panics
/// If one of the shapes is empty: in a constant, the build fails.
pub const fn check_shapes<In: Shape, Out: Shape>() {
    assert!(!In::IS_EMPTY, "a layer takes a tensor of no numbers: every extent of a shape is 1 or above");
    assert!(!Out::IS_EMPTY, "a layer gives a tensor of no numbers: every extent of a shape is 1 or above");
}

/// What a tensor of parameters is for. Initialisation scales by it, and penalties leave biases out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Multiplies inputs.
    Weight {
        /// How many inputs each output sums over.
        fan_in: usize,
        /// How many outputs each input goes to.
        fan_out: usize,
    },
    /// Is added to outputs.
    Bias {
        /// How many inputs each output sums over, beside this bias.
        fan_in: usize,
    },
    /// Multiplies what has been normalised: it starts at 1.
    Scale,
    /// Is added to what has been normalised: it starts at 0.
    Shift,
    /// A running average that follows the batches: no gradient changes it. It starts at 0.
    RunningMean,
    /// The same, of variances: it starts at 1.
    RunningVariance,
}

impl Role {
    /// Whether this is a [`Role::Weight`], which penalties are for.
    #[must_use]
    pub const fn is_weight(&self) -> bool {
        matches!(self, Self::Weight { .. })
    }

    /// Whether this is a [`Role::Bias`].
    #[must_use]
    pub const fn is_bias(&self) -> bool {
        matches!(self, Self::Bias { .. })
    }

    /// What its numbers must be.
    #[must_use]
    pub const fn bound(&self) -> Bound {
        match self {
            Self::RunningVariance => Bound::NotNegative,
            _ => Bound::Finite,
        }
    }

    /// Whether gradients change it: all but running averages.
    #[must_use]
    pub const fn is_trained(&self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVariance)
    }
}

/// Where a layer stands in a network: in which item of which tuple.
#[derive(Debug, Clone, Copy)]
pub enum Path<'a> {
    /// The network itself.
    Root,
    /// An item of a tuple.
    Item {
        /// Where the tuple stands.
        of: &'a Path<'a>,
        /// Its place in the tuple, from 0.
        index: usize,
    },
}

impl Path<'_> {
    /// The item with this index of the tuple that stands here.
    #[must_use]
    pub const fn item(&self, index: usize) -> Path<'_> {
        Path::Item { of: self, index }
    }
}

/// The path in front of a parameter's name, as PyTorch's `nn.Sequential` writes it: `1.0.`, nothing for the root.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Item { of, index } => write!(f, "{of}{index}."),
        }
    }
}

/// What is known of a tensor of parameters besides its numbers.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'a> {
    /// Where its layer stands.
    pub path: Path<'a>,
    /// Its name in the layer: PyTorch's.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// Its extents as PyTorch has them.
    pub shape: &'a [usize],
    /// In memory, which of these extents varies slowest, and so on to the one that varies fastest: `[0, 1]` for rows one after
    /// the other, `[1, 0]` for columns.
    pub order: &'static [usize],
}

impl Description {
    /// The same in a network.
    #[must_use]
    pub const fn at<'a>(&self, path: Path<'a>) -> Parameter<'a> {
        Parameter { path, name: self.name, role: self.role, shape: self.shape, order: self.order }
    }
}

/// The key of the tensor: `1.0.weight`.
impl fmt::Display for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.path, self.name)
    }
}

/// Numbers that training changes. They form a vector space: a gradient is a value of the same type.
///
/// Optimisers, clipping, penalties, initialisation and averaging are all one walk over this.
///
/// ```
/// use constnet::layer::Parameters;
/// use constnet::{Dense, Network, Tanh, Vector};
///
/// type Net = Network<Vector<2>, (Dense<2, 4>, Tanh, Dense<4, 1>)>;
///
/// // Polyak averaging: the average follows the network.
/// let (mut net, mut average) = (Net::ZERO, Net::ZERO);
/// net.layers.0.bias.fill(1.0);
/// Net::zip([&mut average, &mut net], &mut |_, [average, net]| {
///     for (average, net) in average.iter_mut().zip(net) {
///         *average += 0.25 * (*net - *average);
///     }
/// });
/// assert_eq!(average.layers.0.bias[0], 0.25);
/// assert_eq!(Net::COUNT, 2 * 4 + 4 + 4 + 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no parameters of `{T}` to train",
    note = "a layer that is only predicted with needs `Layer`; one that is trained needs `Parameters` and `Differentiable` too",
    note = "do the numbers agree? a layer of a `Network<.., f64>` is written `Dense<3, 2, f64>`"
)]
pub trait Parameters<T>: ConstZero {
    /// How many numbers.
    const COUNT: usize;

    /// Whether they are all that a value consists of, but for padding at its end, and gradients change them all: an optimiser can then take
    /// them in one pass.
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::NO;

    /// Calls `f` with each tensor of parameters, always in the same order; `path` is where this value stands.
    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T]));

    /// Calls `f` with each tensor of parameters of all `N` values side by side, in the order of
    /// [`visit_at`](Parameters::visit_at). The `N` slices have the same length.
    fn zip_at<const N: usize>(all: [&mut Self; N], path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N]));

    /// [`visit_at`](Parameters::visit_at) the root.
    fn visit(&self, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        self.visit_at(Path::Root, f);
    }

    /// [`zip_at`](Parameters::zip_at) the root.
    fn zip<const N: usize>(all: [&mut Self; N], f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N])) {
        Self::zip_at(all, Path::Root, f);
    }
}

/// Calls `f` with the numbers of all `N` values that gradients change, side by side: with all at once where they lie so, else tensor by
/// tensor.
#[inline]
pub(crate) fn zip_trained<T, P: Parameters<T>, const N: usize>(
    mut all: [&mut P; N],
    f: &mut impl FnMut([&mut [T]; N]),
) {
    if P::CONTIGUOUS.is_known() {
        f(each_part(&mut all, |value| P::CONTIGUOUS.numbers_mut(core::slice::from_mut(value))));
    } else {
        P::zip(all, &mut |parameter, values| {
            if parameter.role.is_trained() {
                f(values);
            }
        });
    }
}

/// A layer that can be trained.
///
/// The batch `B` is part of the types: 1 on a microcontroller, 32 on a host. A layer of your own implements
/// [`backward`](Differentiable::backward), and [`gradcheck`](mod@crate::gradcheck) tells whether it is right.
#[diagnostic::on_unimplemented(
    message = "layer `{Self}` cannot be trained with inputs of shape `{In}` (of `{T}`)",
    label = "no backward pass for `{In}`",
    note = "training needs `Differentiable`, which the layer or one inside it does not implement for this input"
)]
pub trait Differentiable<In: Shape, T: Scalar = f32>: Layer<In, T> + Parameters<T> {
    /// What [`backward`](Differentiable::backward) needs besides inputs and outputs.
    type Cache<const B: usize>: ConstZero;

    /// Draws what the next [`forward_train`](Differentiable::forward_train) needs at random into `cache`.
    ///
    /// Only layers such as [`Dropout`](crate::Dropout) do anything here.
    #[cfg(feature = "rand")]
    #[allow(unused_variables)]
    fn sample<const B: usize, R: Rng + ?Sized>(&self, cache: &mut Self::Cache<B>, rng: &mut R) {}

    /// Computes the outputs for a batch as training wants them, and overwrites `y` with them.
    ///
    /// Unless a layer says otherwise this is [`forward`](Layer::forward) for each sample.
    #[allow(unused_variables)]
    fn forward_train<const B: usize>(
        &self,
        x: &[In::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        y: &mut [TensorOf<Self::Out, T>; B],
    ) {
        for (x, y) in x.iter().zip(y) {
            self.forward(x, y);
        }
    }

    /// Whether each running average would still be finite after [`track_statistics`](Differentiable::track_statistics) with this cache.
    ///
    /// A layer with running averages must say so: the trainer asks before any layer of the network changes.
    #[allow(unused_variables)]
    fn has_finite_statistics<const B: usize>(&self, cache: &Self::Cache<B>) -> bool {
        true
    }

    /// Lets running averages follow the batch of the last [`forward_train`](Differentiable::forward_train), whose cache this is.
    ///
    /// Only layers such as `BatchNorm` do anything here. A [`Trainer`](crate::train::Trainer) calls it after each forward pass
    /// whose loss is finite, if [`has_finite_statistics`](Differentiable::has_finite_statistics) holds for the whole network.
    #[allow(unused_variables)]
    fn track_statistics<const B: usize>(&mut self, cache: &Self::Cache<B>) {}

    /// Given the gradient of a loss with respect to the outputs, `dy`, writes that with respect to the parameters to `gradient`, which
    /// says whether to add or to overwrite, and overwrites `dx`, if there is one, with that with respect to the inputs. Nobody needs
    /// the `dx` of a network's first layer.
    ///
    /// `x`, `cache` and `y` are those of the [`forward_train`](Differentiable::forward_train) just before. The cache
    /// may be used as working memory.
    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[In::Tensor<T>; B],
        y: &[TensorOf<Self::Out, T>; B],
        cache: &mut Self::Cache<B>,
        dy: &[TensorOf<Self::Out, T>; B],
        gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [In::Tensor<T>; B]>,
    );
}

/// Implements [`Parameters`] for layers that have none.
macro_rules! no_parameters {
    ([$($generics:tt)*] $layer:ty) => {
        #[cfg(feature = "serde")]
        $crate::serialize::unit!([$($generics)*] $layer);

        impl<F: $crate::safetensors::File, P: $crate::safetensors::At, $($generics)*> $crate::safetensors::FromFile<F, P>
            for $layer
        {
            const VALUE: Self = <Self as $crate::scalar::ConstZero>::ZERO;
            const KEYS: $crate::safetensors::Keys = $crate::safetensors::Keys::Of(&[]);
        }

        impl<P, $($generics)*> $crate::layer::Parameters<P> for $layer {
            const COUNT: usize = 0;
            const CONTIGUOUS: $crate::layer::Contiguous<Self, P> = $crate::layer::Contiguous::fields(&[]);
            fn visit_at(
                &self,
                _: $crate::layer::Path<'_>,
                _: &mut impl FnMut(&$crate::layer::Parameter<'_>, &[P]),
            ) {
            }
            fn zip_at<const ALL: usize>(
                _: [&mut Self; ALL],
                _: $crate::layer::Path<'_>,
                _: &mut impl FnMut(&$crate::layer::Parameter<'_>, [&mut [P]; ALL]),
            ) {
            }
        }
    };
    ($layer:ty) => {
        no_parameters!([] $layer);
    };
}
pub(crate) use no_parameters;
