//! The networks that are timed, their weights, and what they are fed.

use std::fmt::Write;

/// A network that is timed. Its shape and activations are those of the table in `benches/README.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Net {
    /// 2-4-1, sigmoid.
    Xor,
    /// 13-64-64-4, tanh.
    Policy,
    /// 64-32-10, ReLU, softmax.
    Small,
    /// 784-64-64-10, ReLU, softmax.
    Mnist,
    /// Two convolutions with pools, one dense layer, softmax.
    LeNet,
    /// LSTM of 20 units and a dense layer, step by step.
    Lstm,
    /// GRU of 8 units and a dense layer, step by step.
    Gru,
    /// Causal convolution of 8 channels, kernel 7, dilation 2, step by step.
    Conv1d,
}

/// What a network is trained to make small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The mean of the squared differences, over outputs and samples.
    Mse,
    /// Cross-entropy on the logits; the network then predicts their softmax.
    CrossEntropy,
}

/// One tensor of a network, as PyTorch names it and lays it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// For example `0.weight`.
    pub name: String,
    /// For example 64 by 13.
    pub shape: Vec<usize>,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Net {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 8] =
        [Self::Xor, Self::Policy, Self::Small, Self::Mnist, Self::LeNet, Self::Lstm, Self::Gru, Self::Conv1d];

    /// As the table calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xor => "XOR",
            Self::Policy => "POLICY",
            Self::Small => "SMALL",
            Self::Mnist => "MNIST",
            Self::LeNet => "LENET",
            Self::Lstm => "LSTM",
            Self::Gru => "GRU",
            Self::Conv1d => "CONV1D",
        }
    }

    /// Whether it runs one step of a sequence at a time. Such networks are not trained here.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Lstm | Self::Gru | Self::Conv1d)
    }

    /// Numbers in an input.
    #[must_use]
    pub const fn inputs(self) -> usize {
        match self {
            Self::Xor => 2,
            Self::Policy => 13,
            Self::Small => 64,
            Self::Mnist | Self::LeNet => 784,
            Self::Lstm | Self::Gru => 1,
            Self::Conv1d => 8,
        }
    }

    /// Numbers in an output.
    #[must_use]
    pub const fn outputs(self) -> usize {
        match self {
            Self::Xor | Self::Lstm | Self::Gru => 1,
            Self::Policy => 4,
            Self::Small | Self::Mnist | Self::LeNet => 10,
            Self::Conv1d => 8,
        }
    }

    /// What training makes small.
    #[must_use]
    pub const fn loss(self) -> Loss {
        match self {
            Self::Small | Self::Mnist | Self::LeNet => Loss::CrossEntropy,
            _ => Loss::Mse,
        }
    }

    /// Multiply-adds of a prediction, layer by layer.
    #[must_use]
    pub const fn products(self) -> &'static [usize] {
        match self {
            Self::Xor => &[2 * 4, 4],
            Self::Policy => &[13 * 64, 64 * 64, 64 * 4],
            Self::Small => &[64 * 32, 32 * 10],
            Self::Mnist => &[784 * 64, 64 * 64, 64 * 10],
            Self::LeNet => &[26 * 26 * 9 * 8, 11 * 11 * 9 * 8 * 16, 400 * 10],
            Self::Lstm => &[80 * 21, 20],
            Self::Gru => &[24 * 9, 8],
            Self::Conv1d => &[7 * 8 * 8],
        }
    }

    /// Floating-point operations of a prediction, or of the products of a training step: two for each multiply-add. Backward
    /// takes as many for the gradient of the weights, and as many again for that of the inputs but in the first layer.
    #[must_use]
    pub fn operations(self, training: bool, batch: usize) -> usize {
        let all: usize = self.products().iter().sum();
        let first = self.products().first().copied().unwrap_or(0);
        2 * batch * if training { 3 * all - first } else { all }
    }

    /// Bytes of the parameters.
    #[must_use]
    pub fn bytes(self) -> usize {
        4 * self.shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum::<usize>()
    }

    /// Names and shapes of the tensors.
    #[must_use]
    pub const fn shapes(self) -> &'static [(&'static str, &'static [usize])] {
        match self {
            Self::Xor => &[("0.weight", &[4, 2]), ("0.bias", &[4]), ("2.weight", &[1, 4]), ("2.bias", &[1])],
            Self::Policy => &[
                ("0.weight", &[64, 13]),
                ("0.bias", &[64]),
                ("2.weight", &[64, 64]),
                ("2.bias", &[64]),
                ("4.weight", &[4, 64]),
                ("4.bias", &[4]),
            ],
            Self::Small => &[("0.weight", &[32, 64]), ("0.bias", &[32]), ("2.weight", &[10, 32]), ("2.bias", &[10])],
            Self::Mnist => &[
                ("0.weight", &[64, 784]),
                ("0.bias", &[64]),
                ("2.weight", &[64, 64]),
                ("2.bias", &[64]),
                ("4.weight", &[10, 64]),
                ("4.bias", &[10]),
            ],
            Self::LeNet => &[
                ("0.weight", &[8, 1, 3, 3]),
                ("0.bias", &[8]),
                ("3.weight", &[16, 8, 3, 3]),
                ("3.bias", &[16]),
                ("7.weight", &[10, 400]),
                ("7.bias", &[10]),
            ],
            Self::Lstm => &[
                ("0.weight_ih_l0", &[80, 1]),
                ("0.weight_hh_l0", &[80, 20]),
                ("0.bias_ih_l0", &[80]),
                ("0.bias_hh_l0", &[80]),
                ("1.weight", &[1, 20]),
                ("1.bias", &[1]),
            ],
            Self::Gru => &[
                ("0.weight_ih_l0", &[24, 1]),
                ("0.weight_hh_l0", &[24, 8]),
                ("0.bias_ih_l0", &[24]),
                ("0.bias_hh_l0", &[24]),
                ("1.weight", &[1, 8]),
                ("1.bias", &[1]),
            ],
            Self::Conv1d => &[("0.weight", &[8, 8, 7]), ("0.bias", &[8])],
        }
    }

    /// The weights that everyone starts from: uniform within `1 / sqrt(inputs of a unit)`, always the same.
    #[must_use]
    pub fn weights(self) -> Vec<Weight> {
        let mut random = Random(self.inputs() as u64 * 1000 + self.outputs() as u64);
        let mut bound = 1.0;
        let draw = |&(name, shape): &(&str, &[usize])| {
            if let [_, inputs @ ..] = shape
                && !inputs.is_empty()
            {
                bound = 1.0 / (inputs.iter().product::<usize>() as f32).sqrt();
            }
            let values = (0..shape.iter().product()).map(|_| bound * random.symmetric()).collect();
            Weight { name: name.to_owned(), shape: shape.to_vec(), values }
        };
        self.shapes().iter().map(draw).collect()
    }

    /// The weights as a safetensors file.
    #[must_use]
    pub fn file(self) -> Vec<u8> {
        let (mut header, mut data) = (String::new(), Vec::new());
        for Weight { name, shape, values } in self.weights() {
            let start = data.len();
            data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let comma = if header.is_empty() { '{' } else { ',' };
            let offsets = [start, data.len()];
            _ = write!(header, r#"{comma}"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":{offsets:?}}}"#);
        }
        header.push('}');
        let length = header.len() as u64;
        [&length.to_le_bytes(), header.as_bytes(), &data].concat()
    }
}

