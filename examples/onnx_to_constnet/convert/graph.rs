//! An ONNX graph, checked and indexed.

use super::proto::{AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use std::collections::{HashMap, HashSet};

/// ONNX's numbers for element types, those that are read here.
const FLOAT: i32 = 1;
const INT64: i32 = 7;
const BOOL: i32 = 9;

/// The first version of ONNX's operators that is read: older ones have other axes, and attributes where inputs are now.
const OPSET: i64 = 13;

/// The nodes of a model with one input and one output.
pub(crate) struct Graph<'a> {
    nodes: &'a [NodeProto],
    /// Which node makes a value, as which of its outputs: the first, or the second of a recurrent node, its state. The others are
    /// a Dropout's mask and the like.
    producers: HashMap<&'a str, (usize, usize)>,
    constants: HashMap<&'a str, &'a TensorProto>,
    /// The input's name.
    pub(crate) input: &'a str,
    /// The output's name.
    pub(crate) output: &'a str,
    /// The input's dimensions, the batch first; `None` where one is dynamic.
    pub(crate) input_dims: Vec<Option<i64>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(model: &'a ModelProto) -> Result<Self, String> {
        let graph = match &model.graph {
            Some(graph) if model.ir_version > 0 => graph,
            _ => return Err("this is not an ONNX file: it holds no graph".into()),
        };
        let opset = model.opset_import.iter().find(|set| is_standard(&set.domain)).map_or(1, |set| set.version);
        if opset < OPSET {
            return Err(format!("the file is of operator set {opset}, and {OPSET} or a later one is read"));
        }
        let mut constants: HashMap<_, _> =
            graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let (mut producers, mut made) = (HashMap::new(), HashSet::new());
        for (index, node) in graph.node.iter().enumerate() {
            if node.op_type == "Constant" {
                let (Some(name), Some(value)) =
                    (node.output.first(), attribute(node, "value").and_then(|value| value.t.as_ref()))
                else {
                    return Err(format!("{}: only a `value` that is a tensor is understood", label(node)));
                };
                constants.insert(name, value);
                continue;
            }
            // One without a name is left out.
            for (place, output) in node.output.iter().enumerate().filter(|(_, output)| !output.is_empty()) {
                if !made.insert(output.as_str()) {
                    return Err(format!("two nodes make the value `{output}`: the file is broken"));
                }
                if place == 0 || (place == 1 && matches!(node.op_type.as_str(), "RNN" | "GRU" | "LSTM")) {
                    producers.insert(output.as_str(), (index, place));
                }
            }
        }
        for (index, node) in graph.node.iter().enumerate() {
            // Sorted nodes have no cycles.
            if node.input.iter().any(|input| producers.get(input.as_str()).is_some_and(|&(maker, _)| maker >= index)) {
                return Err(format!("{} comes before what it needs: the file is broken", label(node)));
            }
        }
        // Old exporters list the weights among the inputs.
        let inputs = graph.input.iter().filter(|input| !constants.contains_key(input.name.as_str()));
        let input = only(&inputs.collect::<Vec<_>>(), "input")?;
        let output = only(&graph.output.iter().collect::<Vec<_>>(), "output")?;
        let input_dims = dims(input)?;
        Ok(Self { nodes: &graph.node, producers, constants, input: &input.name, output: &output.name, input_dims })
    }

    /// The place in the file of the node that makes a value.
    pub(crate) fn index_of(&self, value: &str) -> Option<usize> {
        self.producers.get(value).map(|&(index, _)| index)
    }

    /// As which of its node's outputs a value is made: 0 for the first.
    pub(crate) fn place_of(&self, value: &str) -> usize {
        self.producers.get(value).map_or(0, |&(_, place)| place)
    }

    /// A value, and all that it depends on.
    pub(crate) fn ancestors(&self, value: &'a str) -> HashSet<&'a str> {
        let (mut found, mut waiting) = (HashSet::new(), vec![value]);
        while let Some(value) = waiting.pop() {
            if !value.is_empty() && !self.is_constant(value) && found.insert(value) {
                waiting.extend(self.producer(value).iter().flat_map(|node| &node.input).map(String::as_str));
            }
        }
        found
    }

    /// Whether all numbers of a value are 0, and always.
    pub(crate) fn is_zero(&self, mut value: &'a str) -> bool {
        loop {
            if self.is_constant(value) {
                return self.floats(value).is_ok_and(|(_, numbers)| numbers.iter().all(|&x| x == 0.0));
            }
            match self.producer(value) {
                Some(node) if matches!(node.op_type.as_str(), "Expand" | "Slice") && !node.input.is_empty() => {
                    value = &node.input[0];
                }
                Some(node) if node.op_type == "ConstantOfShape" => {
                    let fill = attribute(node, "value").and_then(|value| value.t.as_ref());
                    return fill.is_none_or(|fill| {
                        fill.data_type == FLOAT
                            && fill.raw_data.iter().all(|&byte| byte == 0)
                            && fill.float_data.iter().all(|&x| x == 0.0)
                    });
                }
                _ => return false,
            }
        }
    }

    /// The node that makes a value.
    pub(crate) fn producer(&self, value: &str) -> Option<&'a NodeProto> {
        self.index_of(value).map(|index| &self.nodes[index])
    }

    pub(crate) fn is_constant(&self, value: &str) -> bool {
        self.constants.contains_key(value)
    }

    /// The dimensions and numbers of a constant that must be of type f32.
    pub(crate) fn floats(&self, value: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        let (tensor, dims) = self.constant(value)?;
        if tensor.data_type != FLOAT {
            return Err(format!(
                "tensor `{value}` is of ONNX's data type {}, and only 1, f32, is read",
                tensor.data_type
            ));
        }
        let numbers = if tensor.raw_data.is_empty() {
            tensor.float_data.clone()
        } else {
            pieces(value, &tensor.raw_data)?.map(f32::from_le_bytes).collect()
        };
        if dims.iter().try_fold(1, |len: usize, &dim| len.checked_mul(dim)) != Some(numbers.len()) {
            return Err(format!(
                "tensor `{value}` is {dims:?} and holds {} numbers: the file is broken",
                numbers.len()
            ));
        }
        if !numbers.iter().all(|x| x.is_finite()) {
            return Err(format!("tensor `{value}` holds a number that is not finite"));
        }
        Ok((dims, numbers))
    }

    /// The one number of a constant.
    pub(crate) fn scalar(&self, value: &str) -> Option<f32> {
        match &self.floats(value).ok()?.1[..] {
            [number] => Some(*number),
            _ => None,
        }
    }

    /// Whether a constant has no axes.
    pub(crate) fn is_scalar(&self, value: &str) -> bool {
        self.constants.get(value).is_some_and(|tensor| tensor.dims.is_empty())
    }

    /// The numbers of a constant of whole numbers or of truth values.
    pub(crate) fn integers(&self, value: &str) -> Result<Vec<i64>, String> {
        let (tensor, _) = self.constant(value)?;
        match tensor.data_type {
            INT64 if tensor.raw_data.is_empty() => Ok(tensor.int64_data.clone()),
            INT64 => Ok(pieces(value, &tensor.raw_data)?.map(i64::from_le_bytes).collect()),
            BOOL if tensor.raw_data.is_empty() => Ok(tensor.int32_data.iter().map(|&b| b.into()).collect()),
            BOOL => Ok(tensor.raw_data.iter().map(|&b| b.into()).collect()),
            other => Err(format!("tensor `{value}` is of ONNX's data type {other}, and 7, i64, is needed")),
        }
    }

    fn constant(&self, value: &str) -> Result<(&'a TensorProto, Vec<usize>), String> {
        let tensor = *self.constants.get(value).ok_or_else(|| format!("`{value}` is not a constant"))?;
        if tensor.data_location != 0 {
            return Err(format!(
                "the numbers of tensor `{value}` lie in another file: export with `external_data=False`"
            ));
        }
        let dims = tensor.dims.iter().map(|&dim| usize::try_from(dim)).collect::<Result<_, _>>();
        Ok((tensor, dims.map_err(|_| format!("tensor `{value}` has a negative dimension: the file is broken"))?))
    }
}

