//! twin: network
//! error: a tensor of `f64` is wanted here, and this one is of `f32`: write `SVector::<f64, _>`
use constnet::nalgebra::SVector;
use constnet::{Dense, Network, Relu, Residual, Tanh, Vector};

type Net = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
type Deep = Network<Vector<16>, (Dense<16, 16>, Residual<(Dense<16, 16>, Tanh)>, Dense<16, 2>)>;
type Precise = Network<Vector<2>, (Dense<2, 1, f64>,), f64>;

fn main() {
    let net = Net::ZERO;
    let logits: SVector<f32, 10> = net.predict(&SVector::<f32, 64>::zeros());
    let actions: SVector<f32, 2> = Deep::ZERO.predict(&SVector::<f32, 16>::zeros());
    let value: SVector<f64, 1> = Precise::ZERO.predict(&SVector::<f32, 2>::zeros());
    let _ = (logits, actions, value);
}
