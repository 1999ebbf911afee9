//! twin: weights_f32
//! error: 0.weight is missing from the file, Dense<32, 10> needs [10, 32]; the file has `weight`: was it saved by a network whose layers are not a tuple, `(Dense<32, 10>)` without a comma?
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/root.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
