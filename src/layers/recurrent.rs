//! What [`Rnn`], [`Gru`] and [`Lstm`] share: the walk through time, forwards and back. A cell is one step.

mod bidirectional;
mod gru;
mod lstm;
mod rnn;

pub use bidirectional::Bidirectional;
pub use gru::Gru;
pub use lstm::{Lstm, LstmState};
pub use rnn::{Rnn, RnnActivation};

use crate::scalar::{ConstZero, Element, Scalar};

/// What [`Rnn`] and [`Gru`] remember from step to step.
///
/// `Network::start()` is that of a whole network before its first step; set the numbers to start from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrentState<const HIDDEN: usize, T = f32> {
    /// `h`: the output of the last step.
    pub hidden: [T; HIDDEN],
}

impl<const HIDDEN: usize, T: Element> ConstZero for RecurrentState<HIDDEN, T> {
    const ZERO: Self = Self { hidden: ConstZero::ZERO };
}

/// A state with an output in it.
pub(crate) trait Hidden<T, const HIDDEN: usize>: ConstZero {
    /// `h`
    fn hidden(&self) -> &[T; HIDDEN];

    /// `h`, to write to.
    fn hidden_mut(&mut self) -> &mut [T; HIDDEN];
}

/// Implements [`Hidden`] for a state with such a field.
macro_rules! hidden {
    ($state:ident) => {
        impl<T: $crate::scalar::Element, const HIDDEN: usize> $crate::layers::recurrent::Hidden<T, HIDDEN>
            for $state<HIDDEN, T>
        {
            fn hidden(&self) -> &[T; HIDDEN] {
                &self.hidden
            }
            fn hidden_mut(&mut self) -> &mut [T; HIDDEN] {
                &mut self.hidden
            }
        }
    };
}
use hidden;
hidden!(RecurrentState);

/// One step of a recurrent layer, and the way back.
pub(crate) trait Cell<T: Scalar, const IN: usize, const HIDDEN: usize>: Sized {
    /// What is remembered from step to step. On the way back: the gradient with respect to it.
    type State: Hidden<T, HIDDEN>;

    /// What [`back`](Cell::back) needs of a step; after it, the gradients in front of the gates.
    type Saved: ConstZero;

    /// Takes a step. This is the only place where one is computed: a whole sequence, a batch in training and a stream give the
    /// same bits.
    fn advance(&self, state: &mut Self::State, x: &[T; IN], saved: &mut Self::Saved);

    /// Given the gradient with respect to the state after a step, makes of it that with respect to the state before, whose `h`
    /// was `before`.
    fn back(&self, saved: &mut Self::Saved, before: &[T; HIDDEN], gradient: &mut Self::State);
}

/// A sequence forwards, in the order of `steps`: input, what is saved, and output.
#[inline]
fn forward<'a, T: Scalar, C: Cell<T, IN, HIDDEN>, const IN: usize, const HIDDEN: usize>(
    cell: &C,
    steps: impl Iterator<Item = (&'a [T; IN], &'a mut [T; HIDDEN])>,
) {
    let (mut state, mut saved) = (C::State::ZERO, C::Saved::ZERO);
    for (x, y) in steps {
        cell.advance(&mut state, x, &mut saved);
        *y = *state.hidden();
    }
}

/// [`forward`], and saves what [`back`] needs.
#[inline]
fn forward_saved<'a, T: Scalar, C: Cell<T, IN, HIDDEN>, const IN: usize, const HIDDEN: usize>(
    cell: &C,
    steps: impl Iterator<Item = ((&'a [T; IN], &'a mut [T; HIDDEN]), &'a mut C::Saved)>,
) where
    C::Saved: 'a,
{
    let mut state = C::State::ZERO;
    for ((x, y), saved) in steps {
        cell.advance(&mut state, x, saved);
        *y = *state.hidden();
    }
}

/// A sequence back, from its last step to its first: the gradients of the outputs, what is saved, and the outputs of the steps
/// before, of which the first step has none.
#[inline]
fn back<'a, 'b, T: Scalar, C: Cell<T, IN, HIDDEN>, const IN: usize, const HIDDEN: usize>(
    cell: &C,
    steps: impl Iterator<Item = (&'a [T; HIDDEN], &'b mut C::Saved)>,
    mut before: impl Iterator<Item = &'a [T; HIDDEN]>,
) where
    C::Saved: 'b,
{
    let start = ConstZero::ZERO;
    let mut gradient = C::State::ZERO;
    for (dy, saved) in steps {
        for (sum, &dy) in gradient.hidden_mut().iter_mut().zip(dy) {
            *sum += dy;
        }
        cell.back(saved, before.next().unwrap_or(&start), &mut gradient);
    }
}

