//! error: random numbers need the feature `rand` of constnet: `cargo add constnet --features rand` turns it on
use constnet::data::augment;
use constnet::nalgebra::SVector;

fn main() {
    let (mut x, mut rng) = (SVector::<f32, 3>::zeros(), 1_u64);
    augment::noise(&mut x, 0.1, &mut rng);
}
