//! twin: weights_f32
//! error: the file holds more tensors than the 2 of the network: 0.bias 0.weight 1.bias
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/more.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