/// Inputs and targets in rotation, so that no branch and no cache learns a single one.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    net: Net,
    batch: usize,
    x: Vec<f32>,
    y: Vec<f32>,
    labels: Vec<usize>,
}

/// One mini-batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch<'a> {
    /// The inputs, one sample after another.
    pub x: &'a [f32],
    /// The targets, one sample after another; for classes 1 at the right one and 0 elsewhere.
    pub y: &'a [f32],
    /// The classes; empty where the targets are none.
    pub labels: &'a [usize],
}

impl Examples {
    /// 64 samples, or eight batches where they have more than one.
    #[must_use]
    pub fn new(net: Net, batch: usize) -> Self {
        let mut random = Random(99);
        let samples = if batch == 1 { 64 } else { 8 * batch };
        let x = (0..samples * net.inputs()).map(|_| random.symmetric()).collect();
        let (mut y, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..samples {
            match net.loss() {
                Loss::Mse => y.extend((0..net.outputs()).map(|_| random.symmetric())),
                Loss::CrossEntropy => {
                    let label = random.below(net.outputs());
                    labels.push(label);
                    y.extend((0..net.outputs()).map(|class| if class == label { 1.0 } else { 0.0 }));
                }
            }
        }
        Self { net, batch, x, y, labels }
    }

    /// The inputs, one by one.
    pub fn inputs(&self) -> impl Iterator<Item = &[f32]> + Clone {
        self.x.chunks_exact(self.net.inputs())
    }

    /// The batches, one by one.
    pub fn batches(&self) -> impl Iterator<Item = Batch<'_>> + Clone {
        let (x, y) = (self.net.inputs() * self.batch, self.net.outputs() * self.batch);
        let labels = if self.labels.is_empty() { 0 } else { self.batch };
        let batch = move |i: usize| Batch {
            x: &self.x[i * x..][..x],
            y: &self.y[i * y..][..y],
            labels: &self.labels[i * labels..][..labels],
        };
        (0..self.x.len() / x).map(batch)
    }
}

/// `SplitMix64`: Steele, Lea and Flood (2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// From -1 to 1.
    fn symmetric(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or(0) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(Net::Mnist.bytes(), 220_200);
        // Each weight of a dense layer is one multiply-add.
        let weights: usize = Net::Mnist.weights().iter().filter(|w| w.shape.len() == 2).map(|w| w.values.len()).sum();
        assert_eq!(Net::Mnist.operations(false, 1), 2 * weights);
        // Forward, the weights' gradient, and the inputs' but for the first layer's.
        assert_eq!(Net::Xor.operations(true, 32), 2 * 32 * (12 + 12 + 4));
    }
}
