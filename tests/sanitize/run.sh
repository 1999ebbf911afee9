#!/usr/bin/env bash
# The kernels under AddressSanitizer, and under valgrind where it is installed: the networks of tests/isa on each set of instructions in turn.
# valgrind has no AVX-512, and the processor that it shows the test has none either. Without optimisation, as tests are built: the memory
# that is read and written is the same, each debug_assert of the kernels holds, and it compiles in a fraction of the time.
set -euo pipefail
cd "$(dirname "$0")"

target=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")
export CARGO_TARGET_DIR=$target
# The sanitiser's run-time library comes with the stable compiler; only its option does not.
RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$target/sanitize \
    cargo test --target "$(rustc -vV | sed -n 's/^host: //p')" -- --nocapture
rm -rf "$target/sanitize"
echo "AddressSanitizer: nothing found"

if ! command -v valgrind >/dev/null; then
    echo "SKIPPED: valgrind is not installed"
    exit
fi
cargo test --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' >"$target/sanitized"
valgrind --error-exitcode=1 --quiet "$(cat "$target/sanitized")" --nocapture
echo "valgrind: nothing found"
