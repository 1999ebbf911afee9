//! Self-attention and positions: against differences, against the formula written out, against PyTorch's file as a constant.
#![cfg(feature = "rand")]

use constnet::bound::Mask;
use constnet::gradcheck;
use constnet::layer::{Differentiable, Layer, Parameters};
use constnet::loss::CrossEntropy;
use constnet::nalgebra::SMatrix;
use constnet::optimizer::Adam;
use constnet::safetensors::{File, Names};
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::train::Trainer;
use constnet::{
    Causal, Class, ConstZero, Dense, Embedding, Epsilon, Full, Gelu, LayerNorm, LearnedPositions, Network,
    PositionalEncoding, Residual, SelfAttention, Sequence, Tokens,
};
use rand::{Rng, SeedableRng, rngs::Xoshiro128PlusPlus};
use safetensors::SafeTensors;
use std::sync::Mutex;

/// Between -`size` and `size`, the same numbers on every machine.
fn random(rng: &mut impl Rng, size: f64) -> f64 {
    (f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0) * size
}

fn drawn<P: Parameters<f64>>(seed: u64) -> P {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    let mut parameters = P::ZERO;
    P::zip([&mut parameters], &mut |_, [values]| values.fill_with(|| random(&mut rng, 0.5)));
    parameters
}

fn steps<const E: usize, const L: usize>(seed: u64) -> SMatrix<f64, E, L> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    SMatrix::from_fn(|_, _| random(&mut rng, 2.0))
}

/// Differences of a layer of random parameters on a batch of three.
fn check<In, L>()
where
    In: Shape,
    L: Differentiable<In, f64>,
    TensorOf<In, f64>: TensorFor<In, f64>,
{
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
    let mut x = <[TensorOf<In, f64>; 3]>::ZERO;
    x.iter_mut().flat_map(Tensor::as_mut_slice).for_each(|x| *x = random(&mut rng, 1.0));
    let report = gradcheck::layer::<In, L, 3>(&mut drawn(11), &x);
    let name = core::any::type_name::<(L, In)>();
    assert_eq!(report.compared, 4 * L::COUNT + 2 * 3 * In::LEN, "{name}");
    assert!(report.max_relative_error < 1e-6, "{name}: {report}");
}

type Attention<const E: usize, const HEADS: usize, M = Full> = SelfAttention<E, HEADS, M, f64>;

/// Would catch: a wrong backward pass, one that overwrites where it must add, a head that sees another's numbers.
#[test]
fn gradients() {
    check::<Sequence<1, 1>, Attention<1, 1>>();
    check::<Sequence<6, 1>, Attention<6, 3, Causal>>();
    check::<Sequence<4, 3>, Attention<4, 2>>();
    check::<Sequence<4, 5>, Attention<4, 4, Causal>>();
    check::<Sequence<6, 2>, Attention<6, 2, Causal>>();
    check::<Sequence<9, 4>, Attention<9, 1>>();
    check::<Sequence<10, 2>, Attention<10, 1, Causal>>();
    check::<Sequence<3, 4>, Residual<Attention<3, 3, Causal>>>();
    check::<Sequence<5, 4>, PositionalEncoding>();
    check::<Sequence<1, 1>, PositionalEncoding>();
    check::<Sequence<5, 4>, LearnedPositions<5, 4, f64>>();
    check::<Sequence<1, 1>, LearnedPositions<1, 1, f64>>();
    check::<Sequence<4, 3>, (LearnedPositions<4, 3, f64>, Attention<4, 2>, PositionalEncoding, Dense<4, 2, f64>)>();
}

/// The formula, one number at a time.
fn by_hand<const E: usize, const HEADS: usize, M: Mask, const L: usize>(
    layer: &Attention<E, HEADS, M>,
    x: &SMatrix<f64, E, L>,
) -> SMatrix<f64, E, L> {
    let width = E / HEADS;
    let project = |part: usize, e: usize, step: usize| {
        let terms = (0..E).map(|i| layer.in_proj_weight[i][part][e] * x[(i, step)]);
        layer.in_proj_bias[part][e] + terms.sum::<f64>()
    };
    SMatrix::from_fn(|out, step| {
        let seen = if M::IS_CAUSAL { step + 1 } else { L };
        let found = |e: usize| {
            let head = e / width * width..e / width * width + width;
            let score = |other: usize| {
                let dot: f64 = head.clone().map(|e| project(0, e, step) * project(1, e, other)).sum();
                (dot / f64::from(u32::try_from(width).expect("small")).sqrt()).exp()
            };
            let all: f64 = (0..seen).map(score).sum();
            (0..seen).map(|other| score(other) / all * project(2, e, other)).sum::<f64>()
        };
        layer.out_proj_bias[out] + (0..E).map(|e| layer.out_proj_weight[e][out] * found(e)).sum::<f64>()
    })
}

