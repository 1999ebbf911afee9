//! A prediction takes no more of the stack than `FORWARD_BYTES` and the bytes of code that the README states, in whatever build this is.
//!
//! The stack is painted before, and looked at after.
//!
//! Would catch: a tensor that the plan does not know, one that the plan has and the stack once more, scratch of a layer that grows with
//! its sizes.
#![cfg(feature = "rand")]

#[path = "../examples/support/mlperf_tiny.rs"]
mod mlperf_tiny;

use constnet::layer::{Layer, Parameters};
use constnet::network::Workspace;
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{
    BatchNorm, Bidirectional, Causal, Concat, ConstZero, Conv2d, ConvTranspose2d, Dense, Flatten, Gelu, GroupNorm, Gru,
    Image, Last, LayerNorm, LearnedPositions, LogSoftmax, Lstm, MaxPool2d, Network, Parallel, Relu, Residual, RmsNorm,
    Rnn, Same, SelfAttention, Sequence, Softmax, Stride, Tanh, TimeDistributed, Upsample, Vector,
};
use mlperf_tiny::{Autoencoder, DsCnn, MobileNet, ResNet8};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};
use std::hint::black_box;
use std::thread;

/// What code takes, beside the tensors: the figures of the README, for a computer.
const CODE_BYTES: usize = if cfg!(debug_assertions) { 96 << 10 } else { 8 << 10 };

/// As much is painted below the frame of [`depth`], but for its callees' first bytes.
const MOST: usize = 2 << 20;
const LEAST: usize = 768;
const PAINT: u32 = 0xA5C3_5A3C;

/// How many bytes of the stack `f` takes below the caller's frame: [`LEAST`] or more.
#[inline(never)]
#[allow(unsafe_code)]
fn depth(f: &mut dyn FnMut()) -> usize {
    let here = black_box(0_usize);
    let top = &raw const here as usize / 4 * 4;
    let (bottom, end) = (top - MOST, top - LEAST);
    for at in (bottom..end).step_by(4) {
        // SAFETY: this lies within the thread's stack, which is larger, and far enough below every frame that is alive.
        unsafe { core::ptr::write_volatile(at as *mut u32, PAINT) };
    }
    f();
    // SAFETY: as above.
    let lowest = (bottom..end).step_by(4).find(|&at| unsafe { core::ptr::read_volatile(at as *const u32) } != PAINT);
    top - lowest.unwrap_or(end)
}

/// Whether `predict`, `forward` and `predict_in` take what they were told, and no more than [`CODE_BYTES`] besides.
fn holds<In: Shape, L: Layer<In> + Parameters<f32>>(name: &str) -> bool
where
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    let thread = thread::Builder::new().stack_size(64 << 20).spawn(|| {
        let mut net = Box::new(Network::<In, L>::ZERO);
        net.init(&mut Xoshiro128PlusPlus::seed_from_u64(1));
        let mut x = Box::new(TensorOf::<In, f32>::ZERO);
        x.as_mut_slice().iter_mut().zip((0_u8..7).cycle()).for_each(|(x, i)| *x = f32::from(i) / 7.0);
        let mut workspace = Box::new(Workspace::<Network<In, L>>::ZERO);
        let mut y = Box::new(TensorOf::<L::Out, f32>::ZERO);
        let output = size_of::<TensorOf<L::Out, f32>>();
        // A large output that is returned may be on the stack once more, on its way.
        let copy = if output > 256 { output } else { 0 };
        // The processor's set of instructions is asked for once.
        Layer::<In, f32>::forward(&*net, &x, &mut y);
        let predict = depth(&mut || {
            black_box(&net.predict(&*x));
        });
        let forward = depth(&mut || Layer::<In, f32>::forward(&*net, &x, &mut y));
        let predict_in = depth(&mut || {
            black_box(&net.predict_in(&mut workspace, &*x));
        });
        let told = Network::<In, L>::FORWARD_BYTES;
        [(predict, told + copy), (forward, told - output), (predict_in, output + copy)]
    });
    let rows = thread.expect("a thread").join().expect("a stack that is large enough");
    println!("{name}: bytes taken, and told: {rows:?}");
    rows.iter().all(|&(taken, told)| taken <= told + CODE_BYTES)
}

macro_rules! holds {
    ($($name:ident: $In:ty, $L:ty;)+) => { $(
        #[test]
        fn $name() {
            assert!(holds::<$In, $L>(stringify!($name)));
        }
    )+ };
}
holds! {
    dense: Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>, Softmax);
    wide: Vector<64>, (Dense<64, 2048>, Tanh, Dense<2048, 2048>, Tanh, Dense<2048, 10>);
    nested: Vector<64>, ((Dense<64, 512>, (Relu, (Dense<512, 700>, Tanh)), Dense<700, 600>), ((Relu,), Dense<600, 10>));
    residuals: Vector<256>, (
        Residual<(Dense<256, 300>, Relu, Residual<(Dense<300, 400>, Tanh, Dense<400, 300>)>, Dense<300, 256>)>,
        Dense<256, 10>,
    );
    branches: Vector<256>, (
        Parallel<(Dense<256, 500>, Relu, Dense<500, 300>), Parallel<Dense<256, 300>, Residual<Dense<256, 256>>, Concat>, Concat>,
        Dense<856, 10>,
    );
    recurrent: Sequence<12, 60>, (Gru<12, 64>, Bidirectional<Lstm<64, 32>>, Rnn<64, 48>, Last, Dense<48, 10>);
    transformer: Sequence<32, 64>, (
        LearnedPositions<32, 64>,
        Residual<(LayerNorm<32>, SelfAttention<32, 4, Causal>)>,
        Residual<(LayerNorm<32>, Dense<32, 64>, Gelu, Dense<64, 32>)>,
        RmsNorm<32>,
        TimeDistributed<(Dense<32, 48>, Relu, Dense<48, 20>)>,
    );
    pictures: Image<4, 24, 24>, (
        Conv2d<4, 8, 3, 3, Stride, Same>,
        BatchNorm<8>,
        Relu,
        MaxPool2d<2>,
        GroupNorm<2, 8>,
        Upsample<2>,
        ConvTranspose2d<8, 4, 3>,
        Flatten,
        Dense<2704, 10>,
        LogSoftmax,
    );
}

#[test]
fn mlperf_tiny_networks() {
    fn of<In: Shape, L: Layer<In> + Parameters<f32>>(_: fn() -> Network<In, L>, name: &str) -> bool
    where
        TensorOf<In, f32>: TensorFor<In, f32>,
    {
        holds::<In, L>(name)
    }
    assert!(of(|| DsCnn::ZERO, "DS-CNN"));
    assert!(of(|| Autoencoder::ZERO, "autoencoder"));
    assert!(of(|| ResNet8::ZERO, "ResNet-8"));
    assert!(of(|| MobileNet::ZERO, "MobileNet"));
}
