//! twin: weights_f32
//! error: 0.weight is missing from the file, Dense<32, 10> needs [10, 32]; `Names` translates names, and the file has: model.layers.00.weight model.layers.01.weight model.layers.02.weight model.layers.03.weight model.layers.04.weight model.layers.05.weight model.layers.06.weight model.layers.07.weight model.layers.08.weight model.layers.09.weight model.layers.10.weight model.layers.11.weight model.layers.12.weight model.layers.13.weight model.layers.14.weight model.layers.15.weight and 44 more
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/many.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