fn agrees<const E: usize, const HEADS: usize, M: Mask, const L: usize>()
where
    Attention<E, HEADS, M>: Differentiable<Sequence<E, L>, f64> + Layer<Sequence<E, L>, f64, Out = Sequence<E, L>>,
{
    let layer: Attention<E, HEADS, M> = drawn(3);
    let x = [steps(5), steps(6)];
    let mut y = [SMatrix::zeros(); 2];
    let mut kept = ConstZero::ZERO;
    layer.forward_train(&x, &mut kept, &mut y);
    for (x, y) in x.iter().zip(&y) {
        let mut predicted = SMatrix::from_element(f64::NAN);
        layer.forward(x, &mut predicted);
        assert_eq!(&predicted, y, "training and prediction give the same bits");
        let error = (by_hand(&layer, x) - y).abs().max();
        assert!(error < 1e-12, "{}: {error}", core::any::type_name::<Attention<E, HEADS, M>>());
    }
}

/// Would catch: a wrong scale, heads that are cut elsewhere, a mask that hides too much or too little.
#[test]
fn the_formula() {
    agrees::<1, 1, Full, 1>();
    agrees::<6, 1, Full, 5>();
    agrees::<6, 2, Full, 5>();
    agrees::<6, 3, Causal, 5>();
    agrees::<8, 8, Causal, 2>();
    agrees::<34, 2, Causal, 3>();
}

/// Would catch: a later step that leaks into an earlier one, through the keys, the values or the softmax.
#[test]
fn causal_attention_does_not_look_ahead() {
    let x: SMatrix<f64, 4, 6> = steps(1);
    let (causal, full): (Attention<4, 2, Causal>, Attention<4, 2>) = (drawn(2), drawn(2));
    let (mut before, mut after) = ([SMatrix::zeros(); 2], [SMatrix::zeros(); 2]);
    causal.forward(&x, &mut before[0]);
    full.forward(&x, &mut before[1]);
    for changed in 0..6 {
        let mut x = x;
        x.column_mut(changed).fill(1e3);
        causal.forward(&x, &mut after[0]);
        full.forward(&x, &mut after[1]);
        for step in 0..6 {
            let is_same = |i: usize| before[i].column(step) == after[i].column(step);
            assert_eq!(is_same(0), step < changed, "causal: step {step} after a change of {changed}");
            assert!(!is_same(1), "full: step {step} after a change of {changed}");
        }
    }
}

/// Would catch: a softmax that overflows.
#[test]
fn large_scores_stay_finite() {
    let mut layer: SelfAttention<4, 2, Causal> = ConstZero::ZERO;
    for (i, [q, k, v]) in layer.in_proj_weight.iter_mut().enumerate() {
        (q[i], k[i], v[i]) = (1e4, 1e4, 1.0);
    }
    for (i, column) in layer.out_proj_weight.iter_mut().enumerate() {
        column[i] = 1.0;
    }
    let x = SMatrix::<f32, 4, 3>::from_fn(|e, step| if e % 3 == step { 2.0 } else { -2.0 });
    let mut y = SMatrix::zeros();
    layer.forward(&x, &mut y);
    // A score of 1e8 and above for the step that is most alike, which is the step itself.
    assert!((y - x).abs().max() < 1e-6, "{y}");
}

