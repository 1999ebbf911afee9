use constnet::nalgebra::SVector;
use constnet::safetensors::File;
use constnet::{Class, Dense, Network, Relu, Vector};

type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/guide/digits.safetensors"));
}

/// In flash: 9,640 bytes, and no RAM.
static NET: Digits = Digits::from_file::<Weights>();

/// The digit in a picture whose pixels lie between 0 and 1; none where a pixel is NaN, as a broken sensor gives it.
pub fn classify(pixels: [f32; 64]) -> Option<Class<10>> {
    Class::argmax(&NET.predict(&SVector::from(pixels)))
}
