use crate::network::Model;
use core::ops::ControlFlow;

/// Watches [`fit`](super::Trainer::fit), and may stop it: progress bars, plots, logs and checkpoints hook in here.
///
/// `()` is the observer that does nothing. A method that returns `ControlFlow::Break(())` ends the fit.
pub trait Observer<N: Model> {
    /// Called after each mini-batch.
    fn batch_done(&mut self, net: &N, batch: &BatchDone<N::Scalar>) -> ControlFlow<()> {
        let _ = (net, batch);
        ControlFlow::Continue(())
    }

    /// Called after each epoch.
    fn epoch_done(&mut self, net: &N, epoch: &EpochDone<N::Scalar>) -> ControlFlow<()> {
        let _ = (net, epoch);
        ControlFlow::Continue(())
    }
}

impl<N: Model> Observer<N> for () {}

/// A mini-batch is done.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct BatchDone<T> {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The batch in its epoch, from 0.
    pub batch: usize,
    /// How many batches an epoch has.
    pub batches: usize,
    /// How many samples the batch has.
    pub samples: usize,
    /// Its mean loss before the step.
    pub loss: T,
}

/// An epoch is done.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct EpochDone<T> {
    /// The epoch, from 0.
    pub epoch: usize,
    /// How many epochs are planned.
    pub epochs: usize,
    /// The optimiser's steps so far.
    pub steps: u64,
    /// The mean loss over the samples of the epoch, each before the step on its batch.
    pub loss: T,
    /// The mean loss over the validation data after the epoch, where there are any.
    pub validation_loss: Option<T>,
    /// The learning rate of the last step.
    pub learning_rate: f64,
}
