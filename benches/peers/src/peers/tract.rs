//! tract, which predicts and does not train, from an ONNX graph as a file would hold it.

use crate::nets::{Loss, Net, Weight};
use crate::peer::Peer;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};
use tract_onnx::prelude::{
    Framework, InferenceModelExt, IntoRunnable, Tensor, TractResult, TypedSimpleState, onnx, tvec,
};

struct Tract {
    state: TypedSimpleState,
    shape: Vec<usize>,
}

pub(super) fn make(net: Net, _: usize, _: f64) -> Option<Box<dyn Peer>> {
    if net.is_stream() {
        return None;
    }
    Some(Box::new(Tract::new(net).expect("a valid graph")))
}

impl Tract {
    fn new(net: Net) -> TractResult<Self> {
        let shape = if net == Net::LeNet { vec![1, 1, 28, 28] } else { vec![1, net.inputs()] };
        let model = onnx().model_for_proto_model(&model(net, &shape))?.into_optimized()?.into_runnable()?;
        Ok(Self { state: model.spawn()?, shape })
    }
}

impl Peer for Tract {
    fn predict(&mut self, x: &[f32], y: &mut [f32]) {
        let x = Tensor::from_shape(&self.shape, x).expect("numbers of that shape");
        let outputs = self.state.run(tvec!(x.into())).expect("an input that fits");
        let output = outputs[0].to_plain_array_view::<f32>().expect("numbers of that type");
        y.copy_from_slice(output.as_slice().expect("numbers in a row"));
    }
}

/// Nodes one behind the other: the output of each is the input of the next.
#[derive(Default)]
struct Graph {
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
}

impl Graph {
    /// The name of what comes out of `nodes` nodes.
    fn value(nodes: usize) -> String {
        format!("value{nodes}")
    }

    fn push(&mut self, op: &str, weights: &[Weight], attributes: Vec<AttributeProto>) {
        let mut input = vec![Self::value(self.nodes.len())];
        input.extend(weights.iter().map(|weight| weight.name.clone()));
        let node = NodeProto {
            name: format!("{op}{}", self.nodes.len()),
            op_type: op.to_owned(),
            input,
            output: vec![Self::value(self.nodes.len() + 1)],
            attribute: attributes,
            ..NodeProto::default()
        };
        self.nodes.push(node);
        self.tensors.extend(weights.iter().map(|weight| TensorProto {
            name: weight.name.clone(),
            dims: weight.shape.iter().map(|&n| i64::try_from(n).unwrap_or(0)).collect(),
            data_type: DataType::Float.into(),
            float_data: weight.values.clone(),
            ..TensorProto::default()
        }));
    }
}

fn integers(name: &str, values: &[i64]) -> AttributeProto {
    let (name, ints) = (name.to_owned(), values.to_vec());
    AttributeProto { name, ints, r#type: AttributeType::Ints.into(), ..AttributeProto::default() }
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i: value, r#type: AttributeType::Int.into(), ..AttributeProto::default() }
}

/// A value that the graph takes or gives.
fn value(nodes: usize, shape: &[usize]) -> ValueInfoProto {
    let length = |&n| tensor_shape_proto::dimension::Value::DimValue(i64::try_from(n).unwrap_or(0));
    let dimension = |n| tensor_shape_proto::Dimension { value: Some(length(n)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: shape.iter().map(dimension).collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float.into(), shape };
    let r#type = Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() });
    ValueInfoProto { name: Graph::value(nodes), r#type, ..ValueInfoProto::default() }
}

fn model(net: Net, shape: &[usize]) -> ModelProto {
    let (mut graph, weights) = (Graph::default(), net.weights());
    let layers = weights.as_chunks::<2>().0;
    for (i, layer) in layers.iter().enumerate() {
        let last = i + 1 == layers.len();
        if layer[0].shape.len() == 4 {
            graph.push("Conv", layer, vec![]);
            graph.push("Relu", &[], vec![]);
            graph.push("MaxPool", &[], vec![integers("kernel_shape", &[2, 2]), integers("strides", &[2, 2])]);
            continue;
        }
        if net == Net::LeNet {
            graph.push("Flatten", &[], vec![]);
        }
        graph.push("Gemm", layer, vec![integer("transB", 1)]);
        match (net, last) {
            (Net::Xor, _) => graph.push("Sigmoid", &[], vec![]),
            (_, true) => {}
            (Net::Policy, false) => graph.push("Tanh", &[], vec![]),
            (_, false) => graph.push("Relu", &[], vec![]),
        }
    }
    if net.loss() == Loss::CrossEntropy {
        graph.push("Softmax", &[], vec![]);
    }
    let graph = GraphProto {
        name: net.name().to_owned(),
        input: vec![value(0, shape)],
        output: vec![value(graph.nodes.len(), &[1, net.outputs()])],
        node: graph.nodes,
        initializer: graph.tensors,
        ..GraphProto::default()
    };
    let version = OperatorSetIdProto { version: 13, ..OperatorSetIdProto::default() };
    ModelProto { ir_version: 8, opset_import: vec![version], graph: Some(graph), ..ModelProto::default() }
}
