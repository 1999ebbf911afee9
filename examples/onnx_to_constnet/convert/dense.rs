//! Fully connected layers: `Gemm`, and `MatMul` with `Add`.

use super::graph::{Graph, float, input, integer, label};
use super::proto::NodeProto;

/// A fully connected layer, as constnet's `Dense` is written to a file.
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// `outputs` rows.
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Option<Vec<f32>>,
}

/// `Gemm`: `alpha A B + beta C`, where `B` may be transposed. Gives the layer and the value that it takes.
pub(crate) fn gemm<'a>(graph: &Graph<'a>, node: &'a NodeProto) -> Result<(Dense, &'a str), String> {
    if integer(node, "transA", 0) != 0 {
        return Err(format!("{} transposes its input (transA), which no layer does", label(node)));
    }
    let mut dense = weight(graph, node, integer(node, "transB", 0) != 0)?;
    let alpha = float(node, "alpha", 1.0);
    for w in &mut dense.weight {
        *w *= alpha;
    }
    if let Some(name) = node.input.get(2).filter(|name| !name.is_empty()) {
        let beta = float(node, "beta", 1.0);
        let mut bias = bias(graph, node, name, dense.outputs)?;
        for b in &mut bias {
            *b *= beta;
        }
        dense.bias = Some(bias);
    }
    Ok((dense, input(node, 0)?))
}

/// `MatMul` by a constant.
pub(crate) fn mat_mul<'a>(graph: &Graph<'a>, node: &'a NodeProto) -> Result<(Dense, &'a str), String> {
    Ok((weight(graph, node, false)?, input(node, 0)?))
}

/// `Add` of a constant to what a `MatMul` or a `Gemm` gives.
pub(crate) fn add_bias<'a>(
    graph: &Graph<'a>,
    node: &'a NodeProto,
    constant: &str,
    product: &'a str,
) -> Result<(Dense, &'a str), String> {
    let (mut dense, x) = match graph.producer(product) {
        Some(before) if before.op_type == "MatMul" => mat_mul(graph, before)?,
        Some(before) if before.op_type == "Gemm" => gemm(graph, before)?,
        Some(before) if before.op_type == "Mul" => {
            let cure = "a normalisation of several parts: export with `dynamo=True` and `opset_version=23`";
            return Err(format!("{} adds a constant to a product ({cure})", label(node)));
        }
        _ => return Err(format!("{} adds a constant, and no MatMul comes before it", label(node))),
    };
    if dense.bias.is_some() {
        return Err(format!("{} adds a second bias", label(node)));
    }
    dense.bias = Some(bias(graph, node, constant, dense.outputs)?);
    Ok((dense, x))
}

fn weight(graph: &Graph<'_>, node: &NodeProto, is_transposed: bool) -> Result<Dense, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let (dims, numbers) = graph.floats(input(node, 1)?).map_err(about)?;
    let &[rows, columns] = &dims[..] else {
        return Err(about(format!("the weight is {dims:?}, a matrix is needed")));
    };
    if rows == 0 || columns == 0 {
        return Err(about(format!("the weight is {dims:?}, which is empty")));
    }
    if is_transposed {
        return Ok(Dense { inputs: columns, outputs: rows, weight: numbers, bias: None });
    }
    let weight = (0..columns).flat_map(|column| numbers.iter().skip(column).step_by(columns)).copied().collect();
    Ok(Dense { inputs: rows, outputs: columns, weight, bias: None })
}

fn bias(graph: &Graph<'_>, node: &NodeProto, name: &str, outputs: usize) -> Result<Vec<f32>, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let (dims, numbers) = graph.floats(name).map_err(about)?;
    match &dims[..] {
        [n] | [1, n] if *n == outputs => Ok(numbers),
        [] | [1] | [1, 1] => Ok(vec![numbers[0]; outputs]),
        _ => Err(about(format!("the bias is {dims:?}, and [{outputs}], [1, {outputs}] or one number is needed"))),
    }
}
