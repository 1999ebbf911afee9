//! A tuple of 16 layers, the longest.
use constnet::{Network, Relu, Vector};

type Net = Network<
    Vector<2>,
    (Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu),
>;

fn main() {
    let _ = Net::ZERO;
}
