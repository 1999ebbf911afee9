use super::argument::TargetFor;
use super::{BatchDone, EpochDone, Memory, NotFinite, Observer, Trainer, size};
use crate::data::{Dataset, Permutation};
use crate::kernels::elementwise;
use crate::layer::Role;
use crate::network::{Model, OutOf};
use crate::optimizer::Optimizer;
use crate::optimizer::schedule::Schedule;
use crate::scalar::{ConstZero, Scalar};
use crate::shape::Tensor;
use crate::shape::argument::TensorFor;
use core::borrow::BorrowMut;
use core::fmt;

/// The plan of a [`fit`](Trainer::fit): how long, on what, and when to stop before.
///
/// The *monitored* loss is that of the validation data, or of the training data where there are none.
pub struct Fit<'a, X, Y> {
    epochs: usize,
    shuffle: bool,
    validation: Option<Dataset<'a, X, Y>>,
    patience: Option<usize>,
    stop_below: Option<f64>,
    max_steps: u64,
    accumulate: usize,
    schedule: Option<&'a mut dyn Schedule>,
    restarts_schedule: bool,
}

impl<'a, X, Y> Fit<'a, X, Y> {
    /// So many epochs, shuffled, one step for each mini-batch.
    #[must_use]
    pub const fn epochs(epochs: usize) -> Self {
        Self {
            epochs,
            shuffle: true,
            validation: None,
            patience: None,
            stop_below: None,
            max_steps: u64::MAX,
            accumulate: 1,
            schedule: None,
            restarts_schedule: false,
        }
    }

    /// Takes the samples in the order in which they lie.
    #[must_use]
    pub fn in_order(self) -> Self {
        Self { shuffle: false, ..self }
    }

    /// Data to watch the loss on after each epoch.
    #[must_use]
    pub fn validation(self, data: Dataset<'a, X, Y>) -> Self {
        Self { validation: Some(data), ..self }
    }

    /// Stops when the monitored loss has not fallen below its best for `epochs` epochs (at least 1).
    #[must_use]
    pub fn patience(self, epochs: usize) -> Self {
        Self { patience: Some(epochs.max(1)), ..self }
    }

    /// Stops after an epoch whose monitored loss is `loss` or below.
    #[must_use]
    pub fn stop_below(self, loss: f64) -> Self {
        Self { stop_below: Some(loss), ..self }
    }

    /// Stops after so many steps of the optimiser in this fit.
    #[must_use]
    pub fn max_steps(self, steps: u64) -> Self {
        Self { max_steps: steps, ..self }
    }

    /// Takes so many mini-batches (at least 1) for each step of the optimiser; the last step of an epoch takes what is left.
    #[must_use]
    pub fn accumulate(self, batches: usize) -> Self {
        Self { accumulate: batches.max(1), ..self }
    }

    /// Sets the learning rate before each step, for this fit.
    ///
    /// The schedule's time is [`Trainer::steps`], the steps of all fits of this trainer: one fit of ten epochs, ten fits of one epoch, and a
    /// fit that goes on from a checkpoint follow the same schedule. For a schedule that begins anew with this fit add
    /// [`restart_schedule`](Fit::restart_schedule). A fit whose schedule has already ended at 0 is an error:
    /// [`FitError::ScheduleIsZero`].
    #[must_use]
    pub fn schedule(self, schedule: &'a mut dyn Schedule) -> Self {
        Self { schedule: Some(schedule), ..self }
    }

    /// Counts the schedule's time from the first step of this fit. What a schedule remembers by itself stays, as a `ReduceOnPlateau` does:
    /// make a new one.
    #[must_use]
    pub fn restart_schedule(self) -> Self {
        Self { restarts_schedule: true, ..self }
    }
}

impl<X, Y> fmt::Debug for Fit<'_, X, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fit")
            .field("epochs", &self.epochs)
            .field("shuffle", &self.shuffle)
            .field("patience", &self.patience)
            .field("stop_below", &self.stop_below)
            .field("max_steps", &self.max_steps)
            .field("accumulate", &self.accumulate)
            .field("restarts_schedule", &self.restarts_schedule)
            .finish_non_exhaustive()
    }
}

/// Why a [`fit`](Trainer::fit) ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// All epochs are done.
    Epochs,
    /// The monitored loss has stopped falling.
    Patience,
    /// The monitored loss is low enough.
    StopBelow,
    /// The steps allowed are done.
    MaxSteps,
    /// The observer said so.
    Observer,
}

/// How a [`fit`](Trainer::fit) went.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FitReport<T> {
    /// Epochs begun.
    pub epochs: usize,
    /// Steps of the optimiser.
    pub steps: u64,
    /// The mean training loss over the last epoch, or the part of it that was run; NaN where none was begun.
    pub loss: T,
    /// The last validation loss, where one was computed.
    pub validation_loss: Option<T>,
    /// The learning rate of the last step, as the schedule set it.
    pub learning_rate: f64,
    /// The steps of those whose learning rate was 0, which have trained nothing: a schedule had ended, or not begun.
    pub idle_steps: u64,
    /// Why it ended.
    pub stop: Stop,
}

