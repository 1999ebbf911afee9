use crate::layer::{Both, Differentiable, Gradient, Layer, Meaning, no_parameters};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Sequence, TensorOf, Vector};
use crate::streaming::Streaming;

/// Gives the last step of a sequence: after a recurrent layer, what it makes of the whole. PyTorch's `output[:, -1]`.
///
/// Step by step it gives each step as it comes, so that a network says at every step what it makes of the sequence so far.
///
/// # Shapes
/// `Sequence<C, L>` to `Vector<C>`.
///
/// # Cost
/// A copy of `C` numbers; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Dense, Gru, Last, Network, Sequence};
///
/// // One of four classes for 100 steps of 6 channels.
/// type Net = Network<Sequence<6, 100>, (Gru<6, 16>, Last, Dense<16, 4>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// Keras's `return_sequences=False`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Last;

impl ConstZero for Last {
    const ZERO: Self = Self;
}

no_parameters!(Last);

impl<const C: usize, const L: usize, T: Element> Layer<Sequence<C, L>, T> for Last {
    type Out = Vector<C>;
    type Peak<X, Y> = Both<X, Y>;
    const MEANING: Meaning = Meaning::AsInput;

    #[inline]
    fn forward(&self, x: &TensorOf<Sequence<C, L>, T>, y: &mut TensorOf<Vector<C>, T>) {
        const { <Self as Layer<Sequence<C, L>, T>>::CHECK };
        if let ([.., last], [y]) = (&x.data.0[..], &mut y.data.0) {
            *y = *last;
        }
    }
}

impl<const C: usize, T: Element> Streaming<Vector<C>, T> for Last {
    type Out = Vector<C>;
    type State = ();

    #[inline]
    fn step(&self, (): &mut (), x: &TensorOf<Vector<C>, T>, y: &mut TensorOf<Vector<C>, T>) {
        *y = *x;
    }
}

impl<const C: usize, const L: usize, T: Scalar> Differentiable<Sequence<C, L>, T> for Last {
    type Cache<const B: usize> = ();

    #[inline]
    fn backward<const B: usize, const ADDS: bool>(
        &self,
        _: &[TensorOf<Sequence<C, L>, T>; B],
        _: &[TensorOf<Vector<C>, T>; B],
        (): &mut (),
        dy: &[TensorOf<Vector<C>, T>; B],
        _: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [TensorOf<Sequence<C, L>, T>; B]>,
    ) {
        let Some(dx) = dx else { return };
        for (dy, dx) in dy.iter().zip(dx) {
            dx.data.0.as_flattened_mut().fill(T::ZERO);
            if let ([dy], [.., last]) = (&dy.data.0, &mut dx.data.0[..]) {
                *last = *dy;
            }
        }
    }
}
