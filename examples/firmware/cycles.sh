#!/usr/bin/env bash
# Estimates cycles of a Cortex-M4F beside the instructions that `count` tells, by a plugin of QEMU 7.2 (tools/cycles.c):
#
#     ./cycles.sh                  the table
#     ./cycles.sh detailed=on      and which functions and instructions each row goes to
#
# Needs gcc, libc6-dev and QEMU 7.2 (Debian 12).
set -euo pipefail
cd "$(dirname "$0")"

target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")/mps2-an386
qemu-system-arm --version | grep -q 'version 7\.2' || {
    echo "cycles.sh: this is $(qemu-system-arm --version | head -n 1), and the plugin is for QEMU 7.2" >&2
    exit 1
}
CARGO_TARGET_DIR=$target_dir cargo build --release --quiet --bin count
gcc -O2 -Wall -Wextra -shared -fPIC tools/cycles.c -o "$target_dir/cycles.so"
./qemu.sh mps2-an386 "$target_dir/thumbv7em-none-eabihf/release/count" -plugin "$target_dir/cycles.so${1:+,$1}" \
    2>"$target_dir/parts" >"$target_dir/table"

# The first two parts compare the clock: nothing, and a loop.
paste -d ' ' <(tail -n +3 <(grep '^part' "$target_dir/parts") | sed -E 's/.* ([0-9]+) cycles/\1/') <(grep -E '^ +[0-9]' "$target_dir/table") |
    awk 'BEGIN { print "   cycles instructions  stack  bound" } { printf "%9d%s\n", $1, substr($0, length($1) + 2) }'
if (($# > 0)); then
    awk '/^part/ { part++ } part > 2' "$target_dir/parts" | c++filt
fi
