use super::{Memory, Trainer};
use crate::layer::Bound;
use crate::network::Model;
use crate::optimizer::{Optimizer, Part, PartMut, State};
use crate::safetensors::archive::flat;
use crate::safetensors::{Archive, Entry, LoadError, SaveError, Stored, Values, ValuesMut, archive_methods};
use core::borrow::BorrowMut;
use core::fmt;

/// All that training needs to go on: a network, its trainer, and the scaler of its data, or `()`.
///
/// A run that is saved between two steps and loaded later gives the same bits as one that never stopped. The file holds
/// parameters, the optimiser's state, steps, epochs, the seed and how much of it is used. Hyperparameters are code: build
/// the trainer as it was.
///
/// It is taken between calls of [`fit`](Trainer::fit), or between steps; with a gradient accumulated and not applied, saving is an
/// error. What lives in a `fit` only starts anew with the next: the rest of an epoch that was cut short, the count of
/// [`Fit::patience`](super::Fit::patience), and the memory of a
/// [`ReduceOnPlateau`](crate::optimizer::schedule::ReduceOnPlateau).
///
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::train::{Checkpoint, Trainer};
/// use constnet::{Dense, Network, Vector, loss::Mse, optimizer::Adam};
///
/// type Line = Network<Vector<1>, (Dense<1, 1>,)>;
/// let new = || (Line::ZERO, Trainer::<Line, _, _, 1>::new(Adam::const_new(0.1), Mse));
/// let step = |net: &mut Line, trainer: &mut Trainer<Line, Adam, Mse, 1>| {
///     trainer.step(net, &[SVector::from([1.0])], &[SVector::<f32, 1>::from([2.0])])
/// };
///
/// let (mut net, mut trainer) = new();
/// step(&mut net, &mut trainer);
/// let mut file = [0; 2048];
/// let len = Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut () }.save(&mut file)?;
/// let next = step(&mut net, &mut trainer);
///
/// let (mut net, mut trainer) = new();
/// Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut () }.load(&file[..len])?;
/// assert_eq!(step(&mut net, &mut trainer), next);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Checkpoint<'a, N: Model, O: Optimizer<N::Scalar>, L, S, const B: usize, Store = Memory<N, O, B>> {
    /// The network.
    pub net: &'a mut N,
    /// Its trainer.
    pub trainer: &'a mut Trainer<N, O, L, B, Store>,
    /// The scaler of its data, or `()`.
    pub scaler: &'a mut S,
}

impl<N: Model, O: Optimizer<N::Scalar>, L, S, const B: usize, Store> fmt::Debug
    for Checkpoint<'_, N, O, L, S, B, Store>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").field("steps", &self.trainer.steps).finish_non_exhaustive()
    }
}

impl<N: Model, O: Optimizer<N::Scalar>, L, S: Archive, const B: usize, Store: BorrowMut<Memory<N, O, B>>>
    Checkpoint<'_, N, O, L, S, B, Store>
where
    N::Scalar: Stored,
{
    archive_methods!("network, trainer and scaler");

    #[cfg(not(feature = "std"))]
    crate::feature::file_methods!();
}

impl<N: Model, O: Optimizer<N::Scalar>, L, S: Archive, const B: usize, Store: BorrowMut<Memory<N, O, B>>> Archive
    for Checkpoint<'_, N, O, L, S, B, Store>
where
    N::Scalar: Stored,
{
    fn entries(&self, f: &mut dyn FnMut(&Entry<'_>, Values<'_>)) {
        let Trainer { seed, learning_rate_factor, steps, epochs, passes, .. } = &*self.trainer;
        let state = &self.trainer.memory().state;
        self.net.visit(&mut |parameter, values| {
            f(&Entry::of(["net.", ""], parameter), Stored::values(values));
        });
        state.visit(&mut |name, bound, part| match part {
            Part::Tensor(parameter, values) => {
                f(&Entry { section: ["optimizer.", name], parameter, bound }, Stored::values(values));
            }
            Part::Numbers(numbers) => {
                flat(["optimizer.", ""], name, numbers.len(), bound, |entry| f(entry, Values::F64(numbers)));
            }
        });
        let progress = [*seed, *steps, *epochs, *passes];
        flat(["trainer.", ""], "progress", 4, Bound::Finite, |entry| f(entry, Values::U64(&progress)));
        let factor = [*learning_rate_factor];
        flat(["trainer.", ""], "learning_rate_factor", 1, Bound::Finite, |entry| f(entry, Values::F64(&factor)));
        self.scaler.entries(&mut |entry, values| f(&Entry { section: ["scaler.", ""], ..*entry }, values));
    }

    fn entries_mut(&mut self, f: &mut dyn FnMut(&Entry<'_>, ValuesMut<'_>)) {
        self.trainer.forget();
        let Trainer { seed, learning_rate_factor, steps, epochs, passes, memory, .. } = &mut *self.trainer;
        let Memory { state, .. } = memory.borrow_mut();
        N::zip([&mut *self.net], &mut |parameter, [values]| {
            f(&Entry::of(["net.", ""], parameter), Stored::values_mut(values));
        });
        state.visit_mut(&mut |name, bound, part| match part {
            PartMut::Tensor(parameter, values) => {
                f(&Entry { section: ["optimizer.", name], parameter, bound }, Stored::values_mut(values));
            }
            PartMut::Numbers(numbers) => {
                flat(["optimizer.", ""], name, numbers.len(), bound, |entry| f(entry, ValuesMut::F64(numbers)));
            }
        });
        let mut progress = [*seed, *steps, *epochs, *passes];
        flat(["trainer.", ""], "progress", 4, Bound::Finite, |entry| f(entry, ValuesMut::U64(&mut progress)));
        [*seed, *steps, *epochs, *passes] = progress;
        let mut factor = [*learning_rate_factor];
        flat(["trainer.", ""], "learning_rate_factor", 1, Bound::Finite, |entry| {
            f(entry, ValuesMut::F64(&mut factor));
        });
        [*learning_rate_factor] = factor;
        self.scaler.entries_mut(&mut |entry, values| f(&Entry { section: ["scaler.", ""], ..*entry }, values));
    }

    fn is_complete(&self) -> bool {
        self.trainer.samples == 0
    }
}
