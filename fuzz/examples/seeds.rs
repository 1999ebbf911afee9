//! Writes the valid files that the fuzzer starts from: `seeds FOLDER` makes `FOLDER/header`, `FOLDER/load`, `FOLDER/checkpoint` and
//! `FOLDER/official`.

use constnet::ConstZero;
use constnet::nalgebra::SVector;
use constnet_fuzz::{Double, Nested, Normed, Single, bounded, net_file, ramp, samples, saved, session, session_file};
use std::error::Error;
use std::fs;
use std::path::Path;

/// A file of one network, as a model with names of its own and halves would write it.
const RENAMED: &str = r#"{"m.fc1.weight":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"m.fc1.bias":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]}}"#;

/// Whatever else the format allows: metadata, an empty tensor, a scalar, spaces, an order of its own, escapes, fields and types of all kinds.
const UNUSUAL: &str = " {\"__metadata__\" : {\"a\":\"\\\"b\"} ,\n\"\\u0079\":{\"x\":[null,{\"y\":-1.5e-3}],\"shape\":[2],\"data_offsets\":[1,3],\"dtype\":\"U8\"},\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[1,1]},\"x\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]} }";

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: seeds FOLDER")?;
    let scaler = bounded();
    let (single, double, nested, normed): (Single, Double, Nested, Normed) = (ramp(), ramp(), ramp(), ramp());
    let loads = [
        net_file(&single),
        net_file(&double),
        net_file(&nested),
        net_file(&normed),
        saved(scaler.saved_len(), |buffer| scaler.save(buffer).expect("room")),
        file(RENAMED, &[0; 12]),
        file(UNUSUAL, b"123"),
    ];
    let mut new = session();
    let mut trained = session();
    for _ in 0..3 {
        trained.1.step(&mut trained.0, &[samples()[0]], &[SVector::<f32, 1>::ZERO]);
    }
    let checkpoints = [session_file(&mut new), session_file(&mut trained)];
    for (target, files) in
        [("header", &loads[..]), ("load", &loads), ("checkpoint", &checkpoints), ("official", &loads)]
    {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder)?;
        for (i, file) in files.iter().enumerate() {
            fs::write(folder.join(format!("seed{i}")), file)?;
        }
    }
    Ok(())
}
