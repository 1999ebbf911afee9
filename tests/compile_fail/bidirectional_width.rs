//! twin: ahead
//! error: layer `Dense<16, 4>` does not take an input of shape `Vector<32>`
use constnet::nalgebra::{SMatrix, SVector};
use constnet::{Bidirectional, Dense, Gru, Last, Lstm, Network, Sequence};

type Net = Network<Sequence<6, 100>, (Gru<6, 8>, Bidirectional<Lstm<8, 16>>, Last, Dense<16, 4>)>;

fn main() {
    let logits: SVector<f32, 4> = Net::ZERO.predict(&SMatrix::<f32, 6, 100>::zeros());
    let _ = logits;
}
