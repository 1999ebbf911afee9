#!/usr/bin/env bash
# Builds the library with cargo and the firmware with arm-none-eabi-gcc, runs it in QEMU, and tells the size of the network's code.
#
# Needs gcc-arm-none-eabi, qemu-system-arm, lld and rustup's thumbv7em-none-eabihf (Debian's compiler does not do here).
set -euo pipefail
cd "$(dirname "$0")"

target=thumbv7em-none-eabihf
target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target_dir/c CARGO_TERM_COLOR=never
for tool in arm-none-eabi-gcc:gcc-arm-none-eabi qemu-system-arm:qemu-system-arm ld.lld:lld; do
    command -v "${tool%:*}" >/dev/null || {
        echo "c/run.sh: ${tool%:*} is missing: apt-get install ${tool#*:}" >&2
        exit 1
    }
done

# code LIBRARY: the bytes of the code that one prediction reaches, without weights and without anything else.
code() {
    ld.lld -m armelf --gc-sections -e constnet_digits_predict "$1" -o "$CARGO_TARGET_DIR/code.elf"
    size -A "$CARGO_TARGET_DIR/code.elf" | awk '$1 == ".text" { print $2 }'
}

# The most that a prediction's code may take.
declare -A most=([release]=8192 [size]=4096) level=([release]=3 [size]='"s"')
for profile in release size; do
    cargo build --quiet --profile "$profile" --target "$target" --config "target.$target.rustflags=['-C','target-cpu=cortex-m4']"
    library=$CARGO_TARGET_DIR/$target/$profile/libconstnet_digits.a
    arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -O2 -std=c11 -Wall -Wextra -Werror \
        -ffreestanding -nostdlib -Wl,--gc-sections -Wl,--fatal-warnings -Wl,-z,noexecstack -T link.ld main.c "$library" -lgcc -o "$CARGO_TARGET_DIR/digits.elf"
    ../qemu.sh mps2-an386 "$CARGO_TARGET_DIR/digits.elf"
    bytes=$(code "$library")
    echo "code of a prediction, opt-level = ${level[$profile]}: $bytes bytes"
    ((bytes <= most[$profile])) || {
        echo "c/run.sh: that is more than ${most[$profile]}" >&2
        exit 1
    }
done
