//! twin: constants
//! error: `smoothing` must be 0 or above, and below 1
use constnet::error::valid;
use constnet::loss::{CrossEntropy, Huber, SmoothedCrossEntropy};
use constnet::optimizer::{Adam, Clip, Sgd};
use constnet::Class;

const NINE: Class<10> = Class::const_new(9);
const ADAM: Adam = Adam::const_new(1e-3);
const SLOW: Adam = valid(ADAM.with_betas(0.9, 0.99));
const SGD: Sgd = valid(Sgd::const_new(0.1).with_weight_decay(1e-4));
const CLIP: Clip = valid(Clip::norm(1.0));
const HUBER: Huber = Huber::const_new(1.0);
const SMOOTHED: SmoothedCrossEntropy = CrossEntropy::const_smoothed(1.5);

fn main() {
    let _ = (NINE, SLOW, SGD, CLIP, HUBER, SMOOTHED);
}
