//! candle on its CPU device: plain tensors to predict, variables and its `AdamW` without decay to train.

use crate::nets::{Batch, Loss, Net};
use crate::peer::Peer;
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, loss, ops};

const CPU: Device = Device::Cpu;

struct Candle {
    net: Net,
    batch: usize,
    /// Weight and bias of each layer.
    constants: Vec<[Tensor; 2]>,
    variables: Vec<[Tensor; 2]>,
    adam: AdamW,
}

pub(super) fn make(net: Net, batch: usize, rate: f64) -> Option<Box<dyn Peer>> {
    if net.is_stream() {
        return None;
    }
    Some(Box::new(Candle::new(net, batch, rate).expect("valid tensors")))
}

impl Candle {
    fn new(net: Net, batch: usize, rate: f64) -> Result<Self> {
        let tensor = |w: crate::nets::Weight| Tensor::from_vec(w.values, w.shape, &CPU);
        let tensors = net.weights().into_iter().map(tensor).collect::<Result<Vec<_>>>()?;
        let variables = tensors.iter().map(Var::from_tensor).collect::<Result<Vec<_>>>()?;
        let pairs = |tensors: Vec<Tensor>| tensors.as_chunks::<2>().0.to_vec();
        let trained = pairs(variables.iter().map(|v| v.as_tensor().clone()).collect());
        let parameters = ParamsAdamW { lr: rate, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
        Ok(Self { net, batch, constants: pairs(tensors), variables: trained, adam: AdamW::new(variables, parameters)? })
    }

    /// The output before any softmax.
    fn forward(&self, layers: &[[Tensor; 2]], x: &[f32], batch: usize) -> Result<Tensor> {
        let mut x = Tensor::from_slice(x, (batch, self.net.inputs()), &CPU)?;
        let [hidden @ .., [weight, bias]] = layers else { unreachable!("a layer at least") };
        if self.net == Net::LeNet {
            x = x.reshape((batch, 1, 28, 28))?;
        }
        for [weight, bias] in hidden {
            x = match self.net {
                Net::LeNet => {
                    let y = x.conv2d(weight, 0, 1, 1, 1)?;
                    y.broadcast_add(&bias.reshape((1, (), 1, 1))?)?.relu()?.max_pool2d(2)?
                }
                net => {
                    let y = Linear::new(weight.clone(), Some(bias.clone())).forward(&x)?;
                    match net {
                        Net::Xor => ops::sigmoid(&y)?,
                        Net::Policy => y.tanh()?,
                        _ => y.relu()?,
                    }
                }
            };
        }
        let y = Linear::new(weight.clone(), Some(bias.clone())).forward(&x.flatten_from(1)?)?;
        if self.net == Net::Xor { ops::sigmoid(&y) } else { Ok(y) }
    }

    fn output(&self, x: &[f32]) -> Result<Vec<f32>> {
        let y = self.forward(&self.constants, x, 1)?;
        let y = if self.net.loss() == Loss::CrossEntropy { ops::softmax_last_dim(&y)? } else { y };
        y.flatten_all()?.to_vec1()
    }

    fn train(&mut self, batch: Batch<'_>) -> Result<f32> {
        let y = self.forward(&self.variables, batch.x, self.batch)?;
        let loss = match self.net.loss() {
            Loss::CrossEntropy => {
                let labels = batch.labels.iter().map(|&label| u32::try_from(label).unwrap_or(0)).collect();
                loss::cross_entropy(&y, &Tensor::from_vec(labels, self.batch, &CPU)?)?
            }
            Loss::Mse => loss::mse(&y, &Tensor::from_slice(batch.y, (self.batch, self.net.outputs()), &CPU)?)?,
        };
        self.adam.backward_step(&loss)?;
        loss.to_scalar()
    }
}

impl Peer for Candle {
    fn predict(&mut self, x: &[f32], y: &mut [f32]) {
        y.copy_from_slice(&self.output(x).expect("shapes that fit"));
    }

    /// Not `LeNet`: candle's gradient of a pool widens 5 by 5 to 11 by 11 evenly and so misses the places of the maxima; the losses
    /// of everyone else agree, and its do not.
    fn step(&mut self, batch: Batch<'_>) -> Option<f32> {
        if self.net == Net::LeNet { None } else { self.train(batch).ok() }
    }
}
