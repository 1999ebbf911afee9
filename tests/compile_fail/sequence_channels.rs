//! twin: shapes
//! error: layer `Dense<16, _>` takes each step of a sequence by itself, and those of its input `Sequence<4, 16>` are of another width
use constnet::nalgebra::SMatrix;
use constnet::{Dense, Flatten, Image, Network, Reshape, Sequence, Softmax, Vector};

type Picture = Network<Image<3, 8, 8>, (Flatten, Dense<192, 10>)>;
type Signal = Network<Sequence<4, 16>, (Dense<16, 8>, Flatten, Dense<128, 10>)>;
type Steps = Network<Vector<12>, (Reshape<Sequence<3, 4>>, Dense<3, 5>, Softmax)>;

fn main() {
    let picture = Picture::ZERO.predict(&[SMatrix::<f32, 3, 8>::zeros(); 8]);
    let signal = Signal::ZERO.predict(&SMatrix::<f32, 4, 16>::zeros());
    let steps: SMatrix<f32, 5, 4> = Steps::ZERO.predict(&SMatrix::<f32, 12, 1>::zeros());
    let _ = (picture, signal, steps);
}
