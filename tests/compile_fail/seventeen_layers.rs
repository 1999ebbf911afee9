//! twin: long
//! error: layer `[..]` does not take an input of shape `Vector<2>` (of `f32`)
use constnet::{Network, Relu, Vector};

type Net = Network<
    Vector<2>,
    (Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu),
>;

fn main() {
    let _ = Net::ZERO;
}