/// How a message calls a node: by its operator and its name.
pub(crate) fn label(node: &NodeProto) -> String {
    let domain = if is_standard(&node.domain) { String::new() } else { format!("{}.", node.domain) };
    match &node.output[..] {
        [output, ..] if node.name.is_empty() => format!("node {domain}{} (which makes `{output}`)", node.op_type),
        _ => format!("node {domain}{} `{}`", node.op_type, node.name),
    }
}

pub(crate) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

pub(crate) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

pub(crate) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    attribute(node, name).map_or(default, |attribute| attribute.f)
}

pub(crate) fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).map_or(default, |attribute| attribute.i)
}

pub(crate) fn integers<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    attribute(node, name).map(|attribute| &attribute.ints[..])
}

pub(crate) fn text<'a>(node: &'a NodeProto, name: &str, default: &'a str) -> &'a str {
    attribute(node, name).map_or(default, |attribute| str::from_utf8(&attribute.s).unwrap_or_default())
}

/// The name of a node's input that may be left out.
pub(crate) fn optional(node: &NodeProto, index: usize) -> Option<&str> {
    node.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
}

/// A node's input, which must be there.
pub(crate) fn input(node: &NodeProto, index: usize) -> Result<&str, String> {
    optional(node, index).ok_or_else(|| format!("{} has no input {index}: the file is broken", label(node)))
}

fn only<'a>(values: &[&'a ValueInfoProto], what: &str) -> Result<&'a ValueInfoProto, String> {
    if let [value] = values {
        return Ok(value);
    }
    let names: Vec<_> = values.iter().map(|value| format!("`{}`", value.name)).collect();
    Err(format!("the graph has {} {what}s, a network has one: {}", values.len(), names.join(", ")))
}

fn dims(input: &ValueInfoProto) -> Result<Vec<Option<i64>>, String> {
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| format!("input `{}` is not a tensor", input.name))?;
    if tensor.elem_type != FLOAT {
        return Err(format!(
            "input `{}` is of ONNX's data type {}, and only 1, f32, is read",
            input.name, tensor.elem_type
        ));
    }
    let shape =
        tensor.shape.as_ref().ok_or_else(|| format!("the file does not say the shape of input `{}`", input.name))?;
    Ok(shape.dim.iter().map(|dim| dim.dim_value).collect())
}

fn pieces<'a, const N: usize>(value: &str, bytes: &'a [u8]) -> Result<impl Iterator<Item = [u8; N]> + 'a, String> {
    match bytes.as_chunks::<N>() {
        (pieces, []) => Ok(pieces.iter().copied()),
        _ => Err(format!("tensor `{value}` ends within a number: the file is broken")),
    }
}
