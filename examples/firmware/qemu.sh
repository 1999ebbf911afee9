#!/usr/bin/env bash
# Starts a firmware on one of QEMU's boards: qemu.sh BOARD ELF [OPTION OF QEMU...]. Cargo calls it as its runner.
#
# -icount makes time follow the instructions: one takes 2^shift nanoseconds, the clocks of the board count those, and two runs are
# alike to the last instruction.
set -euo pipefail

board=$1 elf=$2
shift 2
case $(basename "$elf") in
    control*) shift=3 ;; # 125 million instructions a second: what a Cortex-M4F of today runs at
    *) shift=8 ;;        # 4 million: the clocks of the boards, 16 and 25 MHz, then tell single instructions apart
esac

case $board in
    mps2-an386) machine=(qemu-system-arm -machine mps2-an386 -cpu cortex-m4) ;;
    mps2-an500) machine=(qemu-system-arm -machine mps2-an500 -cpu cortex-m7) ;;
    microbit)
        machine=(qemu-system-arm -machine microbit)
        ((shift == 8)) || shift=6 # 16 million: the chip's own clock
        ;;
    rv32imac) machine=(qemu-system-riscv32 -machine virt -cpu rv32,f=off,d=off -bios none) ;;
    rv32imafc) machine=(qemu-system-riscv32 -machine virt -cpu rv32,d=off -bios none) ;;
    *)
        echo "qemu.sh: no board is named $board" >&2
        exit 2
        ;;
esac
command -v "${machine[0]}" >/dev/null || {
    echo "qemu.sh: ${machine[0]} is missing (Debian packages: qemu-system-arm, qemu-system-misc)" >&2
    exit 2
}
exec "${machine[@]}" -nographic -monitor none -serial none -icount "shift=$shift,sleep=off" \
    -semihosting-config enable=on,target=native "$@" -kernel "$elf" </dev/null
