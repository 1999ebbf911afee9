//! What a chip may call beside a prediction and a step: whole fits, files, scalers, splits, metrics, augmentation.

use crate::Exclusive;
use constnet::data::{Dataset, MinMaxScaler, Permutation, Standardizer, split, stratified_split};
use constnet::loss::{CrossEntropy, Mse, Penalty};
use constnet::metrics::{ConfusionMatrix, Regression, accuracy, step_accuracy, top_k_accuracy};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::network::StateOf;
use constnet::optimizer::schedule::{Cosine, Exponential, ReduceOnPlateau, Schedule, StepDecay, WarmUp};
use constnet::optimizer::{Adam, Clip};
use constnet::safetensors::{LoadError, Names, SaveError, Tensors};
use constnet::train::{BatchDone, Checkpoint, EpochDone, Fit, Memory, Observer, Trainer};
use constnet::{
    BatchNorm, Class, Dense, Embedding, GlobalAvgPool, GlobalMaxPool, Gru, Network, Parallel, Relu, Residual, Sequence,
    Sum, Tanh, Tokens, Vector,
};
use core::ops::ControlFlow;
use core::slice::from_raw_parts;

type X = SVector<f32, 6>;
type Net = Network<Vector<6>, (Dense<6, 8>, BatchNorm<8>, Relu, Residual<(Dense<8, 8>, Tanh)>, Dense<8, 4>)>;
type Store = Memory<Net, Adam, 8>;

static NET: Exclusive<Net> = Exclusive::new(Net::ZERO);
static MEMORY: Exclusive<Store> = Exclusive::new(Memory::ZERO);
static SCALER: Exclusive<Standardizer<Vector<6>>> = Exclusive::new(constnet::ConstZero::ZERO);
static RANGES: Exclusive<MinMaxScaler<Vector<6>>> = Exclusive::new(constnet::ConstZero::ZERO);
static COUNTS: Exclusive<ConfusionMatrix<4>> = Exclusive::new(ConfusionMatrix::NEW);
static ERRORS: Exclusive<Regression> = Exclusive::new(Regression::NEW);

/// What C gives: a pointer and a length.
///
/// # Safety
/// `data` points to `len` items.
unsafe fn slice<'a, V>(data: *const V, len: usize) -> &'a [V] {
    // SAFETY: as the caller says.
    unsafe { from_raw_parts(data, len) }
}

/// The same, to write to.
///
/// # Safety
/// `data` points to `len` items that nobody else has.
unsafe fn slice_mut<'a, V>(data: *mut V, len: usize) -> &'a mut [V] {
    // SAFETY: as the caller says.
    unsafe { core::slice::from_raw_parts_mut(data, len) }
}

/// Stops where the light is switched on.
struct Button(*const u32);

