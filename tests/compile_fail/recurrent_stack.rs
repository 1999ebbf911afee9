//! twin: ahead
//! error: layer `Bidirectional<Lstm<9, 16>>` does not take an input of shape `Sequence<8, 100>`
use constnet::nalgebra::{SMatrix, SVector};
use constnet::{Bidirectional, Dense, Gru, Last, Lstm, Network, Sequence};

type Net = Network<Sequence<6, 100>, (Gru<6, 8>, Bidirectional<Lstm<9, 16>>, Last, Dense<32, 4>)>;

fn main() {
    let logits: SVector<f32, 4> = Net::ZERO.predict(&SMatrix::<f32, 6, 100>::zeros());
    let _ = logits;
}
