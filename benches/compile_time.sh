#!/usr/bin/env bash
# What a network costs to compile: `benches/compile_time.sh`. Makes a crate that depends on this one, and builds in it, in release mode, constnet
# alone, a network the size of LeNet that predicts and trains, and one of sixteen layers; the median of three builds, in seconds. Then
# constnet with the feature `long`.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/src/bin"
cat >"$folder/Cargo.toml" <<TOML
[package]
name = "compile-time"
edition = "2024"

[workspace]

[features]
long = ["constnet/long"]

[dependencies]
constnet = { path = "$root" }
TOML
echo 'fn main() {}' >"$folder/src/bin/nothing.rs"

# program NAME INPUT LAYERS: predicts, and trains with Adam on a batch of 32.
program() {
    cat >"$folder/src/bin/$1.rs" <<RUST
use constnet::{Class, ConstZero, *, loss::CrossEntropy, optimizer::Adam, train::Trainer};
use std::hint::black_box;
use std::sync::Mutex;

type Net = Network<$2, $3>;
static NET: Mutex<Net> = Mutex::new(Net::ZERO);
static TRAINER: Mutex<Trainer<Net, Adam, CrossEntropy, 32>> = Mutex::new(Trainer::new(Adam::const_new(1e-3), CrossEntropy));
static INPUTS: [shape::TensorOf<$2, f32>; 32] = ConstZero::ZERO;

fn main() {
    let (mut net, mut trainer) = (NET.lock().unwrap(), TRAINER.lock().unwrap());
    println!("{:?}", net.predict(black_box(&INPUTS[0])));
    println!("{}", trainer.step(&mut *net, black_box(&INPUTS), &[Class::const_new(3); 32]));
}
RUST
}
program lenet 'Image<1, 28, 28>' '(
    Conv2d<1, 6, 5, 5, Stride<1>, Same>, Tanh, AvgPool2d<2>, Conv2d<6, 16, 5>, Tanh, AvgPool2d<2>,
    Flatten, Dense<400, 120>, Tanh, Dense<120, 84>, Tanh, Dense<84, 10>,
)'
program sixteen 'Vector<32>' '(
    Dense<32, 31>, Relu, Dense<31, 30>, Tanh, Dense<30, 29>, Relu, Dense<29, 28>, Tanh,
    Dense<28, 27>, Relu, Dense<27, 26>, Tanh, Dense<26, 25>, Relu, Dense<25, 24>, Dense<24, 10>,
)'

cd "$folder"
export CARGO_TARGET_DIR="$folder/target"
seconds() {
    local start=$EPOCHREALTIME
    "$@" >/dev/null 2>&1 || { "$@"; exit 1; }
    awk -v start="$start" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", end - start }'
}
# median PACKAGE COMMAND...: of three runs, each after the package has been cleaned.
median() {
    local package=$1
    shift
    for _ in 1 2 3; do
        cargo clean --quiet --release --package "$package"
        seconds "$@"
    done | sort -n | sed -n 2p
}
printf '%-44s %6s s\n' "everything, from nothing, with LeNet" "$(seconds cargo build --release --bin lenet)"
cargo build --quiet --release --bin nothing
printf '%-44s %6s s\n' "constnet alone" "$(median constnet cargo build --release --bin nothing)"
for net in lenet sixteen; do
    cargo build --quiet --release --bin "$net"
    printf '%-44s %6s s\n' "$net, when constnet is built" "$(median compile-time cargo build --release --bin "$net")"
done
printf '%-44s %6s s\n' "constnet alone, with the feature long" "$(median constnet cargo build --release --bin nothing --features long)"
