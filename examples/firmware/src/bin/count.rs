//! What predictions and training steps take in instructions: the table of README.md.
#![no_std]
#![no_main]

use constnet::layer::Layer;
use constnet::network::Workspace;
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{ConstZero, Network};
use constnet_firmware::count::Counter;
use constnet_firmware::nets;
use constnet_firmware::once::Once;
use constnet_firmware::text::Right;
use constnet_firmware::{entry, say, stack};

entry!(main);

fn main() -> bool {
    let counter = Counter::new();
    let Some(workspace) = WORKSPACE.take() else { return false };
    let mut beside = Beside { workspace, deepest: 0 };
    say!["instructions  stack  bound  (Network::FORWARD_BYTES, to which code adds some)"];
    let mut holds = predict("XOR 2-4-1 sigmoid", &counter, &nets::XOR, &mut beside);
    holds &= predict("POLICY 13-64-64-4 tanh", &counter, &nets::POLICY, &mut beside);
    holds &= predict("SMALL 64-32-10 relu, softmax", &counter, &nets::SMALL, &mut beside);
    #[cfg(not(board = "microbit"))]
    {
        holds &= predict("MNIST 784-64-64-10", &counter, &nets::MNIST, &mut beside);
        holds &= predict("AE 640-128x4-8-128x4-640", &counter, &nets::AUTOENCODER, &mut beside);
        holds &= steps::run(&counter);
    }
    let bytes = u32::try_from(beside.deepest).unwrap_or(u32::MAX);
    say![
        "stack beside a workspace of ",
        Shared::BYTES,
        " bytes for all: ",
        bytes,
        " bytes at most, of ",
        stack::CODE_BYTES
    ];
    holds && beside.deepest <= stack::CODE_BYTES
}

fn row(name: &str, instructions: u32, stack: usize, bound: usize) {
    let number = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
    say![Right::<12>(instructions), Right::<7>(number(stack)), Right::<7>(number(bound)), "  ", name];
}

/// One memory for all of them, as they take turns.
#[cfg(not(board = "microbit"))]
type Shared = Workspace<(nets::Xor, nets::Policy, nets::Small, (nets::Mnist, nets::Autoencoder))>;
#[cfg(board = "microbit")]
type Shared = Workspace<(nets::Xor, nets::Policy, nets::Small)>;

/// Predictions with the tensors between layers in that memory.
struct Beside {
    workspace: &'static mut Shared,
    /// What they take of the stack at most, without their outputs.
    deepest: usize,
}

static WORKSPACE: Once<Shared> = Once::new(Shared::ZERO);

/// One prediction. Whether the stack is within its bound. The compiler knows neither the network nor the input: `count` hides them.
#[inline(never)]
fn predict<In: Shape, L: Layer<In>>(
    name: &str,
    counter: &Counter,
    net: &'static Network<In, L>,
    beside: &mut Beside,
) -> bool
where
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    let mut x = TensorOf::<In, f32>::ZERO;
    let mut state = 7;
    x.as_mut_slice().fill_with(|| {
        state = nets::next(state);
        nets::uniform(state)
    });
    let mut y = ConstZero::ZERO;
    let ((), instructions) = counter.count(|(net, x, y)| forward(net, x, y), (net, &x, &mut y));
    let ((), stack) = stack::high_water(|| forward(net, &x, &mut y));
    let bound = Network::<In, L>::FORWARD_BYTES;
    row(name, instructions, stack, bound);
    let ((), taken) = stack::high_water(|| forward_in(net, beside.workspace, &x, &mut y));
    // The output is on the stack before it is where it belongs, and once more on the way.
    beside.deepest = beside.deepest.max(taken.saturating_sub(2 * size_of::<TensorOf<L::Out, f32>>()));
    stack <= bound + stack::CODE_BYTES
}

#[inline(never)]
fn forward<In: Shape, L: Layer<In>>(net: &Network<In, L>, x: &TensorOf<In, f32>, y: &mut TensorOf<L::Out, f32>) {
    net.forward(x, y);
}

#[inline(never)]
fn forward_in<In: Shape, L: Layer<In>>(
    net: &Network<In, L>,
    workspace: &mut Shared,
    x: &TensorOf<In, f32>,
    y: &mut TensorOf<L::Out, f32>,
) where
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    *y = net.predict_in(workspace, x);
}

/// Training steps of stochastic gradient descent, one sample each.
#[cfg(not(board = "microbit"))]
mod steps {
    use super::row;
    use constnet::loss::{CrossEntropy, Mse};
    use constnet::nalgebra::SVector;
    use constnet::optimizer::Sgd;
    use constnet::train::{Memory, Trainer};
    use constnet::{Class, init::Init};
    use constnet_firmware::count::Counter;
    use constnet_firmware::nets::{Mnist, Policy};
    use constnet_firmware::once::Once;
    use constnet_firmware::stack;
    use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

    static POLICY: Once<Policy> = Once::new(Policy::ZERO);
    static POLICY_MEMORY: Once<Memory<Policy, Sgd, 1>> = Once::new(Memory::ZERO);
    static MNIST: Once<Mnist> = Once::new(Mnist::ZERO);
    static MNIST_MEMORY: Once<Memory<Mnist, Sgd, 1>> = Once::new(Memory::ZERO);

    /// Whether a step takes no more of the stack than its code may.
    pub(super) fn run(counter: &Counter) -> bool {
        let (Some(policy), Some(policy_memory), Some(mnist), Some(mnist_memory)) =
            (POLICY.take(), POLICY_MEMORY.take(), MNIST.take(), MNIST_MEMORY.take())
        else {
            return false;
        };
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let rule = const { Sgd::const_new(1e-3) };

        policy.init_with(Init::default(), &mut rng);
        let mut trainer = Trainer::with_memory(rule, Mse, policy_memory);
        let (x, y) = ([SVector::from_element(0.5)], [SVector::<f32, 4>::from_element(0.25)]);
        let mut step = |x: &[SVector<f32, 13>; 1]| trainer.step(policy, x, &y);
        let (_, instructions) = counter.count(&mut step, &x);
        let (_, stack) = stack::high_water(|| step(&x));
        row("POLICY, one SGD step, batch 1", instructions, stack, 0);
        let fits = stack <= stack::CODE_BYTES;

        mnist.init_with(Init::default(), &mut rng);
        let mut trainer = Trainer::with_memory(rule, CrossEntropy, mnist_memory);
        let (x, y) = ([SVector::from_element(0.5)], [const { Class::<10>::const_new(3) }]);
        let mut step = |x: &[SVector<f32, 784>; 1]| trainer.step(mnist, x, &y);
        let (_, instructions) = counter.count(&mut step, &x);
        let (_, stack) = stack::high_water(|| step(&x));
        row("MNIST, one SGD step, batch 1", instructions, stack, 0);
        fits && stack <= stack::CODE_BYTES
    }
}
