//! A layer of your own: what to write, how to know that its gradients are right, and how to use it.
//!
//! The layer is Snake, an activation with a trainable frequency for each of its numbers. It is a line with a wave on it, so a
//! network of it can carry a wave on beyond what it was trained on, which one of tanh cannot.
//!
//! ```text
//! y = x + sin(a x)^2 / a,    a = exp(frequency)
//! ```
//!
//! Ziyin, Hartwig & Ueda (2020), "Neural networks fail to learn periodic functions and how to fix it". The exponential keeps `a`
//! above 0.
//!
//! ```text
//! cargo run --release --example own_layer
//! ```

use constnet::data::Dataset;
use constnet::layer::{Both, Differentiable, Gradient, Layer, Parameter, Parameters, Path, Role};
use constnet::loss::Mse;
use constnet::nalgebra::{SVector, Vector1};
use constnet::network::Model;
use constnet::optimizer::Adam;
use constnet::optimizer::schedule::Cosine;
use constnet::scalar::{Element, Scalar};
use constnet::train::{Fit, Trainer};
use constnet::{ConstZero, Dense, Network, Tanh, Vector, gradcheck, memcheck};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;

#[derive(Debug, Clone, PartialEq)]
struct Snake<const N: usize, T = f32> {
    frequency: SVector<T, N>,
}

// 1. A constant zero. It is the start of training and of every gradient; here it means `a = 1`.
impl<const N: usize, T: Element> ConstZero for Snake<N, T> {
    const ZERO: Self = Self { frequency: ConstZero::ZERO };
}

// 2. The forward pass, which is all that prediction needs.
impl<const N: usize, T: Scalar> Layer<Vector<N>, T> for Snake<N, T> {
    type Out = Vector<N>;
    type Peak<X, Y> = Both<X, Y>;

    fn forward(&self, x: &SVector<T, N>, y: &mut SVector<T, N>) {
        for ((&x, y), frequency) in x.iter().zip(y).zip(&self.frequency) {
            let a = frequency.exp();
            let sine = sin(a * x);
            *y = x + sine * sine / a;
        }
    }
}

// 3. The parameters. `zip` is what optimisers walk over. As a bias they start at 0, and no penalty on weights counts them.
impl<const N: usize, T: Element> Parameters<T> for Snake<N, T> {
    const COUNT: usize = N;

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        f(&frequency::<N>(path), self.frequency.as_slice());
    }

    fn zip_at<const ALL: usize>(
        all: [&mut Self; ALL],
        path: Path<'_>,
        f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; ALL]),
    ) {
        f(&frequency::<N>(path), all.map(|layer| layer.frequency.as_mut_slice()));
    }
}

/// What files and initialisers want to know of the parameter.
const fn frequency<const N: usize>(path: Path<'_>) -> Parameter<'_> {
    Parameter { path, name: "frequency", role: Role::Bias { fan_in: 1 }, shape: &[N], order: &[0] }
}

// 4. The backward pass, for a batch: `dx` is overwritten, and the gradient of the parameters is added to.
impl<const N: usize, T: Scalar> Differentiable<Vector<N>, T> for Snake<N, T> {
    // What the forward pass would leave for it, were there anything worth keeping.
    type Cache<const B: usize> = ();

    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[SVector<T, N>; B],
        _: &[SVector<T, N>; B],
        (): &mut (),
        dy: &[SVector<T, N>; B],
        gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [SVector<T, N>; B]>,
    ) {
        let gradient = gradient.to_add();
        let mut unwanted = ConstZero::ZERO;
        for ((x, dy), dx) in x.iter().zip(dy).zip(dx.unwrap_or(&mut unwanted)) {
            for i in 0..N {
                let a = self.frequency[i].exp();
                // dy/dx = 1 + 2 sin(a x) cos(a x)
                let (sine, wave) = (sin(a * x[i]), sin(a * x[i] + a * x[i]));
                dx[i] = dy[i] * (T::ONE + wave);
                // dy/da = x wave / a - sin(a x)^2 / a^2, and da/dfrequency = a
                gradient.frequency[i] += dy[i] * (x[i] * wave - sine * sine / a);
            }
        }
    }
}