/// Why a [`fit`](Trainer::fit) cannot go on, or would train nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FitError {
    /// A number is not finite. The network keeps its last finite parameters and running averages.
    NotFinite {
        /// Which number.
        what: NotFinite,
        /// The step of the optimiser, counted from 0 over the life of the trainer.
        step: u64,
        /// The epoch of this fit, from 0.
        epoch: usize,
    },
    /// Every weight of a network with several weight tensors was 0 before, as in `Network::ZERO`, and still is, after the first epoch or
    /// where the fit ended before: each layer multiplies the gradient of the layer before it by 0.
    WeightsStayZero,
    /// The schedule gave a factor of 0 for each step of this fit.
    ScheduleIsZero {
        /// The step of the schedule at which this fit began.
        step: u64,
    },
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { what: what @ NotFinite::Initial, step, epoch } => {
                write!(f, "{what} at step {step} (epoch {epoch}), which no batch has changed: initialise or load it anew")
            }
            Self::NotFinite { what, step, epoch } => {
                write!(f, "{what} at step {step} (epoch {epoch}); a lower learning rate, clipping or scaled inputs may help")
            }
            Self::WeightsStayZero => f.write_str(
                "every weight was 0 and still is, so no gradient reaches the layers before the last: was `init` forgotten?",
            ),
            Self::ScheduleIsZero { step } => write!(
                f,
                "the schedule's factor is 0 at every step of this fit, from its step {step} on, so nothing is trained: its time is that \
                 of all fits of this trainer, and `Fit::restart_schedule` begins it anew"
            ),
        }
    }
}

impl core::error::Error for FitError {}

