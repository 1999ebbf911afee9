//! error: random numbers need the feature `rand` of constnet: `cargo add constnet --features rand` turns it on
use constnet::data::shuffle;

fn main() {
    let mut rng = 1_u64;
    shuffle(&mut [1, 2], &mut [3, 4], &mut rng);
}
