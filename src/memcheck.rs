//! Does a layer keep to its plan of memory? Runs [`Layer::forward_in`] in memory full of NaN, no larger than [`Layer::Peak`] says, with the input and
//! the output wherever they may lie, and compares with [`Layer::forward`].
//!
//! ```
//! use constnet::nalgebra::SVector;
//! use constnet::{Dense, Residual, Tanh, Vector, memcheck};
//!
//! let layers = (Residual((Dense::new([[0.3_f32; 4]; 4].into(), SVector::zeros()), Tanh)), Tanh);
//! memcheck::layer::<Vector<4>, _, f32>(&layers, &SVector::from([0.5, -1.0, 2.0, 0.25]))?;
//! # Ok::<(), memcheck::Misplaced>(())
//! ```
//!
//! It finds a layer that reads what others have left in the arena, that needs more than it says, that looks for its input or puts its output at the
//! wrong end, or that writes over an input which has to stay.
//!
//! # Cost
//! Eight predictions. Everything is on the stack: meant for small layers.

use crate::kernels::arena;
use crate::layer::{Layer, Side, Source, Target};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::argument::TensorFor;
use crate::shape::{Shape, Tensor, TensorOf};
use core::fmt;

/// Where the output is not that of [`Layer::forward`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Misplaced {
    /// The end of the arena where the input was; none where it was elsewhere.
    pub input: Option<Side>,
    /// The end of the arena where the output was to lie; none where it was elsewhere.
    pub output: Option<Side>,
    /// The first number of the output that differs, in memory order.
    pub number: usize,
    /// What [`Layer::forward_in`] gives there.
    pub is: f64,
    /// What [`Layer::forward`] gives there.
    pub should_be: f64,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |side| match side {
            None => "outside of the arena",
            Some(Side::Low) => "at the low end of the arena",
            Some(Side::High) => "at the high end of the arena",
        };
        let Self { input, output, number, is, should_be } = self;
        let (input, output) = (place(*input), place(*output));
        write!(
            f,
            "with its input {input} and its output {output}, number {number} of the output is {is}, and `forward` gives {should_be}"
        )
    }
}

impl core::error::Error for Misplaced {}

/// Checks a layer on one sample.
///
/// # Errors
/// The first placement in which its output differs in any bit. A layer whose `forward` gives NaN passes where `forward_in` does too.
pub fn layer<In: Shape, L: Layer<In, T>, T: Scalar>(layer: &L, x: &impl TensorFor<In, T>) -> Result<(), Misplaced> {
    let x = x.tensor();
    let mut y = TensorOf::<L::Out, T>::ZERO;
    layer.forward(x, &mut y);
    let check = Check { layer, x, y: &y };
    check.given_to_given()?;
    let ends = [Side::Low, Side::High];
    let takes = In::Tensor::<T>::CONTIGUOUS.is_known();
    let gives = TensorOf::<L::Out, T>::CONTIGUOUS.is_known();
    for side in ends.into_iter().filter(|_| gives) {
        check.given_to_arena(side)?;
    }
    for side in ends.into_iter().filter(|_| takes) {
        check.arena_to_given(side)?;
    }
    for side in ends.into_iter().filter(|_| takes && gives) {
        check.arena_to_arena(side)?;
    }
    Ok(())
}

struct Check<'a, In: Shape, L: Layer<In, T>, T: Scalar> {
    layer: &'a L,
    x: &'a In::Tensor<T>,
    y: &'a TensorOf<L::Out, T>,
}

impl<In: Shape, L: Layer<In, T>, T: Scalar> Check<'_, In, L, T> {
    fn given_to_given(&self) -> Result<(), Misplaced> {
        let mut y = nan::<L::Out, T>();
        arena::on_stack::<L::Peak<(), ()>, T, _>(|arena| {
            self.run(Source::Given(self.x), arena, Target::Given(&mut y));
        });
        self.compare(None, None, y.as_slice())
    }

    fn given_to_arena(&self, side: Side) -> Result<(), Misplaced> {
        arena::on_stack::<L::Peak<(), TensorOf<L::Out, T>>, T, _>(|arena| {
            self.run(Source::Given(self.x), arena, Target::At(side));
            self.compare(None, Some(side), side.split(arena, L::Out::LEN).0)
        })
    }

    fn arena_to_given(&self, side: Side) -> Result<(), Misplaced> {
        let mut y = nan::<L::Out, T>();
        arena::on_stack::<L::Peak<In::Tensor<T>, ()>, T, _>(|arena| {
            self.run(Source::At(side), arena, Target::Given(&mut y));
        });
        self.compare(Some(side), None, y.as_slice())
    }

    fn arena_to_arena(&self, side: Side) -> Result<(), Misplaced> {
        arena::on_stack::<L::Peak<In::Tensor<T>, TensorOf<L::Out, T>>, T, _>(|arena| {
            let to = side.turned(L::TURNS);
            self.run(Source::At(side), arena, Target::At(to));
            self.compare(Some(side), Some(to), to.split(arena, L::Out::LEN).0)
        })
    }

    /// A prediction in memory that is full of NaN, but for the input.
    fn run(&self, from: Source<'_, In::Tensor<T>>, arena: &mut [T], to: Target<'_, TensorOf<L::Out, T>>) {
        arena.fill(T::from_f64(f64::NAN));
        if let Source::At(side) = from {
            for (to, &x) in side.split(arena, In::LEN).0.iter_mut().zip(self.x.as_slice()) {
                *to = x;
            }
        }
        self.layer.forward_in(from, arena, to);
    }

    /// Fails at the first number that is not as `forward` gives it; where the output is short, at the first that is not there.
    fn compare(&self, input: Option<Side>, output: Option<Side>, y: &[T]) -> Result<(), Misplaced> {
        for (number, &should_be) in self.y.as_slice().iter().enumerate() {
            let is = y.get(number).map_or(f64::NAN, |y| y.to_f64());
            let should_be = should_be.to_f64();
            let same = is.to_bits() == should_be.to_bits() || (number < y.len() && is.is_nan() && should_be.is_nan());
            if !same {
                return Err(Misplaced { input, output, number, is, should_be });
            }
        }
        Ok(())
    }
}

fn nan<S: Shape, T: Scalar>() -> S::Tensor<T> {
    let mut tensor = S::Tensor::<T>::ZERO;
    tensor.as_mut_slice().fill(T::from_f64(f64::NAN));
    tensor
}
