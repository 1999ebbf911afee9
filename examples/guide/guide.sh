#!/usr/bin/env bash
# Every step of the guide, `constnet::guide`, in a folder of its own: `examples/guide/guide.sh`, from the crate's folder. Without
# PyTorch it takes the weights that train.py has made before; without the microcontroller's target it builds for this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
crate=$PWD
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$crate/target}
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

mkdir -p "$project/examples/guide" "$project/src"
cp examples/guide/*.safetensors "$project/examples/guide"
if "${PYTHON:-python3}" -c "import safetensors, torch" 2>/dev/null; then
    python() { "${PYTHON:-python3}" "$@"; }
    digits=$crate/examples/data/digits.csv.gz
    train=$crate/examples/guide/train.py
    cd "$project"
    python "$train" "$digits" examples/guide
else
    echo "SKIPPED: training in PyTorch, which is not here: the weights are those that train.py made before"
fi

# A package as a user has it.
cd "$project"
cp "$crate/examples/guide/main.rs" src/main.rs
cat >Cargo.toml <<EOF
[package]
name = "digits"
edition = "2024"

[workspace]

[dependencies]
constnet = { path = "$crate" }
EOF
[[ ! -f $crate/Cargo.lock ]] || cp "$crate/Cargo.lock" .

# The weights fit.
cargo check
cargo run --release

# They do not.
sed -i 's/Dense<32, 10>/Dense<32, 11>/; s/, 10>/, 11>/' src/main.rs
if cargo check 2>errors; then
    echo "FAILED: a network of 11 classes takes weights of 10" >&2
    exit 1
fi
grep -Fxf "$crate/examples/guide/error.txt" errors

# The chip.
{
    echo '#![no_std]'
    cat "$crate/examples/guide/chip.rs"
} >src/lib.rs
rm src/main.rs
sed -i 's/^constnet = { path = \(.*\) }/constnet = { path = \1, default-features = false }/' Cargo.toml
target=thumbv7em-none-eabihf
if [[ -d $(rustc --print sysroot)/lib/rustlib/$target ]]; then
    cargo build --release --target thumbv7em-none-eabihf
else
    echo "SKIPPED: building for $target, which rustup target add $target installs"
    cargo build --release
fi
