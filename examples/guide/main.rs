//! The network of `train.py`: the compiler reads its weights, and says where they do not fit.
use constnet::nalgebra::SVector;
use constnet::safetensors::{File, Tensors};
use constnet::{Class, Dense, Network, Relu, Vector};

type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/guide/digits.safetensors"));
}
static NET: Digits = Digits::from_file::<Weights>();

/// A picture, and what PyTorch made of it.
const EXPECTED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/guide/expected.safetensors"));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let expected = Tensors::parse(EXPECTED)?;
    let numbers = |key| {
        let bytes = expected.get(key).ok_or("a tensor is missing")?.data;
        Ok::<_, &str>(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)))
    };
    let pixels = SVector::<f32, 64>::from_iterator(numbers("pixels")?);
    let theirs = SVector::<f32, 10>::from_iterator(numbers("logits")?);

    let ours = NET.predict(&pixels);
    let difference = (ours - theirs).amax();
    let digit = Class::argmax(&ours).ok_or("every logit is NaN")?;
    println!("this is a {digit}; the largest difference from PyTorch's logits is {difference:e}");
    if difference < 1e-4 { Ok(()) } else { Err("PyTorch sees it otherwise".into()) }
}
