//! twin: weights_norm
//! error: 0.running_var holds a number that is not what it must be: 0 or above
use constnet::safetensors::File;
use constnet::{BatchNorm, Network, Sequence};

type Net = Network<Sequence<32, 4>, (BatchNorm<32>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/variance.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
