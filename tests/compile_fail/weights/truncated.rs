//! twin: weights_f32
//! error: the file ends before its tensors do: is it cut short?
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/truncated.safetensors");
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
