//! twin: streams
//! error: layer `Conv1d<6, 8, 5, Stride<2>, Causal>` cannot run one step of shape `Vector<6>` (of `f32`) at a time
use constnet::nalgebra::SVector;
use constnet::network::StateOf;
use constnet::{Causal, Conv1d, Dense, Gru, Last, Lstm, Network, Relu, Rnn, Sequence, Stride, Tanh};

type Net = Network<Sequence<6, 100>, (Gru<6, 16>, Lstm<16, 8>, Last, Dense<8, 4>)>;
type Signal = Network<Sequence<6, 100>, (Conv1d<6, 8, 5, Stride<2>, Causal>, Relu, Rnn<8, 4, Tanh>)>;

fn main() {
    let mut state: StateOf<Net> = Net::start();
    let logits: SVector<f32, 4> = Net::ZERO.step(&mut state, &SVector::<f32, 6>::zeros());
    let mut state: StateOf<Signal> = Signal::start();
    let y: SVector<f32, 4> = Signal::ZERO.step(&mut state, &SVector::<f32, 6>::zeros());
    let _ = (logits, y);
}
