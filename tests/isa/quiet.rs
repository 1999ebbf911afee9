//! What decays ends at 0, and is never subnormal on its way there. No clock is looked at: `benches/quiet.rs` does that.
//!
//! Would catch: a moment, a parameter or a state that stays below the normal range for ever, as rounding to the nearest number keeps it
//! there; one that is 0 too early.

use constnet::layer::{Differentiable, Gradient, Layer, Parameters};
use constnet::loss::{BinaryCrossEntropyWithLogits, CrossEntropy, Loss, Mse, Penalty};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::{Adagrad, Adam, AdamW, Optimizer, Part, RmsProp, Sgd, State};
use constnet::scalar::{ConstZero, Scalar};
use constnet::shape::{Tensor, TensorOf};
use constnet::streaming::Streaming;
use constnet::train::Trainer;
use constnet::{
    Bidirectional, Class, Dense, Gru, LogSoftmax, Lstm, Network, Relu, Rnn, Sequence, Softmax, Tanh, Vector,
};

/// Enough for a state of `f64` to fade.
const STEPS: usize = 1400;

type Steps = Sequence<2, STEPS>;

/// Fails for a number below the normal range, which begins at 2^-126; that of `f64` begins at 2^-1022.
fn normal<T: Scalar>(numbers: &[T], what: &str) {
    let least = if T::from_f64(1e-300) == T::ZERO { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE };
    for x in numbers {
        assert!(*x == T::ZERO || x.to_f64().abs() >= least, "{what}: {x:?} of {}", core::any::type_name::<T>());
    }
}

/// All of it is 0.
fn gone<T: Scalar>(numbers: &[T], what: &str) {
    assert!(numbers.iter().all(|&x| x == T::ZERO), "{what} of {}: {numbers:?}", core::any::type_name::<T>());
}

/// Numbers from -1 to 1 whose sum is about 0.
fn wave<T: Scalar>(numbers: &mut [T], size: f64) {
    for (i, x) in (0_u32..).zip(numbers) {
        *x = T::from_f64(size * (f64::from(i * i % 17) / 8.0 - 1.0));
    }
}

/// Strips of every width, and numbers left over.
type Layers<T> = Network<Vector<9>, (Dense<9, 7, T>,), T>;

/// Updates with gradients of this size, then as many as it takes without. Tells whether parameters and what is remembered end at 0.
fn decay<O: Optimizer<T>, T: Scalar>(optimizer: &O, gradients: f64, factor: f64) -> [bool; 2] {
    let (mut net, mut state) = (Layers::<T>::ZERO, <O::State<Layers<T>>>::ZERO);
    if gradients >= 0.1 {
        Layers::zip([&mut net], &mut |_, [values]| wave(values, 0.5));
    }
    let mut is_zero = [true; 2];
    // `f64` has further to go.
    let steps = if gradients < 0.1 { 40 } else { 500 * size_of::<T>() / 4 * size_of::<T>() / 4 };
    for step in 0..steps {
        let mut gradient = Layers::ZERO;
        if step < 20 {
            Layers::zip([&mut gradient], &mut |_, [values]| wave(values, gradients));
        }
        assert!(optimizer.update(&mut state, &mut net, &mut gradient, factor));
        is_zero = [true; 2];
        net.visit(&mut |parameter, values| {
            normal(values, &format!("{parameter} at step {step} of {}", core::any::type_name::<O>()));
            is_zero[0] &= values.iter().all(|&x| x == T::ZERO);
        });
        state.visit(&mut |name, _, part| {
            if let Part::Tensor(_, values) = part {
                normal(values, &format!("{name} at step {step} of {}", core::any::type_name::<O>()));
                is_zero[1] &= values.iter().all(|&x| x == T::ZERO);
            }
        });
    }
    is_zero
}

