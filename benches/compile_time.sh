#!/usr/bin/env bash
# What a network costs to compile, and how large its code is: `benches/compile_time.sh [FOLDER]`, for the constnet of this repository or of
# another checkout. Makes a crate that depends on it, and builds in it, in release mode, constnet alone and programs that do nothing
# but predict, or but train, with a network of dense layers for MNIST, one the size of LeNet and one of sixteen layers; then constnet with
# the feature `long`. Prints the median of three builds in seconds, by the clock on the wall and of the processors, and the bytes of
# machine code (the section .text) above those of a program that does nothing.
set -euo pipefail
root=$(realpath "${1:-$(dirname "$0")/..}")
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

# program NAME INPUT LAYERS: one that predicts, and one that trains with Adam on a batch of 32.
program() {
    cat >"$folder/src/bin/$1_predict.rs" <<RUST
use constnet::{ConstZero, *};
use std::hint::black_box;

static NET: Network<$2, $3> = Network::ZERO;
static INPUT: shape::TensorOf<$2, f32> = ConstZero::ZERO;

fn main() {
    black_box(black_box(&NET).predict(black_box(&INPUT)));
}
RUST
    cat >"$folder/src/bin/$1_train.rs" <<RUST
use constnet::{Class, ConstZero, *, loss::CrossEntropy, optimizer::Adam, train::Trainer};
use std::hint::black_box;
use std::sync::Mutex;

type Net = Network<$2, $3>;
static NET: Mutex<Net> = Mutex::new(Net::ZERO);
static TRAINER: Mutex<Trainer<Net, Adam, CrossEntropy, 32>> = Mutex::new(Trainer::new(Adam::const_new(1e-3), CrossEntropy));
static INPUTS: [shape::TensorOf<$2, f32>; 32] = ConstZero::ZERO;

fn main() {
    if let (Ok(mut net), Ok(mut trainer)) = (NET.lock(), TRAINER.lock()) {
        black_box(trainer.step(&mut *net, black_box(&INPUTS), &[Class::const_new(3); 32]));
    }
}
RUST
}
program mnist 'Vector<784>' '(Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>)'
program lenet 'Image<1, 28, 28>' '(
    Conv2d<1, 6, 5, 5, Stride<1>, Same>, Tanh, AvgPool2d<2>, Conv2d<6, 16, 5>, Tanh, AvgPool2d<2>,
    Flatten, Dense<400, 120>, Tanh, Dense<120, 84>, Tanh, Dense<84, 10>,
)'
program sixteen 'Vector<32>' '(
    Dense<32, 31>, Relu, Dense<31, 30>, Tanh, Dense<30, 29>, Relu, Dense<29, 28>, Tanh,
    Dense<28, 27>, Relu, Dense<27, 26>, Tanh, Dense<26, 25>, Relu, Dense<25, 24>, Dense<24, 10>,
)'

cd "$folder"
export CARGO_TARGET_DIR="$folder/target" TIMEFORMAT='%R %U'
# Seconds on the wall, and of the processors.
seconds() {
    local times
    times=$({ time "$@" >/dev/null 2>&1; } 2>&1) || { "$@"; exit 1; }
    echo "$times"
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
# Bytes of a program's machine code.
code() {
    size -A "target/release/$1" | awk '$1 == ".text" { print $2 }'
}
# row NAME TIMES [BYTES]
row() {
    local wall user
    read -r wall user <<<"$2"
    printf '%-42s %8.1f %10.1f %10s\n' "$1" "$wall" "$user" "${3:-}"
}
printf '%-42s %8s %10s %10s\n' "" "seconds" "of CPU" "bytes"
row "everything, from nothing, with LeNet" "$(seconds cargo build --release --bin lenet_train)"
cargo build --quiet --release --bin nothing
nothing=$(code nothing)
row "constnet alone" "$(median constnet cargo build --release --bin nothing)"
for net in mnist_predict mnist_train lenet_predict lenet_train sixteen_predict sixteen_train; do
    cargo build --quiet --release --bin "$net"
    times=$(median compile-time cargo build --release --bin "$net")
    row "$net, when constnet is built" "$times" $(($(code "$net") - nothing))
done
row "constnet alone, with the feature long" "$(median constnet cargo build --release --bin nothing --features long)"
