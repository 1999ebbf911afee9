//! The networks of MLPerf Tiny compile, have the parameters of the reference models, and predict from statics.
//!
//! Would catch: a shape that the arithmetic of types does not reach or gets wrong, weights on the stack of a prediction, or tensors
//! between the layers that pile up there. The weights of a convolution do not grow with its pictures, but the tensors do: so the
//! same layers predict once more on small ones, on a stack that has no room for the weights.
#![cfg(feature = "rand")]

#[path = "../examples/support/mlperf_tiny.rs"]
mod mlperf_tiny;

use constnet::layer::{Layer, Parameters};
use constnet::shape::argument::TensorFor;
use constnet::shape::{Tensor, TensorOf};
use constnet::{ConstZero, Image, Network, shape::Shape};
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

/// Random weights in a static, and two predictions in a thread with this stack. The outputs are finite and of the right number.
fn predicts<In: Shape, L>(net: &'static Mutex<Network<In, L>>, outputs: usize, stack: usize) -> [Vec<f32>; 2]
where
    L: Layer<In> + Parameters<f32> + Send,
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    let thread = thread::Builder::new().stack_size(stack).spawn(move || {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let mut net = net.lock().expect("nobody else");
        net.init(&mut rng);
        let mut both = Box::new(<[TensorOf<In, f32>; 2]>::ZERO);
        for x in both.iter_mut().flat_map(Tensor::as_mut_slice) {
            *x = rng.random_range(0.0..1.0);
        }
        both.each_ref().map(|x| net.predict(x).as_slice().to_vec())
    });
    let [a, b] = thread.expect("a thread").join().expect("a stack that is large enough");
    assert_eq!(a.len(), outputs);
    assert!(a.iter().chain(&b).all(|y| y.is_finite()), "{a:?} {b:?}");
    [a, b]
}

/// The output depends on the input.
fn differ([a, b]: &[Vec<f32>; 2]) {
    assert_ne!(a, b);
}

static DS_CNN: Mutex<DsCnn> = Mutex::new(DsCnn::ZERO);
static AUTOENCODER: Mutex<Autoencoder> = Mutex::new(Autoencoder::ZERO);
static RES_NET: Mutex<ResNet8> = Mutex::new(ResNet8::ZERO);
static MOBILE_NET: Mutex<MobileNet> = Mutex::new(MobileNet::ZERO);

/// The layers of a network.
trait OfLayers {
    type Layers;
}

impl<In: Shape, L: Layer<In>> OfLayers for Network<In, L> {
    type Layers = L;
}

/// The same layers over a small picture.
type Small<N, const C: usize> = Network<Image<C, 4, 4>, <N as OfLayers>::Layers>;

static SMALL_DS_CNN: Mutex<Small<DsCnn, 1>> = Mutex::new(Small::<DsCnn, 1>::ZERO);
static SMALL_RES_NET: Mutex<Small<ResNet8, 3>> = Mutex::new(Small::<ResNet8, 3>::ZERO);
static SMALL_MOBILE_NET: Mutex<Small<MobileNet, 3>> = Mutex::new(Small::<MobileNet, 3>::ZERO);

/// For the tensors between the layers, and for what a thread needs by itself.
const SMALL_STACK: usize = 96 << 10;

/// Would catch: a layer, or all of them, that a prediction copies.
#[test]
fn no_weights_on_the_stack() {
    const { assert!(SMALL_STACK < size_of::<DsCnn>()) };
    predicts(&SMALL_DS_CNN, 12, SMALL_STACK);
    const { assert!(SMALL_STACK * 3 < size_of::<ResNet8>()) };
    predicts(&SMALL_RES_NET, 10, SMALL_STACK);
    const { assert!(SMALL_STACK * 8 < size_of::<MobileNet>()) };
    predicts(&SMALL_MOBILE_NET, 2, SMALL_STACK);
}

#[test]
fn keyword_spotting() {
    differ(&predicts(&DS_CNN, 12, 1 << 20));
}

#[test]
fn anomalies() {
    const { assert!(SMALL_STACK * 10 < size_of::<Autoencoder>()) };
    differ(&predicts(&AUTOENCODER, 640, SMALL_STACK));
}

#[test]
fn pictures() {
    differ(&predicts(&RES_NET, 10, 2 << 20));
}

#[test]
fn people() {
    differ(&predicts(&MOBILE_NET, 2, 8 << 20));
}