impl Button {
    fn answer(&self) -> ControlFlow<()> {
        // SAFETY: a register, or another word that can be read.
        if unsafe { self.0.read_volatile() } == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl Observer<Net> for Button {
    fn batch_done(&mut self, _: &Net, _: &BatchDone<f32>) -> ControlFlow<()> {
        self.answer()
    }
    fn epoch_done(&mut self, _: &Net, _: &EpochDone<f32>) -> ControlFlow<()> {
        self.answer()
    }
}

const SCHEDULE: WarmUp<Cosine> = match Cosine::new(100, 0.1) {
    Ok(cosine) => match WarmUp::new(10, cosine) {
        Ok(schedule) => schedule,
        Err(_) => panic!("10 steps"),
    },
    Err(_) => panic!("100 steps"),
};

const CLIP: Clip = constnet::error::valid(Clip::norm(1.0));

fn trainer() -> Trainer<Net, Adam, CrossEntropy, 8, &'static mut Store> {
    Trainer::with_memory(const { Adam::const_new(1e-3) }, CrossEntropy, MEMORY.get()).with_clip(CLIP)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_fit(
    inputs: *const X,
    labels: *const Class<4>,
    len: usize,
    epochs: usize,
    accumulate: usize,
    button: *const u32,
) -> f32 {
    // SAFETY: as the name of each says.
    let (inputs, labels) = unsafe { (slice(inputs, len), slice(labels, len)) };
    let Ok(data) = Dataset::new(inputs, labels) else { return f32::NAN };
    let mut schedule = SCHEDULE;
    let plan = Fit::epochs(epochs)
        .validation(data)
        .patience(3)
        .stop_below(1e-3)
        .max_steps(10_000)
        .accumulate(accumulate)
        .schedule(&mut schedule)
        .restart_schedule();
    match trainer().fit(NET.get(), data, plan, &mut Button(button)) {
        Ok(report) => report.loss,
        Err(_) => f32::NAN,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_fit_by_schedules(inputs: *const X, labels: *const Class<4>, len: usize) -> f32 {
    // SAFETY: as the name of each says.
    let (inputs, labels) = unsafe { (slice(inputs, len), slice(labels, len)) };
    let (Ok(data), Ok(mut plateau), Ok(mut decay), Ok(mut exponential)) =
        (Dataset::new(inputs, labels), ReduceOnPlateau::new(0.5, 2), StepDecay::new(9, 0.5), Exponential::new(0.9))
    else {
        return f32::NAN;
    };
    let (net, mut trainer) = (NET.get(), trainer());
    let mut loss = 0.0;
    let schedules: [&mut dyn Schedule; 3] = [&mut plateau, &mut decay, &mut exponential];
    for schedule in schedules {
        let plan = Fit::epochs(9).in_order().schedule(schedule);
        loss += trainer.fit(net, data, plan, &mut ()).map_or(f32::NAN, |report| report.loss);
    }
    loss
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_evaluate(inputs: *const X, labels: *const Class<4>, len: usize) -> f32 {
    // SAFETY: as the name of each says.
    let (inputs, labels) = unsafe { (slice(inputs, len), slice(labels, len)) };
    Dataset::new(inputs, labels).map_or(f32::NAN, |data| trainer().evaluate(NET.get(), data))
}

#[unsafe(no_mangle)]
extern "C" fn constnet_accumulate(inputs: &[X; 8], labels: &[Class<4>; 8]) -> f32 {
    let mut trainer = trainer();
    let (first, second) =
        (trainer.accumulate(NET.get(), inputs, labels), trainer.accumulate(NET.get(), inputs, labels));
    trainer.apply(NET.get()).map_or(f32::NAN, |()| first + second)
}

#[unsafe(no_mangle)]
extern "C" fn constnet_predict_batch(inputs: &[X; 8], outputs: &mut [SVector<f32, 4>; 8]) {
    NET.get().predict_batch(inputs, outputs);
}

/// Moves the normalisation into the layer before it.
#[unsafe(no_mangle)]
extern "C" fn constnet_fold() {
    let (dense, norm, ..) = &mut NET.get().layers;
    norm.fold_into(dense);
}

#[unsafe(no_mangle)]
extern "C" fn constnet_fold_into_another(from: &Dense<6, 8>, to: &mut Dense<6, 8>) {
    NET.get().layers.1.fold(from, to);
}

#[unsafe(no_mangle)]
extern "C" fn constnet_penalty() -> f32 {
    const { constnet::error::valid(Penalty::new(1e-3, 1e-3)) }.value(NET.get())
}

#[unsafe(no_mangle)]
extern "C" fn constnet_argmax(scores: &SVector<f32, 4>) -> usize {
    Class::argmax(scores).map_or(usize::MAX, Class::index)
}

/// 0 for a file that was read, else something else.
fn status<V>(result: Result<V, LoadError>) -> u32 {
    match result {
        Ok(_) => 0,
        Err(LoadError::Missing { .. }) => 1,
        Err(_) => 2,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_load(file: *const u8, len: usize) -> u32 {
    // SAFETY: as the name of each says.
    status(NET.get().load(unsafe { slice(file, len) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_load_with(file: *const u8, len: usize) -> u32 {
    let names = Names { prefix: "model.", pairs: &[("0", "first"), ("4", "last")] };
    // SAFETY: as the name of each says.
    status(NET.get().load_with(unsafe { slice(file, len) }, &names))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_load_scaler(file: *const u8, len: usize) -> u32 {
    // SAFETY: as the name of each says.
    let file = unsafe { slice(file, len) };
    status(SCALER.get().load(file)) + status(RANGES.get().load(file))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_load_checkpoint(file: *const u8, len: usize) -> u32 {
    let (net, trainer, scaler) = (NET.get(), &mut trainer(), SCALER.get());
    // SAFETY: as the name of each says.
    status(Checkpoint { net, trainer, scaler }.load(unsafe { slice(file, len) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_tensors(file: *const u8, len: usize) -> usize {
    // SAFETY: as the name of each says.
    let Ok(tensors) = Tensors::parse(unsafe { slice(file, len) }) else { return 0 };
    tensors.iter().map(|view| view.shape().len() + view.data.len()).sum()
}

/// The length of the file, or 0.
fn length(result: Result<usize, SaveError>) -> usize {
    result.unwrap_or(0)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_save(buffer: *mut u8, len: usize) -> usize {
    // SAFETY: as the name of each says.
    length(NET.get().save(unsafe { slice_mut(buffer, len) })) + NET.get().saved_len()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_save_checkpoint(buffer: *mut u8, len: usize) -> usize {
    let (net, trainer, scaler) = (NET.get(), &mut trainer(), RANGES.get());
    // SAFETY: as the name of each says.
    length(Checkpoint { net, trainer, scaler }.save(unsafe { slice_mut(buffer, len) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_scale(inputs: *mut X, len: usize) -> u32 {
    // SAFETY: as the name of each says.
    let inputs = unsafe { slice_mut(inputs, len) };
    let (Ok(scaler), Ok(ranges)) = (Standardizer::<Vector<6>>::fit(inputs), MinMaxScaler::<Vector<6>>::fit(inputs))
    else {
        return 1;
    };
    for x in inputs {
        scaler.apply(x);
        scaler.invert(x);
        ranges.apply(x);
        ranges.invert(x);
    }
    *SCALER.get() = scaler;
    *RANGES.get() = ranges;
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_split(inputs: *mut X, labels: *mut Class<4>, len: usize, part: f64) -> usize {
    // SAFETY: as the name of each says.
    let (inputs, labels) = unsafe { (slice_mut(inputs, len), slice_mut(labels, len)) };
    let first = split(inputs, labels, part).map_or(0, |((train, _), _)| train.len());
    first + stratified_split(inputs, labels, part).map_or(0, |((train, _), _)| train.len())
}

#[unsafe(no_mangle)]
extern "C" fn constnet_permutation(len: usize, seed: u64, place: usize) -> usize {
    Permutation::new(len, Some(seed)).get(place)
}

#[unsafe(no_mangle)]
extern "C" fn constnet_count(scores: &SVector<f32, 4>, actual: &Class<4>) -> f64 {
    let (counts, actual) = (COUNTS.get(), *actual);
    counts.add_scores(scores, actual);
    counts.add(actual, actual);
    counts.accuracy() + counts.precision(actual) + counts.recall(actual) + counts.f1(actual) + counts.macro_f1()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_accuracy(
    scores: *const SVector<f32, 4>,
    labels: *const Class<4>,
    len: usize,
    k: usize,
) -> f64 {
    // SAFETY: as the name of each says.
    let (scores, labels) = unsafe { (slice(scores, len), slice(labels, len)) };
    accuracy(scores.iter().zip(labels)) + top_k_accuracy(k, scores.iter().zip(labels))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn constnet_step_accuracy(
    scores: *const SMatrix<f32, 4, 9>,
    labels: *const [Class<4>; 9],
    len: usize,
) -> f64 {
    // SAFETY: as the name of each says.
    let (scores, labels) = unsafe { (slice(scores, len), slice(labels, len)) };
    step_accuracy(scores.iter().zip(labels))
}

#[unsafe(no_mangle)]
extern "C" fn constnet_regression(predicted: &X, actual: &X) -> f64 {
    let errors = ERRORS.get();
    errors.add::<Vector<6>, f32>(predicted, actual);
    errors.mae() + errors.rmse() + errors.r2()
}

/// Streams of what the other ones lack: branches, poolings, tokens.
mod streams {
    use super::*;

    type Sound = Network<
        Sequence<3, 16>,
        (Parallel<Gru<3, 8>, (Dense<3, 8>, Tanh), Sum>, Parallel<GlobalAvgPool, GlobalMaxPool, Sum>, Dense<8, 2>),
    >;
    type Text = Network<Tokens<9, 6>, (Embedding<9, 8>, Residual<Gru<8, 8>>, Dense<8, 9>)>;

    static SOUND: Sound = Network::ZERO;
    static TEXT: Text = Network::ZERO;

    #[unsafe(no_mangle)]
    extern "C" fn constnet_sound_step(state: &mut StateOf<Sound>, x: &SVector<f32, 3>, y: &mut SVector<f32, 2>) {
        *y = SOUND.step(state, x);
    }

    #[unsafe(no_mangle)]
    extern "C" fn constnet_text_step_by_step(state: &mut StateOf<Text>, token: &Class<9>, y: &mut SVector<f32, 9>) {
        *y = TEXT.step(state, *token);
    }
}

/// Several numbers from one input, as a regression has them.
mod regression {
    use super::*;

    type Curve = Network<Vector<6>, (Dense<6, 8>, Tanh, Dense<8, 2>)>;

    static CURVE: Exclusive<Curve> = Exclusive::new(Curve::ZERO);
    static TRAINER: Exclusive<Trainer<Curve, Adam, Mse, 4>> = Exclusive::new(Trainer::new(Adam::const_new(1e-3), Mse));

    #[unsafe(no_mangle)]
    unsafe extern "C" fn constnet_fit_curve(inputs: *const X, targets: *const SVector<f32, 2>, len: usize) -> f32 {
        // SAFETY: as the name of each says.
        let (inputs, targets) = unsafe { (slice(inputs, len), slice(targets, len)) };
        let Ok(data) = Dataset::new(inputs, targets) else { return f32::NAN };
        TRAINER.get().fit(CURVE.get(), data, Fit::epochs(9), &mut ()).map_or(f32::NAN, |report| report.loss)
    }
}

#[cfg(feature = "rand")]
mod random {
    use super::*;
    use constnet::data::{augment, shuffle};
    use constnet::init::Init;
    use core::convert::Infallible;

    /// The generator of the chip.
    struct Noise(u64);

    impl rand::TryRng for Noise {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            self.try_next_u64().map(|x| x as u32)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            self.0 = self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
            Ok(self.0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(0);
            Ok(())
        }
    }

    #[unsafe(no_mangle)]
    extern "C" fn constnet_init(seed: u64) {
        NET.get().init(&mut Noise(seed));
    }

    #[unsafe(no_mangle)]
    extern "C" fn constnet_init_with(seed: u64, rule: u32) {
        let init = match rule {
            0 => Init::XavierUniform,
            1 => Init::XavierNormal,
            2 => Init::KaimingUniform,
            3 => Init::KaimingNormal,
            4 => Init::LecunUniform,
            5 => Init::LecunNormal,
            6 => Init::TorchDefault,
            _ => Init::Zeros,
        };
        NET.get().init_with(init, &mut Noise(seed));
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn constnet_shuffle(inputs: *mut X, labels: *mut Class<4>, len: usize, seed: u64) {
        // SAFETY: as the name of each says.
        let (inputs, labels) = unsafe { (slice_mut(inputs, len), slice_mut(labels, len)) };
        shuffle(inputs, labels, &mut Noise(seed));
    }

    #[unsafe(no_mangle)]
    extern "C" fn constnet_augment(image: &mut [SMatrix<f32, 3, 9>; 8], by: usize, seed: u64) {
        let rng = &mut Noise(seed);
        augment::shift(image, by, by, rng);
        augment::flip_horizontal(image, rng);
        augment::flip_vertical(image, rng);
        augment::noise(image, 0.1, rng);
        augment::cut_out(image, by, by, rng);
    }
}
