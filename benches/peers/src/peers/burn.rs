//! burn on Flex, the backend that it recommends for processors.

use crate::nets::{Batch, Loss, Net, Weight};
use crate::peer::Peer;
use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

#[derive(Module, Debug)]
struct Layers {
    convolutions: Vec<Conv2d>,
    dense: Vec<Linear>,
    pool: MaxPool2d,
}

struct Burn {
    net: Net,
    batch: usize,
    device: Device,
    training: Device,
    predicts: Layers,
    trains: Option<Layers>,
    adam: ModuleOptimizer,
    rate: f64,
    cross_entropy: CrossEntropyLoss,
}

pub(super) fn make(net: Net, batch: usize, rate: f64) -> Option<Box<dyn Peer>> {
    if net.is_stream() {
        return None;
    }
    let (device, training) = (Device::flex(), Device::flex().autodiff());
    Some(Box::new(Burn {
        net,
        batch,
        predicts: Layers::new(net, &device),
        trains: Some(Layers::new(net, &training)),
        adam: AdamConfig::new().with_epsilon(1e-8).init(),
        rate,
        cross_entropy: CrossEntropyLossConfig::new().init(&training),
        device,
        training,
    }))
}

impl Layers {
    fn new(net: Net, device: &Device) -> Self {
        let (mut convolutions, mut dense) = (Vec::new(), Vec::new());
        for [weight, bias] in net.weights().as_chunks::<2>().0 {
            let bias = Param::from_data(TensorData::new(bias.values.clone(), [bias.values.len()]), device);
            match weight.shape[..] {
                [outputs, inputs, height, width] => {
                    let mut layer = Conv2dConfig::new([inputs, outputs], [height, width]).init(device);
                    let data = TensorData::new(weight.values.clone(), [outputs, inputs, height, width]);
                    layer.weight = Param::from_data(data, device);
                    layer.bias = Some(bias);
                    convolutions.push(layer);
                }
                [outputs, inputs] => {
                    let mut layer = LinearConfig::new(inputs, outputs).init(device);
                    layer.weight = Param::from_data(TensorData::new(by_column(weight), [inputs, outputs]), device);
                    layer.bias = Some(bias);
                    dense.push(layer);
                }
                _ => unreachable!("two or four dimensions"),
            }
        }
        Self { convolutions, dense, pool: MaxPool2dConfig::new([2, 2]).init() }
    }

    /// The output before any softmax.
    fn forward(&self, net: Net, mut x: Tensor<2>) -> Tensor<2> {
        if net == Net::LeNet {
            let batch = x.dims()[0];
            let mut images: Tensor<4> = x.reshape([batch, 1, 28, 28]);
            for convolution in &self.convolutions {
                images = self.pool.forward(activation::relu(convolution.forward(images)));
            }
            x = images.reshape([batch, 400]);
        }
        let last = self.dense.len() - 1;
        for (i, layer) in self.dense.iter().enumerate() {
            x = layer.forward(x);
            x = match net {
                Net::Xor => activation::sigmoid(x),
                _ if i == last => x,
                Net::Policy => activation::tanh(x),
                _ => activation::relu(x),
            };
        }
        x
    }
}

/// burn keeps `[input, output]`.
fn by_column(weight: &Weight) -> Vec<f32> {
    let inputs = weight.shape[1];
    let column = |i| weight.values.iter().skip(i).step_by(inputs).copied();
    (0..inputs).flat_map(column).collect()
}

impl Peer for Burn {
    fn predict(&mut self, x: &[f32], y: &mut [f32]) {
        let x = Tensor::<2>::from_data(TensorData::new(x.to_vec(), [1, x.len()]), &self.device);
        let mut output = self.predicts.forward(self.net, x);
        if self.net.loss() == Loss::CrossEntropy {
            output = activation::softmax(output, 1);
        }
        y.copy_from_slice(output.into_data().as_slice::<f32>().expect("numbers of the type asked for"));
    }

    fn step(&mut self, batch: Batch<'_>) -> Option<f32> {
        let layers = self.trains.take()?;
        let shape = [self.batch, self.net.inputs()];
        let x = Tensor::<2>::from_data(TensorData::new(batch.x.to_vec(), shape), &self.training);
        let y = layers.forward(self.net, x);
        let loss = match self.net.loss() {
            Loss::CrossEntropy => {
                let labels = batch.labels.iter().map(|&label| i64::try_from(label).unwrap_or(0)).collect::<Vec<_>>();
                let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [self.batch]), &self.training);
                self.cross_entropy.forward(y, labels)
            }
            Loss::Mse => {
                let shape = [self.batch, self.net.outputs()];
                let targets = Tensor::<2>::from_data(TensorData::new(batch.y.to_vec(), shape), &self.training);
                MseLoss::new().forward(y, targets, Reduction::Mean)
            }
        };
        let value = loss.clone().into_scalar::<f32>();
        let gradients = GradientsParams::from_grads(loss.backward(), &layers);
        self.trains = Some(self.adam.step(self.rate, layers, gradients));
        Some(value)
    }
}
