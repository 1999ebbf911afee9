//! The weight files of `from_file.rs` and of the cases in `compile_fail/weights`: what is in them.
//!
//! Set `CONSTNET_WRITE_WEIGHTS=1` to write them anew.

use safetensors::tensor::{Dtype, TensorView, serialize};
use std::path::Path;

/// The `i`-th number of every tensor: all of them different, and exact in 8 bits, so in every type.
fn number(i: usize) -> f32 {
    let (size, sign) = (u8::try_from(i % 128).expect("below 128"), if i % 256 < 128 { 1.0 } else { -1.0 });
    let scale = [1.0, 0.25, 4.0][i / 256];
    sign * scale * (1.0 + f32::from(size) / 128.0)
}

/// A number in the bytes of a type. Halves are exact: 8 bits of fraction are left.
fn bytes(dtype: Dtype, x: f32) -> Vec<u8> {
    let bits = x.to_bits();
    match dtype {
        Dtype::F64 => f64::from(x).to_le_bytes().to_vec(),
        Dtype::BF16 => (bits >> 16).to_le_bytes()[..2].to_vec(),
        // The exponent's bias is 15, not 127: the upper bits of the smaller type, for numbers that are neither 0 nor tiny.
        Dtype::F16 => {
            let half = ((bits >> 16) & 0x8000) | (((bits >> 23 & 0xff) - 112) << 10) | ((bits >> 13) & 0x3ff);
            half.to_le_bytes()[..2].to_vec()
        }
        _ => bits.to_le_bytes().to_vec(),
    }
}

struct Tensor(&'static str, Dtype, &'static [usize], Vec<u8>);

fn tensor(name: &'static str, dtype: Dtype, shape: &'static [usize]) -> Tensor {
    let data = (0..shape.iter().product()).flat_map(|i| bytes(dtype, number(i))).collect();
    Tensor(name, dtype, shape, data)
}

fn file(tensors: &[Tensor]) -> Vec<u8> {
    let views = tensors.iter().map(|Tensor(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.to_vec(), data).expect("shape and bytes agree"))
    });
    serialize(views, None).expect("a valid file")
}

/// The right tensors in one type.
fn right(dtype: Dtype) -> [Tensor; 2] {
    [tensor("0.weight", dtype, &[10, 32]), tensor("0.bias", dtype, &[10])]
}

/// Each file, by its name.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let ([weight, _], [_, bias], [more_weight, more_bias]) = (right(Dtype::F32), right(Dtype::F32), right(Dtype::F32));
    let mut infinite = right(Dtype::F32);
    infinite[0].3[40..44].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let norm = |variance: f32| {
        let names = ["0.weight", "0.bias", "0.running_mean", "0.running_var"];
        let mut tensors = names.map(|name| tensor(name, Dtype::F32, &[32]));
        tensors[3].3[40..44].copy_from_slice(&variance.to_le_bytes());
        file(&tensors)
    };
    let many: Vec<_> = (0..60).map(|i| format!("model.layers.{i:02}.weight")).collect();
    let many = many.iter().map(|name| (name, TensorView::new(Dtype::BOOL, vec![1], &[1]).expect("a byte")));
    let mut truncated = file(&right(Dtype::F32));
    truncated.truncate(truncated.len() - 4);
    vec![
        ("f32", file(&right(Dtype::F32))),
        ("f64", file(&right(Dtype::F64))),
        ("f16", file(&right(Dtype::F16))),
        ("bf16", file(&right(Dtype::BF16))),
        ("i32", file(&right(Dtype::I32))),
        ("narrow", file(&[tensor("0.weight", Dtype::F32, &[10, 31]), bias])),
        ("missing", file(&[weight])),
        ("more", file(&[more_weight, more_bias, tensor("1.bias", Dtype::F32, &[3])])),
        ("infinite", file(&infinite)),
        ("truncated", truncated),
        ("root", file(&[tensor("weight", Dtype::F32, &[10, 32]), tensor("bias", Dtype::F32, &[10])])),
        ("norm", norm(0.0)),
        ("variance", norm(-1.0)),
        ("many", serialize(many, None).expect("a valid file")),
        ("named", file(&[tensor("net.fc.weight", Dtype::F32, &[10, 32]), tensor("net.fc.bias", Dtype::F32, &[10])])),
    ]
}

/// Would catch: a golden file that is not what its case says it is.
#[test]
fn the_files_are_these() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/weights");
    let writes = std::env::var_os("CONSTNET_WRITE_WEIGHTS").is_some();
    for (name, bytes) in files() {
        let path = folder.join(name).with_extension("safetensors");
        if writes {
            std::fs::write(&path, &bytes).expect("a folder to write to");
        }
        assert!(std::fs::read(&path).is_ok_and(|there| there == bytes), "{name}.safetensors is another file");
    }
}
