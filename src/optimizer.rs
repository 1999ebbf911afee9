//! Optimisers: how a gradient changes parameters, by PyTorch's formulas.
//!
//! Hyperparameters are checked when an optimiser is built. Each has a `new` that returns a `Result` and a `const_new` for
//! constants, where a wrong value fails the build:
//!
//! ```
//! use constnet::optimizer::{Adam, Sgd};
//!
//! let adam = Adam::new(1e-3)?.with_weight_decay(1e-4)?;
//! const SGD: Sgd = Sgd::const_new(0.1);
//!
//! assert_eq!(Adam::new(-1.0).unwrap_err().to_string(), "`learning_rate` is -1, and must be finite and 0 or above");
//! # Ok::<(), constnet::error::HyperparameterError>(())
//! ```
//!
//! # Subnormal numbers
//!
//! What an optimiser remembers of a parameter whose gradient has stopped decays, and so does a parameter that weight decay or a
//! [`Penalty`](crate::loss::Penalty) shrinks. Below the normal range, under 1.2e-38 in `f32`, a processor takes many times as long for each
//! number. The optimisers make such numbers 0 before that, below the bounds that [`Scalar::NEGLIGIBLE`] gives: means of gradients, velocities
//! and learning rates at 2^-100, mean squares and sums of squares at 2^-120, parameters under weight decay at 2^-56, so that a step from 0
//! which is smaller than that is lost. The rest is PyTorch's to the rounding, unless gradients are below 1e-17 and an `epsilon` is not far
//! above them: their mean square is 0 here, where PyTorch's root of it is one hundredth of an `epsilon` of 1e-16. The default of 1e-8 is far
//! above.
//!
//! Gradients stay as they are. Where many lie between 1e-23 and 1e-19 their squares are subnormal, and an update takes longer while they do.

mod adagrad;
mod adam;
pub(crate) mod clip;
mod rmsprop;
pub mod schedule;
mod sgd;

pub use adagrad::{Adagrad, AdagradState};
pub use adam::{Adam, AdamState, AdamW};
pub use clip::Clip;
pub use rmsprop::{RmsProp, RmsPropState};
pub use sgd::{Momentum, MomentumState, Sgd};

use crate::layer::{Bound, Parameter, Parameters};
use crate::scalar::{ConstZero, Negligible, Scalar};

/// A rule that changes parameters by their gradient.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an optimiser for parameters of `{T}`",
    label = "not an optimiser",
    note = "a constructor that checks gives a `Result`: write `Adam::new(1e-3)?`, or `Adam::const_new(1e-3)` in a constant",
    note = "the optimiser comes before the loss: `Trainer::new(optimizer, loss)`"
)]
pub trait Optimizer<T: Scalar> {
    /// What it remembers of parameters `P`; all 0 before the first update.
    type State<P: Parameters<T>>: State<T>;

    /// The learning rate that it was built with.
    fn learning_rate(&self) -> f64;

    /// Updates the parameters with `factor` times the learning rate. Of what is in the gradient afterwards nothing is used.
    ///
    /// A parameter whose new value, or that of what is remembered of it, would not be finite keeps the old ones. Returns whether
    /// there was none.
    fn update<P: Parameters<T>>(
        &self,
        state: &mut Self::State<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
    ) -> bool;
}

/// What an optimiser remembers between updates, in a form that can be saved.
pub trait State<T>: ConstZero {
    /// Calls `f` with each part, its name, and what its numbers must be.
    fn visit(&self, f: &mut impl FnMut(&'static str, Bound, Part<'_, T>));

    /// The same, to write to.
    fn visit_mut(&mut self, f: &mut impl FnMut(&'static str, Bound, PartMut<'_, T>));
}

