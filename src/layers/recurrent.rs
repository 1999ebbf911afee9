//! What [`Rnn`], [`Gru`] and [`Lstm`] share: all but their step.

mod bidirectional;
mod gru;
mod lstm;
mod rnn;

pub use bidirectional::Bidirectional;
pub use gru::Gru;
pub use lstm::{Lstm, LstmState};
pub use rnn::{Rnn, RnnActivation};

use crate::scalar::{ConstZero, Element};

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

/// Implements [`Hidden`] for a state with such a field.
macro_rules! hidden {
    ($state:ident, $count:literal) => {
        impl<T: $crate::scalar::Element, const HIDDEN: usize> $crate::kernels::recurrent::Hidden<T, HIDDEN>
            for $state<HIDDEN, T>
        {
            #[inline]
            fn hidden(&self) -> &[T; HIDDEN] {
                &self.hidden
            }
            #[inline]
            fn hidden_mut(&mut self) -> &mut [T; HIDDEN] {
                &mut self.hidden
            }

            const CONTIGUOUS: $crate::layer::Contiguous<Self, T> =
                $crate::layer::Contiguous::fields(&[Some($count * size_of::<[T; HIDDEN]>())]);
        }
    };
}
use hidden;
hidden!(RecurrentState, 1);

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
            /// `dx += W_ih' d` of each step.
            #[inline]
            pub(super) fn add_input_gradient(&self, d: &[[[T; HIDDEN]; $saved]], dx: &mut [[T; IN]]) {
                $crate::kernels::recurrent::add_input_gradient(&self.weight_ih, $slots_in, d, dx);
            }

            /// Adds the gradient with respect to the output of the step before, through the gates: `W_hh' d`.
            #[inline(always)]
            fn add_state_gradient<I: $crate::kernels::dispatch::Isa>(&self, d: &[[T; HIDDEN]; $saved], dh: &mut [T; HIDDEN]) {
                use $crate::kernels::recurrent::add_turned_products;
                add_turned_products::<I, T, HIDDEN, $gates, $saved, HIDDEN>(&self.weight_hh, $slots_hidden, d, dh);
            }

            /// Back through time: what was saved becomes gradients, which are added up.
            #[inline]
            pub(super) fn through_time<const WAYS: usize>(
                &self,
                x: &[[T; IN]],
                y: &[[[T; HIDDEN]; WAYS]],
                way: usize,
                saved: &mut [[[T; HIDDEN]; $saved]],
                dy: &[[[T; HIDDEN]; WAYS]],
                gradient: &mut Self,
            ) {
                use $crate::kernels::recurrent::{back, bias_gradient, weight_gradient};
                use $crate::layers::recurrent::later;
                back(self, y, way, saved, dy);
                bias_gradient(&mut gradient.bias_ih, $slots_in, saved);
                bias_gradient(&mut gradient.bias_hh, $slots_hidden, saved);
                weight_gradient(&mut gradient.weight_ih, $slots_in, x.as_chunks::<1>().0, 0, saved);
                // The state before a step is the output of the one that comes before it on this way.
                let (y, saved) = if way == 0 { (y, later(saved)) } else { (later(y), &*saved) };
                weight_gradient(&mut gradient.weight_hh, $slots_hidden, y, way, saved);
            }
        }

        impl<const IN: usize, const HIDDEN: usize, const L: usize, $($bound)* T: $crate::scalar::Scalar>
            $crate::layer::Layer<$crate::shape::Sequence<IN, L>, T> for $layer<IN, HIDDEN, $($A,)? T>
        {
            type Out = $crate::shape::Sequence<HIDDEN, L>;
            /// The state, and what a step saves though nobody asks for it.
            type Peak<X, Y> = $crate::layer::Both<X, Y, $crate::layer::Both<$state<HIDDEN, T>, [[T; HIDDEN]; $saved]>>;

            #[inline]
            fn forward(&self, x: &nalgebra::SMatrix<T, IN, L>, y: &mut nalgebra::SMatrix<T, HIDDEN, L>) {
                $crate::layer::on_stack(self, x, y);
            }

            #[inline]
            fn forward_in(
                &self,
                x: $crate::layer::Source<'_, nalgebra::SMatrix<T, IN, L>>,
                arena: &mut [T],
                y: $crate::layer::Target<'_, nalgebra::SMatrix<T, HIDDEN, L>>,
            ) {
                $crate::layer::apart(x, arena, y, |x, rest, y| {
                    $crate::kernels::recurrent::predict(self, &x.data.0, y.data.0.as_chunks_mut::<1>().0, 0, rest);
                });
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
                $crate::kernels::recurrent::advance(self, state, x, &mut saved, y);
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
                let mut state = $crate::scalar::ConstZero::ZERO;
                for ((x, saved), y) in x.iter().zip(cache).zip(y) {
                    let y = y.data.0.as_chunks_mut::<1>().0;
                    $crate::kernels::recurrent::forward(self, &x.data.0, y, 0, &mut state, saved);
                }
            }

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                x: &[nalgebra::SMatrix<T, IN, L>; B],
                y: &[nalgebra::SMatrix<T, HIDDEN, L>; B],
                cache: &mut Self::Cache<B>,
                dy: &[nalgebra::SMatrix<T, HIDDEN, L>; B],
                gradient: $crate::layer::Gradient<'_, Self, ADDS>,
                dx: Option<&mut [nalgebra::SMatrix<T, IN, L>; B]>,
            ) {
                let gradient = gradient.to_add();
                for (((x, y), saved), dy) in x.iter().zip(y).zip(&mut *cache).zip(dy) {
                    let (y, dy) = (y.data.0.as_chunks::<1>().0, dy.data.0.as_chunks::<1>().0);
                    self.through_time(&x.data.0, y, 0, saved, dy, gradient);
                }
                let Some(dx) = dx else { return };
                for (saved, dx) in cache.iter().zip(dx) {
                    dx.data.0 = [[T::ZERO; IN]; L];
                    self.add_input_gradient(saved, &mut dx.data.0);
                }
            }
        }
    };
}
use recurrent;
