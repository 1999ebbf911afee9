#!/usr/bin/env bash
# The kernels under AddressSanitizer, and under valgrind where it is installed: tests/isa.rs forces each set of instructions in turn.
# valgrind has no AVX-512, and says so to the test, which then leaves it out.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
host=$(rustc -vV | sed -n 's/^host: //p')
# The sanitiser's run-time library comes with the stable compiler, its option does not.
export RUSTC_BOOTSTRAP=1
RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$target/sanitize cargo test --target "$host" --test isa -- --nocapture
echo "AddressSanitizer: nothing found"

if ! command -v valgrind >/dev/null; then
    echo "SKIPPED: valgrind is not installed"
    exit
fi
CARGO_TARGET_DIR=$target/sanitize cargo test --release --no-run --test isa --message-format=json |
    sed -n 's/.*"executable":"\([^"]*isa-[^"]*\)".*/\1/p' >"$target/sanitize/isa"
valgrind --error-exitcode=1 --quiet "$(tail -n 1 "$target/sanitize/isa")" --nocapture
echo "valgrind: nothing found"