/// `Scalar` has no sine: it is computed in `f64`.
fn sin<T: Scalar>(x: T) -> T {
    T::from_f64(x.to_f64().sin())
}

// 5. From here on it is a layer like any other.
type Waves = Network<Vector<1>, (Dense<1, 16>, Snake<16>, Dense<16, 1>)>;
type Levels = Network<Vector<1>, (Dense<1, 16>, Tanh, Dense<16, 1>)>;

fn main() -> Result<(), Box<dyn Error>> {
    check()?;

    // A wave that rises, in steps of a tenth from -4 to 4.
    let x: Vec<_> = (-40_i8..=40).map(|i| Vector1::new(f32::from(i) / 10.0)).collect();
    let y: Vec<_> = x.iter().map(|x| x.map(target)).collect();
    let data = Dataset::new(&x, &y)?;
    let (mut waves, mut levels) = (Waves::ZERO, Levels::ZERO);
    waves.init(&mut StdRng::seed_from_u64(1));
    levels.init(&mut StdRng::seed_from_u64(1));
    println!("training loss with Snake {:.6}, with Tanh {:.6}", train(&mut waves, data)?, train(&mut levels, data)?);

    println!("      x   target    Snake     Tanh");
    for x in [-6.0, -5.0, -2.0, 0.0, 2.0, 5.0, 6.0] {
        let input = Vector1::new(x);
        let (snake, tanh) = (waves.predict(&input)[0], levels.predict(&input)[0]);
        let place = if x.abs() > 4.0 { "   outside of what it was trained on" } else { "" };
        println!("   {x:4.1}  {:7.3}  {snake:7.3}  {tanh:7.3}{place}", target(x));
    }
    Ok(())
}

/// Compares the backward pass with differences of the forward pass: first that of the layer alone, on a batch of 3, then that of
/// a network around it with its loss. The layer also has to predict wherever its input and its output lie.
fn check() -> Result<(), Box<dyn Error>> {
    let mut layer = Snake::<2, f64> { frequency: SVector::from([0.3, -0.7]) };
    let inputs = [[0.5, -1.0], [2.0, 0.25], [-3.0, 1.5]].map(SVector::from);
    accept("Snake", gradcheck::layer::<Vector<2>, _, 3>(&mut layer, &inputs))?;
    memcheck::layer(&layer, &inputs[0])?;

    let mut net = Network::<Vector<2>, (Dense<2, 2, f64>, Snake<2, f64>, Dense<2, 1, f64>), f64>::ZERO;
    net.init(&mut StdRng::seed_from_u64(1));
    let targets = [0.5, -0.5, 1.0].map(Vector1::new);
    accept("a network with Snake", gradcheck::network::<Vector<2>, _, _, _, 3>(&mut net, &Mse, &inputs, &targets))
}

fn accept(what: &str, report: gradcheck::Report) -> Result<(), Box<dyn Error>> {
    println!("{what}: {report}");
    if report.max_relative_error < 1e-6 { Ok(()) } else { Err(format!("the backward pass of {what} is wrong").into()) }
}

fn target(x: f32) -> f32 {
    0.5 * x + (2.0 * x).sin()
}

/// Trains a network, and returns its loss on the data.
fn train<N: Model<In = Vector<1>, Scalar = f32> + Layer<Vector<1>, Out = Vector<1>>>(
    net: &mut N,
    data: Dataset<'_, Vector1<f32>, Vector1<f32>>,
) -> Result<f32, Box<dyn Error>> {
    const BATCH: usize = 9;
    const EPOCHS: usize = 1_000;
    let mut trainer = Trainer::<N, _, _, BATCH>::new(Adam::new(0.01)?, Mse);
    let mut schedule = Cosine::new((EPOCHS * data.batches(BATCH)) as u64, 0.0)?;
    trainer.fit(net, data, Fit::epochs(EPOCHS).schedule(&mut schedule), &mut ())?;
    Ok(trainer.evaluate(net, data))
}
