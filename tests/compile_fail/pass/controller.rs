//! Passes: a controller owns the state of its network.
use constnet::network::StateOf;
use constnet::{Bidirectional, ConstZero, Gru, Last, Network, Residual, Sequence};

type Net = Network<Sequence<6, 100>, (Residual<Gru<6, 6>>, Last)>;

struct Controller {
    state: StateOf<Net>,
}

fn main() {
    let _ = Bidirectional { forward: Gru::<6, 6>::ZERO, reverse: Gru::<6, 6>::ZERO };
    let controller = Controller { state: Net::start() };
    let _ = controller.state;
}
