//! error: files need the feature `std` of constnet: `cargo add constnet --features std` turns it on
use constnet::{Dense, Network, Relu, Vector};

type Net = Network<Vector<4>, (Dense<4, 8>, Relu, Dense<8, 3>)>;

fn main() {
    let mut net = Net::ZERO;
    let _ = net.load_file("net.safetensors");
}
