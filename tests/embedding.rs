//! Tokens and embeddings: against PyTorch's one-hot product, by differences, through training, files and metrics.
#![cfg(feature = "rand")]

use constnet::data::Dataset;
use constnet::layer::{Both, Differentiable, Gradient, Layer, Parameters};
use constnet::loss::CrossEntropy;
use constnet::metrics::step_accuracy;
use constnet::nalgebra::SMatrix;
use constnet::optimizer::Adam;
use constnet::safetensors::{File, Names};
use constnet::train::{Fit, Trainer};
use constnet::{Class, ConstZero, Dense, Embedding, Gru, Network, Tokens, gradcheck};
use rand::{SeedableRng, rngs::StdRng};
use safetensors::SafeTensors;

/// PyTorch's results for a linear layer of 5 one-hot inputs and 4 outputs.
const CASE: &[u8] = include_bytes!("data/embedding.safetensors");

fn numbers(name: &str) -> Vec<f32> {
    let tensor = SafeTensors::deserialize(CASE).expect("safetensors").tensor(name).expect("the tensor").data().to_vec();
    tensor.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// The layer's table is the linear layer's weight, transposed.
fn table(name: &str) -> [[f32; 4]; 5] {
    let weight = numbers(name);
    std::array::from_fn(|token| std::array::from_fn(|d| weight[d * 5 + token]))
}

/// Would catch: rows taken for columns, a gradient that is not added up over tokens that repeat.
#[test]
fn agrees_with_pytorch() {
    let layer = Embedding::new(table("0.weight"));
    let tokens: Vec<[Class<5>; 1]> = numbers("x")
        .chunks_exact(5)
        .map(
            |x| [Class::new(x.iter().position(|x| x.to_bits() == 1_f32.to_bits()).expect("one-hot")).expect("below 5")],
        )
        .collect();
    let x: [[Class<5>; 1]; 3] = tokens.try_into().expect("three samples");
    let mut y = [SMatrix::<f32, 4, 1>::zeros(); 3];
    layer.forward_train(&x, &mut (), &mut y);
    let flat: Vec<f32> = y.iter().flatten().copied().collect();
    assert_eq!(flat, numbers("y"));

    // The mean of squares over 12 numbers.
    let target = numbers("target");
    let dy: [SMatrix<f32, 4, 1>; 3] =
        std::array::from_fn(|i| SMatrix::from_fn(|d, _| (y[i][d] - target[i * 4 + d]) * 2.0 / 12.0));
    let mut gradient = Embedding::ZERO;
    layer.backward(&x, &y, &mut (), &dy, Gradient::adding(&mut gradient), None);
    for (ours, theirs) in gradient.weight.as_flattened().iter().zip(table("grad.0.weight").as_flattened()) {
        assert!((ours - theirs).abs() < 1e-7, "{ours}, PyTorch has {theirs}");
    }
}

/// Would catch: a gradient that overwrites, a token that is left out.
#[test]
fn gradients() {
    let tokens = [[1, 4, 1], [0, 0, 0], [4, 3, 2]].map(|tokens| tokens.map(Class::<5>::const_new));
    let mut embedding = Embedding::<5, 2, f64>::new([[0.5, -1.0], [0.25, 2.0], [1.5, 0.75], [-0.5, 1.0], [3.0, 0.1]]);
    let report = gradcheck::layer::<Tokens<5, 3>, _, 3>(&mut embedding, &tokens);
    assert!(report.max_relative_error < 1e-6, "{report}");
    assert_eq!(report.compared, 4 * 10);

    let one = [[Class::<1>::const_new(0)]];
    let mut smallest = Embedding::<1, 1, f64>::new([[2.0]]);
    let report = gradcheck::layer::<Tokens<1, 1>, _, 1>(&mut smallest, &one);
    assert!(report.max_relative_error < 1e-6, "{report}");

    let mut layers = (embedding, Dense::<2, 3, f64>::ZERO, constnet::Tanh, Dense::<3, 5, f64>::ZERO);
    let mut i = 0.0;
    Parameters::<f64>::zip([&mut layers], &mut |_, [values]| {
        values.fill_with(|| {
            i += 1.0;
            f64::sin(i)
        });
    });
    let mut net = Network::<Tokens<5, 3>, _, f64>::new(layers);
    let report = gradcheck::network(&mut net, &CrossEntropy, &tokens, &tokens);
    assert!(report.max_relative_error < 1e-6, "{report}");
}

/// A text of 30 tokens in windows of 4: what follows each is known, so the loss can fall to 0.
///
/// Would catch: a batch that is gathered through the slice of numbers, which is empty, and holds class 0 everywhere; a last,
/// smaller batch that repeats the wrong samples.
#[test]
fn training_learns_what_follows() {
    type Net = Network<Tokens<7, 4>, (Embedding<7, 6>, Dense<6, 7>)>;
    let text: Vec<Class<7>> = (0..30).map(|i| Class::new((i * 3) % 7).expect("below 7")).collect();
    let windows = |from: usize| -> Vec<[Class<7>; 4]> {
        text[from..].windows(4).take(25).map(|w| w.try_into().expect("four")).collect()
    };
    let (x, y) = (windows(0), windows(1));
    let data = Dataset::new(&x, &y).expect("as many");
    let mut net = Net::ZERO;
    net.init(&mut StdRng::seed_from_u64(1));
    let mut trainer = Trainer::<Net, _, _, 8>::new(Adam::const_new(0.05), CrossEntropy);
    let before = trainer.evaluate(&net, data);
    let report = trainer.fit(&mut net, data, Fit::epochs(60).validation(data), &mut ()).expect("finite losses");
    assert!(before > 1.5 && report.loss < 0.05, "from {before} to {}", report.loss);
    let all: Vec<_> = x.iter().map(|x| net.predict(x)).collect();
    let accuracy = step_accuracy(all.iter().zip(&y));
    assert!((accuracy - 1.0).abs() < 1e-12, "{accuracy}");

    // A step takes arrays of tokens.
    let loss = trainer.step(&mut net, &[x[0]; 8], &[y[0]; 8]);
    assert!(loss < 0.05);
}

/// Would catch: steps that are counted for another sample, or in the wrong class.
#[test]
fn accuracy_of_steps() {
    let scores = [SMatrix::<f32, 2, 3>::from([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), SMatrix::from_element(f32::NAN)];
    let classes = [[0, 0, 0], [0, 1, 0]].map(|classes| classes.map(Class::<2>::const_new));
    let accuracy = step_accuracy(scores.iter().zip(&classes));
    assert!((accuracy - 2.0 / 6.0).abs() < 1e-12, "{accuracy}");
    assert!(step_accuracy(scores.iter().zip(&classes).take(0)).is_nan());
}

struct Weights;

impl File for Weights {
    const BYTES: &'static [u8] = CASE;
    const NAMES: Names<'static> = Names { prefix: "0.", pairs: &[] };
}

/// The file's weight is [4, 5]: as a table, 4 tokens of 5 numbers.
static NET: Network<Tokens<4, 2>, Embedding<4, 5>> = Network::from_file::<Weights>();

/// Would catch: a table that a file holds transposed, at compile time or at run time.
#[test]
fn files() {
    let weight = numbers("0.weight");
    let y = NET.predict(&[Class::const_new(3), Class::const_new(0)]);
    assert_eq!(y.as_slice(), [&weight[15..20], &weight[..5]].concat());

    let mut loaded = Network::<Tokens<4, 2>, Embedding<4, 5>>::ZERO;
    loaded.load_with(CASE, &Weights::NAMES).expect("the same file");
    assert_eq!(loaded, NET);

    let mut buffer = [0; 1024];
    let len = NET.save(&mut buffer).expect("room");
    let bytes = &buffer[..len];
    let file = SafeTensors::deserialize(bytes).expect("safetensors");
    assert_eq!(file.tensor("weight").expect("its key").shape(), [4, 5]);
    let mut back = Network::<Tokens<4, 2>, Embedding<4, 5>>::ZERO;
    back.load(bytes).expect("our own file");
    assert_eq!(back, NET);
}

#[test]
#[cfg(feature = "serde")]
fn serde() {
    let text = serde_json::to_string(&NET).expect("finite numbers");
    let back: Network<Tokens<4, 2>, Embedding<4, 5>> = serde_json::from_str(&text).expect("our own text");
    assert_eq!(back, NET);
}

/// A layer of one's own over tokens sees classes.
#[test]
fn tokens_are_classes() {
    struct Mean;
    impl<const N: usize, const L: usize> Layer<Tokens<N, L>> for Mean {
        type Out = constnet::Vector<1>;
        type Peak<X, Y> = Both<X, Y>;
        fn forward(&self, x: &[Class<N>; L], y: &mut SMatrix<f32, 1, 1>) {
            let sum: usize = x.iter().map(|token| token.index()).sum();
            y[0] = f32::from(u16::try_from(sum).expect("small")) / f32::from(u16::try_from(L).expect("small"));
        }
    }
    let net = Network::<Tokens<9, 4>, _>::new((Mean, constnet::Relu));
    let mean = net.predict(&[8, 0, 3, 1].map(Class::const_new))[0];
    assert!((mean - 3.0).abs() < 1e-6, "{mean}");
}

/// Would catch: a token that is looked up elsewhere, or a state that is not passed on.
#[test]
fn token_by_token() {
    type Net = Network<Tokens<7, 9>, (Embedding<7, 4>, Gru<4, 5>, Dense<5, 7>)>;
    let mut net = Net::ZERO;
    net.init(&mut StdRng::seed_from_u64(2));
    let text: [Class<7>; 9] = std::array::from_fn(|i| Class::const_new(i * i % 7));
    let whole = net.predict(&text);
    let mut state = Net::start();
    for (token, expected) in text.into_iter().zip(whole.column_iter()) {
        assert_eq!(net.step(&mut state, token), expected);
    }
}
