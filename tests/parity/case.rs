//! A file of PyTorch's results.

use constnet::layer::Parameters;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

const RELATIVE: f32 = 1e-5;
const ABSOLUTE: f32 = 2.0 * f32::EPSILON;

/// One file: its tensors, and what its header says of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a readable file");
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a safetensors header");
        let metadata: BTreeMap<_, _> =
            header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        // PyTorch has the channels of images, and of signals where a layer wants it so, before the places.
        let is_signal =
            ["Conv1d", "ConvTranspose1d", "Pool1d", "BatchNorm1d"].iter().any(|name| metadata["model"].contains(name));
        let tensors =
            SafeTensors::deserialize(&bytes).expect("safetensors").tensors().into_iter().map(|(name, view)| {
                assert_eq!(view.dtype(), Dtype::F32, "{name}");
                let (numbers, rest) = view.data().as_chunks::<4>();
                assert!(rest.is_empty(), "{name}");
                let mut numbers: Vec<f32> = numbers.iter().map(|&n| f32::from_le_bytes(n)).collect();
                let is_tensor = ["x", "y", "y_eval", "target", "grad.x"].contains(&&*name);
                match *view.shape() {
                    [_, c, h, w] if is_tensor => numbers = channels_last(&numbers, c, h * w),
                    [_, c, l] if is_tensor && is_signal => numbers = channels_last(&numbers, c, l),
                    _ => {}
                }
                (name, (view.shape().to_vec(), numbers))
            });
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Self { name, tensors: tensors.collect(), metadata }
    }

    pub(crate) fn numbers(&self, name: &str) -> &[f32] {
        &self.tensors.get(name).unwrap_or_else(|| panic!("{}: no tensor `{name}`", self.name)).1
    }

    /// The parameters of a network under a prefix, as they lie in its memory.
    pub(crate) fn parameters(&self, prefix: &str, net: &impl Parameters<f32>) -> Vec<f32> {
        let ours: BTreeMap<_, _> = self.tensors.iter().map(|(key, tensor)| (unwrapped(key), tensor)).collect();
        let mut all = Vec::new();
        net.visit(&mut |parameter, _| {
            let key = format!("{prefix}{parameter}");
            if prefix == "grad." && !parameter.role.is_trained() {
                // No gradient changes a running average.
                all.extend(parameter.shape.iter().map(|&len| vec![0.0; len]).next().unwrap_or_default());
                return;
            }
            let (shape, numbers) = ours.get(&key).unwrap_or_else(|| panic!("{}: no tensor `{key}`", self.name));
            assert_eq!(shape, parameter.shape, "{}: {key}", self.name);
            all.extend(places(shape, parameter.order).into_iter().map(|place| numbers[place]));
        });
        all
    }

    /// How many numbers the file holds as parameters.
    pub(crate) fn parameter_count(&self) -> usize {
        let is_other = |key: &str| {
            key.starts_with("grad.")
                || key.starts_with("after")
                || ["x", "y", "y_eval", "target", "loss"].contains(&key)
        };
        self.tensors.iter().filter(|(key, _)| !is_other(key)).map(|(_, (_, numbers))| numbers.len()).sum()
    }

    pub(crate) fn assert_near(&self, what: &str, actual: &[f32], expected: &[f32]) {
        assert_eq!(actual.len(), expected.len(), "{}: numbers in {what}", self.name);
        for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            let near = approx::relative_eq!(actual, expected, epsilon = ABSOLUTE, max_relative = RELATIVE);
            assert!(near, "{}: {what}, number {i}: {actual}, PyTorch has {expected}", self.name);
        }
    }
}

/// For each sample, places of channels from channels of places.
fn channels_last(numbers: &[f32], channels: usize, places: usize) -> Vec<f32> {
    let sample =
        |x: &[f32]| (0..places * channels).map(|i| x[i % channels * places + i / channels]).collect::<Vec<_>>();
    numbers.chunks_exact(channels * places).flat_map(sample).collect()
}

/// A key without the names of the modules that PyTorch's layers were wrapped in.
fn unwrapped(key: &str) -> String {
    let parts = key.split('.').filter(|part| !["inner", "attn", "m"].contains(part));
    parts.collect::<Vec<_>>().join(".")
}

/// For each number in memory, where it stands in a file whose extents lie in their own order.
fn places(shape: &[usize], order: &[usize]) -> Vec<usize> {
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    order.iter().fold(vec![0], |starts, &axis| {
        let along = |start: usize| (0..shape[axis]).map(move |i| start + i * stride(axis));
        starts.into_iter().flat_map(along).collect()
    })
}
