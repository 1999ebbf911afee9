//! twin: long
//! error: a tuple holds 1 to 16 layers, and this one more: put some of them into a tuple inside
use constnet::{Network, Relu, Vector};

type Net = Network<
    Vector<2>,
    (Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu),
>;

fn main() {
    let _ = Net::ZERO;
}
