//! A network of `f64` from a file of F64.
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10, f64>,), f64>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/f64.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
