use super::Parameters;
use crate::scalar::Element;
use core::cell::Cell;
use core::fmt;

/// The gradient of a layer's parameters, as [`Differentiable::backward`](super::Differentiable::backward) gets it: a value of the layer's own
/// type, to be added to or to be overwritten.
///
/// Most layers take it with [`to_add`](Gradient::to_add) and add. One with layers inside hands each its [`part`](Gradient::part). A layer without
/// parameters leaves it alone.
///
/// `ADDS` is a constant, so that a training step that never accumulates has no code that adds. What is overwritten may hold anything before,
/// NaN too.
pub struct Gradient<'a, L, const ADDS: bool> {
    layer: &'a mut L,
    known_finite: Option<&'a Cell<usize>>,
}

impl<'a, L> Gradient<'a, L, true> {
    /// A gradient that is added to.
    #[inline]
    pub const fn adding(layer: &'a mut L) -> Self {
        Self { layer, known_finite: None }
    }
}

impl<'a, L> Gradient<'a, L, false> {
    /// A gradient that is overwritten. `known_finite` grows by each number that a layer knows to be finite
    /// ([`mark_finite`](Gradient::mark_finite)): where it has grown by [`Parameters::COUNT`], none is infinite or NaN.
    #[inline]
    pub const fn overwriting(layer: &'a mut L, known_finite: &'a Cell<usize>) -> Self {
        Self { layer, known_finite: Some(known_finite) }
    }
}

impl<'a, L, const ADDS: bool> Gradient<'a, L, ADDS> {
    /// The gradient of a layer inside, in the same way. Each part is handed on once; for more often see [`begun`](Gradient::begun).
    #[inline]
    pub fn part<P>(&mut self, part: impl FnOnce(&mut L) -> &mut P) -> Gradient<'_, P, ADDS> {
        Gradient { layer: part(self.layer), known_finite: self.known_finite }
    }

    /// The gradient, to add to: it is filled with 0 before, if it was to be overwritten.
    #[inline]
    #[must_use]
    pub fn to_add<T: Element>(self) -> &'a mut L
    where
        L: Parameters<T>,
    {
        if !ADDS {
            L::zip([&mut *self.layer], &mut |_, [values]| values.fill(T::ZERO));
        }
        self.layer
    }

    /// The same as a gradient that is added to, for a layer inside that goes back several times.
    #[inline]
    #[must_use]
    pub fn begun<T: Element>(self) -> Gradient<'a, L, true>
    where
        L: Parameters<T>,
    {
        Gradient::adding(self.to_add())
    }

    /// The gradient as it is. If `ADDS`, the caller adds to it; if not, it overwrites every number of it.
    #[inline]
    #[must_use]
    pub const fn add_or_overwrite(self) -> &'a mut L {
        self.layer
    }

    /// Says that all numbers that are written are finite: a [`Trainer`](crate::train::Trainer) trusts that, and does not look at each of them.
    /// Nothing needs to be said; where `ADDS`, it is not heard.
    #[inline]
    pub fn mark_finite<T>(&self)
    where
        L: Parameters<T>,
    {
        if !ADDS && let Some(known) = self.known_finite {
            known.set(known.get() + L::COUNT);
        }
    }
}

impl<L, const ADDS: bool> fmt::Debug for Gradient<'_, L, ADDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gradient").field("adds", &ADDS).finish_non_exhaustive()
    }
}
