//! twin: ahead
//! error: layer `Gru<7, 8>` does not take an input of shape `Sequence<6, 100>`
use constnet::nalgebra::{SMatrix, SVector};
use constnet::{Bidirectional, Dense, Gru, Last, Lstm, Network, Sequence};

type Net = Network<Sequence<6, 100>, (Gru<7, 8>, Bidirectional<Lstm<8, 16>>, Last, Dense<32, 4>)>;

fn main() {
    let logits: SVector<f32, 4> = Net::ZERO.predict(&SMatrix::<f32, 6, 100>::zeros());
    let _ = logits;
}
