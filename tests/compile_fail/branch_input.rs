//! twin: norms
//! error: layer `Dense<2, _>` takes each step of a sequence by itself, and those of its input `Sequence<3, 4>` are of another width
use constnet::{
    BatchNorm, Concat, Dense, Epsilon, Flatten, GroupNorm, Identity, LayerNorm, Momentum, Network, Parallel, Reshape,
    Sequence, Sum, Tanh, TimeDistributed, Vector,
};

type One = Vector<2>;
type Two = Sequence<2, 1>;

type Norms = Network<Sequence<6, 4>, (LayerNorm<6>, GroupNorm<2, 6>, BatchNorm<6, Epsilon, Momentum>)>;
type Precise = Network<Vector<4>, (LayerNorm<4, Epsilon, f64>,), f64>;
type Added = Network<Sequence<3, 4>, Parallel<Dense<3, 5>, (Dense<3, 5>, Tanh), Sum>>;
type Joined = Network<Sequence<3, 4>, (Parallel<Identity, Dense<2, 4>, Concat>, Tanh)>;
type Each = Network<Sequence<7, 4>, TimeDistributed<(Dense<7, 2>, Reshape<One>)>>;
type Other = Network<Vector<2>, (Reshape<Two>, Flatten)>;

fn main() {
    let _ = (Norms::ZERO, Precise::ZERO, Added::ZERO, Joined::ZERO, Each::ZERO, Other::ZERO);
}
