//! A file whose keys have other names.
use constnet::safetensors::{File, Names};
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;

struct Weights;
impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../../data/weights/named.safetensors");
    const NAMES: Names<'static> = Names { prefix: "net.", pairs: &[("0", "fc")] };
}
static NET: Net = Net::from_file::<Weights>();

fn main() {
    let _ = &NET;
}
