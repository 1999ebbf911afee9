//! Training and prediction never touch the heap: an allocator counts.
//!
//! Would catch: an allocation anywhere in the library, or in a dependency that it calls.
#![cfg(feature = "rand")]
#![allow(unsafe_code)] // An allocator cannot be written without.

use constnet::data::{Dataset, Permutation, Standardizer, shuffle, stratified_split};
use constnet::loss::{CrossEntropy, Penalty};
use constnet::metrics::{ConfusionMatrix, Regression, accuracy, top_k_accuracy};
use constnet::nalgebra::SVector;
use constnet::optimizer::schedule::{Cosine, WarmUp};
use constnet::optimizer::{Adagrad, Adam, AdamW, Clip, Optimizer, RmsProp, Sgd};
use constnet::train::{Fit, Stop, Trainer};
use constnet::{Class, ConstZero, Dense, Dropout, LogSoftmax, Network, Relu, Residual, Softmax, Tanh, Vector};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

struct Counting;

thread_local! {
    /// Requests by this thread; the test harness has threads of its own.
    static REQUESTS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    REQUESTS.set(REQUESTS.get() + 1);
}

// SAFETY: every request goes to the system's allocator as it came; counting touches a thread-local number that needs neither
// memory nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `f` asks for memory.
fn requests<V>(f: impl FnOnce() -> V) -> (usize, V) {
    let before = REQUESTS.get();
    let value = f();
    (REQUESTS.get() - before, value)
}

type Layers = (Dense<6, 16>, Relu, Dropout<1, 4>, Residual<(Dense<16, 16>, Tanh)>, Dense<16, 3>);
type Net = Network<Vector<6>, Layers>;
type Input = SVector<f32, 6>;

const SAMPLES: usize = 21;

/// Numbers without a pattern, and labels that depend on them.
fn data() -> ([Input; SAMPLES], [Class<3>; SAMPLES]) {
    let order = Permutation::new(SAMPLES * 6, Some(1));
    let number = |i: usize| f32::from(u8::try_from(order.get(i)).expect("below 256")) / 63.0 - 1.0;
    let inputs = core::array::from_fn(|s| Input::from_fn(|i, _| number(6 * s + i)));
    let labels = inputs.map(|x| Class::const_new(usize::from(x[0] > 0.0) + usize::from(x[1] > 0.0)));
    (inputs, labels)
}

/// The control: what asks for memory is counted, and counted once.
#[test]
fn the_counter_counts() {
    assert_eq!(requests(|| black_box(Box::new(1))).0, 1);
    assert_eq!(requests(|| black_box(vec![0_u8; 100])).0, 1);
    let (grown, _) = requests(|| {
        let mut v = black_box(Vec::with_capacity(1));
        v.extend([1, 2, 3]);
        black_box(v)
    });
    assert_eq!(grown, 2);
    assert_eq!(requests(|| black_box([0_u8; 100])).0, 0);
}

#[test]
fn init_and_prediction() {
    let (inputs, _) = data();
    let (count, y) = requests(|| {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let mut net = Net::ZERO;
        net.init(&mut rng);
        let mut y = [SVector::ZERO; SAMPLES];
        net.predict_batch(&inputs, &mut y);
        assert!(net.predict(&inputs[3]) == y[3]);
        y
    });
    assert_eq!(count, 0);
    assert!(y.iter().any(|y| *y != y.map(|_| 0.0)), "nothing was predicted");
}

/// Everything that a trainer can do, with one optimiser.
fn trains<O: Optimizer<f32>>(optimizer: O) {
    let (inputs, labels) = data();
    let mut net = Net::ZERO;
    net.init(&mut Xoshiro128PlusPlus::seed_from_u64(2));
    let mut trainer = Trainer::<Net, O, CrossEntropy, 8>::new(optimizer, CrossEntropy);
    trainer.clip = Clip::norm(5.0).expect("in range");
    trainer.penalty = Penalty::new(1e-6, 1e-6).expect("in range");
    let batch = (inputs.first_chunk::<8>().expect("21"), labels.first_chunk::<8>().expect("21"));
    let dataset = Dataset::new(&inputs, &labels).expect("pairs");
    let before = trainer.evaluate(&net, dataset);

    let (count, ()) = requests(|| {
        trainer.step(&mut net, batch.0, batch.1);
        trainer.accumulate(&mut net, batch.0, batch.1);
        trainer.accumulate(&mut net, batch.0, batch.1);
        assert!(trainer.apply(&mut net).is_ok());
        black_box(trainer.evaluate(&net, dataset));
    });
    assert_eq!(count, 0, "step, accumulate, apply or evaluate");

    let mut schedule = WarmUp::new(3, Cosine::new(100, 0.1).expect("in range")).expect("in range");
    let (count, report) = requests(|| {
        let plan = Fit::epochs(30).validation(dataset).patience(30).accumulate(2).schedule(&mut schedule);
        trainer.fit(&mut net, dataset, plan, &mut ())
    });
    assert_eq!(count, 0, "fit");
    let report = report.expect("finite");
    assert_eq!((report.epochs, report.steps, report.stop), (30, 60, Stop::Epochs));
    assert!(trainer.evaluate(&net, dataset) < before, "nothing was learnt");
}

#[test]
fn training() {
    let sgd = Sgd::const_new(0.05);
    trains(sgd);
    trains(sgd.with_momentum(0.9).expect("in range"));
    trains(Adam::const_new(0.01));
    trains(AdamW::const_new(0.01));
    trains(RmsProp::const_new(0.005));
    trains(Adagrad::const_new(0.05));
}

#[test]
fn data_and_metrics() {
    let (mut inputs, mut labels) = data();
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(3);
    let mut net = Network::<Vector<6>, (Dense<6, 3>, LogSoftmax, Softmax)>::ZERO;
    net.init(&mut rng);
    let (count, score) = requests(|| {
        let scaler = Standardizer::<Vector<6>>::fit(&inputs).expect("finite");
        for x in &mut inputs {
            scaler.apply(x);
        }
        shuffle(&mut inputs, &mut labels, &mut rng);
        let (_, (x, labels)) = stratified_split(&mut inputs, &mut labels, 0.5).expect("in range");
        let (x, labels) = (&*x, &*labels);
        let mut matrix = ConfusionMatrix::<3>::NEW;
        let mut errors = Regression::NEW;
        let mut y = [SVector::ZERO; SAMPLES];
        for ((x, label), y) in x.iter().zip(labels).zip(&mut y) {
            *y = net.predict(x);
            matrix.add_scores(y, *label);
            errors.add::<Vector<3>, f32>(y, &label.one_hot());
        }
        assert!((matrix.accuracy() - accuracy(y.iter().zip(labels))).abs() < 1e-12);
        top_k_accuracy(2, y.iter().zip(labels)) + errors.rmse() + errors.r2() + matrix.macro_f1()
    });
    assert_eq!(count, 0);
    assert!(score.is_finite());
}
