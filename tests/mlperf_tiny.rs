//! The networks of MLPerf Tiny compile, have the parameters of the reference models, and predict from statics.
//!
//! Would catch: a shape that the arithmetic of types does not reach or gets wrong, weights on the stack of a prediction, or tensors
//! between the layers that pile up there.
#![cfg(feature = "rand")]

#[path = "../examples/support/mlperf_tiny.rs"]
mod mlperf_tiny;

use constnet::layer::Layer;
use constnet::shape::{Tensor, TensorOf};
use constnet::{ConstZero, Network, shape::Shape};
use mlperf_tiny::{Autoencoder, DsCnn, MobileNet, ResNet8};
use rand::{RngExt, SeedableRng, rngs::Xoshiro128PlusPlus};
use std::sync::Mutex;
use std::thread;

/// As Keras counts those of the reference models, running averages included.
#[test]
fn parameters() {
    assert_eq!(DsCnn::PARAMETERS, 24_908);
    assert_eq!(Autoencoder::PARAMETERS, 269_992);
    assert_eq!(ResNet8::PARAMETERS, 78_666);
    assert_eq!(MobileNet::PARAMETERS, 221_794);
}

/// Random weights in a static, and two predictions in a thread with this stack. The outputs are finite, of the right number, and
/// depend on the input.
fn predicts<In: Shape, L>(net: &'static Mutex<Network<In, L>>, outputs: usize, stack: usize)
where
    L: Layer<In> + constnet::layer::Parameters<f32> + Send,
{
    let thread = thread::Builder::new().stack_size(stack).spawn(move || {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let mut net = net.lock().expect("nobody else");
        net.init(&mut rng);
        let mut both = Box::new(<[TensorOf<In, f32>; 2]>::ZERO);
        for x in both.iter_mut().flat_map(Tensor::as_mut_slice) {
            *x = rng.random_range(0.0..1.0);
        }
        let [a, b] = both.each_ref().map(|x| {
            let mut y = Box::new(TensorOf::<L::Out, f32>::ZERO);
            net.layers.forward(x, &mut y);
            y.as_slice().to_vec()
        });
        (a, b)
    });
    let (a, b) = thread.expect("a thread").join().expect("a stack that is large enough");
    assert_eq!(a.len(), outputs);
    assert!(a.iter().chain(&b).all(|y| y.is_finite()), "{a:?} {b:?}");
    assert_ne!(a, b);
}

static DS_CNN: Mutex<DsCnn> = Mutex::new(DsCnn::ZERO);
static AUTOENCODER: Mutex<Autoencoder> = Mutex::new(Autoencoder::ZERO);
static RES_NET: Mutex<ResNet8> = Mutex::new(ResNet8::ZERO);
static MOBILE_NET: Mutex<MobileNet> = Mutex::new(MobileNet::ZERO);

#[test]
fn keyword_spotting() {
    predicts(&DS_CNN, 12, 1 << 20);
}

/// A sixteenth of the weights.
#[test]
fn anomalies() {
    const STACK: usize = 64 << 10;
    const { assert!(STACK * 16 < size_of::<Autoencoder>()) };
    predicts(&AUTOENCODER, 640, STACK);
}

#[test]
fn pictures() {
    predicts(&RES_NET, 10, 2 << 20);
}

#[test]
fn people() {
    predicts(&MOBILE_NET, 2, 8 << 20);
}