/// A part of an optimiser's state.
#[derive(Debug)]
pub enum Part<'a, T> {
    /// A tensor of a set of numbers that is like the parameters.
    Tensor(&'a Parameter<'a>, &'a [T]),
    /// Other numbers.
    Numbers(&'a [f64]),
}

/// A part of an optimiser's state, to write to.
#[derive(Debug)]
pub enum PartMut<'a, T> {
    /// A tensor of a set of numbers that is like the parameters.
    Tensor(&'a Parameter<'a>, &'a mut [T]),
    /// Other numbers.
    Numbers(&'a mut [f64]),
}

impl<T> State<T> for () {
    fn visit(&self, _: &mut impl FnMut(&'static str, Bound, Part<'_, T>)) {}
    fn visit_mut(&mut self, _: &mut impl FnMut(&'static str, Bound, PartMut<'_, T>)) {}
}

/// Writes a state: sets of numbers like the parameters, and lists of others, each with its `Bound`.
macro_rules! state {
    ($(#[$doc:meta])* $name:ident { $($tensor:ident: $bound:ident),+ } {
        $($(#[$number_doc:meta])* $number:ident: $count:literal $number_bound:ident),*
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq)]
        pub struct $name<P> {
            $($tensor: P,)+
            $($(#[$number_doc])* $number: [f64; $count],)*
        }

        impl<P: ConstZero> ConstZero for $name<P> {
            const ZERO: Self = Self { $($tensor: ConstZero::ZERO,)+ $($number: [0.0; $count],)* };
        }

        impl<P> fmt::Debug for $name<P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($number), &self.$number))*.finish_non_exhaustive()
            }
        }

        impl<T, P: Parameters<T>> State<T> for $name<P> {
            fn visit(&self, f: &mut impl FnMut(&'static str, Bound, Part<'_, T>)) {
                $(self.$tensor.visit(&mut |parameter, values| {
                    f(concat!(stringify!($tensor), "."), Bound::$bound, Part::Tensor(parameter, values));
                });)+
                $(f(stringify!($number), Bound::$number_bound, Part::Numbers(&self.$number));)*
            }

            fn visit_mut(&mut self, f: &mut impl FnMut(&'static str, Bound, PartMut<'_, T>)) {
                $(P::zip([&mut self.$tensor], &mut |parameter, [values]| {
                    f(concat!(stringify!($tensor), "."), Bound::$bound, PartMut::Tensor(parameter, values));
                });)+
                $(f(stringify!($number), Bound::$number_bound, PartMut::Numbers(&mut self.$number));)*
            }
        }
    };
}
use state;

/// Writes a builder's method that checks one hyperparameter.
macro_rules! with {
    ($(#[$doc:meta])* $method:ident, $field:ident, $range:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If it is out of its range.
        pub const fn $method(self, $field: f64) -> Result<Self, HyperparameterError> {
            match Range::$range.check(stringify!($field), $field) {
                Ok($field) => Ok(Self { $field, ..self }),
                Err(error) => Err(error),
            }
        }
    };
}
use with;

/// Writes `new`, `const_new` from the optimiser's defaults.
macro_rules! constructors {
    () => {
        /// With this learning rate, and PyTorch's defaults for the rest.
        ///
        /// # Errors
        /// If `learning_rate` is not finite and 0 or above.
        pub const fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
            match Range::NotNegative.check("learning_rate", learning_rate) {
                Ok(learning_rate) => Ok(Self { learning_rate, ..Self::DEFAULT }),
                Err(error) => Err(error),
            }
        }

        /// The same for a constant.
        ///
        /// # Panics
        /// If `learning_rate` is not finite and 0 or above: in a constant, the build fails.
        #[must_use]
        pub const fn const_new(learning_rate: f64) -> Self {
            valid(Self::new(learning_rate))
        }
    };
}
use constructors;

/// A learning rate, or 0 where a schedule has made it negligible: each product with it would be subnormal.
fn rate<T: Scalar>(rate: f64) -> T {
    Negligible::gradient().drop_from(T::from_f64(rate))
}

/// One pass over the parameters that gradients change.
///
/// ```text
/// update_trained!([p, g, m, v] in [parameters, gradient, first, second],
///     if decay != T::ZERO => { let g = g + decay * p; },
///     { ..; [p - step, m, v] } asked [v])
/// ```
///
/// Parameter and what is remembered become what the last expression gives where all of it is finite, and stay elsewhere. Tells whether
/// all was finite, which it is where the parameter is and what is `asked`. Where weights decay, and only there, as it costs time, a
/// parameter that is negligible is made 0.
macro_rules! update_trained {
    (
        [$p:ident, $g:ident $(, $m:ident)*] in $all:expr,
        if $decays:expr => { $($decay:tt)+ },
        $new:block asked [$($asked:ident)?]
    ) => {
        if $decays {
            let negligible = $crate::scalar::Negligible::number();
            $crate::optimizer::update_trained!(@pass [$p, $g $(, $m)*] in $all, {
                $($decay)+
                let [$p $(, $m)*] = $new;
                // As finite as the parameter, and computed already.
                let distance = $p.abs();
                ([negligible.drop_from($p) $(, $m)*], [distance $(, $asked)?])
            })
        } else {
            $crate::optimizer::update_trained!(@pass [$p, $g $(, $m)*] in $all, {
                let [$p $(, $m)*] = $new;
                ([$p $(, $m)*], [$p $(, $asked)?])
            })
        }
    };
    (@pass [$p:ident, $g:ident $(, $m:ident)*] in $all:expr, $new:block) => {{
        let mut is_finite = true;
        $crate::layer::zip_trained($all, &mut |[$p, $g $(, $m)*]| {
            is_finite &= $crate::kernels::elementwise::update(&mut [$p $(, $m)*], $g, move |[$p $(, $m)*], $g| $new);
        });
        is_finite
    }};
}
use update_trained;
