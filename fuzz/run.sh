#!/usr/bin/env bash
# Runs every fuzz target for a bounded number of executions: `fuzz/run.sh [RUNS]`, 100,000 each unless told. What was found before
# is not kept: the seeds are written anew. Skips, and says why, where a nightly toolchain or cargo-fuzz cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100000}

skip() {
    echo "SKIPPED: fuzzing: $*"
    exit 0
}

cargo +nightly --version >/dev/null 2>&1 || skip "there is no nightly toolchain: rustup toolchain install nightly"
command -v c++ >/dev/null || skip "there is no C++ compiler, which libFuzzer is built with: apt-get install g++"
if ! cargo fuzz --version >/dev/null 2>&1; then
    cargo install --locked cargo-fuzz || skip "cargo-fuzz is missing and cannot be installed"
fi

corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
cargo +nightly run --quiet --release --manifest-path fuzz/Cargo.toml --example seeds -- "$corpus"
for target in header load checkpoint official; do
    echo "== fuzz $target: $runs runs"
    cargo +nightly fuzz run "$target" "$corpus/$target" -- \
        -runs="$runs" -max_len=2048 -seed=1 -timeout=10 -dict=fuzz/tokens.dict -verbosity=0 -print_final_stats=1
done