impl<N: Model, O: Optimizer<N::Scalar>, L, const B: usize, Store: BorrowMut<Memory<N, O, B>>>
    Trainer<N, O, L, B, Store>
{
    /// Trains for the epochs of a plan.
    ///
    /// Each epoch visits every sample once, in batches of `B`; the last, smaller batch counts for what it holds. Shuffling costs
    /// no memory and depends on the trainer's [`seed`](Trainer::seed) and epochs so far only. A gradient accumulated before is
    /// dropped.
    ///
    /// # Errors
    /// If a loss, a running average, a gradient or an update is not finite: the fit stops there, and the network keeps its last finite
    /// parameters and running averages. At the end, if the network holds a number that is not finite, whatever its loss, or if nothing was
    /// trained: if all weights were 0 and still are, which an epoch is enough to tell, or the schedule's factor was 0 at every step.
    pub fn fit<X, Y, W>(
        &mut self,
        net: &mut N,
        train: Dataset<'_, X, Y>,
        plan: Fit<'_, X, Y>,
        observer: &mut W,
    ) -> Result<FitReport<N::Scalar>, FitError>
    where
        X: TensorFor<N::In, N::Scalar>,
        Y: TargetFor<L, OutOf<N>, N::Scalar>,
        W: Observer<N>,
    {
        let (first_step, has_rate) = (self.steps, plan.schedule.is_some() && self.optimizer.learning_rate() != 0.0);
        let schedule_step = if plan.restarts_schedule { 0 } else { first_step };
        let may_stay_zero = is_each_weight_zero(net);
        let report = self.fit_epochs(net, train, plan, observer, may_stay_zero)?;
        if !is_finite(net) {
            let epoch = report.epochs.saturating_sub(1);
            return Err(FitError::NotFinite { what: NotFinite::Initial, step: self.steps, epoch });
        }
        if has_rate && report.steps > 0 && report.idle_steps == report.steps {
            return Err(FitError::ScheduleIsZero { step: schedule_step });
        }
        if may_stay_zero && has_trained(&report) && is_each_weight_zero(net) {
            return Err(FitError::WeightsStayZero);
        }
        Ok(report)
    }

    /// [`fit`](Trainer::fit), but for what is asked of the network before and at the end.
    fn fit_epochs<X, Y, W>(
        &mut self,
        net: &mut N,
        train: Dataset<'_, X, Y>,
        mut plan: Fit<'_, X, Y>,
        observer: &mut W,
        may_stay_zero: bool,
    ) -> Result<FitReport<N::Scalar>, FitError>
    where
        X: TensorFor<N::In, N::Scalar>,
        Y: TargetFor<L, OutOf<N>, N::Scalar>,
        W: Observer<N>,
    {
        self.forget();
        let first_step = self.steps;
        let batches = train.batches(B);
        let schedule_start = if plan.restarts_schedule { first_step } else { 0 };
        let mut factor = self.learning_rate_factor;
        let mut watch = Watch { best: f64::INFINITY, waited: 0 };
        let mut report = FitReport {
            epochs: 0,
            steps: 0,
            loss: N::Scalar::from_f64(f64::NAN),
            validation_loss: None,
            learning_rate: self.optimizer.learning_rate() * factor,
            idle_steps: 0,
            stop: Stop::Epochs,
        };
        for epoch in 0..plan.epochs {
            if plan.max_steps == 0 {
                return Ok(FitReport { stop: Stop::MaxSteps, ..report });
            }
            let error = |what, step| FitError::NotFinite { what, step, epoch };
            let order = Permutation::new(train.len(), plan.shuffle.then_some(self.seed ^ self.epochs.rotate_left(32)));
            self.epochs = self.epochs.wrapping_add(1);
            report.epochs += 1;
            let (mut sum, mut seen) = (0.0, 0.0);
            for batch in 0..batches {
                if let Some(schedule) = &plan.schedule {
                    factor = schedule.factor(self.steps.wrapping_sub(schedule_start));
                    report.learning_rate = self.optimizer.learning_rate() * factor;
                }
                let range = batch * B..train.len().min((batch + 1) * B);
                let samples = range.len();
                // What a smaller batch leaves free is filled with other samples: they count in running averages alone.
                let memory: &mut Memory<N, O, B> = self.memory.borrow_mut();
                for (i, slot) in memory.inputs.iter_mut().enumerate() {
                    let place = order.get((range.start + i) % train.len().max(1));
                    if let Some(x) = train.inputs().get(place) {
                        slot.copy_from(x.tensor());
                    }
                }
                let targets = range.filter_map(|i| train.targets().get(order.get(i)));
                let loss = self.run::<true, _>(net, None, samples, targets);
                seen += size(samples);
                sum += loss.to_f64() * size(samples);
                report.loss = N::Scalar::from_f64(sum / seen);
                let (step, is_last) = (self.steps, batch + 1 == batches);
                if is_last || (batch + 1).is_multiple_of(plan.accumulate) || self.fault.is_some() {
                    self.update(net, factor).map_err(|what| error(what, step))?;
                }
                let done = BatchDone { epoch, batch, batches, samples, loss };
                let stops = observer.batch_done(net, &done).is_break();
                if stops {
                    // A gradient half accumulated is not lost.
                    self.update(net, factor).map_err(|what| error(what, step))?;
                }
                let done = self.steps.wrapping_sub(first_step);
                if report.learning_rate == 0.0 {
                    report.idle_steps = report.idle_steps.wrapping_add(done.wrapping_sub(report.steps));
                }
                report.steps = done;
                if stops {
                    return Ok(FitReport { stop: Stop::Observer, ..report });
                }
                // An epoch that is complete is also reported.
                if report.steps >= plan.max_steps && !is_last {
                    return Ok(FitReport { stop: Stop::MaxSteps, ..report });
                }
            }
            if may_stay_zero && epoch == 0 && has_trained(&report) && is_each_weight_zero(net) {
                return Err(FitError::WeightsStayZero);
            }
            report.validation_loss = plan.validation.map(|data| self.evaluate(net, data));
            let monitored = report.validation_loss.unwrap_or(report.loss).to_f64();
            if !monitored.is_finite() {
                let what = if plan.validation.is_some() { NotFinite::ValidationLoss } else { NotFinite::Loss };
                return Err(error(what, self.steps));
            }
            if let Some(schedule) = &mut plan.schedule {
                schedule.epoch_done(monitored);
            }
            let done = EpochDone {
                epoch,
                epochs: plan.epochs,
                steps: self.steps,
                loss: report.loss,
                validation_loss: report.validation_loss,
                learning_rate: report.learning_rate,
            };
            let stop = if observer.epoch_done(net, &done).is_break() {
                Some(Stop::Observer)
            } else if plan.stop_below.is_some_and(|loss| monitored <= loss) {
                Some(Stop::StopBelow)
            } else if watch.patience_is_over(monitored, plan.patience) {
                Some(Stop::Patience)
            } else {
                (report.steps >= plan.max_steps).then_some(Stop::MaxSteps)
            };
            if let Some(stop) = stop {
                return Ok(FitReport { stop, ..report });
            }
        }
        Ok(report)
    }
}

/// Whether no number of the network is infinite or NaN, running averages among them.
fn is_finite<N: Model>(net: &N) -> bool {
    let mut is_finite = true;
    net.visit(&mut |_, values| is_finite &= elementwise::all_finite(values));
    is_finite
}

/// Whether all that multiplies is 0, weights and the scales of norms, in a network in which a gradient goes through one of them to reach
/// another. One layer alone learns from 0.
fn is_each_weight_zero<N: Model>(net: &N) -> bool {
    let (mut tensors, mut are_zero) = (0, true);
    net.visit(&mut |parameter, values| {
        if (parameter.role.is_weight() || parameter.role == Role::Scale) && !values.is_empty() {
            tensors += 1;
            are_zero = are_zero && values.iter().all(|&weight| weight == N::Scalar::ZERO);
        }
    });
    tensors > 1 && are_zero
}

/// Whether there was a step that had something to learn.
fn has_trained<T: Scalar>(report: &FitReport<T>) -> bool {
    report.idle_steps < report.steps && report.loss != T::ZERO
}

/// The best loss so far, and how many epochs ago it was.
struct Watch {
    best: f64,
    waited: usize,
}

impl Watch {
    fn patience_is_over(&mut self, loss: f64, patience: Option<usize>) -> bool {
        if loss < self.best {
            self.best = loss;
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        patience.is_some_and(|patience| self.waited >= patience)
    }
}