/// Every optimiser, with and without weight decay, on gradients that stop; on some whose squares, and on some that with the learning rate,
/// are below the normal range.
fn optimizers<T: Scalar>() {
    const VALID: &str = "in range";
    fn check<O: Optimizer<T>, T: Scalar>(optimizer: &O, expected: [bool; 2]) {
        let name = core::any::type_name::<O>();
        assert_eq!(decay(optimizer, 0.5, 1.0), expected, "{name}: are parameters, and what is remembered, 0?");
        let root = T::NEGLIGIBLE * Scalar::sqrt(Scalar::sqrt(T::NEGLIGIBLE));
        decay(optimizer, root, 1.0);
        decay(optimizer, 1e-4, T::NEGLIGIBLE * T::NEGLIGIBLE * 1e-2);
    }
    let sgd = Sgd::const_new(0.5);
    let decayed = sgd.with_weight_decay(0.5).expect(VALID);
    check::<_, T>(&sgd, [false, true]);
    check::<_, T>(&decayed, [true, true]);
    for (sgd, is_zero) in [(sgd, false), (decayed, true)] {
        let momentum = sgd.with_momentum(0.6).expect(VALID);
        check::<_, T>(&momentum, [is_zero, true]);
        check::<_, T>(&momentum.nesterov(), [is_zero, true]);
    }
    let adam = Adam::const_new(0.01).with_betas(0.5, 0.6).expect(VALID);
    check::<_, T>(&adam, [false, true]);
    // What decays moves the parameter about, which in turn keeps the moments alive.
    decay::<_, T>(&adam.with_weight_decay(0.1).expect(VALID), 0.5, 1.0);
    let adam = AdamW::const_new(0.5).with_weight_decay(0.5).and_then(|a| a.with_betas(0.5, 0.6)).expect(VALID);
    check::<_, T>(&adam, [true, true]);
    let rms = RmsProp::const_new(0.01).with_alpha(0.6).expect(VALID);
    check::<_, T>(&rms, [false, true]);
    decay::<_, T>(&rms.with_weight_decay(0.1).expect(VALID), 0.5, 1.0);
    // A sum does not decay.
    check::<_, T>(&Adagrad::const_new(0.01), [false, false]);
    check::<_, T>(&Adagrad::const_new(20.0).with_weight_decay(0.1).expect(VALID), [true, false]);
}

/// A penalty alone shrinks a weight by the same factor each time.
fn penalty<T: Scalar>() {
    let mut net = Layers::<T>::ZERO;
    wave(net.layers.0.weight.as_mut_slice(), 0.5);
    let mut trainer = Trainer::<Layers<T>, _, _, 1>::new(Sgd::const_new(0.5), Mse);
    trainer.penalty = Penalty::l2(0.25).expect("in range");
    for _ in 0..2000 {
        // Of inputs that are 0 the loss has no gradient.
        assert!(trainer.step(&mut net, &[SVector::<T, 9>::ZERO], &[SVector::<T, 7>::ZERO]).is_finite());
        normal(net.layers.0.weight.as_slice(), "a penalised weight");
    }
    gone(net.layers.0.weight.as_slice(), "a penalised weight");
}

/// Weights that let a state fade, and no bias.
fn fading<L: Parameters<T>, T: Scalar>() -> L {
    let mut layer = L::ZERO;
    L::zip([&mut layer], &mut |parameter, [values]| {
        if parameter.role.is_weight() {
            wave(values, 0.2);
        }
    });
    layer
}

/// A stream into silence, the same as a whole sequence, and back through time from its last step.
fn recurrent<L, T: Scalar, const HIDDEN: usize>(state: impl Fn(&L::State) -> Vec<T>)
where
    L: Differentiable<Steps, T> + Streaming<Vector<2>, T, Out = Vector<HIDDEN>>,
{
    let (layer, name) = (fading::<L, T>(), core::any::type_name::<L>());
    let mut x: Box<[SMatrix<T, 2, STEPS>; 1]> = Box::new([ConstZero::ZERO]);
    wave(&mut x[0].as_mut_slice()[..20], 1.0);
    let (mut memory, mut y) = (L::State::ZERO, SVector::<T, HIDDEN>::ZERO);
    let mut streamed = Vec::new();
    for (step, x) in x[0].column_iter().enumerate() {
        layer.step(&mut memory, &x.into_owned(), &mut y);
        normal(&state(&memory), &format!("the state of {name} after step {step}"));
        streamed.extend_from_slice(y.as_slice());
    }
    gone(&state(&memory), name);
    assert!(streamed.iter().any(|&y| y != T::ZERO), "{name}: silent from the start");
    let mut y: Box<TensorOf<<L as Layer<Steps, T>>::Out, T>> = Box::new(ConstZero::ZERO);
    layer.forward(&x[0], &mut y);
    assert!(y.as_slice() == streamed, "{name}: whole and streamed");
    wave(x[0].as_mut_slice(), 1.0);
    backward(&layer, &x);
}

