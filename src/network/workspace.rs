use super::Network;
use crate::kernels::arena;
use crate::layer::{Either, Layer, Source, Target};
use crate::scalar::{ConstZero, Element};
use crate::shape::argument::TensorFor;
use crate::shape::{Shape, TensorOf};
use core::fmt;
use core::mem::MaybeUninit;

/// What the memory of a prediction is known of: a [`Network`], or a tuple of up to four that take turns.
pub trait Planned {
    /// As large as the most that a prediction takes between input and output. A type for its size alone.
    type Memory;
}

impl<In: Shape, L: Layer<In, T>, T: Element> Planned for Network<In, L, T> {
    type Memory = L::Peak<(), ()>;
}

impl<A: Planned, B: Planned> Planned for (A, B) {
    type Memory = Either<A::Memory, B::Memory>;
}

impl<A: Planned, B: Planned, C: Planned> Planned for (A, B, C) {
    type Memory = Either<A::Memory, Either<B::Memory, C::Memory>>;
}

impl<A: Planned, B: Planned, C: Planned, D: Planned> Planned for (A, B, C, D) {
    type Memory = Either<Either<A::Memory, B::Memory>, Either<C::Memory, D::Memory>>;
}

/// Memory of the caller's for the predictions of a network, or of several that take turns: the tensors between layers, which
/// [`predict`](Network::predict) puts on the stack.
///
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::network::Workspace;
/// use constnet::{Dense, Network, Relu, Vector};
/// use std::sync::Mutex;
///
/// type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
/// type Policy = Network<Vector<4>, (Dense<4, 16>, Relu, Dense<16, 2>)>;
///
/// // In `.bss`: nothing of it is in flash. One memory for both networks, as large as the larger one needs.
/// static WORKSPACE: Mutex<Workspace<(Digits, Policy)>> = Mutex::new(Workspace::ZERO);
/// static DIGITS: Digits = Digits::ZERO;
/// static POLICY: Policy = Policy::ZERO;
/// const _: () = assert!(Workspace::<(Digits, Policy)>::BYTES == 4 * 32);
///
/// let mut workspace = WORKSPACE.lock().unwrap();
/// let logits = DIGITS.predict_in(&mut workspace, &SVector::from_element(1.0));
/// let actions = POLICY.predict_in(&mut workspace, &SVector::from_element(0.5));
/// assert_eq!((logits.len(), actions.len()), (10, 2));
/// ```
///
/// A firmware without threads has a `static mut` or a cell of its critical section's crate in place of the `Mutex`.
pub struct Workspace<N: Planned>(MaybeUninit<N::Memory>);

impl<N: Planned> Workspace<N> {
    /// How many bytes it takes.
    pub const BYTES: usize = size_of::<N::Memory>();

    /// Zeros: what a `static` in `.bss` begins as.
    #[allow(clippy::declare_interior_mutable_const)]
    pub const ZERO: Self = Self(MaybeUninit::zeroed());

    /// The memory for a prediction of `M`.
    #[inline]
    pub(super) fn numbers<M: Planned, T: Element>(&mut self) -> &mut [T] {
        const {
            assert!(
                size_of::<M::Memory>() <= size_of::<N::Memory>(),
                "the workspace is smaller than a prediction of this network needs: take `Workspace<Net>`, or name the network in a tuple with the others"
            );
        }
        arena::zeros(&mut self.0, const { arena::count::<M::Memory, T>() })
    }
}

impl<N: Planned> ConstZero for Workspace<N> {
    const ZERO: Self = Self::ZERO;
}

impl<N: Planned> Default for Workspace<N> {
    fn default() -> Self {
        Self::ZERO
    }
}

impl<N: Planned> fmt::Debug for Workspace<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").field("bytes", &Self::BYTES).finish()
    }
}

impl<In: Shape, L: Layer<In, T>, T: Element> Network<In, L, T> {
    /// The output for one sample, with the tensors between layers in memory of the caller's: a [`Workspace`] of this network, or of several.
    /// Whatever was left in there changes nothing.
    ///
    /// # Cost
    /// On the stack the output, and what code takes. The memory is cleared first, as [`predict`](Network::predict) clears the stack: as much of it as this
    /// network needs.
    pub fn predict_in<X: TensorFor<In, T>, N: Planned>(
        &self,
        workspace: &mut Workspace<N>,
        x: &X,
    ) -> TensorOf<L::Out, T> {
        let mut y = ConstZero::ZERO;
        self.layers.forward_in(Source::Given(x.tensor()), workspace.numbers::<Self, T>(), Target::Given(&mut y));
        y
    }
}
