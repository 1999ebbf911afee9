//! Networks that the compiler reads from files. Those that it refuses are in `compile_fail/weights`; `weights.rs` writes the files.
#![allow(clippy::float_cmp)] // What a file holds is exact.

use constnet::nalgebra::{SMatrix, SVector};
use constnet::safetensors::File;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<32>, (Dense<32, 10>,)>;
type Wide = Network<Vector<32>, (Dense<32, 10, f64>,), f64>;

/// A file, and the network that the compiler has read from it.
macro_rules! constants {
    ($($name:literal $static:ident $File:ident $Net:ty),+) => { $(
        struct $File;
        impl File for $File {
            const BYTES: &'static [u8] = include_bytes!(concat!("data/weights/", $name, ".safetensors"));
        }
        static $static: $Net = <$Net>::from_file::<$File>();
    )+ };
}
constants!(
    "f32" F32 F32File Net,
    "f16" F16 F16File Net,
    "bf16" BF16 BF16File Net,
    "f64" F64 F64File Wide,
    "f16" F16_WIDE F16WideFile Wide
);

/// The `i`-th number of every tensor, as the files' writer has it.
fn number(i: u16) -> f32 {
    let (size, sign) = (f32::from(i % 128), if i % 256 < 128 { 1.0 } else { -1.0 });
    sign * if i < 256 { 1.0 } else { 0.25 } * (1.0 + size / 128.0)
}

/// Would catch: rows taken for columns, a half that is widened wrongly, in constants or at run time.
#[test]
fn constants_are_what_load_reads() {
    let weight = SMatrix::<f32, 10, 32>::from_row_iterator((0..320).map(number));
    let bias = SVector::<f32, 10>::from_iterator((0..10).map(number));
    let expected = Net::new((Dense::new(weight, bias),));
    let wide = Wide::new((Dense::new(weight.map(f64::from), bias.map(f64::from)),));
    for (net, file) in [(&F32, F32File::BYTES), (&F16, F16File::BYTES), (&BF16, BF16File::BYTES)] {
        assert_eq!(*net, expected);
        let mut loaded = Net::ZERO;
        loaded.load(file).expect("a file that fits");
        assert_eq!(loaded, expected);
    }
    for (net, file) in [(&F64, F64File::BYTES), (&F16_WIDE, F16WideFile::BYTES)] {
        assert_eq!(*net, wide);
        let mut loaded = Wide::ZERO;
        loaded.load(file).expect("a file that fits");
        assert_eq!(loaded, wide);
    }
}