/// Would catch: waves of another length, sines in the place of cosines, a last channel without its wave.
#[test]
fn positions() {
    let mut y = SMatrix::<f64, 5, 40>::zeros();
    PositionalEncoding.forward(&steps(4), &mut y);
    y -= steps(4);
    for step in 0..40 {
        let t = f64::from(u32::try_from(step).expect("small"));
        let expected = [
            t.sin(),
            t.cos(),
            (t / 10_000_f64.powf(2.0 / 5.0)).sin(),
            (t / 10_000_f64.powf(2.0 / 5.0)).cos(),
            (t / 10_000_f64.powf(4.0 / 5.0)).sin(),
        ];
        for (y, expected) in y.column(step).iter().zip(expected) {
            assert!((y - expected).abs() < 1e-12, "step {step}: {y}, expected {expected}");
        }
    }
    let table = LearnedPositions::<2, 3>::new([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let mut y = SMatrix::<f32, 2, 3>::zeros();
    table.forward(&SMatrix::from_element(0.5), &mut y);
    assert_eq!(y.as_slice(), [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
}

/// A block with the norms in front, as PyTorch writes it with `norm_first=True`.
type Attend<const E: usize, const HEADS: usize, T> =
    Residual<(LayerNorm<E, Epsilon, T>, SelfAttention<E, HEADS, Causal, T>)>;
type Think<const E: usize, const F: usize, T> =
    Residual<(LayerNorm<E, Epsilon, T>, Dense<E, F, T>, Gelu, Dense<F, E, T>)>;
type Block<const E: usize, const HEADS: usize, const F: usize, T = f32> = (Attend<E, HEADS, T>, Think<E, F, T>);

#[test]
fn a_block() {
    check::<Sequence<4, 3>, Block<4, 2, 5, f64>>();
    check::<Sequence<4, 1>, (LearnedPositions<4, 1, f64>, Block<4, 1, 2, f64>, LayerNorm<4, Epsilon, f64>)>();
}

type Small = Network<
    Tokens<32, 16>,
    (Embedding<32, 16>, LearnedPositions<16, 16>, Block<16, 2, 64>, Block<16, 2, 64>, LayerNorm<16>, Dense<16, 32>),
>;

/// What a language model for a chip costs, in words that a user can check: `cargo test --test attention -- --nocapture`.
///
/// Would catch: a cache that grows, a parameter too many.
#[test]
fn what_a_small_transformer_costs() {
    type Cache = <Small as Differentiable<Tokens<32, 16>>>::Cache<1>;
    type OfAttention = <SelfAttention<16, 2, Causal> as Differentiable<Sequence<16, 16>>>::Cache<5>;
    println!(
        "2 blocks of width 16 with 2 heads over 16 tokens of 32: {} parameters, {} bytes; cache for a batch of one {} bytes, \
         trainer with Adam {} bytes",
        Small::PARAMETERS,
        size_of::<Small>(),
        size_of::<Cache>(),
        size_of::<Trainer<Small, Adam, CrossEntropy, 1>>()
    );
    let block = 4 * 16 * 16 + 4 * 16 + 2 * 16 * 64 + 64 + 16 + 4 * 16;
    assert_eq!(Small::PARAMETERS, 32 * 16 + 16 * 16 + 2 * block + 2 * 16 + 16 * 32 + 32);
    assert_eq!(size_of_val(&Small::ZERO.layers), 4 * Small::PARAMETERS);
    let kept = (4 * 16 + 2 * 16) * 16;
    let once = 3 * 16 * 16;
    assert_eq!(size_of::<OfAttention>(), 4 * (5 * kept + once));
}

type Copier = Network<
    Tokens<8, 6>,
    (Embedding<8, 16>, LearnedPositions<16, 6>, Residual<SelfAttention<16, 2, Causal>>, Dense<16, 8>),
>;

/// The token of the step before: what stands at a step itself says nothing of it, attention must look back.
///
/// Would catch: attention, an embedding or positions that do not learn.
#[test]
fn attention_learns_to_look_back() {
    static TRAINER: Mutex<Trainer<Copier, Adam, CrossEntropy, 8>> =
        Mutex::new(Trainer::new(Adam::const_new(1e-2), CrossEntropy));
    let mut trainer = TRAINER.lock().expect("no panic before");
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(5);
    let mut net = Copier::ZERO;
    net.init(&mut rng);
    let mut loss = f32::NAN;
    for _ in 0..250 {
        let x: [[usize; 6]; 8] = std::array::from_fn(|_| std::array::from_fn(|_| rng.next_u32() as usize % 8));
        let y = x.map(|x| std::array::from_fn::<_, 6, _>(|step| x[step.saturating_sub(1)]));
        let [x, y] = [x, y].map(|tokens| tokens.map(|tokens| tokens.map(Class::const_new)));
        loss = trainer.step(&mut net, &x, &y);
    }
    assert!(loss < 0.1, "{loss}, chance is {}", 8_f32.ln());
}

/// Training on a stack much smaller than the trainer, in whatever build this is.
///
/// Would catch: a cache, a batch of projections or the probabilities of all steps on the stack.
#[test]
fn a_transformer_trains_on_a_small_stack() {
    type Wide = (Embedding<16, 32>, PositionalEncoding, Block<32, 4, 64>, Block<32, 4, 64>, Dense<32, 16>);
    type Net = Network<Tokens<16, 48>, Wide>;
    type Training = Trainer<Net, Adam, CrossEntropy, 4>;
    static NET: Mutex<Net> = Mutex::new(Net::ZERO);
    static TRAINER: Mutex<Training> = Mutex::new(Trainer::new(Adam::const_new(1e-2), CrossEntropy));
    const STACK: usize = 256 << 10;
    const { assert!(size_of::<Training>() > 5 * STACK) };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(|| {
        let (mut net, mut trainer) = (NET.lock().expect("first"), TRAINER.lock().expect("first"));
        net.init(&mut Xoshiro128PlusPlus::seed_from_u64(1));
        let x: [[Class<16>; 48]; 4] = std::array::from_fn(|b| std::array::from_fn(|t| Class::const_new((b + t) % 16)));
        let losses: [f32; 4] = std::array::from_fn(|_| trainer.step(&mut *net, &x, &x));
        assert_eq!(net.predict(&x[0]).shape(), (16, 48));
        losses
    });
    let [first, .., last] = thread.expect("a thread").join().expect("no overflow");
    assert!(last < first, "from {first} to {last}");
}

/// A layer of PyTorch's by itself.
struct Weights;

impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("data/self_attention.safetensors");
    const NAMES: Names<'static> = Names { prefix: "attn.", pairs: &[] };
}

type One = Network<Sequence<16, 8>, SelfAttention<16, 4>>;
static ONE: One = One::from_file::<Weights>();

fn tensor(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f32>) {
    let view = file.tensor(name).expect("the tensor");
    (view.shape().to_vec(), view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}

/// Would catch: names, shapes or an order in memory that are not PyTorch's, at compile time, at run time, on the way out.
#[test]
fn files() {
    let file = SafeTensors::deserialize(Weights::BYTES).expect("safetensors");
    let (x, y) = (tensor(&file, "x").1, tensor(&file, "y").1);
    for (x, expected) in x.chunks_exact(16 * 8).zip(y.chunks_exact(16 * 8)) {
        let y = ONE.predict(&SMatrix::from_column_slice(x));
        for (y, expected) in y.iter().zip(expected) {
            assert!((y - expected).abs() < 1e-6, "{y}, PyTorch has {expected}");
        }
    }
    let mut loaded = One::ZERO;
    loaded.load_with(Weights::BYTES, &Weights::NAMES).expect("the same file");
    assert_eq!(loaded, ONE);

    let mut buffer = [0; 8192];
    let len = ONE.save(&mut buffer).expect("room");
    let saved = SafeTensors::deserialize(&buffer[..len]).expect("safetensors");
    assert_eq!(saved.len(), 4);
    for name in saved.names() {
        assert_eq!(tensor(&saved, name), tensor(&file, &format!("attn.{name}")), "{name}");
    }

    let mut positions = Network::<Sequence<2, 3>, (LearnedPositions<2, 3>,)>::ZERO;
    positions.layers.0.weight = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let len = positions.save(&mut buffer).expect("room");
    let saved = SafeTensors::deserialize(&buffer[..len]).expect("safetensors");
    assert_eq!(tensor(&saved, "0.weight"), (vec![3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let mut back = Network::<Sequence<2, 3>, (LearnedPositions<2, 3>,)>::ZERO;
    back.load(&buffer[..len]).expect("our own file");
    assert_eq!(back, positions);
}

#[test]
#[cfg(feature = "serde")]
fn serde() {
    let text = serde_json::to_string(&ONE).expect("finite numbers");
    assert!(text.contains("\"in_proj_weight\":[") && text.contains("\"out_proj.bias\":["), "{text}");
    assert_eq!(serde_json::from_str::<One>(&text).expect("our own text"), ONE);
}