/// The second to the last of what is saved: what the first step left is what they began with.
#[inline]
fn later<S>(saved: &[S]) -> &[S] {
    saved.split_first().map_or(saved, |(_, later)| later)
}

/// Implements all of a recurrent layer but its step.
///
/// ```text
/// recurrent! {
///     "Gru" Gru<IN, HIDDEN> [] => 3 gates, 4 saved, state RecurrentState, slots [0, 1, 2] and [0, 1, 3]
/// }
/// ```
///
/// The slots: of the vectors saved, those that are the gradients in front of the gates in the end, for the products with the
/// input and for those with the state.
macro_rules! recurrent {
    (
        $name:literal $layer:ident<IN, HIDDEN $(, $A:ident)?> [$($bound:tt)*] => $gates:literal gates, $saved:literal saved,
        state $state:ident, slots $slots_in:tt and $slots_hidden:tt $(, with $rest:ident)?
    ) => {
        $crate::layer::tensors! {
            [const IN: usize, const HIDDEN: usize, $($bound)* T: $crate::scalar::Element]
            $layer<IN, HIDDEN, $($A,)? T> => T, $name [IN, HIDDEN]
            0 weight_ih "weight_ih_l0": [[[T; HIDDEN]; $gates]; IN],
                $crate::layer::Role::Weight { fan_in: IN, fan_out: HIDDEN }, [$gates * HIDDEN, IN] by [1, 0];
            1 weight_hh "weight_hh_l0": [[[T; HIDDEN]; $gates]; HIDDEN],
                $crate::layer::Role::Weight { fan_in: HIDDEN, fan_out: HIDDEN }, [$gates * HIDDEN, HIDDEN] by [1, 0];
            2 bias_ih "bias_ih_l0": [[T; HIDDEN]; $gates],
                $crate::layer::Role::Bias { fan_in: HIDDEN }, [$gates * HIDDEN] by [0];
            3 bias_hh "bias_hh_l0": [[T; HIDDEN]; $gates],
                $crate::layer::Role::Bias { fan_in: HIDDEN }, [$gates * HIDDEN] by [0];
            $(with $rest;)?
        }

        impl<const IN: usize, const HIDDEN: usize, $($bound)* T: $crate::scalar::Scalar> $layer<IN, HIDDEN, $($A,)? T> {
            /// `dx += W_ih' d` of one step.
            #[inline]
            pub(super) fn add_input_gradient(&self, d: &[[T; HIDDEN]; $saved], dx: &mut [T; IN]) {
                for (dx, weight) in dx.iter_mut().zip(&self.weight_ih) {
                    *dx += $crate::kernels::recurrent::dot_gates(weight, d, $slots_in);
                }
            }

            /// The gradient with respect to the output of the step before, through the gates: `W_hh' d`.
            #[inline]
            fn state_gradient(&self, d: &[[T; HIDDEN]; $saved]) -> [T; HIDDEN] {
                let mut gradient = [T::ZERO; HIDDEN];
                for (gradient, weight) in gradient.iter_mut().zip(&self.weight_hh) {
                    *gradient = $crate::kernels::recurrent::dot_gates(weight, d, $slots_hidden);
                }
                gradient
            }

            /// Adds the gradients of the parameters over many steps: with the inputs, and with the outputs of the steps before,
            /// where there are any.
            #[inline]
            pub(super) fn add_gradient<'a>(
                gradient: &mut Self,
                inputs: impl Iterator<Item = (&'a [T; IN], &'a [[T; HIDDEN]; $saved])> + Clone,
                states: impl Iterator<Item = (&'a [T; HIDDEN], &'a [[T; HIDDEN]; $saved])> + Clone,
            ) {
                use $crate::kernels::recurrent::{add_all, add_outer};
                add_all(&mut gradient.bias_ih, $slots_in, &inputs.clone().map(|(_, d)| d));
                add_all(&mut gradient.bias_hh, $slots_hidden, &inputs.clone().map(|(_, d)| d));
                add_outer(&mut gradient.weight_ih, $slots_in, &inputs);
                add_outer(&mut gradient.weight_hh, $slots_hidden, &states);
            }

            /// Back through time: what was saved becomes gradients, which are added up.
            #[inline]
            fn through_time<const L: usize>(
                &self,
                x: &nalgebra::SMatrix<T, IN, L>,
                y: &nalgebra::SMatrix<T, HIDDEN, L>,
                saved: &mut [[[T; HIDDEN]; $saved]; L],
                dy: &nalgebra::SMatrix<T, HIDDEN, L>,
                gradient: &mut Self,
            ) {
                let (x, y, dy) = (&x.data.0, &y.data.0, &dy.data.0);
                $crate::layers::recurrent::back(self, dy.iter().zip(&mut *saved).rev(), y.iter().rev().skip(1));
                let later = $crate::layers::recurrent::later(saved);
                Self::add_gradient(gradient, x.iter().zip(&*saved), y.iter().zip(later));
            }
        }

        impl<const IN: usize, const HIDDEN: usize, const L: usize, $($bound)* T: $crate::scalar::Scalar>
            $crate::layer::Layer<$crate::shape::Sequence<IN, L>, T> for $layer<IN, HIDDEN, $($A,)? T>
        {
            type Out = $crate::shape::Sequence<HIDDEN, L>;

            #[inline]
            fn forward(&self, x: &nalgebra::SMatrix<T, IN, L>, y: &mut nalgebra::SMatrix<T, HIDDEN, L>) {
                $crate::layers::recurrent::forward(self, x.data.0.iter().zip(&mut y.data.0));
            }
        }

        impl<const IN: usize, const HIDDEN: usize, $($bound)* T: $crate::scalar::Scalar>
            $crate::streaming::Streaming<$crate::shape::Vector<IN>, T> for $layer<IN, HIDDEN, $($A,)? T>
        {
            type Out = $crate::shape::Vector<HIDDEN>;
            type State = $state<HIDDEN, T>;

            #[inline]
            fn step(
                &self,
                state: &mut Self::State,
                x: &nalgebra::SVector<T, IN>,
                y: &mut nalgebra::SVector<T, HIDDEN>,
            ) {
                let ([x], [y]) = (&x.data.0, &mut y.data.0);
                let mut saved = $crate::scalar::ConstZero::ZERO;
                $crate::layers::recurrent::Cell::advance(self, state, x, &mut saved);
                *y = state.hidden;
            }
        }

        impl<const IN: usize, const HIDDEN: usize, const L: usize, $($bound)* T: $crate::scalar::Scalar>
            $crate::layer::Differentiable<$crate::shape::Sequence<IN, L>, T> for $layer<IN, HIDDEN, $($A,)? T>
        {
            type Cache<const B: usize> = [[[[T; HIDDEN]; $saved]; L]; B];

            #[inline]
            fn forward_train<const B: usize>(
                &self,
                x: &[nalgebra::SMatrix<T, IN, L>; B],
                cache: &mut Self::Cache<B>,
                y: &mut [nalgebra::SMatrix<T, HIDDEN, L>; B],
            ) {
                for ((x, saved), y) in x.iter().zip(cache).zip(y) {
                    $crate::layers::recurrent::forward_saved(self, x.data.0.iter().zip(&mut y.data.0).zip(saved));
                }
            }

            #[inline]
            fn backward<const B: usize>(
                &self,
                x: &[nalgebra::SMatrix<T, IN, L>; B],
                y: &[nalgebra::SMatrix<T, HIDDEN, L>; B],
                cache: &mut Self::Cache<B>,
                dy: &[nalgebra::SMatrix<T, HIDDEN, L>; B],
                gradient: &mut Self,
                dx: &mut [nalgebra::SMatrix<T, IN, L>; B],
            ) {
                self.backward_parameters(x, y, cache, dy, gradient);
                for (saved, dx) in cache.iter().zip(dx) {
                    for (d, dx) in saved.iter().zip(&mut dx.data.0) {
                        *dx = [T::ZERO; IN];
                        self.add_input_gradient(d, dx);
                    }
                }
            }

            #[inline]
            fn backward_parameters<const B: usize>(
                &self,
                x: &[nalgebra::SMatrix<T, IN, L>; B],
                y: &[nalgebra::SMatrix<T, HIDDEN, L>; B],
                cache: &mut Self::Cache<B>,
                dy: &[nalgebra::SMatrix<T, HIDDEN, L>; B],
                gradient: &mut Self,
            ) {
                for (((x, y), saved), dy) in x.iter().zip(y).zip(cache).zip(dy) {
                    self.through_time(x, y, saved, dy, gradient);
                }
            }
        }
    };
}
use recurrent;
