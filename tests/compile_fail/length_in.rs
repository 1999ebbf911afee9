//! twin: lengths
//! error: `Len<2049>` is a length that the type arithmetic does not know
use constnet::nalgebra::SMatrix;
use constnet::{Conv1d, Dense, Flatten, Image, Network, Sequence};

type Signal = Network<Sequence<1, 2049>, (Conv1d<1, 2, 9>, Dense<2, 3>)>;
type Picture = Network<Image<3, 41, 41>, (Flatten,)>;

fn main() {
    let signal = Signal::ZERO.predict(&SMatrix::zeros());
    let picture = Picture::ZERO.predict(&[SMatrix::zeros(); 41]);
    let _ = (signal, picture);
}
