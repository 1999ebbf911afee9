//! A network of `f32` from a file of F16.
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/f16.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
