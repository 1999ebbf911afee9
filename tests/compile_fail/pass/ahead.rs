//! Passes: a network that looks ahead is one for whole sequences.
use constnet::nalgebra::{SMatrix, SVector};
use constnet::{Bidirectional, Dense, Gru, Last, Lstm, Network, Sequence};

type Net = Network<Sequence<6, 100>, (Gru<6, 8>, Bidirectional<Lstm<8, 16>>, Last, Dense<32, 4>)>;

fn main() {
    let logits: SVector<f32, 4> = Net::ZERO.predict(&SMatrix::<f32, 6, 100>::zeros());
    let _ = logits;
}