/// The gradient of the last outputs.
fn backward<L: Differentiable<Steps, T>, T: Scalar>(layer: &L, x: &[SMatrix<T, 2, STEPS>; 1]) {
    let name = core::any::type_name::<L>();
    let (mut cache, mut gradient) = (Box::new(L::Cache::<1>::ZERO), Box::new(L::ZERO));
    let mut y: Box<[TensorOf<L::Out, T>; 1]> = Box::new([ConstZero::ZERO]);
    layer.forward_train(x, &mut cache, &mut y);
    let (mut dy, mut dx) = (y.clone(), Box::new(*x));
    let dy_numbers = dy[0].as_mut_slice();
    let (before, last) = dy_numbers.split_at_mut(dy_numbers.len() - dy_numbers.len() / STEPS);
    before.fill(T::ZERO);
    wave(last, 1.0);
    layer.backward(x, &y, &mut cache, &dy, Gradient::adding(&mut gradient), Some(&mut dx));
    normal(dx[0].as_slice(), &format!("the gradient with respect to the inputs of {name}"));
    gone(&dx[0].as_slice()[..20], &format!("the gradient with respect to the first inputs of {name}"));
    assert!(dx[0].as_slice().iter().any(|&dx| dx != T::ZERO), "{name}: no gradient");
}

/// Both ways: silence at each end.
fn both_ways<L: Differentiable<Steps, T>, T: Scalar>() {
    let layer = fading::<L, T>();
    let mut x: Box<[SMatrix<T, 2, STEPS>; 1]> = Box::new([ConstZero::ZERO]);
    wave(&mut x[0].as_mut_slice()[STEPS - 10..STEPS + 10], 1.0);
    let mut y: Box<TensorOf<L::Out, T>> = Box::new(ConstZero::ZERO);
    layer.forward(&x[0], &mut y);
    let (name, y) = (core::any::type_name::<L>(), y.as_slice());
    normal(y, name);
    gone(&y[..20], name);
    gone(&y[y.len() - 20..], name);
    assert!(y.iter().any(|&y| y != T::ZERO), "{name}: silent");
}

/// Probabilities of which most are negligible, and the gradients of losses that have them.
fn probabilities<T: Scalar>(step: f64) {
    let mut x = SVector::<T, 90>::ZERO;
    for (i, x) in (0_u32..).zip(x.as_mut_slice()) {
        *x = T::from_f64(f64::from(i) * -step);
    }
    let sequence = SMatrix::<T, 90, 1>::from_column_slice(x.as_slice());
    let softmax = Network::<Vector<90>, Softmax, T>::ZERO.predict(&x);
    normal(softmax.as_slice(), "softmax");
    let positions = Network::<Sequence<90, 1>, Softmax, T>::ZERO.predict(&sequence);
    assert_eq!(positions.as_slice(), softmax.as_slice());
    assert!((softmax.as_slice().iter().map(|y| y.to_f64()).sum::<f64>() - 1.0).abs() < 1e-6);
    assert!(softmax.as_slice().is_sorted_by(|a, b| a >= b), "a larger number is 0 where a smaller is not");
    let y = Network::<Vector<90>, LogSoftmax, T>::ZERO.predict(&x);
    let (mut dy, mut dx) = ([SVector::<T, 90>::ZERO], [SVector::<T, 90>::ZERO]);
    dy[0][3] = T::ONE;
    Differentiable::<Vector<90>, T>::backward(
        &LogSoftmax,
        &[x],
        &[y],
        &mut (),
        &dy,
        Gradient::adding(&mut LogSoftmax),
        Some(&mut dx),
    );
    normal(dx[0].as_slice(), "back through log-softmax");
    let [dy] = &mut dy;
    Loss::<Vector<90>, _, T>::gradient(&CrossEntropy, &x, &Class::<90>::const_new(40), T::ONE, dy);
    normal(dy.as_slice(), "cross-entropy");
    assert!(dy[40] == -T::ONE && dy[0] > T::ZERO);
    let none = SVector::<T, 90>::ZERO;
    Loss::<Vector<90>, _, T>::gradient(&BinaryCrossEntropyWithLogits, &x, &none, T::ONE, dy);
    normal(dy.as_slice(), "binary cross-entropy");
}

fn layers<T: Scalar>() {
    recurrent::<Rnn<2, 5, Tanh, T>, T, 5>(|state| state.hidden.to_vec());
    recurrent::<Rnn<2, 5, Relu, T>, T, 5>(|state| state.hidden.to_vec());
    recurrent::<Gru<2, 5, T>, T, 5>(|state| state.hidden.to_vec());
    recurrent::<Lstm<2, 5, T>, T, 5>(|state| [state.hidden, state.cell].concat());
    both_ways::<Bidirectional<Rnn<2, 5, Tanh, T>>, T>();
    both_ways::<Bidirectional<Gru<2, 5, T>>, T>();
    both_ways::<Bidirectional<Lstm<2, 5, T>>, T>();
    penalty::<T>();
    optimizers::<T>();
}

pub(crate) fn all() {
    layers::<f32>();
    layers::<f64>();
    probabilities::<f32>(1.5);
    probabilities::<f64>(9.0);
    optimizers::<super::Unfused>();
}
