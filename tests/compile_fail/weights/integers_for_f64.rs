//! twin: weights_f64
//! error: 0.weight is of type I32, Dense<32, 10> takes what widens to F64
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10, f64>,), f64>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/i32.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
