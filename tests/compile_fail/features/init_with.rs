//! error: random numbers need the feature `rand` of constnet: `cargo add constnet --features rand` turns it on
use constnet::init::Init;
use constnet::{Dense, Network, Relu, Vector};

type Net = Network<Vector<4>, (Dense<4, 8>, Relu, Dense<8, 3>)>;

fn main() {
    let (mut net, mut rng) = (Net::ZERO, 1_u64);
    net.init_with(Init::KaimingNormal, &mut rng);
}
