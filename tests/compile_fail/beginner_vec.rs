//! twin: beginner
//! error: a tensor of shape `Vector<4>` of `f32` is wanted here, and this is `Vec<f32>`: `SVector::from_row_slice` makes a vector
use constnet::loss::CrossEntropy;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::Adam;
use constnet::train::{Fit, FitError, Trainer};
use constnet::{Class, Conv2d, Dense, Flatten, Gru, Image, Last, Network, Relu, Sequence, Vector, data::Dataset};

type Net = Network<Vector<4>, (Dense<4, 8>, Relu, Dense<8, 3>)>;
type Picture = Network<Image<1, 8, 8>, (Conv2d<1, 4, 3>, Relu, Flatten, Dense<144, 10>)>;
type Scores = Network<Image<1, 8, 8>, (Conv2d<1, 3, 8>, Flatten)>;
type Window = Network<Sequence<3, 8>, (Flatten, Dense<24, 2>, Relu)>;
type Steps = Network<Sequence<3, 8>, (Gru<3, 10>, Last, Dense<10, 3>)>;

fn main() -> Result<(), FitError> {
    let mut net = Net::ZERO;
    let array = [0.5; 4];
    let (slice, list) = (&array[..], array.to_vec());
    let x = SVector::<f32, 4>::from_row_slice(slice);
    let _ = (net.predict(&list), list);

    let (number, byte, integer) = (1_usize, 1_u8, 1_i32);
    let label = Class::const_new(1);
    let _ = (number, byte, integer);
    let mut trainer = Trainer::<Net, _, _, 2>::new(Adam::const_new(1e-3), CrossEntropy);
    trainer.step(&mut net, &[x; 2], &[label; 2]);
    let (inputs, labels) = ([x; 3], [label; 3]);
    if let Ok(data) = Dataset::new(&inputs, &labels) {
        trainer.fit(&mut net, data, Fit::epochs(1), &mut ())?;
    }

    let _ = (Picture::ZERO, Window::ZERO);
    let (mut scores, picture) = (Scores::ZERO, [SMatrix::<f32, 1, 8>::zeros(); 8]);
    Trainer::<Scores, _, _, 1>::new(Adam::const_new(1e-3), CrossEntropy).step(&mut scores, &[picture], &[label]);
    let (mut steps, signal) = (Steps::ZERO, SMatrix::<f32, 3, 8>::zeros());
    Trainer::<Steps, _, _, 1>::new(Adam::const_new(1e-3), CrossEntropy).step(&mut steps, &[signal], &[label]);
    Ok(())
}
