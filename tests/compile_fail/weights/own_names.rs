//! twin: weights_f32
//! error: 0.weight is missing from the file, Dense<32, 10> needs [10, 32]; `Names` translates names, and the file has: net.fc.bias net.fc.weight
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/named.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
