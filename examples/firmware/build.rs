//! Gives the linker the memory map of the target.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=memory");
    println!("cargo:rustc-check-cfg=cfg(board, values(\"mps2\", \"microbit\", \"virt\"))");
    println!("cargo:rustc-check-cfg=cfg(soft_float)");
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(()); // The tests of the library part run on this machine.
    }
    let target = env::var("TARGET")?;
    let board = match target.as_str() {
        "thumbv7em-none-eabihf" => "mps2",
        "thumbv6m-none-eabi" => "microbit",
        "riscv32imac-unknown-none-elf" | "riscv32imafc-unknown-none-elf" => "virt",
        _ => return Err(format!("no board of this firmware is a {target}").into()),
    };
    println!("cargo:rustc-cfg=board=\"{board}\"");
    // Without a unit for floating point.
    if target.contains("thumbv6m") || target.contains("imac-") {
        println!("cargo:rustc-cfg=soft_float");
    }
    let map = Path::new("memory").join(board).with_extension("x");
    let out = env::var("OUT_DIR")?;
    fs::copy(&map, Path::new(&out).join("memory.x")).map_err(|error| format!("{}: {error}", map.display()))?;
    println!("cargo:rustc-link-search={out}");
    if board == "virt" {
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    } else {
        println!("cargo:rustc-link-arg-bins=--nmagic"); // A segment need not begin on a page of 64 KiB.
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    Ok(())
}
