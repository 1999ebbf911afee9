//! The MNIST files, as `examples/data/fetch.sh` brings them.

#[path = "fetched.rs"]
mod fetched;
#[path = "idx.rs"]
mod idx;

use constnet::data::Dataset;
use constnet::layer::Layer;
use constnet::metrics::ConfusionMatrix;
use constnet::network::Model;
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, TensorOf};
use constnet::train::{EpochDone, Observer};
use constnet::{Class, Network, Vector};
use fetched::read;
use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

/// 28 rows of 28 pixels.
pub(crate) type Pixels = [[u8; 28]; 28];

/// Reads one part of MNIST, `train` or `t10k`: images, as the network takes them, and labels.
pub(crate) fn load<X>(part: &str, image: impl Fn(&Pixels) -> X) -> Result<(Vec<X>, Vec<Class<10>>), Box<dyn Error>> {
    let images = read("mnist", &format!("{part}-images-idx3-ubyte"), |file| {
        Ok(idx::images::<28, 28>(file)?.iter().map(&image).collect())
    })?;
    let labels = read("mnist", &format!("{part}-labels-idx1-ubyte"), |file| {
        idx::labels(file)?.iter().map(|&label| Ok(Class::new(label.into())?)).collect()
    })?;
    Ok((images, labels))
}

/// Prints a line for each epoch.
pub(crate) struct Clock {
    pub(crate) epoch_start: Instant,
}

impl<N: Model<Scalar = f32>> Observer<N> for Clock {
    fn epoch_done(&mut self, _: &N, done: &EpochDone<f32>) -> ControlFlow<()> {
        let seconds = self.epoch_start.elapsed().as_secs_f64();
        println!("epoch {} of {}: training loss {:.4}, {seconds:.2} s", done.epoch + 1, done.epochs, done.loss);
        self.epoch_start = Instant::now();
        ControlFlow::Continue(())
    }
}

/// The fraction of a data set that the network gets right.
pub(crate) fn accuracy<In: Shape, L: Layer<In, Out = Vector<10>>>(
    net: &Network<In, L>,
    data: Dataset<'_, TensorOf<In, f32>, Class<10>>,
) -> f64
where
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    let mut matrix = ConfusionMatrix::NEW;
    for (x, &class) in data.iter() {
        matrix.add_scores(&net.predict(x), class);
    }
    matrix.accuracy()
}
