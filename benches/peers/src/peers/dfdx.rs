//! dfdx on its CPU device, with shapes in types. Its convolutions need a nightly compiler.

use crate::nets::{Batch, Loss, Net, Weight};
use crate::peer::Peer;
use dfdx::losses::{cross_entropy_with_logits_loss, mse_loss};
use dfdx::nn::modules::{Linear, ReLU, Sigmoid, Tanh};
use dfdx::optim::{Adam, AdamConfig, Optimizer};
use dfdx::prelude::{DeviceBuildExt, Module, ModuleMut, ZeroGrads, builders};
use dfdx::shapes::{Rank1, Rank2};
use dfdx::tensor::{AsArray, Cpu, Gradients, Tensor, Trace, ZerosTensor};
use dfdx::tensor_ops::Backward;

type Weights<'a> = &'a mut dyn Iterator<Item = Weight>;

fn load<const I: usize, const O: usize>(layer: &mut Linear<I, O, f32, Cpu>, weights: Weights<'_>) {
    layer.weight.copy_from(&weights.next().expect("weights").values);
    layer.bias.copy_from(&weights.next().expect("biases").values);
}

/// A network: what builds it, what it is then, and where its weights go.
macro_rules! net {
    ($name:ident, $inputs:literal, $outputs:literal, $builder:ty, $model:ty, [$($layer:tt),+], |$y:ident| $output:expr) => {
        struct $name<const B: usize> {
            model: $model,
            gradients: Option<Gradients<f32, Cpu>>,
            adam: Adam<$model, f32, Cpu>,
            x: Tensor<Rank1<$inputs>, f32, Cpu>,
            batch: Tensor<Rank2<B, $inputs>, f32, Cpu>,
            targets: Tensor<Rank2<B, $outputs>, f32, Cpu>,
            loss: Loss,
        }

        impl<const B: usize> $name<B> {
            fn boxed(net: Net, rate: f64) -> Box<dyn Peer> {
                let device = Cpu::default();
                let mut model = device.build_module::<$builder, f32>();
                let weights: Weights<'_> = &mut net.weights().into_iter();
                $(load(&mut model.$layer, weights);)+
                let config = AdamConfig { lr: rate, betas: [0.9, 0.999], eps: 1e-8, weight_decay: None };
                Box::new(Self {
                    gradients: Some(model.alloc_grads()),
                    adam: Adam::new(&model, config),
                    x: device.zeros(),
                    batch: device.zeros(),
                    targets: device.zeros(),
                    loss: net.loss(),
                    model,
                })
            }
        }

        impl<const B: usize> Peer for $name<B> {
            fn predict(&mut self, x: &[f32], y: &mut [f32]) {
                self.x.copy_from(x);
                let $y = self.model.forward(self.x.clone());
                $output.copy_into(y);
            }

            fn step(&mut self, batch: Batch<'_>) -> Option<f32> {
                self.batch.copy_from(batch.x);
                self.targets.copy_from(batch.y);
                let y = self.model.forward_mut(self.batch.clone().traced(self.gradients.take()?));
                let targets = self.targets.clone();
                let loss = match self.loss {
                    Loss::CrossEntropy => cross_entropy_with_logits_loss(y, targets),
                    Loss::Mse => mse_loss(y, targets),
                };
                let value = loss.array();
                let mut gradients = loss.backward();
                self.adam.update(&mut self.model, &gradients).ok()?;
                self.model.zero_grads(&mut gradients);
                self.gradients = Some(gradients);
                Some(value)
            }
        }
    };
}

type L<const I: usize, const O: usize> = Linear<I, O, f32, Cpu>;
type New<const I: usize, const O: usize> = builders::Linear<I, O>;

net!(Xor, 2, 1, (New<2, 4>, Sigmoid, New<4, 1>, Sigmoid), (L<2, 4>, Sigmoid, L<4, 1>, Sigmoid), [0, 2], |y| y);
net!(
    Policy,
    13,
    4,
    (New<13, 64>, Tanh, New<64, 64>, Tanh, New<64, 4>),
    (L<13, 64>, Tanh, L<64, 64>, Tanh, L<64, 4>),
    [0, 2, 4],
    |y| y
);
net!(Small, 64, 10, (New<64, 32>, ReLU, New<32, 10>), (L<64, 32>, ReLU, L<32, 10>), [0, 2], |y| y.softmax());
net!(
    Mnist,
    784,
    10,
    (New<784, 64>, ReLU, New<64, 64>, ReLU, New<64, 10>),
    (L<784, 64>, ReLU, L<64, 64>, ReLU, L<64, 10>),
    [0, 2, 4],
    |y| y.softmax()
);

pub(super) fn make(net: Net, batch: usize, rate: f64) -> Option<Box<dyn Peer>> {
    match batch {
        1 => of_batch::<1>(net, rate),
        32 => of_batch::<32>(net, rate),
        _ => None,
    }
}

fn of_batch<const B: usize>(net: Net, rate: f64) -> Option<Box<dyn Peer>> {
    Some(match net {
        Net::Xor => Xor::<B>::boxed(net, rate),
        Net::Policy => Policy::<B>::boxed(net, rate),
        Net::Small => Small::<B>::boxed(net, rate),
        Net::Mnist => Mnist::<B>::boxed(net, rate),
        _ => return None,
    })
}
